"""Taking back and being told of reading, as people at both ends do it."""

import imaplib
import re

from tests.interop.conftest import Pair
from tests.interop.mail import (
    arrived,
    compose,
    context,
    eventually,
    message_id,
    receipts,
    submission,
)
from tests.interop.site import Site, User


def _kinds(pair: Pair, sent: bytes) -> list[str]:
    rows = receipts(pair.labo, pair.robot)
    return [row["type"] for row in rows if row["subject"] == message_id(sent)]


def _send(pair: Pair, subject: str, *lines: str) -> bytes:
    sent = compose(pair.robot.address, pair.doctor.address, subject)
    for line in lines:
        sent = line.encode() + b"\r\n" + sent
    with submission(pair.labo, pair.robot) as line_out:
        line_out.sendmail(pair.robot.address, [pair.doctor.address], sent)
    eventually(lambda: _kinds(pair, sent), lambda seen: "delivered" in seen)
    return sent


def _reading(site: Site, user: User) -> imaplib.IMAP4_SSL:
    line = imaplib.IMAP4_SSL("127.0.0.1", site.ports["imap"], ssl_context=context(site))
    line.login(user.address, user.password)
    return line


def _reports(pair: Pair, sent: bytes, subject: bytes) -> list[bytes]:
    return [
        each
        for each in arrived(pair.labo, pair.robot.address)
        if message_id(sent).encode() in each and subject in each
    ]


def test_an_unopened_message_is_taken_back(pair: Pair) -> None:
    """The operator recalls it by its Message-ID; the proof comes by mail, and software hears."""
    sent = _send(pair, "Rappel")
    (row,) = pair.labo.sceau("recall", message_id(sent))
    reports = eventually(lambda: _reports(pair, sent, b"Message withdrawn"), bool)

    assert row["done"], row
    assert not [m for m in arrived(pair.hopital, pair.doctor.address) if b"Rappel" in m]
    assert 1 == len(reports)
    assert b"recall.p7m" in reports[0]
    assert "withdrawn" in eventually(lambda: _kinds(pair, sent), lambda seen: "withdrawn" in seen)
    story = [entry["event"] for entry in pair.labo.sceau("trace", message_id(sent))]
    assert {"recall.asked", "recall.proved"} <= set(story)


def test_an_opened_message_stays_and_its_sender_is_told(pair: Pair) -> None:
    """Read by a mail client, it cannot be taken back; a wish to know is answered once."""
    pair.hopital.sceau("mailbox", "receipts", pair.doctor.address, "--read", "always")
    wish = f"Disposition-Notification-To: <{pair.robot.address}>"
    sent = _send(pair, "Lu", wish)
    line = _reading(pair.hopital, pair.doctor)
    line.select("INBOX")
    _, found = line.search(None, "HEADER", "Message-ID", message_id(sent))
    line.fetch(found[0].decode(), "(BODY[])")
    _, flags = line.fetch(found[0].decode(), "(FLAGS)")
    line.logout()
    read = eventually(lambda: _reports(pair, sent, b"Message read"), bool)
    (row,) = pair.labo.sceau("spool", "show", message_id(sent))["deliveries"]

    assert 1 == len(read)
    assert b"displayed" in read[0]
    assert isinstance(flags[0], bytes)
    assert b"$MDNSent" in flags[0]
    assert "read" in _kinds(pair, sent)
    assert "delivered" == row["state"]


def test_the_sender_recalls_from_a_mail_program(pair: Pair) -> None:
    """What is sent lies in Sent by itself, and ``$Recall`` on it there is enough."""
    pair.labo.sceau("mailbox", "receipts", pair.robot.address, "--sent", "server")
    sent = _send(pair, "Mot cle")
    line = _reading(pair.labo, pair.robot)
    _, answer = line.append("Sent", "\\Seen", "", sent)
    line.select("Sent")
    _, found = line.search(None, "HEADER", "Message-ID", message_id(sent))
    line.store(found[0].decode(), "+FLAGS", "$Recall")
    line.logout()
    reports = eventually(lambda: _reports(pair, sent, b"Message withdrawn"), bool)

    assert 1 == len(found[0].split())
    assert re.search(rb"APPENDUID \d+ \d+", answer[0])
    assert 1 == len(reports)
