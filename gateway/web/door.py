"""One web listener: uvicorn's HTTP/1.1 behind our own porch, in the gateway's own loop.

uvicorn bears any number of connections and waits without end for a request's head; here a network
has its share (``smtp.porch``), and who is slow to ask is closed. Each request knows its ``Peer``, the
client's certificate included. RFC 9112.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import partial

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from smtp import transports
from smtp.porch import Porch
from smtp.tls import culprit

OnEvent = Callable[[str, Mapping[str, object]], None]

# What uvicorn says is of strangers' broken requests, a line each: nobody is to fill our log with them.
logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one web listener bears. Times in seconds, sizes in octets."""

    max_connections: int = 1000
    max_connections_per_address: int = 100  # of one IPv4 address or IPv6 /64
    head_size: int = 16 << 10
    head_timeout: float = 10.0  # for the handshake, and for the head of each request
    idle_timeout: float = 30.0  # between two requests of a connection
    grace: float = 2.0  # for answers under way when the door closes


class WebDoor:
    """The listener of one application; ``context`` is None where clear text is wanted."""

    def __init__(
        self,
        listener: str,
        app: ASGIApp,
        context: ssl.SSLContext | None = None,
        bounds: Bounds | None = None,
        on_event: OnEvent = lambda _slug, _facts: None,
    ) -> None:
        self.listener, self.context, self.bounds = listener, context, bounds or Bounds()
        self.on_event = on_event
        self.state = ServerState()
        self.config = uvicorn.Config(
            app,
            http=H11Protocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            proxy_headers=False,  # an address is what the socket says
            server_header=False,
            h11_max_incomplete_event_size=self.bounds.head_size,
            timeout_keep_alive=int(self.bounds.idle_timeout),
        )
        self.config.load()
        self._arriving: set[asyncio.Task[None]] = set()
        self.porch = Porch(
            listener,
            self.bounds.max_connections,
            self.bounds.max_connections_per_address,
            self._welcome,
            lambda _taken, _reason: None,  # to one too many nothing is said: it may await TLS
            on_event,
        )

    def __repr__(self) -> str:
        return f"<WebDoor {self.listener}, {len(self.connections)} connections>"

    @property
    def connections(self) -> Collection[object]:
        """Who is in."""
        return self.state.connections

    def open(self, host: str, port: int) -> int:
        """Bind and listen; return the port that was bound."""
        self._loop = asyncio.get_running_loop()
        return self.porch.open(host, port)

    async def stop(self) -> None:
        """Accept nobody; answers under way are finished for a bounded time."""
        self.porch.close()
        for task in self._arriving:
            task.cancel()
        for connection in list(self.state.connections):
            if not connection.transport.is_closing():  # asyncio of 3.11.2 aborts none closed twice
                connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.bounds.grace):
                while self.state.tasks:
                    await asyncio.wait(list(self.state.tasks))
        for task in list(self.state.tasks):
            task.cancel()
        for connection in list(self.state.connections):
            connection.transport.abort()
        if self.state.tasks:
            await asyncio.wait(list(self.state.tasks))

    def _welcome(self, taken: socket.socket, ip: str) -> object:
        connection = _Connection(self, ip, self._loop)
        task = self._loop.create_task(self._handshake(taken, connection))
        self._arriving.add(task)
        task.add_done_callback(partial(self._arrived, connection))
        return connection

    async def _handshake(self, taken: socket.socket, connection: "_Connection") -> None:
        tls = self.context is not None
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection,
                taken,
                ssl=self.context,
                ssl_handshake_timeout=self.bounds.head_timeout if tls else None,
                ssl_shutdown_timeout=transports.SHUTDOWN if tls else None,
            )
        except OSError as error:
            facts = {
                "listener": self.listener,
                "ip": connection.ip,
                "reason": transports.why(error),
            }
            self.on_event("tls.failed", facts | culprit(error))
            taken.close()

    def _arrived(self, connection: "_Connection", task: asyncio.Task[None]) -> None:
        self._arriving.discard(task)
        if connection not in self.state.connections:  # it never came in, or has left again
            self.porch.left(connection)


class _Connection(H11Protocol):
    """uvicorn's protocol, told who is at the other end, with a time limit on each head."""

    def __init__(self, door: WebDoor, ip: str, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(door.config, door.state, {}, loop)
        self.ip = ip
        self._door = door
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = transports.peer(transport, self._door.listener)
        self.app_state = {"peer": replace(peer, ip=self.ip)}  # theirs, though they be gone
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        self.server_state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        super().data_received(data)
        under_way: RequestResponseCycle | None = (
            self.cycle
        )  # before the first request there is none
        if under_way is not None and not under_way.response_complete:
            self._forget_head()
        elif self._watch is None:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)
        self._door.porch.left(self)

    def _expect_head(self) -> None:
        self._watch = self.loop.call_later(self._door.bounds.head_timeout, self._too_slow)

    def _forget_head(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _too_slow(self) -> None:
        self._watch = None
        self.transport.abort()
