"""Who is away, until when, and what their correspondents are told; each of them once a week.

The words are sealed in the mailbox's row; who was told is kept as a keyed hash. RFC 3834 §2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from gateway.accounts.mailboxes import Mailbox
from smtp.address import Address, key
from vault.database import Database, Statement
from vault.keys import KeyRing

AGAIN = timedelta(days=7)  # RFC 3834 §2: not to the same person within so long


class Absence(msgspec.Struct, frozen=True):
    """What is answered for somebody who is away."""

    text: str
    since: datetime
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether they are away now."""
        return self.since <= now and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class Absences:
    """The tables ``absence`` and ``absence_told``."""

    database: Database
    ring: KeyRing

    def of(self, mailbox: Mailbox) -> Absence | None:
        """Return a mailbox's absence, past and future ones too."""
        rows = self.database.read("SELECT facts FROM absence WHERE mailbox = ?", (mailbox.id,))
        if not rows:
            return None
        return _DECODER.decode(self.ring.open(rows[0][0], _place(mailbox)))

    async def begin(
        self, mailbox: Mailbox, absence: Absence, also: Sequence[Statement] = ()
    ) -> None:
        """Note an absence in place of the one before; everybody is told anew."""
        facts = self.ring.seal(_ENCODER.encode(absence), _place(mailbox))
        await self.database.commit(
            [
                *_forgetting(mailbox),
                Statement(
                    "INSERT INTO absence (mailbox, facts) VALUES (?, ?)",
                    (mailbox.id, facts),
                    expect=1,
                ),
                *also,
            ]
        )

    async def end(self, mailbox: Mailbox, also: Sequence[Statement] = ()) -> None:
        """Forget a mailbox's absence."""
        await self.database.commit([*_forgetting(mailbox), *also])

    def told(self, mailbox: Mailbox, correspondent: Address, now: datetime) -> bool:
        """Whether this correspondent was told lately."""
        rows = self.database.read(
            "SELECT 1 FROM absence_told WHERE mailbox = ? AND whom = ? AND at > ?",
            (mailbox.id, self._whom(correspondent), (now - AGAIN).timestamp()),
        )
        return bool(rows)

    def telling(self, mailbox: Mailbox, correspondent: Address, now: datetime) -> Statement:
        """Return what remembers that this correspondent was told."""
        return Statement(
            "INSERT INTO absence_told (mailbox, whom, at) VALUES (?, ?, ?)"
            " ON CONFLICT (mailbox, whom) DO UPDATE SET at = excluded.at",
            (mailbox.id, self._whom(correspondent), now.timestamp()),
            expect=1,
        )

    def _whom(self, correspondent: Address) -> bytes:
        return self.ring.index(key(correspondent), "address")


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Absence)


def _forgetting(mailbox: Mailbox) -> list[Statement]:
    return [
        Statement("DELETE FROM absence WHERE mailbox = ?", (mailbox.id,)),
        Statement("DELETE FROM absence_told WHERE mailbox = ?", (mailbox.id,)),
    ]


def _place(mailbox: Mailbox) -> str:
    return f"absence/{mailbox.key}/facts"
