"""Legal holds: what must be kept, whatever the clock or a request to erase says.

A hold names an address, a message, or everything. It is never removed, only lifted; while a row of them is
missing or spoilt nothing at all is forgotten. R-I2.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from gateway.operations.register import Noted, Register, whole
from smtp import address
from smtp.address import Address
from vault.database import Database, Statement
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


LegalHold = Noted[Kind]


class Spoilt(Exception):  # noqa: N818 - what was met
    """A hold is missing or does not open: nobody knows what must be kept."""


class LegalHolds:
    """The table ``legal_hold``."""

    def __init__(
        self, database: Database, ring: KeyRing, tell: Callable[[str, Mapping[str, object]], None]
    ) -> None:
        self._database, self._ring, self._tell = database, ring, tell
        self._register = Register(database, ring, "legal_hold", Kind)

    def all(self) -> list[LegalHold]:
        """Return every hold, the lifted ones too, oldest first; ``Spoilt``: not all can be read."""
        rows = self._register.rows()
        # The newest one leaves no gap when it is removed; but the journal tells how many were made.
        ((made,),) = self._database.read(_MADE)
        if not whole(rows) or len(rows) < made:
            self._tell("hold.tampered", {"reason": "a legal hold is missing"})
            raise Spoilt
        for row in rows:
            if row.noted is None:
                self._tell("hold.tampered", {"kind": str(row.id), "reason": "it does not open"})
                raise Spoilt
        return [row.noted for row in rows if row.noted is not None]

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
        return await self._register.add(kind, what, reason, actor, now, also)

    async def lift(
        self, hold: LegalHold, actor: str, now: datetime, also: Sequence[Statement]
    ) -> LegalHold:
        """End a hold; return once that is durable."""
        return await self._register.lift(hold, actor, now, also)
