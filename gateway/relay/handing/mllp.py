"""Documents handed to hospital software by MLLP: one message, one acknowledgement, then the next.

The connection is kept; one that broke is opened anew. What broke after the message was sent may
have been filed, and is sent again under the same control id, by which software knows it. HL7
Transport Specification: MLLP, release 1; the acknowledgement is that of the application, R-F5.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from gateway.documents.codes import Failure
from gateway.relay.handing import oru
from gateway.relay.handing.account import UNPROVEN
from gateway.relay.handing.files import Read
from gateway.relay.handing.oru import Ends
from smtp.reply import Reply
from smtp.send.client import UNREACHABLE
from smtp.send.outgoing import Offer, Outcome, Outgoing

NO_DOCUMENT = Reply(
    550, "5.6.1", "That mailbox is a program's: it takes health documents (IHE_XDM.zip) alone"
)
LOST = Reply(
    451, "4.4.2", "The software of that mailbox did not acknowledge; it will be asked again"
)

_BEGIN, _END = b"\x0b", b"\x1c\r"
_LONGEST = 64 << 10  # octets of an acknowledgement


@dataclass(frozen=True, slots=True)
class Software:
    """Where a program listens, and how it is proven."""

    host: str
    port: int
    ends: Ends
    context: ssl.SSLContext | None  # None: on this very machine
    pinned: bytes | None  # the very certificate that it must show
    connect_timeout: float
    timeout: float

    async def open(self) -> "Line | Reply":
        """Connect; nothing of a message is said before the other end is proven."""
        name = self.host if self.context is not None else None
        try:
            async with asyncio.timeout(self.connect_timeout):
                reader, writer = await asyncio.open_connection(
                    self.host, self.port, ssl=self.context, server_hostname=name, limit=_LONGEST
                )
        except ssl.SSLCertVerificationError:
            return UNPROVEN
        except (OSError, TimeoutError):
            return UNREACHABLE
        line = Line(reader, writer, self)
        if self.pinned is not None and line.certificate != self.pinned:
            await line.close()
            return UNPROVEN
        return line


class Line:
    """An open connection to a program."""

    offer = Offer()  # no limit
    recipients_max: int | None = None

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, software: Software
    ) -> None:
        self._reader, self._writer, self._software = reader, writer, software
        shown = writer.get_extra_info("ssl_object")
        self.certificate: bytes = shown.getpeercert(binary_form=True) if shown is not None else b""
        self.idle_since = asyncio.get_running_loop().time()
        self._broken = False

    @property
    def usable(self) -> bool:
        """Whether another message may be sent over it."""
        return not (self._broken or self._reader.at_eof() or self._writer.is_closing())

    async def send(self, outgoing: Outgoing, body: AsyncIterator[bytes]) -> Outcome:
        """Send the documents of one mail; its recipients are one program, and have one answer."""
        content = b"".join([block async for block in body])  # its documents are taken out of it
        id_ = outgoing.transfer or ""
        made = await asyncio.to_thread(_made, content, id_, self._software.ends)
        said = made if isinstance(made, Reply) else await self._said(made, outgoing, id_)
        self.idle_since = asyncio.get_running_loop().time()
        replies = tuple((one.address, said) for one in outgoing.recipients)
        return Outcome(replies, dsn=False, reusable=self.usable)

    async def _said(self, message: bytes, outgoing: Outgoing, id_: str) -> Reply:
        try:
            async with asyncio.timeout(self._software.timeout):
                self._writer.write(_BEGIN + message + _END)
                await self._writer.drain()
                frame = await self._frame()
                if self._software.ends.twice and oru.committed(frame, id_):
                    frame = await self._frame()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self._broken = True  # nobody knows what an answer that comes now would be about
            return LOST
        said = oru.answered(frame, id_, again=outgoing.again)
        self._broken = said == oru.UNSOUND
        return said

    async def _frame(self) -> bytes:
        frame = await self._reader.readuntil(_END)
        return frame.rpartition(_BEGIN)[2].removesuffix(_END)

    async def close(self) -> None:
        """Hang up: MLLP has no goodbye."""
        self._broken = True
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._software.connect_timeout):
                await self._writer.wait_closed()


def _made(content: bytes, id_: str, ends: Ends) -> bytes | Reply:
    read = Read.of(content)
    if read.documents and not read.unreadable:
        return oru.write(read.documents, id_, ends)
    return oru.failed(Failure.OTHER) if read.unreadable else NO_DOCUMENT
