"""Sending and looking, as the people at both ends do: smtplib in, the command line out."""

import base64
import hashlib
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar

from tests.interop.site import Credential, Site, User

T = TypeVar("T")

PATIENCE = 30.0


def compose(sender: str, recipient: str, subject: str, text: str = "Bonjour.\r\n") -> bytes:
    """Return a small message with an id that follows from its subject."""
    name = hashlib.sha256(subject.encode()).hexdigest()[:20]
    head = f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: {subject}\r\n"
    date = "Date: Mon, 02 Nov 2026 08:00:00 +0100\r\n"
    return f"{head}{date}Message-ID: <{name}@interop.example>\r\n\r\n{text}".encode()


def message_id(content: bytes) -> str:
    """Return the Message-ID of a message."""
    head = content.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return next(line for line in head if line.lower().startswith(b"message-id:")).decode()[12:]


def context(site: Site, credential: Credential | None = None) -> ssl.SSLContext:
    """Return what a client of this federation connects with."""
    made = ssl.create_default_context(cafile=str(site.federation.anchors))
    made.check_hostname = False  # every server here is 127.0.0.1
    if credential is not None:
        made.load_cert_chain(credential.crt, credential.key)
    return made


@contextmanager
def submission(site: Site, user: User) -> Iterator[smtplib.SMTP]:
    """Connect as a mail client does: implicit TLS, and the mailbox's password."""
    port = site.ports["submission"]
    with smtplib.SMTP_SSL("127.0.0.1", port, timeout=30, context=context(site)) as line:
        line.login(user.address, user.password)
        yield line


@contextmanager
def relay(site: Site, credential: Credential) -> Iterator[smtplib.SMTP]:
    """Connect as another operator's gateway does: STARTTLS, and a certificate."""
    with smtplib.SMTP("127.0.0.1", site.ports["relay"], "mx.peer.example", 30) as line:
        line.starttls(context=context(site, credential))
        line.ehlo()
        yield line


def arrived(site: Site, address: str) -> list[bytes]:
    """Return what lies in a mailbox, without the trace that the gateways put on top."""
    rows = site.sceau("mailbox", "show", address, "--content", "--limit", "10000")
    return [untraced(base64.b64decode(row["content"])) for row in rows]


def untraced(content: bytes) -> bytes:
    """Take off the Received and Return-Path fields above the message that was sent."""
    while content.startswith((b"Received:", b"Return-Path:")):
        end = content.index(b"\r\n")
        while content[end + 2 : end + 3] in {b" ", b"\t"}:
            end = content.index(b"\r\n", end + 2)
        content = content[end + 2 :]
    return content


def states(site: Site) -> list[str]:
    """Return the state of each delivery, the newest last."""
    return [row["state"] for row in site.sceau("spool", "list", "--all", "--limit", "10000")]


def receipts(site: Site, user: User) -> list[dict[str, Any]]:
    """Return the receipts of a mailbox, the oldest first."""
    rows = site.sceau("receipts", "tail", "--mailbox", user.address, "--limit", "10000")
    return sorted(rows, key=lambda row: int(row["seq"]))


def eventually(look: Callable[[], T], wanted: Callable[[T], bool], patience: float = PATIENCE) -> T:
    """Look until what is wanted is there, or patience ends; return what was seen last.

    A look runs a command, which takes long enough that nothing needs to be slept in between.
    """
    deadline = monotonic() + patience
    while not wanted(seen := look()) and monotonic() < deadline:
        pass
    return seen
