import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.receipts import bounce
from gateway.receipts.bounce import Ended, refusing, reporting, why
from smtp import reply
from smtp.address import parse
from smtp.envelope import Recipient, Refusal
from smtp.message import dsn
from smtp.message.dsn import Action, Fate, Kind, Letter, Report
from smtp.reply import Reply

MARTIN, DURAND = parse("martin@chu.example"), parse("durand@chu.example")
FULL = Reply(452, "4.2.2", "Over quota")


@pytest.mark.parametrize(
    ("said", "french", "english"),
    [
        (reply.RECIPIENT_NOT_LISTED, "espace de confiance", "trusted space"),
        (reply.NO_SUCH_MAILBOX, "n'existe pas", "does not exist"),
        (reply.LIST_STALE, "partira ensuite de lui-même", "go by itself"),
        (reply.NEXT_HOP_NOT_ENTITLED, "certificat attendu", "expected certificate"),
        (reply.NEXT_HOP_REVOKED, "a été révoqué", "was revoked"),
        (reply.SENDER_IS_NOT_YOU, "comme expéditeur", "as the sender"),
        (reply.citizen_too_large(10_000_000), "10 Mo au plus", "10 MB at most"),
        (FULL, "pleine", "full"),
        (Reply(552, "5.2.2", "quota"), "pleine", "full"),
        (Reply(554, "5.7.1", "no"), "règles", "rules"),
        (Reply(554, "5.7.99", "no"), "a refusé", "refused"),
        (Reply(421, "", "bye"), "passager", "passing"),
        (Reply(550, "", "no"), "a refusé", "refused"),
        (Reply(451, "4.9.9", "hm"), "passager", "passing"),
        (None, "n'est pas connue", "is not known"),
    ],
)
def test_meaning(said: Reply | None, french: str, english: str) -> None:
    """Our own replies are explained one by one, others by their enhanced code, else by class."""
    assert french in why(said).french
    assert english in why(said).english


def test_a_cure_is_said_in_both_languages() -> None:
    """After why it was refused: the address, alone at the end, to be copied."""
    told = why(replace(reply.NO_SUCH_MAILBOX, cure="durand@chu.example"))

    assert re.fullmatch(r".*n'existe pas.* bien elle : durand@chu\.example", told.french)
    assert re.fullmatch(r".*does not exist.* that it is: durand@chu\.example", told.english)


def test_expired() -> None:
    """When time ran out, the sender is told so, and what stood in the way to the last."""
    told = why(FULL, expired=True)

    assert re.fullmatch(r"Les essais ont duré .* pleine\..*", told.french)
    assert re.fullmatch(r"It was tried .* is full\..*", told.english)


def test_one_paragraph_a_cause() -> None:
    """Recipients with the same cause share a paragraph; each is named once."""
    french, english = reporting(
        [
            Ended(MARTIN, reply.NO_SUCH_MAILBOX),
            Ended(parse("x@autre.example"), FULL),
            Ended(DURAND, reply.NO_SUCH_MAILBOX),
        ]
    )

    assert 2 == len(french.split("\n\n")) == len(english.split("\n\n"))
    assert french.startswith("martin@chu.example, durand@chu.example : cette adresse")
    assert english.startswith("martin@chu.example, durand@chu.example: this address")


def test_refusal_says_who_has_it() -> None:
    """A refused sender learns who was refused and why, and who did receive the message."""
    refused = [Refusal(Recipient(MARTIN), reply.RECIPIENT_NOT_LISTED)]
    french, english = refusing(refused, [DURAND])

    assert "martin@chu.example : cette adresse n'est pas" in french
    assert "pris en charge pour : durand@chu.example." in french
    assert "taken for: durand@chu.example." in english


def test_refusal_of_all() -> None:
    """Where everybody was refused, the sender is told that nobody has the message."""
    french, english = refusing([Refusal(Recipient(MARTIN), reply.NO_SUCH_MAILBOX)], [])

    assert "personne d'autre" in french
    assert "nobody else" in english


def test_both_languages_everywhere() -> None:
    """Every cause is told in both languages, in whole sentences, without a word of protocol."""
    every = {*bounce._OURS.values(), *bounce._CODES.values(), bounce._LATER, bounce._NEVER}

    for cause in every:
        for words in cause:
            assert words.endswith(".")
            assert not re.search(r"\b(SMTP|DSN|MX|TLS|EHLO|[45]\.\d\.\d|[45]\d\d)\b", words)
        assert cause.french != cause.english


def test_within_a_report() -> None:
    """The paragraphs reach the person in the report, accents and all."""
    french, english = reporting([Ended(MARTIN, reply.NO_SUCH_MAILBOX)])
    written = dsn.compose(
        Report(
            Kind.STATUS, "mx.labo.example", (Fate(MARTIN, Action.FAILED, "5.1.1", None, "550 no"),)
        ),
        Letter(
            sender=parse("postmaster@labo.example"),
            to=parse("labo@labo.example"),
            message_id="<n1@labo.example>",
            now=datetime(2026, 3, 2, tzinfo=UTC),
            original=b"Subject: x\r\n\r\n",
            french=french,
            english=english,
        ),
    )

    text = written.replace(b"=\r\n", b"")
    assert b"cette adresse n'existe pas. V=C3=A9rifiez-la" in text
    assert b"this address does not exist." in text
