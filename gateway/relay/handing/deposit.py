"""Mail put into an account of another IMAP server by APPEND: the one importer of aioimaplib.

The library logs octets of messages, so its logger is shut; it makes a command of its arguments as
they are, so they are quoted here; it never learns that a connection is gone, and keeps whatever a
server says, so each step is bounded here. TLS is ours, and the server is proven before we log in. A
message is found by our id in its Received field: what an attempt without an answer may have put
there is not put there twice.
RFC 3501 §6.3.11, RFC 4315, RFC 5530.
"""

import asyncio
import logging
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aioimaplib import aioimaplib

from gateway.relay.handing.credentials import CredentialsError, LogIn, LogIns
from gateway.settings.boxes import MailboxServer
from smtp import tls
from smtp.address import Address
from smtp.reply import Reply, printable
from smtp.send.client import UNREACHABLE
from smtp.send.outgoing import Outcome, Outgoing

UNPROVEN = Reply(
    451, "4.7.0", "The mailbox server showed another certificate than its own; nothing was sent"
)
NO_LOG_IN = Reply(
    451, "4.7.0", "The mailbox server lets us in for nobody now; it will be tried again"
)
NO_CREDENTIALS = Reply(
    451, "4.3.5", "This gateway has no credentials for that mailbox; its operator must add them"
)
THERE = Reply(250, "2.0.0", "The mailbox server has it already")

_MOST_SAID = 1 << 20  # octets, while one message is put into one mailbox
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


class Deposits:
    """One server: opens what ``lanes`` takes for a connection."""

    def __init__(self, server: MailboxServer, anchors: bytes, pinned: bytes | None) -> None:
        assert server.credentials_file is not None
        self.server = server
        self._anchors, self._pinned = anchors, pinned
        self._credentials: Path = server.credentials_file

    async def open(self) -> "Deposit":
        """Return the way in; connections are made a mailbox."""
        return Deposit(self)

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
        account = Account(self.server, self._context())
        try:
            await account.enter(login, self._pinned)
            yield account
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

    def __init__(self, server: MailboxServer, context: ssl.SSLContext) -> None:
        self._seconds = server.timeout
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._client = aioimaplib.IMAP4(
            server.host,
            server.at,
            timeout=server.timeout,
            conn_lost_cb=self._gone,
            ssl_context=context,
        )
        self._bound()

    def _bound(self) -> None:
        """Let go of a server that says more than anything we ask: the library keeps all of it."""
        protocol, heard = self._client.protocol, 0
        take = protocol.data_received

        def taken(octets: bytes) -> None:
            nonlocal heard
            heard += len(octets)
            if heard > _MOST_SAID:
                protocol.transport.abort()
            else:
                take(octets)

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

    async def _patiently(
        self, step: Callable[[], Awaitable[aioimaplib.Response]]
    ) -> aioimaplib.Response:
        """Do one step, for a bounded time, and not beyond the connection's end."""
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

    async def leave(self) -> None:
        """Say goodbye, as far as somebody listens."""
        protocol = self._client.protocol
        if protocol.transport is not None and not self._lost.done():
            with suppress(Refused):
                await self._patiently(self._client.logout)
            protocol.transport.close()
        for left in tuple(protocol.tasks):  # what the library began and nobody waits for
            left.cancel()
        self._client._client_task.cancel()  # noqa: SLF001 - nobody else ends it
        with suppress(asyncio.CancelledError, OSError):
            await self._client._client_task  # noqa: SLF001 - see above


class Deposit:
    """What ``lanes`` takes for a connection: each message is put into each recipient's mailbox."""

    recipients_max: int | None = None

    def __init__(self, deposits: Deposits) -> None:
        self._deposits = deposits
        self.certificate = b""
        self.idle_since = asyncio.get_running_loop().time()
        self.usable = True

    async def send(self, outgoing: Outgoing, body: AsyncIterator[bytes]) -> Outcome:
        """Put one message into the mailboxes of its recipients; one reply for each."""
        content = b"".join([block async for block in body])  # the library takes it whole
        replies = [
            (one.address, await self._put(one.address, outgoing, content))
            for one in outgoing.recipients
        ]
        return Outcome(tuple(replies), dsn=False, reusable=False)

    async def _put(self, who: Address, outgoing: Outgoing, content: bytes) -> Reply:
        folder = self._deposits.server.folder
        try:
            async with self._deposits.within(who) as account:
                if outgoing.again and await account.has(folder, outgoing.transfer or ""):
                    return THERE
                return await account.put(folder, content)
        except Refused as refused:
            return refused.said

    async def close(self) -> None:
        """Nothing is open between two messages."""
        self.usable = False


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
