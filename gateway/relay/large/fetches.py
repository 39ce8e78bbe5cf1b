"""The SQL of what came as a stub, while the whole of it is fetched: what for, and how far.

A row enters with its message and goes with it. Each piece that came is sealed, held by a name of its
own and committed before the next is asked for: what a crash leaves is where the fetch goes on.
"""

from asyncio import Event
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import msgspec

from gateway.relay.delivery import State
from gateway.relay.large.stub import Mark
from quarantine.policy import Finding
from vault.database import Database, Statement
from vault.errors import Gone
from vault.keys import KeyRing

_TURN = (
    "SELECT fetch.message, fetch.due, tries, wrong, fetch.size, sender_domain"
    " FROM fetch JOIN message ON message.id = fetch.message"
)


class Facts(msgspec.Struct, frozen=True, array_like=True):
    """What only we are to read."""

    token: str
    port: int
    sha256: str
    findings: tuple[Finding, ...] = ()  # what was found at the door
    looked: bool = False  # it is to be looked into when it is here


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of which the whole is to come, by what its row says in clear."""

    message: str
    due: datetime
    tries: int  # in a row that brought nothing
    wrong: int  # times that it came whole and was not what it should be
    size: int
    domain: str  # its sender's


@dataclass(frozen=True, slots=True)
class Wanted(Turn):
    """The same with its seal opened."""

    facts: Facts


@dataclass(frozen=True, slots=True)
class Fetches:
    """The tables ``fetch`` and ``piece``."""

    database: Database
    ring: KeyRing
    bell: Event = field(default_factory=Event)  # something may be due

    def entering(
        self,
        message: str,
        mark: Mark,
        now: datetime,
        *,
        findings: Sequence[Finding],
        looked: bool,
    ) -> Statement:
        """Return the statement by which the whole of a message is to be fetched."""
        facts = Facts(mark.token, mark.port, mark.sha256, tuple(findings), looked)
        return Statement(
            "INSERT INTO fetch (message, due, size, facts) VALUES (?, ?, ?, ?)",
            (
                message,
                now.timestamp(),
                mark.size,
                self.ring.seal(msgspec.json.encode(facts), _place(message)),
            ),
            expect=1,
        )

    def due(self, now: datetime, limit: int) -> list[Turn]:
        """Return what is to be fetched now, the longest due first."""
        return self._turns("fetch.due <= ? ORDER BY fetch.due LIMIT ?", (now.timestamp(), limit))

    def unwanted(self) -> list[str]:
        """Return the messages of which no copy waits for its whole any more."""
        sql = (
            "SELECT message FROM fetch WHERE NOT EXISTS (SELECT 1 FROM delivery"
            " WHERE delivery.message = fetch.message AND delivery.state = ?)"
        )
        return [str(message) for (message,) in self.database.read(sql, (State.FETCHING.value,))]

    def begun(self, recipient: bytes) -> int:
        """Return how many octets are being fetched for a mailbox, or will be: of what has begun."""
        sql = (
            "SELECT coalesce(sum(size), 0) FROM fetch"
            " WHERE EXISTS (SELECT 1 FROM piece WHERE piece.message = fetch.message)"
            " AND EXISTS (SELECT 1 FROM delivery WHERE delivery.message = fetch.message"
            " AND recipient = ? AND state = ?)"
        )
        ((octets,),) = self.database.read(sql, (recipient, State.FETCHING.value))
        return int(octets)

    def slow(self, before: datetime) -> list[str]:
        """Return the messages that came before a time and of whose delay nobody was told."""
        sql = (
            "SELECT message FROM fetch WHERE EXISTS (SELECT 1 FROM message"
            " WHERE id = fetch.message AND arrived <= ?) AND EXISTS (SELECT 1 FROM delivery"
            " WHERE delivery.message = fetch.message AND state = ? AND warned = 0)"
        )
        rows = self.database.read(sql, (before.timestamp(), State.FETCHING.value))
        return [str(message) for (message,) in rows]

    def all(self, limit: int = 1000) -> list[Turn]:
        """Return everything that is to be fetched."""
        return self._turns("1 ORDER BY fetch.message LIMIT ?", (limit,))

    def opened(self, one: Turn) -> Wanted:
        """Return all that is known of it; ``SealError`` if another hand changed its row."""
        sql = "SELECT facts FROM fetch WHERE message = ?"
        rows = self.database.read(sql, (one.message,))
        if not rows:
            raise Gone(f"nothing is fetched for {one.message}")
        opened = self.ring.open(rows[0][0], _place(one.message))
        return Wanted(**asdict(one), facts=msgspec.json.decode(opened, type=Facts))

    def next(self) -> datetime | None:
        """Return when there is next something to fetch."""
        ((due,),) = self.database.read("SELECT min(due) FROM fetch")
        return None if due is None else _at(due)

    def standing(self) -> tuple[int, int]:
        """Return how many are to be fetched, and how many octets of them are here."""
        ((count,),) = self.database.read("SELECT count(*) FROM fetch")
        ((octets,),) = self.database.read("SELECT coalesce(sum(size), 0) FROM piece")
        return int(count), int(octets)

    def putting_off(self, one: Turn, due: datetime, tries: int, wrong: int) -> Statement:
        """Return the statement by which it is tried again later."""
        return Statement(
            "UPDATE fetch SET due = ?, tries = ?, wrong = ? WHERE message = ?",
            (due.timestamp(), tries, wrong, one.message),
        )

    def hastening(self, message: str, now: datetime) -> Statement:
        """Return the statement by which it is tried now."""
        return Statement(
            "UPDATE fetch SET due = ?, tries = 0 WHERE message = ?",
            (now.timestamp(), message),
            expect=1,
        )

    def dropping(self, message: str) -> list[Statement]:
        """Return the statements that end a fetch, and erase what came of it."""
        return [
            *self.clearing(message),
            Statement("DELETE FROM fetch WHERE message = ?", (message,)),
        ]

    def clearing(self, message: str) -> list[Statement]:
        """Return the statement that erases what came: it begins anew."""
        return [Statement("DELETE FROM piece WHERE message = ?", (message,))]

    def had(self, message: str) -> list[tuple[int, int]]:
        """Return the pieces that are here, in their order: where each begins, and its length."""
        return [
            (int(start), int(size))
            for start, size in self.database.read(
                "SELECT start, size FROM piece WHERE message = ? ORDER BY start", (message,)
            )
        ]

    def adding(self, message: str, start: int, size: int) -> Statement:
        """Return the statement that notes a piece; ``Conflict`` if its fetch has ended."""
        return Statement(
            "INSERT INTO piece (message, start, size) VALUES (?, ?, ?)",
            (message, start, size),
            expect=1,
        )

    def _turns(self, where: str, args: Sequence[object]) -> list[Turn]:
        rows = self.database.read(f"{_TURN} WHERE {where}", tuple(args))
        return [Turn(message, _at(due), *more) for message, due, *more in rows]


def holder(message: str, start: int) -> str:
    """Return the name under which a piece is held."""
    return f"piece/{message}/{start}"


def _place(message: str) -> str:
    return f"fetch/{message}/facts"


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
