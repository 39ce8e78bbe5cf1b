"""Legal holds: what must be kept, whatever the clock or a request to erase says.

A hold names an address, a message, or everything. It is never removed, only lifted; each row is sealed
and bound to its number, so that who can write to the database alone cannot lift one unseen: while a
row is missing or spoilt nothing at all is forgotten. R-I2.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from smtp import address
from smtp.address import Address
from vault.database import Database, Statement
from vault.errors import SealError
from vault.forgetting import Forgetting, Kept
from vault.keys import KeyRing

# The second condition is the index's own: with it the answer costs nothing.
_MADE = """
SELECT count(*) FROM journal WHERE event = 'journal.held'
AND event NOT IN ('delivery.delivered', 'delivery.relayed', 'message.accepted')
"""


class Kind(StrEnum):
    """What a hold names."""

    ADDRESS = "address"
    MESSAGE = "message"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class LegalHold:
    """Who held what, when and why; and who lifted it."""

    id: int
    kind: Kind
    what: str  # an address in its one form, a message's id, or nothing
    reason: str
    actor: str
    at: datetime
    lifted: datetime | None = None
    lifted_by: str = ""


class _Facts(msgspec.Struct, frozen=True):
    kind: Kind
    what: str
    reason: str
    actor: str
    at: float
    lifted: float | None
    lifted_by: str


class Spoilt(Exception):  # noqa: N818 - what was met
    """A hold is missing or does not open: nobody knows what must be kept."""


class LegalHolds:
    """The table ``legal_hold``: short, so it is read whole."""

    def __init__(
        self, database: Database, ring: KeyRing, tell: Callable[[str, Mapping[str, object]], None]
    ) -> None:
        self._database, self._ring, self._tell = database, ring, tell

    def all(self) -> list[LegalHold]:
        """Return every hold, the lifted ones too, oldest first; ``Spoilt``: not all can be read."""
        rows = self._database.read("SELECT id, facts FROM legal_hold ORDER BY id")
        # The newest one leaves no gap when it is removed; but the journal tells how many were made.
        ((made,),) = self._database.read(_MADE)
        if [number for number, _ in rows] != list(range(1, len(rows) + 1)) or len(rows) < made:
            self._tell("hold.tampered", {"reason": "a legal hold is missing"})
            raise Spoilt
        return [self._hold(number, facts) for number, facts in rows]

    def _hold(self, number: int, facts: bytes) -> LegalHold:
        try:
            opened = msgspec.json.decode(self._ring.open(facts, _place(number)), type=_Facts)
        except (SealError, msgspec.MsgspecError):
            self._tell("hold.tampered", {"kind": str(number), "reason": "it does not open"})
            raise Spoilt from None
        lifted = None if opened.lifted is None else datetime.fromtimestamp(opened.lifted, UTC)
        return LegalHold(
            number,
            opened.kind,
            opened.what,
            opened.reason,
            opened.actor,
            datetime.fromtimestamp(opened.at, UTC),
            lifted,
            opened.lifted_by,
        )

    def standing(self) -> list[LegalHold]:
        """Return the holds in force."""
        return [one for one in self.all() if one.lifted is None]

    def held(self, *, message: str | None = None, addresses: Iterable[Address] = ()) -> bool:
        """Whether a hold in force names a message or one of its people; a spoilt one names all."""
        named = {address.key(each) for each in addresses}
        try:
            return any(
                one.kind is Kind.EVERYTHING
                or (one.kind is Kind.MESSAGE and one.what == message)
                or (one.kind is Kind.ADDRESS and one.what in named)
                for one in self.standing()
            )
        except Spoilt:
            return True

    async def kept(self, forgetting: Forgetting) -> Kept:
        """Return what the journal must keep; a spoilt hold keeps everything."""
        try:
            standing = self.standing()
        except Spoilt:
            return Kept(everything=True)
        addresses = frozenset(
            self._ring.index(one.what, "address") for one in standing if one.kind is Kind.ADDRESS
        )
        messages = frozenset(one.what for one in standing if one.kind is Kind.MESSAGE)
        return Kept(
            addresses,
            messages | await forgetting.messages(addresses),
            any(one.kind is Kind.EVERYTHING for one in standing),
        )

    async def add(  # noqa: PLR0917 - a hold's own facts
        self,
        kind: Kind,
        what: str,
        reason: str,
        actor: str,
        now: datetime,
        also: Sequence[Statement],
    ) -> LegalHold:
        """Hold it; return once that is durable."""
        ((number,),) = self._database.read("SELECT coalesce(max(id), 0) + 1 FROM legal_hold")
        made = LegalHold(int(number), kind, what, reason, actor, now)
        adding = "INSERT INTO legal_hold (id, facts) VALUES (?, ?)"
        statement = Statement(adding, (made.id, self._sealed(made)), expect=1)
        await self._database.commit([statement, *also])
        return made

    async def lift(
        self, hold: LegalHold, actor: str, now: datetime, also: Sequence[Statement]
    ) -> LegalHold:
        """End a hold; return once that is durable."""
        ended = replace(hold, lifted=now, lifted_by=actor)
        lifting = "UPDATE legal_hold SET facts = ? WHERE id = ?"
        statement = Statement(lifting, (self._sealed(ended), ended.id), expect=1)
        await self._database.commit([statement, *also])
        return ended

    def _sealed(self, hold: LegalHold) -> bytes:
        facts = _Facts(
            hold.kind,
            hold.what,
            hold.reason,
            hold.actor,
            hold.at.timestamp(),
            hold.lifted.timestamp() if hold.lifted else None,
            hold.lifted_by,
        )
        return self._ring.seal(msgspec.json.encode(facts), _place(hold.id))


def _place(number: int) -> str:
    return f"legal_hold/{number}/facts"
