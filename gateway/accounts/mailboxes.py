"""Mailboxes: an address of ours, whose it is, and what it may do.

Each has an opaque key, which is its name wherever an address must not show (topics, metrics, logs).
Every change is one transaction, to which the caller adds its journal entry. What a mailbox may do is
sealed as well as in clear: who can write to the database, and has not the key ring, opens none that
was closed. R-D1, R-D8.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from gateway.accounts.habits import Habits
from imap.store import Mailboxes
from smtp import address as addresses
from smtp.address import Address
from trust.addresses import Kind
from vault.database import Database, Statement
from vault.errors import Conflict
from vault.keys import KeyRing

Clock = Callable[[], datetime]
Tell = Callable[[str, Mapping[str, object]], None]


class AccountError(Exception):
    """What was asked of a mailbox cannot be done; the message is for the operator."""


class Status(StrEnum):
    """What a mailbox may do (R-D8)."""

    ACTIVE = "active"
    SUSPENDED = "suspended"  # receives, so that nothing is lost; nobody logs in
    CLOSED = "closed"  # neither, for good


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox of ours."""

    id: int
    key: str  # opaque: topics, metrics, logs
    address: Address
    kind: Kind
    holder: str  # who answers for it: an RPPS, FINESS or SIRET number
    name: str
    status: Status
    created: datetime
    successor: Address | None = None  # of a closed one: to whom its senders are sent
    hidden: bool = False  # *liste rouge*: in no directory that we publish (R-D3)
    habits: Habits = field(default_factory=Habits)

    @property
    def login(self) -> str:
        """What its person types to say who they are."""
        return self.address

    @property
    def actor(self) -> str:
        """Who its person is in the journal."""
        return f"mailbox:{self.key}"

    @property
    def told(self) -> Mapping[str, object]:
        """How an event names its person."""
        return {"who": self.address}

    @property
    def receives(self) -> bool:
        """Whether mail is taken for it."""
        return self.status is not Status.CLOSED

    @property
    def sends(self) -> bool:
        """Whether its owner may log in, and so send."""
        return self.status is Status.ACTIVE


class _Facts(msgspec.Struct, frozen=True):
    address: str
    holder: str
    name: str
    kind: str
    status: str
    successor: str = ""
    hidden: bool = False
    habits: Habits = Habits()


def untold(_event: str, _facts: Mapping[str, object]) -> None:
    """Tell nobody."""


class Accounts:
    """The table ``mailbox``; one per process, so its cache is the truth."""

    def __init__(
        self,
        database: Database,
        ring: KeyRing,
        mailboxes: Mailboxes,
        clock: Clock,
        tell: Tell = untold,
    ) -> None:
        self._tell = tell
        self._database = database
        self._ring = ring
        self._mailboxes = mailboxes
        self._clock = clock
        self._found: dict[str, Mailbox] = {}  # by address key; only hits are kept

    def find(self, address: Address) -> Mailbox | None:
        """Return the mailbox of an address; cheap enough to ask at every RCPT."""
        key = addresses.key(address)
        if (found := self._found.get(key)) is not None:
            return found
        rows = self._database.read(
            _SELECT + " WHERE address = ?",
            (self._ring.index(key, "address"),),
        )
        if not rows:
            return None
        mailbox = self._mailbox(rows[0])
        if addresses.key(mailbox.address) != key:
            self._tampered(mailbox.key, "address")
            return None
        if len(self._found) >= _CACHED:
            self._found.clear()
        return self._found.setdefault(key, mailbox)

    def by_id(self, mailbox: int) -> Mailbox | None:
        """Return the mailbox with this row id."""
        rows = self._database.read(
            _SELECT + " WHERE id = ?",
            (mailbox,),
        )
        return self._mailbox(rows[0]) if rows else None

    def by_key(self, key: str) -> Mailbox | None:
        """Return the mailbox with this opaque key."""
        rows = self._database.read(
            _SELECT + " WHERE key = ?",
            (key,),
        )
        return self._mailbox(rows[0]) if rows else None

    def mailboxes(self) -> list[Mailbox]:
        """Return all mailboxes in the order they were made."""
        rows = self._database.read(_SELECT + " ORDER BY id")
        return [self._mailbox(row) for row in rows]

    def latest(self, before: int | None, limit: int) -> list[Mailbox]:
        """Return mailboxes, the last made first: those made before one, or the last of all."""
        rows = self._database.read(
            _SELECT + " WHERE id < ? ORDER BY id DESC LIMIT ?",
            (_LAST if before is None else before, limit),
        )
        return [self._mailbox(row) for row in rows]

    def counts(self) -> dict[Status, int]:
        """Return how many mailboxes are in each state, as the table says."""
        rows = self._database.read("SELECT status, count(*) FROM mailbox GROUP BY status")
        found: dict[str, int] = dict(rows)
        return {status: found.get(status.value, 0) for status in Status}

    async def add(
        self,
        address: Address,
        kind: Kind,
        holder: str = "",
        name: str = "",
        also: Sequence[Statement] = (),
    ) -> Mailbox:
        """Make a mailbox with its INBOX and the folders that mail clients expect."""
        now = self._clock()
        key = secrets.token_hex(10)
        made = Mailbox(0, key, address, kind, holder, name, Status.ACTIVE, now)
        try:
            ((row,), *_) = await self._database.commit(
                [
                    Statement(
                        "INSERT INTO mailbox (key, domain, address, facts, kind, status, created)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
                        (
                            key,
                            addresses.domain_of(address),
                            self._ring.index(addresses.key(address), "address"),
                            self._sealed(made),
                            kind.value,
                            made.status.value,
                            now.timestamp(),
                        ),
                        expect=1,
                    ),
                    *self._mailboxes.founding(key, now),
                    *also,
                ]
            )
        except Conflict:
            raise AccountError(
                "There is already a mailbox of this address; nothing changed. See it with"
                " `sceau mailbox show`; a closed address is not given again."
            ) from None
        return replace(made, id=row[0])

    async def set_status(
        self,
        mailbox: Mailbox,
        status: Status,
        successor: Address | None = None,
        also: Sequence[Statement] = (),
    ) -> Mailbox:
        """Suspend, re-activate or close a mailbox; a closed one stays closed."""
        return await self._change(
            mailbox, replace(mailbox, status=status, successor=successor), also
        )

    async def describe(self, mailbox: Mailbox, *, name: str, holder: str, hidden: bool) -> Mailbox:
        """Say anew whose a mailbox is, and whether directories may have it."""
        return await self._change(
            mailbox, replace(mailbox, name=name, holder=holder, hidden=hidden)
        )

    async def accustom(self, mailbox: Mailbox, habits: Habits) -> Mailbox:
        """Change what a mailbox's owner chose."""
        return await self._change(mailbox, replace(mailbox, habits=habits))

    async def _change(
        self, mailbox: Mailbox, changed: Mailbox, also: Sequence[Statement] = ()
    ) -> Mailbox:
        try:
            if mailbox.status is Status.CLOSED:
                raise Conflict("it is closed")
            await self._database.commit(
                [
                    Statement(
                        "UPDATE mailbox SET status = ?, facts = ? WHERE id = ? AND status <> ?",
                        (
                            changed.status.value,
                            self._sealed(changed),
                            mailbox.id,
                            Status.CLOSED.value,
                        ),
                        expect=1,
                    ),
                    *also,
                ]
            )
        except Conflict:
            raise AccountError("The mailbox is closed, and stays so; nothing changed.") from None
        finally:
            self._found.pop(addresses.key(mailbox.address), None)
        return changed

    def _sealed(self, mailbox: Mailbox) -> bytes:
        facts = _Facts(
            mailbox.address,
            mailbox.holder,
            mailbox.name,
            mailbox.kind.value,
            mailbox.status.value,
            mailbox.successor or "",
            mailbox.hidden,
            mailbox.habits,
        )
        return self._ring.seal(msgspec.json.encode(facts), _place(mailbox.key))

    def _tampered(self, key: str, what: str) -> None:
        self._tell("mailbox.tampered", {"mailbox": key, "reason": what})

    def _mailbox(self, row: tuple[Any, ...]) -> Mailbox:
        """Read a row; what is not as we wrote it counts as closed."""
        number, key, facts, kind, status, created = row
        opened = _FACTS.decode(self._ring.open(facts, _place(key)))
        if (opened.kind, opened.status) != (kind, status):
            self._tampered(key, "status")
            kind, status = opened.kind, Status.CLOSED
        return Mailbox(
            id=number,
            key=key,
            address=Address(opened.address),
            kind=Kind(kind),
            holder=opened.holder,
            name=opened.name,
            status=Status(status),
            created=datetime.fromtimestamp(created, UTC),
            successor=Address(opened.successor) if opened.successor else None,
            hidden=opened.hidden,
            habits=opened.habits,
        )


_CACHED = 50_000
_LAST = 2**63 - 1
_SELECT = "SELECT id, key, facts, kind, status, created FROM mailbox"
_FACTS = msgspec.json.Decoder(_Facts)


def _place(key: str) -> str:
    return f"mailbox/{key}/facts"
