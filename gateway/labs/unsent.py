"""The SQL of results of which no message came: unreadable, for nobody, or refused for everybody.

Who handed them in was told at once; in the morning they are counted again, because a person must
act on them. The same file, offered again and taken, is not among them any more.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from smtp.address import Address, key
from vault.database import Database, Statement
from vault.keys import KeyRing


class Turned(msgspec.Struct, frozen=True, array_like=True):
    """What only we are to read: which result it was, and why it was not sent."""

    sender: Address
    name: str  # of its file, if it was one
    key: str
    why: str
    refused: tuple[tuple[str, str], ...] = ()  # recipients, and why each was refused
    claim: str = ""  # which offer of it that was

    def __repr__(self) -> str:
        return "Turned(…)"


@dataclass(frozen=True, slots=True)
class Unsent:
    """The table ``unsent``."""

    database: Database
    ring: KeyRing

    def adding(self, door: str, name: str, turned: Turned, at: datetime) -> Statement:
        """Return the statement that keeps what was not sent, in the place of its last offer.

        ``name`` is what the door knows it by: its file's name, or its key.
        """
        mark = self._mark(door, turned.sender, name)
        return Statement(
            "INSERT INTO unsent (mark, sender, at, facts) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (mark) DO UPDATE SET at = excluded.at, facts = excluded.facts",
            (
                mark,
                self._sender(turned.sender),
                at.timestamp(),
                self.ring.seal(msgspec.json.encode(turned), _place(mark)),
            ),
            expect=1,
        )

    def told(self, door: str, name: str, turned: Turned) -> bool:
        """Whether that very offer is kept already: a crash came before its end."""
        mark = self._mark(door, turned.sender, name)
        rows = self.database.read("SELECT facts FROM unsent WHERE mark = ?", (mark,))
        found = [_DECODER.decode(self.ring.open(facts, _place(mark))) for (facts,) in rows]
        return any(each.claim == turned.claim for each in found)

    def sent(self, door: str, sender: Address, name: str) -> Statement:
        """Return the statement by which a file, or a key, is a message after all."""
        return Statement("DELETE FROM unsent WHERE mark = ?", (self._mark(door, sender, name),))

    async def between(
        self, senders: Iterable[Address], since: datetime, until: datetime
    ) -> list[tuple[datetime, Turned]]:
        """Return what these mailboxes could not send within a time, the first first."""
        rows = await self.database.query(
            "SELECT mark, at, facts FROM unsent WHERE at >= ? AND at < ?"
            " AND hex(sender) IN (SELECT value FROM json_each(?)) ORDER BY at",
            (
                since.timestamp(),
                until.timestamp(),
                json.dumps([self._sender(each).hex().upper() for each in senders]),
            ),
        )
        return [
            (datetime.fromtimestamp(at, UTC), _DECODER.decode(self.ring.open(facts, _place(mark))))
            for mark, at, facts in rows
        ]

    def forgetting(self, now: datetime, window: timedelta) -> Statement:
        """Return the statement that ends the time within which they are known."""
        return Statement("DELETE FROM unsent WHERE at < ?", ((now - window).timestamp(),))

    def _mark(self, door: str, sender: Address, name: str) -> bytes:
        return self.ring.index(f"{key(sender)}\0{door}\0{name}", "unsent")

    def _sender(self, sender: Address) -> bytes:
        return self.ring.index(key(sender), "address")


_DECODER = msgspec.json.Decoder(Turned)


def _place(mark: bytes) -> str:
    return f"unsent/{mark.hex()}/facts"
