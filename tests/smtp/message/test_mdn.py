"""Our own reading report: another gateway's reader understands it, whatever it repeats."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from smtp.address import parse
from smtp.message.dsn import Action, Kind
from smtp.message.dsn_reader import read
from smtp.message.header import Header
from smtp.message.mdn import Opened, compose

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
OPENED = Opened(
    reader=parse("accueil@chu.example"),
    sender=parse("dr@labo.example"),
    host="mx.chu.example",
    message_id="<1@mx.chu.example>",
    at=NOW,
    now=NOW,
    original="rfc822;accueil@chu.example",
    original_message_id="<7@labo.example>",
    envelope_id="QQ314159",
    reference="K7QM2F",
)


def taken_apart(content: bytes) -> tuple[Header, bytes]:
    head, _, body = content.partition(b"\r\n\r\n")
    return Header.parse(head + b"\r\n\r\n"), body


def test_it_is_read_as_it_is_meant() -> None:
    """Displayed, of this message, to this recipient."""
    header, body = taken_apart(compose(OPENED))
    report = read(header, body)

    assert report is not None
    assert Kind.DISPOSITION is report.kind
    assert ("<7@labo.example>", "QQ314159") == (
        report.original_message_id,
        report.original_envelope_id,
    )
    ((fate),) = report.recipients
    assert (Action.DISPLAYED, parse("accueil@chu.example")) == (fate.action, fate.final)
    assert "rfc822;accueil@chu.example" == fate.original
    assert b"<7@labo.example>" == (header.first("in-reply-to") or b"").strip()


def test_it_says_so_in_both_languages() -> None:
    """A person reads it without knowing what a disposition is."""
    content = compose(OPENED)

    assert b"a =C3=A9t=C3=A9 ouvert" in content
    assert b"was opened" in content
    assert content.isascii()


def test_addresses_beyond_ascii_are_kept() -> None:
    """They go as RFC 6533 has it, and need eight bits."""
    wide = Opened(
        reader=parse("hélène@chu.example"),
        sender=parse("dr@labo.example"),
        host="mx.chu.example",
        message_id="<1@mx.chu.example>",
        at=NOW,
        now=NOW,
    )
    header, body = taken_apart(compose(wide))
    report = read(header, body)

    assert b"message/global-disposition-notification" in body
    assert report is not None
    assert parse("hélène@chu.example") == report.recipients[0].final


@given(st.text(), st.text(), st.text())
def test_what_others_said_injects_nothing(message_id: str, original: str, envelope: str) -> None:
    """Whatever a sender wrote, the report is one report, with the header that we gave it."""
    content = compose(
        Opened(
            reader=OPENED.reader,
            sender=OPENED.sender,
            host=OPENED.host,
            message_id=OPENED.message_id,
            at=NOW,
            now=NOW,
            original=original,
            original_message_id=message_id,
            envelope_id=envelope,
        )
    )
    header, body = taken_apart(content)
    report = read(header, body)

    assert 1 == len(header.all("content-type"))
    assert report is not None
    assert [Action.DISPLAYED] == [fate.action for fate in report.recipients]


ERROR = "automatic-action/MDN-sent-automatically; processed/Error: 902^Identifiant patient inconnu"


def test_a_program_gives_back_what_it_could_not_use() -> None:
    """The error twice, as the framework and as the RFC have it; the message, whole (R-F3)."""
    original = b"From: dr@labo.example\r\nSubject: TSH\r\n\r\nBonjour.\r\n"
    told = replace(OPENED, disposition=ERROR, error="902^Identifiant patient inconnu")
    header, body = taken_apart(compose(replace(told, returned=original)))
    report = read(header, body)

    assert report is not None
    ((fate),) = report.recipients
    assert (Action.FAILED, "902^Identifiant patient inconnu") == (fate.action, fate.diagnostic)
    assert b"\r\nError: 902^Identifiant patient inconnu\r\n" in body
    assert b"Content-Type: message/rfc822\r\n" in body
    assert original in body


def test_a_long_message_is_given_back_by_its_header() -> None:
    """Which is enough to know it by."""
    head = b"From: dr@labo.example\r\nSubject: TSH\r\n\r\n"
    content = compose(replace(OPENED, returned=head))

    assert b"Content-Type: text/rfc822-headers\r\n" in content
    assert b"Subject: TSH\r\n" in content
