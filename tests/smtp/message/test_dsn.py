"""Delivery reports: strict as written, whoever's words they repeat; read back as they were meant."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email import policy as policies
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp.address import parse
from smtp.envelope import Ret
from smtp.message.dsn import Action, Fate, Kind, Letter, Report, compose
from smtp.message.dsn_reader import read
from smtp.message.header import Header

NOW = datetime(2026, 3, 1, 8, 5, 9, tzinfo=UTC)
HEADER = b"From: martin@labo.example\r\nMessage-ID: <m1@labo.example>\r\nSubject: S\r\n"
ORIGINAL = HEADER + b"\r\nBody of the result.\r\n"
FATE = Fate(
    final=parse("accueil@chu.example"),
    action=Action.FAILED,
    status="5.1.1",
    original="rfc822;accueil@chu.example",
    diagnostic="550 5.1.1 There is no such mailbox here; check the address",
    remote_mta="mx.chu.example",
    last_attempt=NOW,
)
REPORT = Report(
    kind=Kind.STATUS,
    reporting_mta="mx.labo.example",
    recipients=(FATE,),
    original_envelope_id="01K0ENV",
    original_message_id="<m1@labo.example>",
    arrived=NOW,
)
LETTER = Letter(
    sender=parse("postmaster@labo.example"),
    to=parse("martin@labo.example"),
    message_id="<01K0NEW@labo.example>",
    now=NOW,
    original=ORIGINAL,
    reference="ABCD-EFGH",
    french="La boîte a été fermée en mars.",
    english="The mailbox was closed in March.",
)


def parts(raw: bytes) -> tuple[EmailMessage, list[EmailMessage]]:
    """Read with an independent parser."""
    message = message_from_bytes(
        raw, EmailMessage, policy=policies.SMTP.clone(raise_on_defect=True)
    )
    found = message.get_payload()
    assert isinstance(found, list)
    return message, [part for part in found if isinstance(part, EmailMessage)]


def read_back(raw: bytes) -> Report | None:
    header, _, body = raw.partition(b"\r\n\r\n")
    return read(Header.parse(header + b"\r\n\r\n"), body)


def test_a_failure_is_a_multipart_report_in_good_order() -> None:
    """Text, fields, header of the original; null reverse-path conventions; no defect found."""
    message, found = parts(compose(REPORT, LETTER))
    assert "multipart/report" == message.get_content_type()
    assert "delivery-status" == message["Content-Type"].params["report-type"]
    assert "auto-replied" == message["Auto-Submitted"]
    assert "<m1@labo.example>" == message["In-Reply-To"] == message["References"]
    assert "Sun, 01 Mar 2026 08:05:09 +0000" == message["Date"]
    assert "martin@labo.example" == message["To"].addresses[0].addr_spec
    assert ["text/plain", "message/delivery-status", "text/rfc822-headers"] == [
        part.get_content_type() for part in found
    ]
    assert HEADER in compose(REPORT, LETTER)
    assert b"Body of the result" not in compose(REPORT, LETTER)


def test_the_text_speaks_french_and_english() -> None:
    """A person learns who, why, what to do and what to say on the telephone."""
    text = parts(compose(REPORT, LETTER))[1][0].get_content().replace("\r\n", "\n")
    for words in (
        "Votre message n'a PAS été remis à :\n\n    accueil@chu.example",
        "La boîte a été fermée en mars.",
        "Référence à donner à votre support : ABCD-EFGH",
        "Your message was NOT delivered to:\n\n    accueil@chu.example",
        "The mailbox was closed in March.",
        "550 5.1.1 There is no such mailbox here",
    ):
        assert words in text


def test_the_fields_are_those_of_rfc_3464() -> None:
    """Programs find each field where the RFC puts it."""
    _, found = parts(compose(REPORT, LETTER))
    about, recipient = found[1].iter_parts()
    assert [
        ("Original-Envelope-Id", "01K0ENV"),
        ("Reporting-MTA", "dns; mx.labo.example"),
        ("Arrival-Date", "Sun, 01 Mar 2026 08:05:09 +0000"),
    ] == about.items()
    assert [
        ("Original-Recipient", "rfc822;accueil@chu.example"),
        ("Final-Recipient", "rfc822; accueil@chu.example"),
        ("Action", "failed"),
        ("Status", "5.1.1"),
        ("Remote-MTA", "dns; mx.chu.example"),
        ("Diagnostic-Code", "smtp; 550 5.1.1 There is no such mailbox here; check the address"),
        ("Last-Attempt-Date", "Sun, 01 Mar 2026 08:05:09 +0000"),
    ] == recipient.items()


def test_the_whole_message_returns_only_with_a_failure_that_asked_for_it() -> None:
    """RET=FULL speaks of failures; a receipt never sends the result back."""
    full = replace(LETTER, ret=Ret.FULL)
    assert ORIGINAL in compose(REPORT, full)
    assert "message/rfc822" == parts(compose(REPORT, full))[1][2].get_content_type()
    delivered = replace(REPORT, recipients=(replace(FATE, action=Action.DELIVERED),))
    assert b"Body of the result" not in compose(delivered, full)


def test_a_header_block_alone_is_enough() -> None:
    """The caller need not have the body at hand."""
    assert HEADER in compose(REPORT, replace(LETTER, original=HEADER))


@pytest.mark.parametrize(
    ("action", "status", "french"),
    [
        (Action.DELAYED, "4.0.0", "n'a pas ENCORE pu être remis à"),
        (Action.RELAYED, "2.0.0", "ne confirme pas la remise"),
        (Action.DELIVERED, "2.0.0", "a été remis dans la boîte de"),
        (Action.EXPANDED, "2.0.0", "a été remis à une liste"),
        (Action.FAILED, "5.0.0", "n'a PAS été remis à"),
    ],
)
def test_each_action_has_its_words_and_its_class(action: Action, status: str, french: str) -> None:
    """A status that nobody gave, or that is none, is the action's own."""
    fate = replace(FATE, action=action, status="rejected", retry_until=NOW)
    raw = compose(replace(REPORT, recipients=(fate,)), LETTER)
    text = parts(raw)[1][0].get_content()
    assert french in text
    assert "jusqu'au 2026-03-01 08:05 UTC" in text
    assert f"Status: {status}\r\n".encode() in raw
    assert b"Will-Retry-Until: Sun, 01 Mar 2026 08:05:09 +0000\r\n" in raw


def test_several_fates_in_one_report() -> None:
    """The subject tells the gravest; the text keeps those who got it and those who did not apart."""
    got = replace(FATE, final=parse("b@chu.example"), action=Action.DELIVERED, diagnostic="")
    raw = compose(replace(REPORT, recipients=(got, FATE)), LETTER)
    message, found = parts(raw)
    assert message["Subject"].startswith("Message non remis")
    text = found[0].get_content()
    assert text.index("accueil@chu.example") < text.index("b@chu.example")


def test_an_address_beyond_ascii_is_told_as_rfc_6533_has_it() -> None:
    """The types of SMTPUTF8 are used where they are needed, and read back."""
    fate = replace(FATE, final=parse("hélène@chu.example"), original="utf-8;hélène@chu.example")
    report = replace(REPORT, recipients=(fate,))
    raw = compose(
        report, replace(LETTER, original="Subject: é\r\n\r\nà\r\n".encode(), ret=Ret.FULL)
    )
    assert b"Content-Type: message/global-delivery-status\r\n" in raw
    assert b"Content-Type: message/global\r\n" in raw
    assert "Final-Recipient: utf-8; hélène@chu.example\r\n".encode() in raw
    again = read_back(raw)
    assert again is not None
    assert ("hélène@chu.example", "utf-8;hélène@chu.example") == (
        again.recipients[0].final,
        again.recipients[0].original,
    )


def test_headers_beyond_ascii_return_as_global_headers() -> None:
    """Raw UTF-8 in the original's header is declared as such."""
    raw = compose(REPORT, replace(LETTER, original="Subject: é\r\n".encode()))
    assert b"Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n" in raw
    assert b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--=_" in raw


def test_foreign_words_cannot_add_a_line() -> None:
    """An ENVID or a peer's text with line endings stays one field."""
    evil = "x\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; y@z.example"
    fate = Fate(None, Action.FAILED, evil, f"rfc822;{evil}", evil, evil)
    report = Report(Kind.STATUS, evil, (fate,), evil, evil)
    raw = compose(report, LETTER)
    again = read_back(raw)
    assert again is not None
    assert 1 == len(again.recipients)
    assert Action.FAILED == again.recipients[0].action
    assert b"In-Reply-To" not in raw


def test_a_fate_without_any_address_is_still_told() -> None:
    """A report never fails for want of a name."""
    raw = compose(replace(REPORT, recipients=(Fate(None, Action.FAILED),)), LETTER)
    assert b"Final-Recipient: rfc822; unknown\r\n" in raw


@pytest.mark.parametrize(
    "report",
    [
        replace(REPORT, kind=Kind.DISPOSITION),
        replace(REPORT, recipients=()),
        replace(REPORT, recipients=(replace(FATE, action=Action.DISPLAYED),)),
    ],
)
def test_only_delivery_status_is_written(report: Report) -> None:
    """We never say for someone else that a message was read."""
    with pytest.raises(ValueError, match="delivery status"):
        compose(report, LETTER)


def test_a_bare_letter_has_no_empty_paragraphs() -> None:
    """What is not known is not mentioned."""
    letter = replace(LETTER, reference="", french="", english="")
    report = replace(REPORT, original_envelope_id=None, original_message_id=None, arrived=None)
    raw = compose(replace(report, recipients=(Fate(FATE.final, Action.FAILED),)), letter)
    assert b"Reference" not in raw
    assert b"Envelope-Id" not in raw
    assert b"Arrival-Date" not in raw


words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
fates = st.builds(
    Fate,
    final=st.sampled_from([parse("a@b.example"), parse("c.d@chu.example")]),
    action=st.sampled_from([Action.FAILED, Action.DELAYED, Action.DELIVERED, Action.RELAYED]),
    status=st.sampled_from(["5.1.1", "4.4.7", "2.0.0"]),
    original=st.none() | st.just("rfc822;x@y.example"),
    diagnostic=st.just("")
    | st.lists(words, min_size=1, max_size=8).map(lambda w: "550 " + " ".join(w)),
)


@given(st.lists(fates, min_size=1, max_size=5), st.none() | words)
def test_what_is_written_is_read_back(said: list[Fate], envid: str | None) -> None:
    """Writer and reader agree, whatever the number of recipients and the words."""
    report = Report(Kind.STATUS, "mx.labo.example", tuple(said), envid, "<m1@labo.example>")
    assert report == read_back(compose(report, LETTER))
