"""The trace: what a Received field tells, what it must not tell, how hops are counted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from smtp.address import parse
from smtp.envelope import Envelope, Mail, MessageId, Peer, Recipient
from smtp.message.header import Header
from smtp.message.trace import date, hops, received

NOW = datetime(2026, 3, 1, 8, 5, 9, tzinfo=UTC)
PEER = Peer(
    ip="192.0.2.7",
    helo="mx.labo.example",
    tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
    certificate=b"der",
    listener="relay",
)
ENVELOPE = Envelope(
    id=MessageId("01K00000000000000000ABCDEF"),
    arrived=NOW,
    peer=PEER,
    mail=Mail(parse("martin@labo.example")),
    recipients=(Recipient(parse("accueil@chu.example")),),
)


def test_a_relayed_message_says_whence_how_and_when() -> None:
    """Host, address, protection and time of the hop are there for whoever traces it."""
    assert (
        b"Received: from mx.labo.example ([192.0.2.7])\r\n"
        b"\tby mx.chu.example with ESMTPS id 01K00000000000000000ABCDEF\r\n"
        b"\t(TLSv1.3 TLS_AES_256_GCM_SHA384, certificate verified);\r\n"
        b"\tSun, 01 Mar 2026 08:05:09 +0000\r\n"
    ) == received(ENVELOPE, "mx.chu.example", NOW)


def test_a_submission_does_not_say_from_which_machine() -> None:
    """The network of a person who logged in is nobody's business."""
    peer = replace(PEER, login=parse("martin@labo.example"), certificate=None)
    field = received(replace(ENVELOPE, peer=peer), "mx.labo.example", NOW)
    assert field.startswith(b"Received: by mx.labo.example with ESMTPSA id 01K")
    assert b"192.0.2.7" not in field
    assert b"verified" not in field


def test_no_address_is_in_the_trace() -> None:
    """A blind recipient stays blind; a patient's number stays out."""
    field = received(ENVELOPE, "mx.chu.example", NOW)
    assert b"accueil" not in field
    assert b"martin" not in field


@pytest.mark.parametrize("helo", ["", "a b", "x\r\nBcc: y@z.example", "x;(", "é", "a" * 256])
def test_a_strange_helo_is_left_out(helo: str) -> None:
    """Nothing that a peer calls itself adds a line to the header."""
    peer = replace(PEER, helo=helo)
    field = received(replace(ENVELOPE, peer=peer), "mx.chu.example", NOW)
    assert field.startswith(b"Received: from unknown ([192.0.2.7])\r\n")
    assert 1 == len(Header.parse(field).fields)


def test_the_protocol_follows_what_was_spoken() -> None:
    """SMTPUTF8, TLS and log-in show in the protocol's name; IPv6 is marked as such."""
    clear = replace(PEER, ip="2001:db8::7", helo="[192.0.2.9]", tls="", certificate=None)
    mail = replace(ENVELOPE.mail, smtputf8=True)
    field = received(replace(ENVELOPE, peer=clear, mail=mail), "h.example", NOW)
    assert [
        b"Received: from [192.0.2.9] ([IPv6:2001:db8::7])",
        b"\tby h.example with UTF8SMTP id 01K00000000000000000ABCDEF;",
    ] == field.split(b"\r\n")[:2]


def test_dates_are_english_and_keep_their_zone() -> None:
    """A date reads the same whatever the machine's language."""
    paris = timezone(timedelta(hours=1))
    assert "Thu, 31 Dec 2026 23:59:00 +0100" == date(datetime(2026, 12, 31, 23, 59, tzinfo=paris))


def test_hops_are_the_received_fields() -> None:
    """Every hand that passed the message on left one line."""
    block = received(ENVELOPE, "a.example", NOW) + b"received:x\r\nX-Received: y\r\n\r\n"
    assert 2 == hops(Header.parse(block))
