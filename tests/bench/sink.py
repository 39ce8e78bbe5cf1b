"""The next hop: takes whatever comes over mutual TLS, counts it, and keeps nothing.

A process of its own (``python -m tests.bench.sink SPEC``). It prints its port, then answers lines
on standard input: ``report`` with the tally, ``wait N SECONDS`` with the tally once N messages
have come or the time is over, ``reset`` with the tally before it starts again from nothing.
"""

import asyncio
import socket
import ssl
import sys
import time
from collections.abc import Callable

import msgspec
import uvloop

_END = b"\r\n.\r\n"
_NEAR = 4096
_OK = b"250 2.0.0 Ok\r\n"


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """How the sink presents itself."""

    certificate: str
    key: str
    anchors: str = ""  # with anchors, a client certificate is required
    implicit: bool = False  # TLS from the first octet; else by STARTTLS, and nothing before it
    chunking: bool = False
    dsn: bool = False
    port: int = 0


class Tally(msgspec.Struct, kw_only=True):
    """What has come; times are of the machine's monotonic clock."""

    messages: int = 0
    octets: int = 0
    connections: int = 0
    first: float = 0.0
    last: float = 0.0
    cpu: float = 0.0


class Sink:
    """What the connections share."""

    def __init__(self, spec: Spec, group: asyncio.TaskGroup) -> None:
        self.group = group
        self.tally = Tally()
        self.cpu = time.process_time()
        self.wanted: tuple[int, asyncio.Event] | None = None
        self.context = server_context(spec)
        self.implicit = spec.implicit
        extras = [b"CHUNKING"] * spec.chunking + [b"DSN"] * spec.dsn
        features = [b"PIPELINING", b"SIZE 0", b"8BITMIME", b"SMTPUTF8", *extras]
        last = [b"250 ENHANCEDSTATUSCODES\r\n"]
        self.ehlo = b"250-sink\r\n" + b"".join(
            [b"250-%s\r\n" % feature for feature in features] + last
        )
        self.starttls = b"250-sink\r\n250 STARTTLS\r\n"

    def took(self, octets: int) -> None:
        """Count one message."""
        tally, now = self.tally, time.monotonic()
        tally.first = tally.first or now
        tally.last = now
        tally.messages += 1
        tally.octets += octets
        if self.wanted and tally.messages >= self.wanted[0]:
            self.wanted[1].set()

    def report(self) -> Tally:
        """Return the tally with what it has cost so far."""
        self.tally.cpu = time.process_time() - self.cpu
        return self.tally

    async def wait(self, messages: int, seconds: float) -> Tally:
        """Return the tally when so many messages have come, or the time is over."""
        event = asyncio.Event()
        self.wanted = (messages, event)
        if self.tally.messages < messages:
            try:
                async with asyncio.timeout(seconds):
                    await event.wait()
            except TimeoutError:
                pass
        self.wanted = None
        return self.report()

    def reset(self) -> Tally:
        """Return the tally and start again from nothing."""
        tally = self.report()
        self.tally, self.cpu = Tally(), time.process_time()
        return tally


class Connection(asyncio.Protocol):
    """One SMTP connection; what it is sent is only searched for where it ends."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._transport: asyncio.Transport
        self._take: Callable[[bytes], bytes] = self._command  # what the next octets are
        self._out: list[bytes] = []
        self._rest = b""  # of an unfinished command line
        self._tail = b""  # of an unfinished message: what may be the start of its final dot
        self._octets = 0
        self._chunk = 0
        self._last = False
        self._secure = sink.implicit

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # always a Transport here
        self._sink.tally.connections += 1
        self._transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._transport.get_extra_info("socket").setsockopt(
            socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1
        )
        while data:
            data = self._take(data)
        if self._out:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    def _command(self, data: bytes) -> bytes:
        line, crlf, rest = (self._rest + data).partition(b"\r\n")
        self._rest = b"" if crlf else line
        if not crlf:
            return b""
        match line[:4].upper():
            case b"MAIL" | b"RCPT" | b"RSET" | b"NOOP":
                self._out.append(_OK)
            case b"DATA":
                self._out.append(b"354 Go on\r\n")
                self._take, self._octets, self._tail = self._body, 0, b"\r\n"
            case b"BDAT":
                words = line.split()
                self._take, self._chunk, self._last = self._bdat, int(words[1]), len(words) > 2
                return rest if self._chunk else self._bdat(rest)
            case b"EHLO":
                self._out.append(self._sink.ehlo if self._secure else self._sink.starttls)
            case b"STAR":
                self._sink.group.create_task(self._upgrade())
            case b"QUIT":
                self._transport.write(b"".join([*self._out, b"221 Bye\r\n"]))
                self._out.clear()
                self._transport.close()
            case _:
                self._out.append(b"500 5.5.2 What?\r\n")
        return rest

    def _body(self, data: bytes) -> bytes:
        self._octets += len(data)
        # Only commands can follow the final dot: it is never far from the end of what was read.
        end = data.find(_END, max(0, len(data) - _NEAR))
        if end < 0:  # or it began in the block before
            end = (self._tail + data[:4]).find(_END) - len(self._tail)
            if end < -len(self._tail):
                self._tail = (self._tail + data)[-4:] if len(data) < 4 else data[-4:]
                return b""
        rest = data[end + len(_END) :]
        self._take = self._command
        self._sink.took(self._octets - len(rest))
        self._out.append(_OK)
        return rest

    def _bdat(self, data: bytes) -> bytes:
        taken = min(self._chunk, len(data))
        self._chunk -= taken
        self._octets += taken
        if not self._chunk:
            self._take = self._command
            self._out.append(_OK)
            if self._last:
                self._sink.took(self._octets)
                self._octets = 0
        return data[taken:]

    async def _upgrade(self) -> None:
        self._transport.write(b"220 Go ahead\r\n")
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(
                self._transport, self, self._sink.context, server_side=True
            )
        except (OSError, ssl.SSLError):
            return  # their business; the tally will show what is missing
        if secured:
            self._transport, self._secure = secured, True


def server_context(spec: Spec) -> ssl.SSLContext:
    """Return a context that shows our certificate and, with anchors, asks for theirs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(spec.certificate, spec.key)
    if spec.anchors:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(spec.anchors)
    return context


async def serve(spec: Spec) -> None:
    """Listen until standard input ends, answering its lines."""
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        sink = Sink(spec, group)
        server = await loop.create_server(
            lambda: Connection(sink),
            "127.0.0.1",
            spec.port,
            ssl=sink.context if spec.implicit else None,
            backlog=512,
        )
        _say(server.sockets[0].getsockname()[1])
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            match line.split():
                case ["wait", messages, seconds]:
                    _say(await sink.wait(int(messages), float(seconds)))
                case ["reset"]:
                    _say(sink.reset())
                case _:
                    _say(sink.report())
        server.close()


def _say(what: object) -> None:
    sys.stdout.write(msgspec.json.encode(what).decode() + "\n")
    sys.stdout.flush()


def main() -> None:
    """Be the sink that the argument describes."""
    uvloop.run(serve(msgspec.json.decode(sys.argv[1], type=Spec)))


if __name__ == "__main__":
    main()
