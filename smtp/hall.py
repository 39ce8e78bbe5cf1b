"""What every listener of ours is behind its porch: it owns its connections and what runs for them.

It welcomes them, with TLS first where that is the rule, and closes without breaking off what is in
hand. How many may come in is the porch's affair (``smtp.porch``); what they say, their own.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Generic, Protocol, TypeVar

from smtp import reply
from smtp.envelope import Peer
from smtp.porch import OnEvent, Porch
from smtp.reply import Reply
from smtp.tls import culprit
from smtp.transports import SHUTDOWN, why

_LAST = 5.0  # seconds to put things away for whoever's work was given up


class Bounds(Protocol):
    """What a listener bears. Times in seconds."""

    @property
    def max_connections(self) -> int:
        """How many connections."""

    @property
    def max_connections_per_address(self) -> int:
        """How many of one network."""

    @property
    def handshake_timeout(self) -> float:
        """How long TLS may take to begin."""

    @property
    def grace(self) -> float:
        """How long what is in hand may take when the listener closes."""


class Guest(Protocol):
    """A connection that came in."""

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""

    @property
    def inlet(self) -> asyncio.BaseProtocol:
        """What a transport sees of it; told twice, or too early, that it is lost, it knows."""

    def __hash__(self) -> int:
        """It is itself and nobody else."""

    def retire(self, said: Reply) -> None:
        """Say goodbye as soon as nothing is in hand."""

    def abort(self) -> None:
        """Close without another word."""


C = TypeVar("C", bound=Guest)


class Hall(Generic[C]):
    """Open it, stop it; ``enter`` makes a connection, ``word`` spells a refusal in clear."""

    def __init__(  # noqa: PLR0917 - what a listener is made of
        self,
        listener: str,
        context: ssl.SSLContext,
        limits: Bounds,
        on_event: OnEvent,
        enter: Callable[[asyncio.AbstractEventLoop], C],
        word: Callable[[Reply], bytes],
        *,
        implicit_tls: bool,
    ) -> None:
        self.listener = listener
        self.context = context
        self.on_event = on_event
        self.connections: set[C] = set()
        self._bounds = limits
        self._enter, self._word, self._implicit_tls = enter, word, implicit_tls
        self._arriving: set[asyncio.Task[None]] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._quiet = asyncio.Event()
        self.porch = Porch(
            listener,
            limits.max_connections,
            limits.max_connections_per_address,
            self._admit,
            self._turn_away,
            on_event,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.listener}, {len(self.connections)} connections>"

    async def open(self, host: str, port: int) -> int:
        """Listen; return the port, which the system chose if it was 0."""
        self._loop = asyncio.get_running_loop()
        return self.porch.open(host, port)

    async def stop(self) -> None:
        """Accept nobody; a last word to whoever has nothing in hand; the others may finish, for a while."""
        self.porch.close()
        # Who was let in a moment ago begins to come in: its socket has an owner.
        await asyncio.sleep(0)
        for task in self._arriving:
            task.cancel()
        for connection in list(self.connections):
            connection.retire(reply.STOPPING)
        await self._emptied_within(self._bounds.grace)
        for connection in list(self.connections):
            connection.abort()
        await self._emptied_within(_LAST)
        for task in self._running:
            task.cancel()
        await self._emptied()

    def drop(self, keep: Callable[[Peer], bool]) -> None:
        """End the connections that a changed trust list no longer allows."""
        for connection in list(self.connections):
            if not keep(connection.peer):
                connection.retire(reply.NO_LONGER_TRUSTED)

    async def _emptied_within(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._emptied()

    async def _emptied(self) -> None:
        while self.connections or self._running:
            self._quiet.clear()
            await self._quiet.wait()

    # What its connections say.

    def run(self, work: Coroutine[object, object, None]) -> None:
        """Run it to its end, whatever becomes of the connection it is for."""
        # Not a TaskGroup: there the failure of one message would cancel its neighbours.
        task = self._loop.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ran)

    def left(self, connection: C) -> None:
        """The connection is closed."""
        self.connections.discard(connection)
        self.porch.left(connection)
        self._quiet.set()

    def _ran(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not self._running:
            self._quiet.set()

    # What the porch says.

    def _admit(self, taken: socket.socket, ip: str) -> C:
        connection = self._enter(self._loop)
        task = self._loop.create_task(self._welcome(taken, ip, connection))
        self._arriving.add(task)
        task.add_done_callback(partial(self._arrived, connection))
        return connection

    def _turn_away(self, taken: socket.socket, reason: str) -> None:
        if self._implicit_tls:  # clear text would be noise there
            return
        said = reply.TOO_MANY_FROM_YOU if reason == "address" else reply.TOO_MANY_CONNECTIONS
        with suppress(OSError):
            taken.send(self._word(said))

    def _arrived(self, connection: C, task: asyncio.Task[None]) -> None:
        self._arriving.discard(task)
        if connection not in self.connections:  # it never came in, or has left again
            self.porch.left(connection)

    async def _welcome(self, taken: socket.socket, ip: str, connection: C) -> None:
        tls = self._implicit_tls
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection.inlet,
                taken,
                ssl=self.context if tls else None,
                ssl_handshake_timeout=self._bounds.handshake_timeout if tls else None,
                ssl_shutdown_timeout=SHUTDOWN if tls else None,
            )
        except OSError as error:
            facts = {"listener": self.listener, "ip": ip, "reason": why(error)}
            self.on_event("tls.failed", facts | culprit(error))
            taken.close()
        except asyncio.CancelledError:
            # It may be in by now: uvloop then takes it away again, and tells nobody.
            connection.inlet.connection_lost(None)
            raise
