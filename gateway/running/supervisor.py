"""What systemd is told: that we are ready, alive, stopping. sd_notify(3), without a library.

Without ``NOTIFY_SOCKET`` in the environment nobody listens and nothing is said.
"""

import asyncio
import socket
from collections.abc import Mapping


class Supervisor:
    """The supervisor that started us, if there is one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        name = environment.get("NOTIFY_SOCKET", "")
        self._name = "\0" + name[1:] if name.startswith("@") else name
        self._interval = int(environment.get("WATCHDOG_USEC", "0") or 0) / 2_000_000

    def tell(self, *lines: str) -> None:
        """Send ``READY=1``, ``STOPPING=1``, ``STATUS=...``; a supervisor that is gone is no error."""
        if not self._name:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            try:
                sock.sendto("\n".join(lines).encode(), self._name)
            except OSError:
                return

    async def feed(self) -> None:
        """Feed the watchdog, if it asked, for as long as the event loop turns."""
        while self._name and self._interval:
            self.tell("WATCHDOG=1")
            await asyncio.sleep(self._interval)
