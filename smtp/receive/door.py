"""One listener: it welcomes connections and closes without losing a message.

How many may come in is the porch's affair (``smtp.porch``).
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial

from smtp import reply
from smtp.envelope import Peer
from smtp.porch import Porch
from smtp.receive.rules import Rules
from smtp.receive.server import SHUTDOWN, Authenticator, Connection, Intake, Limits, OnEvent, why

_LAST = 5.0  # seconds to put things away for whoever's message was given up


class Door:
    """Open it, stop it; in between it owns its connections and what runs for them."""

    def __init__(  # noqa: PLR0917 - what a listener is made of
        self,
        rules: Rules,
        context: ssl.SSLContext,
        intake: Intake,
        authenticator: Authenticator | None,
        limits: Limits,
        on_event: OnEvent,
    ) -> None:
        if rules.certificate and context.verify_mode is not ssl.CERT_REQUIRED:
            raise ValueError(f"listener {rules.listener} must ask for client certificates")
        self.rules = rules
        self.context = context
        self.intake = intake
        self.authenticator = authenticator
        self.limits = limits
        self.on_event = on_event
        self.connections: set[Connection] = set()
        self._arriving: set[asyncio.Task[None]] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._quiet = asyncio.Event()
        self.porch = Porch(
            rules.listener,
            limits.max_connections,
            limits.max_connections_per_address,
            self._admit,
            self._turn_away,
            on_event,
        )

    def __repr__(self) -> str:
        return f"<Door {self.rules.listener}, {len(self.connections)} connections>"

    async def open(self, host: str, port: int) -> int:
        """Listen; return the port, which the system chose if it was 0."""
        self._loop = asyncio.get_running_loop()
        return self.porch.open(host, port)

    async def stop(self) -> None:
        """Accept nobody; 421 to whoever has no message in hand; the others may finish, for a while."""
        self.porch.close()
        for task in self._arriving:
            task.cancel()
        for connection in list(self.connections):
            connection.retire(reply.STOPPING)
        await self._emptied_within(self.limits.grace)
        for connection in list(self.connections):
            connection.abort()
        await self._emptied_within(_LAST)
        for task in self._running:
            task.cancel()
        await self._emptied()

    def drop(self, keep: Callable[[Peer], bool]) -> None:
        """End the connections that a changed trust list no longer allows."""
        for connection in list(self.connections):
            if not keep(connection.machine.peer):
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

    def left(self, connection: Connection) -> None:
        """The connection is closed."""
        self.connections.discard(connection)
        self.porch.left(connection)
        self._quiet.set()

    def _ran(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not self._running:
            self._quiet.set()

    # What the porch says.

    def _admit(self, taken: socket.socket, ip: str) -> Connection:
        connection = Connection(self, self._loop)
        task = self._loop.create_task(self._welcome(taken, ip, connection))
        self._arriving.add(task)
        task.add_done_callback(partial(self._arrived, connection))
        return connection

    def _turn_away(self, taken: socket.socket, reason: str) -> None:
        if self.rules.implicit_tls:  # clear text would be noise there
            return
        said = reply.TOO_MANY_FROM_YOU if reason == "address" else reply.TOO_MANY_CONNECTIONS
        with suppress(OSError):
            taken.send(said.line())

    def _arrived(self, connection: Connection, task: asyncio.Task[None]) -> None:
        self._arriving.discard(task)
        if connection not in self.connections:  # it never came in, or has left again
            self.porch.left(connection)

    async def _welcome(self, taken: socket.socket, ip: str, connection: Connection) -> None:
        tls = self.rules.implicit_tls
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection.inlet,
                taken,
                ssl=self.context if tls else None,
                ssl_handshake_timeout=self.limits.handshake_timeout if tls else None,
                ssl_shutdown_timeout=SHUTDOWN if tls else None,
            )
        except OSError as error:
            facts = {"listener": self.rules.listener, "ip": ip, "reason": why(error)}
            self.on_event("tls.failed", facts)
            taken.close()
