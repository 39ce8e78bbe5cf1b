"""A mailbox on another IMAP server, logged in to: the one importer of aioimaplib.

The library logs octets of messages, so its logger is shut; it makes a command of its arguments as
they are, so they are quoted here; it never learns that a connection is gone, and keeps whatever a
server says, so each step is bounded here. TLS is ours, and the server is proven before we log in.
RFC 3501, RFC 2177 (IDLE), RFC 4315 (UIDPLUS), RFC 5530, RFC 6851 (MOVE).
"""

import asyncio
import logging
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Protocol

from aioimaplib import aioimaplib

from gateway.relay.handing.credentials import CredentialsError, LogIn, LogIns
from smtp import tls
from smtp.address import Address
from smtp.reply import Reply, printable
from smtp.send.client import UNREACHABLE

UNPROVEN = Reply(
    451, "4.7.0", "The mailbox server showed another certificate than its own; nothing was sent"
)
NO_LOG_IN = Reply(
    451, "4.7.0", "The mailbox server lets us in for nobody now; it will be tried again"
)
NO_CREDENTIALS = Reply(
    451, "4.3.5", "This gateway has no credentials for that mailbox; its operator must add them"
)
NOT_MOVED = Reply(451, "4.3.0", "The mailbox server does not let a message be moved")

_MOST_SAID = 1 << 20  # octets, in answer to one command
_GOODBYE = 1.0  # seconds that a server has to close its side
_PIECE = 256 << 10  # octets of a message that are asked for at once
_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d{1,10})\]", re.IGNORECASE)
_QUOTED = re.compile(rb'BODY\[\]<\d+> "((?:[^"\\]|\\.)*)"')  # a short end without line ends
_SIZE = re.compile(rb"RFC822\.SIZE (\d{1,19})(?!\d)", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_CODES = {
    "OVERQUOTA": (452, "4.2.2"),
    "TRYCREATE": (451, "4.2.0"),
    "TOOBIG": (552, "5.3.4"),
    "LIMIT": (452, "4.3.1"),
    "NOPERM": (451, "4.7.0"),
}

for _name in ("aioimaplib", "aioimaplib.aioimaplib"):
    logging.getLogger(_name).disabled = True


class Refused(Exception):  # noqa: N818 - what became of it
    """The server, or the way to it, said no; the reply says how."""

    def __init__(self, said: Reply) -> None:
        super().__init__(str(said))
        self.said = said


class Place(Protocol):
    """What the settings say of a server."""

    @property
    def host(self) -> str:
        """Its name, or its address."""

    @property
    def at(self) -> int:
        """Its port."""

    @property
    def timeout(self) -> float:
        """Seconds for each step."""

    @property
    def credentials_file(self) -> Path | None:
        """What opens mailboxes there."""


class Accounts:
    """The mailboxes of one server."""

    def __init__(self, place: Place, anchors: bytes, pinned: bytes | None) -> None:
        assert place.credentials_file is not None
        self._place = place
        self._anchors, self._pinned = anchors, pinned
        self._credentials: Path = place.credentials_file

    def log_in_of(self, who: Address) -> LogIn | None:
        """Return what opens a mailbox there; read anew each time, for passwords change."""
        try:
            return LogIns.parse(self._credentials.read_text("utf-8")).of(who)
        except (OSError, UnicodeDecodeError, CredentialsError):
            return None

    @asynccontextmanager
    async def within(self, who: Address) -> AsyncIterator["Account"]:
        """Open a mailbox; ``Refused`` if it cannot be."""
        login = self.log_in_of(who)
        if login is None:
            raise Refused(NO_CREDENTIALS)
        account = Account(self._place, self._context())
        try:
            await account.enter(login, self._pinned)
            yield account
        except asyncio.CancelledError:
            account.break_off()  # who must end now does not stay to say goodbye
            raise
        finally:
            await account.leave()

    def _context(self) -> ssl.SSLContext:
        try:
            context = tls.asking_context(self._anchors)
        except tls.TlsError as error:
            raise Refused(Reply(451, "4.7.0", printable(str(error)))) from None
        context.check_hostname = self._pinned is None
        return context


class Account:
    """A connection to one mailbox."""

    def __init__(self, server: Place, context: ssl.SSLContext) -> None:
        self._seconds = server.timeout
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._client = aioimaplib.IMAP4(
            server.host,
            server.at,
            timeout=server.timeout,
            conn_lost_cb=self._gone,
            ssl_context=context,
        )
        self._heard = 0
        self._bound()

    def _bound(self) -> None:
        """Let go of a server that says more than anything we ask: the library keeps all of it.

        And of one that says what nobody understands: the library's words for it are the server's.
        """
        protocol = self._client.protocol
        take = protocol.data_received

        def taken(octets: bytes) -> None:
            self._heard += len(octets)
            if self._heard > _MOST_SAID:
                protocol.transport.abort()
                return
            try:
                take(octets)
            except Exception:  # noqa: BLE001 - asyncio would log it, and with it a mail perhaps
                protocol.transport.abort()

        protocol.data_received = taken

    def _gone(self, _error: Exception | None) -> None:
        if not self._lost.done():
            self._lost.set_result(None)

    async def enter(self, login: LogIn, pinned: bytes | None) -> None:
        """Wait for the greeting, prove the server, log in."""
        await self._connected()
        await self._patiently(self._client.wait_hello_from_server)
        shown = self._client.protocol.transport.get_extra_info("ssl_object")
        if pinned is not None and shown.getpeercert(binary_form=True) != pinned:
            raise Refused(UNPROVEN)
        user = aioimaplib.quoted(login.user)
        met = await self._patiently(lambda: self._client.login(user, login.password))
        if met.result != "OK":
            raise Refused(NO_LOG_IN)

    async def _connected(self) -> None:
        connecting = self._client._client_task  # noqa: SLF001 - the only place where failing shows
        try:
            async with asyncio.timeout(self._seconds):
                await asyncio.shield(connecting)
        except (OSError, TimeoutError):
            raise Refused(UNREACHABLE) from None

    async def put(self, folder: str, content: bytes) -> Reply:
        """Put a message into a folder; return what the server says of it."""
        named = aioimaplib.quoted(folder)
        met = await self._patiently(lambda: self._client.append(content, mailbox=named))
        return _meaning(met.result, met.lines)

    async def has(self, folder: str, message: str) -> bool:
        """Whether a message of ours, by our id of it, is there already."""
        if not _ID.fullmatch(message):
            return False
        if not await self.select(folder):
            return False
        met = await self._patiently(
            lambda: self._client.uid_search(
                "OR", "HEADER", "Received", message, "HEADER", "Message-ID", message, charset=None
            )
        )
        return met.result == "OK" and any(_numbers(line) for line in met.lines)

    async def select(self, folder: str) -> bool:
        """Open a folder; return whether there is one."""
        named = aioimaplib.quoted(folder)
        met = await self._patiently(lambda: self._client.select(named))
        return bool(met.result == "OK")

    async def seen(self, message: str) -> bool:
        """Whether a message of ours, in the open folder, was opened by its reader."""
        if not _ID.fullmatch(message):
            return False
        met = await self._patiently(
            lambda: self._client.uid_search("SEEN", "HEADER", "Received", message, charset=None)
        )
        return met.result == "OK" and any(_numbers(line) for line in met.lines)

    async def opened(self, folder: str) -> int | None:
        """Open a folder; return which one of that name it is (UIDVALIDITY), None: there is none."""
        named = aioimaplib.quoted(folder)
        met = await self._patiently(lambda: self._client.select(named))
        found = (_VALIDITY.search(bytes(line)) for line in met.lines)
        number = next((int(each[1]) for each in found if each), None)
        return number if met.result == "OK" else None

    async def ready(self) -> list[int]:
        """Return the UIDs of what lies in the open folder and is no draft, oldest first."""
        met = await self._patiently(
            lambda: self._client.uid_search("UNDRAFT", "UNDELETED", charset=None)
        )
        if met.result != "OK":
            raise Refused(UNREACHABLE)
        numbers = (line for line in met.lines if _numbers(line))
        return sorted(
            {int(each) for line in numbers for each in re.findall(rb"\b\d{1,10}\b", line)}
        )

    async def size(self, uid: int) -> int | None:
        """Return how many octets a message has; None: it is gone."""
        met = await self._patiently(
            lambda: self._client.uid("fetch", f"{uid}", "(UID RFC822.SIZE)")
        )
        found = (_SIZE.search(bytes(line)) for line in met.lines)
        return next((int(each[1]) for each in found if each), None)

    async def blocks(self, uid: int) -> AsyncGenerator[bytes]:
        """Yield a message, a piece at a time; ``Refused`` if it does not all come.

        It ends where a piece is short: some servers are wrong about the size of the whole.
        """
        for start in count(0, _PIECE):
            piece = await self._piece(uid, start)
            if piece:
                yield piece
            if len(piece) < _PIECE:
                return

    async def _piece(self, uid: int, start: int) -> bytes:
        asked = f"(BODY.PEEK[]<{start}.{_PIECE}>)"
        met = await self._patiently(lambda: self._client.uid("fetch", f"{uid}", asked))
        lines = [line for line in met.lines if b"FETCH" in line]
        if met.result != "OK" or not any(b"BODY[]" in line for line in lines):
            raise Refused(UNREACHABLE)  # half a message must not be taken for a whole one
        for line in met.lines:
            if isinstance(line, bytearray):
                return bytes(line)
        quoted = next(filter(None, map(_QUOTED.search, lines)), None)
        return re.sub(rb"\\(.)", rb"\1", quoted[1]) if quoted else b""

    async def file(self, folder: str, content: bytes) -> None:
        """Put a message into a folder, which is made if it is missing."""
        if not (await self.put(folder, content)).positive:
            named = aioimaplib.quoted(folder)
            await self._patiently(lambda: self._client.create(named))
            said = await self.put(folder, content)
            if not said.positive:
                raise Refused(said)

    async def move(self, uid: int, folder: str) -> None:
        """Put a message of the open folder into another one, which is made if it is missing."""
        named = aioimaplib.quoted(folder)
        if not await self._moved(uid, named):
            await self._patiently(lambda: self._client.create(named))
            if not await self._moved(uid, named):
                raise Refused(NOT_MOVED)

    async def _moved(self, uid: int, named: str) -> bool:
        verb = "move" if self._client.has_capability("MOVE") else "copy"
        met = await self._patiently(lambda: self._client.uid(verb, f"{uid}", named))
        if met.result != "OK" or verb == "move":
            return bool(met.result == "OK")
        gone = r"(\Deleted)"
        met = await self._patiently(
            lambda: self._client.uid("store", f"{uid}", "+FLAGS.SILENT", gone)
        )
        if met.result != "OK":  # it lies in both folders
            return False
        if self._client.has_capability("UIDPLUS"):
            await self._patiently(lambda: self._client.uid("expunge", f"{uid}"))
        return True

    @property
    def idles(self) -> bool:
        """Whether the server tells by itself that something came."""
        return bool(self._client.has_capability("IDLE"))

    async def changed(self, longest: float) -> None:
        """Wait until the server says something of the open folder, or so many seconds."""
        idle = await self._patiently(lambda: self._client.idle_start(2 * longest))
        saying = asyncio.ensure_future(self._client.wait_server_push(longest))
        try:
            await asyncio.wait({saying, idle, self._lost}, return_when=asyncio.FIRST_COMPLETED)
            if self._lost.done() or idle.done():
                raise Refused(UNREACHABLE)
            if saying.done() and not isinstance(saying.exception(), TimeoutError | None):
                raise Refused(UNREACHABLE)
        finally:
            saying.cancel()
            if not self._lost.done():
                self._client.idle_done()  # or nobody could say goodbye
        await self._patiently(lambda: asyncio.shield(idle))

    async def _patiently(
        self, step: Callable[[], Awaitable[aioimaplib.Response]]
    ) -> aioimaplib.Response:
        """Do one step, for a bounded time, and not beyond the connection's end."""
        self._heard = 0
        doing = asyncio.ensure_future(step())
        try:
            await asyncio.wait(
                {doing, self._lost}, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if not doing.done():
                raise Refused(UNREACHABLE)
            return doing.result()
        except (aioimaplib.AioImapException, OSError, ValueError, TimeoutError):
            raise Refused(UNREACHABLE) from None
        finally:
            doing.cancel()

    def break_off(self) -> None:
        """Hang up without a word."""
        if self._client.protocol.transport is not None:
            self._client.protocol.transport.abort()

    async def leave(self) -> None:
        """Say goodbye, as far as somebody listens."""
        protocol = self._client.protocol
        if protocol.transport is not None and not self._lost.done():
            if not protocol.transport.is_closing():
                with suppress(Refused):
                    await self._patiently(self._client.logout)
            protocol.transport.close()
            await self._parted(protocol.transport)
        for left in tuple(protocol.tasks):  # what the library began and nobody waits for
            left.cancel()
        connecting = self._client._client_task  # noqa: SLF001 - nobody else ends it
        connecting.cancel()
        await asyncio.wait({connecting})  # to await it would be to take our own end for its
        if not connecting.cancelled():
            connecting.exception()  # it was heard; asyncio need not complain of it

    async def _parted(self, transport: asyncio.Transport) -> None:
        """Wait until the connection is no more; who does not say goodbye is left without."""
        try:
            async with asyncio.timeout(_GOODBYE):
                await asyncio.shield(self._lost)
        except TimeoutError:
            transport.abort()


def _meaning(result: str, lines: Sequence[bytes]) -> Reply:
    """Return the reply that an answer to APPEND stands for."""
    said = printable(b" ".join(lines).decode("utf-8", "replace"))[:200]
    if result == "OK":
        return Reply(250, "2.0.0", said or "Kept")
    code = re.search(r"\[([A-Z]+)", said)
    number, enhanced = _CODES.get(code[1] if code else "", (451, "4.3.0"))
    return Reply(number, enhanced, printable(f"The mailbox server did not take it: {said}"))


def _numbers(line: bytes) -> bool:
    return re.fullmatch(rb"(?:SEARCH )?\s*\d+(?: \d+)*\s*", line) is not None
