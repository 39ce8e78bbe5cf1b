"""Tickets: what a form of ours carries so that nobody else's page can send it.

Pure: the caller says what time it is. A ticket is a time, a nonce and a MAC over both, the form's purpose
and the cookie of the browser that was shown it; nothing is kept for those that never come back. What a
form asks of a browser (a passkey's challenge, the seed of an app's codes) is derived from its ticket,
and a ticket that must not be used twice is remembered once used.
"""

import hmac
import secrets
from datetime import datetime, timedelta

_MOST = 10_000  # used ones that are remembered; a process has the attempts of minutes, not of years


class Tickets:
    """One key a process: a restart makes every open form an old one."""

    def __init__(self, life: timedelta = timedelta(hours=1)) -> None:
        self._key, self._life = secrets.token_bytes(32), life
        self._spent: dict[str, datetime] = {}

    def issue(self, bound: str, purpose: str, now: datetime) -> str:
        """Make a ticket for one purpose, good for one browser."""
        head = f"{int(now.timestamp()):x}.{secrets.token_hex(16)}"
        return f"{head}.{self._mac(head, bound, purpose)}"

    def holds(self, ticket: str, bound: str, purpose: str, now: datetime) -> bool:
        """Whether a ticket was issued for this, not long ago, and is not spent."""
        head, _, mac = ticket.rpartition(".")
        if not (bound and head.isascii() and mac.isascii()):
            return False
        if not hmac.compare_digest(mac, self._mac(head, bound, purpose)):
            return False
        issued = int(head.partition(".")[0], 16)  # ours: the MAC says so
        return now.timestamp() < issued + self._life.total_seconds() and ticket not in self._spent

    def secret(self, ticket: str, use: str) -> bytes:
        """Return 32 octets that only this ticket has, for this use."""
        return hmac.digest(self._key, f"secret\0{use}\0{ticket}".encode(), "sha256")

    def spend(self, ticket: str, now: datetime) -> None:
        """Let a ticket hold no more."""
        if len(self._spent) >= _MOST:
            self._spent = {each: at for each, at in self._spent.items() if now < at + self._life}
        self._spent[ticket] = now

    def _mac(self, head: str, bound: str, purpose: str) -> str:
        told = f"ticket\0{head}\0{purpose}\0{bound}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, told, "sha256").hex()
