"""A scene: a mail program opens the hospital doctor's mailbox, sealed on disk, as it opens any other."""

import base64
import imaplib
from hashlib import sha256

from rich.console import Console

from gateway.demo.stage import Stage


def opened(stage: Stage, screen: Console) -> None:
    """Log in with a device's password, list the folders, fetch what is new and one part of it."""
    screen.rule("A mail program opens the mailbox")
    doctor, port = stage.doctor, stage.hopital.ports["imap"]
    with imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=stage.context(), timeout=20) as mailbox:
        mailbox.login(doctor.address, doctor.password)
        _, folders = mailbox.list()
        names = [
            each.decode().rpartition(' "/" ')[2].strip('"')
            for each in folders or ()
            if isinstance(each, bytes)
        ]
        screen.print(f"  folders: {', '.join(names)}", markup=False)
        _, (count, *_) = mailbox.select("INBOX")
        screen.print(f"  INBOX: {int(count or b'0')} messages", markup=False)
        _, found = mailbox.search(None, "SUBJECT", "Ionogramme")
        first = found[0].split()[0].decode()
        _, (envelope, *_) = mailbox.fetch(first, "(FLAGS RFC822.SIZE)")
        screen.print(f"  {_text(envelope)}", markup=False)
        _, (part, *_) = mailbox.fetch(first, "(BODY.PEEK[3])")
        octets = base64.b64decode(part[1]) if isinstance(part, tuple) else b""
        digest = sha256(octets).hexdigest()[:16]
        screen.print(
            f"  its attachment alone: {len(octets):,} octets, {octets[:8]!r}, {digest}",
            markup=False,
        )


def _text(answer: object) -> str:
    return answer.decode() if isinstance(answer, bytes) else str(answer)
