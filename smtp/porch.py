"""Where connections wait to come in: so many are let in, and no more, whoever they are.

Of those that it bears no network has more than its share, be they logged in or silent: whoever
opens them by the hundred shuts out nobody else. Every listener has one: SMTP, IMAP, HTTPS.

We accept by ourselves rather than through ``create_server``: so a failed handshake is an event in
the journal, and running out of file descriptors a pause instead of a spin or a dropped peer.
"""

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from smtp.envelope import network

OnEvent = Callable[[str, Mapping[str, object]], None]

_BACKLOG = 512
_AT_ONCE = 64  # accepted in a row, before others have their turn
_BREATH = 1.0  # seconds without accepting when it cannot be done


@dataclass(slots=True)
class Porch:
    """Accepts at one socket, and hands on who may come in.

    ``welcome`` is given the connection and its address, and returns the guest by which ``left`` is
    told later; it must not wait. ``turn_away`` may say a word to one too many; its reason is "all"
    or "address".
    """

    name: str
    most: int
    most_of_a_network: int
    welcome: Callable[[socket.socket, str], Hashable]
    turn_away: Callable[[socket.socket, str], None]
    on_event: OnEvent
    admitted: dict[Hashable, str] = field(default_factory=dict)  # with its network; handshakes too
    _shares: Counter[str] = field(default_factory=Counter)  # how many each network has of them
    _socket: socket.socket | None = None

    def open(self, host: str, port: int) -> int:
        """Listen; return the port, which the system chose if it was 0."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        self._socket.setblocking(False)
        self._listen()
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Accept nobody any more; who is in stays."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def left(self, guest: Hashable) -> None:
        """Give a guest's place to the next; told twice is told once."""
        place = self.admitted.pop(guest, None)
        if place is None:
            return
        self._shares[place] -= 1
        if not self._shares[place]:
            del self._shares[place]

    def _listen(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            if self._socket is None:
                return
            try:
                taken, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._rest(error)
                return
            self._admit(taken, str(address[0]))

    def _rest(self, error: OSError) -> None:
        """Pause. Above all after EMFILE: the loop would spin on a connection it cannot take."""
        facts = {"listener": self.name, "error": errno.errorcode.get(error.errno or 0, "")}
        self.on_event("accept.failed", facts)
        loop = asyncio.get_running_loop()
        if self._socket is not None:
            loop.remove_reader(self._socket)
        loop.call_later(_BREATH, self._listen)

    def _admit(self, taken: socket.socket, ip: str) -> None:
        taken.setblocking(False)
        place = network(ip)
        if len(self.admitted) >= self.most:
            self._refuse(taken, ip, "all")
        elif self._shares[place] >= self.most_of_a_network:
            self._refuse(taken, place, "address")
        else:
            self.admitted[self.welcome(taken, ip)] = place
            self._shares[place] += 1

    def _refuse(self, taken: socket.socket, ip: str, reason: str) -> None:
        self.on_event("session.refused", {"listener": self.name, "ip": ip, "reason": reason})
        self.turn_away(taken, reason)
        taken.close()
