"""What a server's session has to say: replies for its peer, events for its shell.

It also counts what shows a broken or hostile client, and knows when there was too much of it.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from smtp import reply
from smtp.receive.events import Event
from smtp.reply import Reply

_MAX_FAULTS = 20

# A mistyped address (5.1.z) is no fault. The third failed log-in ends the connection, whether it
# was looked at or not.
_FAULTS = {
    (500, "5.5.2"): 1,
    (501, "5.5.2"): 1,
    (501, "5.5.4"): 1,
    (502, "5.5.1"): 1,
    (454, "4.7.0"): 7,
    (504, "5.5.4"): 1,
    (535, "5.7.8"): 7,
    (555, "5.5.4"): 1,
}


@dataclass(slots=True)
class Outlet:
    """Replies and events, in the order they were said."""

    events: deque[Event] = field(default_factory=deque)
    over: bool = False  # the last thing was said
    _out: bytearray = field(default_factory=bytearray)
    _faults: int = 0

    def say(self, said: Reply) -> None:
        """Reply; a 421 is the last."""
        if self.over:
            return
        self._out += said.line()
        self._faults += _FAULTS.get((said.code, said.enhanced), 0)
        if said.code == 421:
            self.over = True
        elif self._faults >= _MAX_FAULTS:
            self.say(reply.TOO_MANY_ERRORS)

    def list(self, code: int, lines: Iterable[str]) -> None:
        """Reply in several lines."""
        *firsts, last = lines
        text = "".join(f"{code}-{line}\r\n" for line in firsts) + f"{code} {last}\r\n"
        self._out += text.encode("ascii")

    def tell(self, event: Event) -> None:
        """Tell or ask the shell."""
        self.events.append(event)

    def take(self) -> bytes:
        """Take what the peer is to be told."""
        out = bytes(self._out)
        self._out.clear()
        return out
