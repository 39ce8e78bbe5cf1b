"""The load: N connections, one message in flight on each, for so many seconds.

A process of its own (``python -m tests.bench.generator SPEC``): a protocol on uvloop that writes
a message in one go and reads replies by counting them. It prints one line of JSON: how many
messages got their 250, how long each waited for it from the end of its DATA, and what the
generator itself cost.
"""

import asyncio
import base64
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import uvloop

from tests.bench import message

_PIECE = 256 * 1024


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What to send where, and for how long."""

    port: int
    mail_from: str
    rcpt_to: str
    size: int
    host: str = "127.0.0.1"
    connections: int = 20
    seconds: float = 3.0
    most: int = 1_000_000  # messages
    anchors: str
    certificate: str = ""
    key: str = ""
    external: bool = False  # AUTH EXTERNAL, by the client certificate
    idle: bool = False  # only connect and log in, then wait for standard input to end


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; times are of the machine's monotonic clock."""

    accepted: int
    refused: int
    octets: int
    first: float
    last: float
    waits: list[float]  # seconds from the end of DATA to its reply
    cpu: float
    said: str = ""  # the last refusal


class Load:
    """What the connections share: the messages still to send and the tally."""

    def __init__(self, spec: Spec, clock: Callable[[], float]) -> None:
        self.spec = spec
        self.clock = clock
        self.template = message.template(spec.mail_from, spec.rcpt_to, spec.size)
        body = f"MAIL FROM:<{spec.mail_from}>\r\nRCPT TO:<{spec.rcpt_to}>\r\nDATA\r\n"
        self.commands = body.encode("ascii")
        self.ends = 0.0
        self.number = 0
        self.refused = 0
        self.said = b""
        self.waits: list[float] = []
        self.last = 0.0

    def next(self) -> bytes | None:
        """Return the next message, or None when it is time to stop."""
        if self.number >= self.spec.most or self.clock() >= self.ends:
            return None
        self.number += 1
        return self.template.numbered(self.number)


class Connection(asyncio.Protocol):
    """One SMTP connection: ready after its log-in, then one message after the other."""

    def __init__(self, load: Load, loop: asyncio.AbstractEventLoop) -> None:
        self._load = load
        self._transport: asyncio.Transport
        self.ready = loop.create_future()
        self.done = loop.create_future()
        self._answered: Callable[[list[bytes]], None] = self._greeted
        self._awaited = 1
        self._replies: list[bytes] = []
        self._rest = b""
        self._head = b""
        self._tail = memoryview(load.template.tail)
        self._at = 0
        self._full = False
        self._ended = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # always a Transport here

    def data_received(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\r\n")
        self._rest = lines.pop()
        self._replies += [line for line in lines if line[3:4] != b"-"]
        if len(self._replies) >= self._awaited:
            replies, self._replies = self._replies, []
            self._answered(replies)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError("the connection was closed early"))
        if not self.done.done():
            self.done.set_result(None)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._pour()

    def _ask(self, what: bytes, answered: Callable[[list[bytes]], None], replies: int = 1) -> None:
        self._answered, self._awaited = answered, replies
        self._transport.write(what)

    def _greeted(self, replies: list[bytes]) -> None:
        external = self._load.spec.external
        self._ask(b"EHLO bench.example\r\n", self._introduced if external else self._logged_in)

    def _introduced(self, replies: list[bytes]) -> None:
        name = base64.b64encode(self._load.spec.mail_from.encode())
        self._ask(b"AUTH EXTERNAL " + name + b"\r\n", self._logged_in)

    def _logged_in(self, replies: list[bytes]) -> None:
        if not replies[0].startswith(b"2"):
            self.ready.set_exception(ConnectionError(replies[0].decode("ascii", "replace")))
            return
        self.ready.set_result(None)

    def start(self) -> None:
        """Ask for the next transaction, or say goodbye."""
        head = self._load.next()
        if head is None:
            self._ask(b"QUIT\r\n", lambda _: self._transport.close())
            return
        self._head, self._at = head, 0
        self._ask(self._load.commands, self._may_send, 3)

    def _may_send(self, replies: list[bytes]) -> None:
        if not replies[2].startswith(b"354"):
            self._refuse(next(reply for reply in replies if reply[:1] > b"3"))
            self._ask(b"RSET\r\n", lambda _: self.start())
            return
        self._answered, self._awaited = self._taken, 1
        self._at = min(_PIECE, len(self._tail))
        self._transport.write(self._head + self._tail[: self._at])
        self._ended = self._load.clock()
        self._pour()

    def _pour(self) -> None:
        while self._at < len(self._tail) and not self._full:
            piece = self._tail[self._at : self._at + _PIECE]
            self._at += len(piece)
            self._transport.write(piece)
            self._ended = self._load.clock()

    def _taken(self, replies: list[bytes]) -> None:
        load = self._load
        load.last = load.clock()
        if replies[0].startswith(b"250"):
            load.waits.append(load.last - self._ended)
        else:
            self._refuse(replies[0])
        self.start()

    def _refuse(self, said: bytes) -> None:
        self._load.refused += 1
        self._load.said = said


def client_context(spec: Spec) -> ssl.SSLContext:
    """Return a context that verifies the server by our anchors and shows our certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # every server here is 127.0.0.1
    context.load_verify_locations(spec.anchors)
    if spec.certificate:
        context.load_cert_chain(spec.certificate, spec.key)
    return context


async def generate(spec: Spec) -> Sent:
    """Open the connections, send for ``spec.seconds``, wait for every reply."""
    loop = asyncio.get_running_loop()
    load = Load(spec, time.monotonic)
    context = client_context(spec)
    connections: list[Connection] = []
    for _ in range(spec.connections):
        _, connection = await loop.create_connection(
            lambda: Connection(load, loop), spec.host, spec.port, ssl=context
        )
        connections.append(connection)
        await connection.ready
    if spec.idle:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await loop.run_in_executor(None, sys.stdin.read)
    cpu, first = time.process_time(), load.clock()
    load.ends = first + (0.0 if spec.idle else spec.seconds)
    for connection in connections:
        connection.start()
    await asyncio.gather(*(connection.done for connection in connections))
    return Sent(
        accepted=len(load.waits),
        refused=load.refused,
        octets=load.template.size * len(load.waits),
        first=first,
        last=load.last,
        waits=load.waits,
        cpu=time.process_time() - cpu,
        said=load.said.decode("ascii", "replace"),
    )


def main() -> None:
    """Run the load that the argument (or the file it names) describes; print what came of it."""
    argument = sys.argv[1]
    text = Path(argument[1:]).read_text("utf-8") if argument.startswith("@") else argument
    sent = uvloop.run(generate(msgspec.json.decode(text, type=Spec)))
    sys.stdout.write(msgspec.json.encode(sent).decode() + "\n")


if __name__ == "__main__":
    main()
