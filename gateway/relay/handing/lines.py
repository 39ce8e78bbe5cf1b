"""How each mailbox server of the house is reached, proven to be itself, and understood.

A server is believed by its very certificate, or by an authority of its own and its name; the trust
list has no say, for the mail is already where it was sent. A Unix socket is proven by who can open
it. Nothing about a message is said before. RFC 2033 (LMTP), RFC 5321.
"""

import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.relay.handing.account import UNPROVEN
from gateway.relay.handing.deposit import Deposits
from gateway.relay.handing.folder import Folders
from gateway.relay.handing.mllp import Software
from gateway.relay.handing.oru import Ends
from gateway.relay.lanes import Link
from gateway.settings.boxes import MailboxServer
from gateway.settings.site import Tls
from smtp import tls
from smtp.address import Address
from smtp.envelope import Notify
from smtp.reply import Reply
from smtp.send.client import Connection
from smtp.send.outgoing import Outgoing

UNUSABLE = Reply(
    451,
    "4.3.5",
    "This gateway cannot use its settings of the mailbox server; its operator must look",
)

_FAILURE, _NEVER = frozenset({Notify.FAILURE}), frozenset({Notify.NEVER})


class Unusable(Exception):  # noqa: N818 - what the settings of a server are
    """A server cannot be reached as the settings have it; the message says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One server: how to connect to it, and whether its yes says that the mailbox has it."""

    open: Callable[[], Awaitable[Link | Reply]]
    stores: bool = True
    deposits: Deposits | None = None  # where it can be asked whether a message was opened
    errors: Address | None = None  # the mailbox of ours for what a program refuses
    answers: bool = False  # it says at once what it made of a message
    folder: Path | None = None  # it says so there, if it does, later
    poll: float = 60  # seconds between two looks


Lines = Mapping[str, Line]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: our name, our certificate, how long we wait for an answer to begin."""

    host: str
    tls: Tls
    connect_timeout: float = 30


def lines(caller: Caller, servers: Iterable[MailboxServer]) -> Lines:
    """Return the ways to servers, by their names; raise ``Unusable`` for one that has none."""
    return {each.name: _line(caller, each) for each in servers}


def _line(caller: Caller, server: MailboxServer) -> Line:
    errors = Address(server.errors) if server.errors else None
    if server.path is not None:
        return Line(Folders(server.path).open, errors=errors, folder=server.path, poll=server.poll)
    if server.kind == "imap":
        deposits = Deposits(server, anchors(server), pinned(server))
        return Line(deposits.open, deposits=deposits)
    if server.kind == "mllp":
        _software(caller, server)  # what cannot be used is said at the start
        return Line(partial(_asked, caller, server), errors=errors, answers=True)
    lmtp = server.kind == "lmtp"
    if server.socket is not None:
        return Line(partial(_within, caller, server, server.socket))
    _context(caller, server)  # what cannot be used is said at the start
    return Line(partial(_dial, caller, server, lmtp=lmtp), stores=lmtp or server.stores)


def _software(caller: Caller, server: MailboxServer) -> Software:
    plain = server.certificate is None and server.anchors is None  # on this very machine alone

    return Software(
        server.host,
        server.at,
        Ends(
            caller.host,
            server.application,
            server.facility,
            server.acknowledgements == "two",
        ),
        None if plain else _context(caller, server),
        pinned(server),
        caller.connect_timeout,
        server.timeout,
    )


async def _asked(caller: Caller, server: MailboxServer) -> Link | Reply:
    try:
        software = _software(caller, server)
    except Unusable:
        return UNUSABLE
    return await software.open()


async def _within(caller: Caller, server: MailboxServer, socket: Path) -> Link | Reply:
    return await Connection.within(
        socket,
        helo=caller.host,
        lmtp=True,
        connect_timeout=caller.connect_timeout,
        reply_timeout=server.timeout,
    )


async def _dial(caller: Caller, server: MailboxServer, *, lmtp: bool) -> Link | Reply:
    try:  # anew for each connection: certificates are renewed, the server's as ours
        own, context = pinned(server), _context(caller, server)
    except Unusable:
        return UNUSABLE

    async def entitled(der: bytes, _issuers: tuple[bytes, ...]) -> Reply | None:
        return None if own is None or der == own else UNPROVEN

    return await Connection.open(
        server.host,
        server.at,
        helo=caller.host,
        context=context,
        entitled=entitled,
        connect_timeout=caller.connect_timeout,
        reply_timeout=server.timeout,
        lmtp=lmtp,
    )


def _context(caller: Caller, server: MailboxServer) -> ssl.SSLContext:
    believed = server.certificate or server.anchors
    if believed is None:
        raise Unusable(f"{server.name} has neither certificate nor anchors")
    try:
        context = tls.client_context(caller.tls.certificate, caller.tls.key, believed)
    except tls.TlsError as error:
        raise Unusable(f"the mailbox server {server.name}: {error}") from None
    context.check_hostname = server.certificate is None
    return context


class Proven(Protocol):
    """What the settings say of a server that must prove itself: one of the two."""

    @property
    def name(self) -> str:
        """Its name here."""

    @property
    def certificate(self) -> Path | None:
        """The very one that it shows."""

    @property
    def anchors(self) -> Path | None:
        """Who issued it, for its name."""


def anchors(server: Proven) -> bytes:
    """Return what a server's certificate must lead to, or be, as PEM."""
    path = server.certificate or server.anchors
    try:
        return b"" if path is None else path.read_bytes()
    except OSError as error:
        raise Unusable(f"the server {server.name}: {path}: {error.strerror}") from None


def pinned(server: Proven) -> bytes | None:
    """Return the certificate (DER) that a server must show; None: one of its authority's."""
    if server.certificate is None:
        return None
    try:
        return x509.load_pem_x509_certificate(anchors(server)).public_bytes(Encoding.DER)
    except ValueError:
        raise Unusable(f"{server.certificate} holds no certificate") from None


def within_the_house(outgoing: Outgoing) -> Outgoing:
    """Return a message as it is handed to a server of ours.

    We report to the sender; the server need only say what it could not keep after all.
    """
    recipients = (
        one if one.notify == _NEVER else replace(one, notify=_FAILURE)
        for one in outgoing.recipients
    )
    return msgspec.structs.replace(outgoing, recipients=tuple(recipients))
