"""What professionals and citizens wrote to each other, and which citizens object to being written to.

A pair's threads are one sealed row, found by a keyed hash of both addresses: a copy of the database tells
neither who is a patient nor whose. A row moves only from the version that was read. An objection is
never removed, only withdrawn; one that does not open counts as standing. R-G5, R-G6.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import msgspec

from gateway.relay.threads import Pair, Rules, Threads
from smtp.address import Address, key
from vault.database import Database, Statement
from vault.errors import SealError
from vault.keys import KeyRing

Tell = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A pair's threads, as they stood when they were read."""

    pair: Pair
    threads: Threads = ()
    version: int = 0  # none was kept
    at: datetime | None = None  # when somebody last wrote


class _Facts(msgspec.Struct, frozen=True, array_like=True):
    professional: Address
    citizen: Address
    threads: Threads
    at: float


@dataclass(frozen=True, slots=True)
class Objecting:
    """A citizen who does not want to be written to, since when, and who noted it."""

    id: int
    citizen: Address
    reason: str
    actor: str
    at: datetime
    withdrawn: datetime | None = None
    withdrawn_by: str = ""


class _Objecting(msgspec.Struct, frozen=True, array_like=True):
    citizen: Address
    reason: str
    actor: str
    at: float
    withdrawn: float | None
    withdrawn_by: str


@dataclass(frozen=True, slots=True)
class Exchanges:
    """The tables ``thread`` and ``opposition``; one a gateway."""

    database: Database
    ring: KeyRing = field(repr=False)
    rules: Rules
    tell: Tell

    def of(self, pair: Pair, now: datetime) -> Exchange:
        """Return a pair's threads; a row that was changed behind our back opens none."""
        rows = self.database.read(
            "SELECT version, facts FROM thread WHERE pair = ?", (self._pair(pair),)
        )
        if not rows:
            return Exchange(pair)
        version, facts = rows[0]
        try:
            found = _THREAD.decode(self.ring.open(facts, self._place(pair, version)))
        except (SealError, msgspec.MsgspecError):
            self.tell("thread.tampered", {"who": pair.professional})
            return Exchange(pair, version=version)
        threads = self.rules.lasting(found.threads, now)
        return Exchange(pair, threads, version, _moment(found.at))

    def with_citizen(self, citizen: Address, now: datetime) -> list[Exchange]:
        """Return all that a citizen wrote and was written, the last first."""
        rows = self.database.read(
            "SELECT pair, version, facts FROM thread WHERE citizen = ?", (self._citizen(citizen),)
        )
        found = []
        for pair, version, facts in rows:
            try:
                one = _THREAD.decode(self.ring.open(facts, _place(pair, version)))
            except (SealError, msgspec.MsgspecError):
                self.tell("thread.tampered", {"whom": citizen})
                continue
            who = Pair(one.professional, one.citizen, by_citizen=False)
            if threads := self.rules.lasting(one.threads, now):
                found.append((one.at, Exchange(who, threads, version, _moment(one.at))))
        return [each for _, each in sorted(found, key=lambda row: row[0], reverse=True)]

    def pairs(self) -> int:
        """Return between how many something is remembered."""
        ((count,),) = self.database.read("SELECT count(*) FROM thread")
        return int(count)

    def moving(self, before: Exchange, threads: Threads, now: datetime) -> Statement:
        """Return what keeps a pair's threads, if nobody moved them meanwhile."""
        pair, version = before.pair, before.version + 1
        facts = _ENCODER.encode(_Facts(pair.professional, pair.citizen, threads, now.timestamp()))
        sealed = self.ring.seal(facts, self._place(pair, version))
        if not before.version:
            return Statement(
                "INSERT INTO thread (pair, citizen, version, at, facts) VALUES (?, ?, ?, ?, ?)",
                (self._pair(pair), self._citizen(pair.citizen), version, now.timestamp(), sealed),
                expect=1,
            )
        return Statement(
            "UPDATE thread SET version = ?, at = ?, facts = ? WHERE pair = ? AND version = ?",
            (version, now.timestamp(), sealed, self._pair(pair), before.version),
            expect=1,
        )

    def ending(self, now: datetime) -> list[Statement]:
        """Return what forgets the pairs between whom nobody wrote for so long."""
        if self.rules.silence is None:
            return []
        since = (now - self.rules.silence).timestamp()
        return [Statement("DELETE FROM thread WHERE at <= ?", (since,))]

    def objects(self, citizen: Address) -> bool:
        """Whether a citizen objects to being written to; in doubt, they do."""
        rows = self.database.read(
            "SELECT id, facts FROM opposition WHERE citizen = ?", (self._citizen(citizen),)
        )
        for number, facts in rows:
            found = self._objecting(number, facts)
            if found is None or found.withdrawn is None:
                return True
        return False

    def objecting(self, citizen: Address | None = None) -> list[Objecting]:
        """Return all that was noted of one citizen, or of all, oldest first."""
        where, args = "", tuple[bytes, ...]()
        if citizen is not None:
            where, args = " WHERE citizen = ?", (self._citizen(citizen),)
        rows = self.database.read(
            f"SELECT id, facts FROM opposition{where} ORDER BY id",  # noqa: S608 - the two above
            args,
        )
        if citizen is None and [row[0] for row in rows] != list(range(1, len(rows) + 1)):
            self.tell("opposition.tampered", {"reason": "one is missing"})
        found = (self._objecting(number, facts) for number, facts in rows)
        return [each for each in found if each is not None]

    async def object(self, citizen: Address, reason: str, actor: str, now: datetime) -> Objecting:
        """Note that a citizen objects; return once that is durable."""
        ((number,),) = self.database.read("SELECT coalesce(max(id), 0) + 1 FROM opposition")
        made = Objecting(int(number), citizen, reason, actor, now)
        await self.database.commit(
            [
                Statement(
                    "INSERT INTO opposition (id, citizen, facts) VALUES (?, ?, ?)",
                    (made.id, self._citizen(citizen), self._sealed(made)),
                    expect=1,
                )
            ]
        )
        return made

    async def withdraw(self, standing: Sequence[Objecting], actor: str, now: datetime) -> None:
        """Note that a citizen no longer objects; return once that is durable."""
        ended = (replace(one, withdrawn=now, withdrawn_by=actor) for one in standing)
        update = "UPDATE opposition SET facts = ? WHERE id = ?"
        await self.database.commit(
            [Statement(update, (self._sealed(one), one.id), expect=1) for one in ended]
        )

    def _objecting(self, number: int, facts: bytes) -> Objecting | None:
        try:
            found = _OBJECTING.decode(self.ring.open(facts, f"opposition/{number}/facts"))
        except (SealError, msgspec.MsgspecError):
            self.tell("opposition.tampered", {"reason": "it does not open"})
            return None
        withdrawn = None if found.withdrawn is None else _moment(found.withdrawn)
        return Objecting(
            number,
            found.citizen,
            found.reason,
            found.actor,
            _moment(found.at),
            withdrawn,
            found.withdrawn_by,
        )

    def _sealed(self, one: Objecting) -> bytes:
        withdrawn = one.withdrawn.timestamp() if one.withdrawn else None
        facts = _Objecting(
            one.citizen, one.reason, one.actor, one.at.timestamp(), withdrawn, one.withdrawn_by
        )
        return self.ring.seal(_ENCODER.encode(facts), f"opposition/{one.id}/facts")

    def _pair(self, pair: Pair) -> bytes:
        both = f"{key(pair.professional)}\0{self.rules.name(pair.citizen)}"
        return self.ring.index(both, "thread")

    def _citizen(self, citizen: Address) -> bytes:
        return self.ring.index(self.rules.name(citizen), "citizen")

    def _place(self, pair: Pair, version: int) -> str:
        return _place(self._pair(pair), version)


_ENCODER = msgspec.json.Encoder()
_THREAD = msgspec.json.Decoder(_Facts)
_OBJECTING = msgspec.json.Decoder(_Objecting)


def _place(pair: bytes, version: int) -> str:
    return f"thread/{pair.hex()}/{version}/facts"


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
