"""One listener: it accepts connections, bears only so many, and closes without losing a message.

Of those that it bears no network has more than its share, be they logged in or silent: whoever
opens them by the hundred shuts out nobody else.

We accept by ourselves rather than through ``create_server``: so a failed handshake is an event in
the journal, and running out of file descriptors a pause instead of a spin or a dropped peer.
"""

import asyncio
import errno
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial

from smtp import reply
from smtp.envelope import Peer, network
from smtp.receive.rules import Rules
from smtp.receive.server import SHUTDOWN, Authenticator, Connection, Intake, Limits, OnEvent, why
from smtp.reply import Reply

_BACKLOG = 512
_AT_ONCE = 64  # accepted in a row, before others have their turn
_LAST = 5.0  # seconds to put things away for whoever's message was given up
_BREATH = 1.0  # seconds without accepting when it cannot be done


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
        self._admitted: dict[Connection, str] = {}  # with its network; handshakes too
        self._shares: Counter[str] = Counter()  # how many each network has of them
        self._running: set[asyncio.Task[None]] = set()
        self._socket: socket.socket | None = None
        self._quiet = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Door {self.rules.listener}, {len(self.connections)} connections>"

    async def open(self, host: str, port: int) -> int:
        """Listen; return the port, which the system chose if it was 0."""
        self._loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        self._socket.setblocking(False)
        self._listen()
        return int(self._socket.getsockname()[1])

    async def stop(self) -> None:
        """Accept nobody; 421 to whoever has no message in hand; the others may finish, for a while."""
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None
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
        self._forget(connection)
        self._quiet.set()

    def _ran(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not self._running:
            self._quiet.set()

    # Accepting.

    def _listen(self) -> None:
        if self._socket is not None:
            self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        listening = self._socket
        for _ in range(_AT_ONCE):
            if listening is None:
                return
            try:
                taken, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                # Above all EMFILE: the loop would spin on a connection that it cannot take.
                facts = {
                    "listener": self.rules.listener,
                    "error": errno.errorcode.get(error.errno or 0, ""),
                }
                self.on_event("accept.failed", facts)
                self._loop.remove_reader(listening)
                self._loop.call_later(_BREATH, self._listen)
                return
            self._admit(taken, str(address[0]))

    def _admit(self, taken: socket.socket, ip: str) -> None:
        taken.setblocking(False)
        place = network(ip)
        if len(self._admitted) >= self.limits.max_connections:
            self._turn_away(taken, ip, reply.TOO_MANY_CONNECTIONS, "all")
            return
        if self._shares[place] >= self.limits.max_connections_per_address:
            self._turn_away(taken, place, reply.TOO_MANY_FROM_YOU, "address")
            return
        connection = Connection(self, self._loop)
        self._admitted[connection] = place
        self._shares[place] += 1
        task = self._loop.create_task(self._welcome(taken, ip, connection))
        self._arriving.add(task)
        task.add_done_callback(partial(self._arrived, connection))

    def _turn_away(self, taken: socket.socket, ip: str, said: Reply, reason: str) -> None:
        facts = {"listener": self.rules.listener, "ip": ip, "reason": reason}
        self.on_event("session.refused", facts)
        if not self.rules.implicit_tls:
            with suppress(OSError):
                taken.send(said.line())
        taken.close()

    def _arrived(self, connection: Connection, task: asyncio.Task[None]) -> None:
        self._arriving.discard(task)
        if connection not in self.connections:  # it never came in, or has left again
            self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        place = self._admitted.pop(connection, None)
        if place is None:
            return
        self._shares[place] -= 1
        if not self._shares[place]:
            del self._shares[place]

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
