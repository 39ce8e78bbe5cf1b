"""A look into a message: streamed past the scanner, then opened part by part.

The message is read from the vault and never whole: as a stream for the scanner, as a stream to find
where its parts lie, then one part after the other, in a thread. Nothing is written anywhere. What
its documents contradict is found in the same thread. R-J2, R-J5, R-I4.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from threading import Event

from gateway.relay.delivery import holder
from gateway.relay.message import Copy
from quarantine import contents
from quarantine.budget import Budget, Limits
from quarantine.letter import Indexed, Letter
from quarantine.policy import Finding
from quarantine.scanner import Scanned, Scanner, Silent
from smtp.address import Address
from vault.store import Held, Vault

_STEP = 1 << 20

Also = Callable[[Letter], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Looking:
    """One a gateway."""

    vault: Vault
    also: Also = field(repr=False)  # what its documents contradict
    scanner: Scanner | None = None
    limits: Limits = field(default_factory=Limits)
    seconds: float = 30
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(4, "sceau-look"), repr=False
    )
    ended: Event = field(default_factory=Event, repr=False)

    async def scan(self, copies: Sequence[Copy]) -> Scanned | Silent:
        """Return the scanner's verdict; without a scanner nothing is malware."""
        if self.scanner is None:
            return Scanned()
        async with aclosing(self.vault.stream(holder(copies[0].delivery.id))) as body:
            return await self.scanner.scan(body)

    async def look(self, copies: Sequence[Copy]) -> tuple[Finding, ...]:
        """Return what is found in it."""
        held = self.vault.held(holder(copies[0].delivery.id))
        recipients = tuple(copy.recipient.address for copy in copies)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, self._opened, held, recipients)

    def _opened(self, held: Held, recipients: Sequence[Address]) -> tuple[Finding, ...]:
        """Open it part by part; this runs in a thread."""
        until = time.monotonic() + self.seconds
        indexed = Indexed()
        for at in range(0, held.size, _STEP):
            indexed.feed(self.vault.open_now(held, at, min(at + _STEP, held.size)))

        def read(start: int, end: int) -> bytes:
            return self.vault.open_now(held, start, end)

        letter = indexed.letter(read, self.limits.largest, recipients)
        budget = Budget(self.limits, lambda: self.ended.is_set() or time.monotonic() > until)
        return (*contents.look(letter, budget), *self.also(letter))

    def close(self) -> None:
        """Let the threads end, and what they have in hand: the gateway stops."""
        self.ended.set()
        self.threads.shutdown(wait=False, cancel_futures=True)
