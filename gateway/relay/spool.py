"""The SQL of accepted messages and their deliveries: what enters, what is due, what became of it.

Everything that changes is a list of statements for one transaction, with the row counts it
expects; whoever hands them to the writer adds what must happen with them (body, receipts,
journal). A claim is one UPDATE that counts the attempt and stores the next due time, the end of
the claim, before the attempt is made: a crash needs no other recovery than that time.

One long file on purpose: every statement that writes these two tables stands here, to be read
beside the others that it must agree with.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from gateway.relay.delivery import FINAL, Delivery, DeliveryId, State
from gateway.relay.message import (
    Copy,
    Message,
    message_facts,
    read_message_facts,
    read_recipient_facts,
    read_reply_facts,
    recipient_facts,
    reply_facts,
)
from smtp import address as addresses
from smtp.address import Address, domain_of
from smtp.envelope import MessageId, earliest_message_id
from vault.database import Database, Row, Statement
from vault.keys import KeyRing

_MESSAGE = "id, arrived, size, door, facts"
_DELIVERY = "id, message, state, facts, attempts, lost, due, expires, warned, changed, said"

_ADD_MESSAGE = (
    "INSERT INTO message (id, reference, arrived, size, door, sender_domain, sender, message_id,"
    " envid, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ADD_DELIVERY = (
    "INSERT INTO delivery (id, message, domain, recipient, facts, state, attempts, due, expires,"
    " warned, changed, said) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
# A row still `sending` when it is due again was lost in a crash: LOST, then ATTEMPT.
_CLAIM = (
    "UPDATE delivery SET state = 'sending', attempts = attempts + 1,"  # noqa: S608 - constants only
    " lost = lost + (state = 'sending'), due = ?, changed = ?"
    " WHERE id IN (SELECT id FROM delivery WHERE due <= ?"
    " AND domain NOT IN (SELECT value FROM json_each(?)) ORDER BY due LIMIT ?)"
    " RETURNING " + _DELIVERY
)
_URGENT = (
    "SELECT d.id FROM critical c CROSS JOIN delivery d ON d.message = c.id"
    " WHERE c.open = 1 AND d.due <= ? ORDER BY d.due LIMIT ?"
)
_CLAIM_URGENT = (
    "UPDATE delivery SET state = 'sending', attempts = attempts + 1,"  # noqa: S608 - constants only
    " lost = lost + (state = 'sending'), due = ?, changed = ?"
    f" WHERE id IN ({_URGENT}) RETURNING " + _DELIVERY
)
_RECORD = (
    "UPDATE delivery SET state = ?, attempts = ?, lost = ?, due = ?, expires = ?, warned = ?,"
    " changed = ?, said = ? WHERE id = ? AND state = ? AND attempts = ?"
)
_RECOVER = (
    "UPDATE delivery SET state = 'queued', lost = lost + 1, due = ?, changed = ?"
    " WHERE state = 'sending'"
)
_WAKE = "UPDATE delivery SET due = ? WHERE state = 'deferred'"
# What waits is few beside what went: an index by domain alone would lead through all of that.
_WAITING_FOR = "id IN (SELECT id FROM delivery WHERE due > 0 AND domain || '' = ?)"
_FORGET_DELIVERIES = (
    "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE id < ? AND changed < ?"
    " AND state IN (SELECT value FROM json_each(?))"
    " AND NOT EXISTS (SELECT 1 FROM held WHERE held.delivery = delivery.id)"
    " AND NOT EXISTS (SELECT 1 FROM link"
    " WHERE link.message = delivery.message AND link.domain = delivery.domain)"
    " LIMIT ?) RETURNING 1"
)
_FORGET_MESSAGES = (
    "DELETE FROM message WHERE id IN (SELECT id FROM message WHERE id < ?"
    " AND NOT EXISTS (SELECT 1 FROM delivery WHERE message = message.id) LIMIT ?) RETURNING 1"
)
_FORGET_TRANSFERS = (
    "DELETE FROM seen WHERE transfer IN (SELECT transfer FROM seen WHERE at < ? LIMIT ?)"
    " RETURNING 1"
)
_FORGET_ORIGINS = (
    "DELETE FROM origin WHERE origin IN (SELECT origin FROM origin WHERE origin < ?"
    " AND NOT EXISTS (SELECT 1 FROM delivery WHERE id = origin) LIMIT ?) RETURNING 1"
)
# What a report may be about, and how surely: by the ENVID alone (2), the Message-ID alone (1), or
# both. Who gave no ENVID has our id quoted (``Message.envid``): that needs no index of its own.
_SENT = (
    f"SELECT {_MESSAGE}, "  # noqa: S608 - constants only
    " 2 * coalesce(envid = ?1 OR id = ?2, 0) + coalesce(message_id = ?3, 0)"
    " FROM message WHERE (envid = ?1 OR id = ?2 OR message_id = ?3) AND sender = ?4"
)
_COPIES_OF = f"SELECT {_DELIVERY} FROM delivery WHERE message IN (SELECT value FROM json_each(?))"  # noqa: S608 - constants only
_FEW = 500  # rows removed in one transaction
_REPEATS = timedelta(days=7)  # who sends a transfer again does so sooner
_PAGE = 200  # deliveries opened in one go: the rest of the gateway waits meanwhile
_MOST = frozenset({State.DELIVERED, State.RELAYED})  # nearly all that there is
OPEN = frozenset(set(State) - {*FINAL, State.RELAYED})
_DONE = json.dumps(sorted({*FINAL, State.RELAYED}))


class Spool:
    """The tables ``message``, ``delivery`` and ``seen``."""

    def __init__(self, database: Database, ring: KeyRing) -> None:
        self._database = database
        self._ring = self.ring = ring
        # The same few mailboxes write and are written to again and again.
        self._index = lru_cache(maxsize=4096)(ring.index)

    def entering(self, message: Message, copies: Iterable[Copy]) -> list[Statement]:
        """Return the statements that put a message and its deliveries, decided already, in."""
        mail = message.mail
        return [
            Statement(
                _ADD_MESSAGE,
                (
                    message.id,
                    message.reference,
                    message.arrived.timestamp(),
                    message.size,
                    message.door,
                    domain_of(mail.mail_from) if mail.mail_from else "",
                    self.address(mail.mail_from) if mail.mail_from else None,
                    self._ring.index(message.summary.message_id, "message-id")
                    if message.summary.message_id
                    else None,
                    self._ring.index(mail.envid, "envid") if mail.envid else None,
                    self._ring.seal(
                        message_facts(mail, message.summary), f"message/{message.id}/facts"
                    ),
                ),
            ),
            *(self._adding(copy) for copy in copies),
        ]

    def _adding(self, copy: Copy) -> Statement:
        one, recipient = copy.delivery, copy.recipient
        return Statement(
            _ADD_DELIVERY,
            (
                one.id,
                copy.message.id,
                domain_of(recipient.address),
                self.address(recipient.address),
                self._ring.seal(recipient_facts(recipient), f"delivery/{one.id}/facts"),
                one.state,
                one.attempts,
                one.due.timestamp() if one.due else None,
                one.expires.timestamp(),
                one.warned,
                one.changed.timestamp(),
                self._said(one),
            ),
        )

    def claiming(
        self, now: datetime, lease: timedelta, limit: int, busy: Sequence[str] = ()
    ) -> Statement:
        """Return the statement that claims what is due, except for domains that are busy."""
        at = now.timestamp()
        return Statement(_CLAIM, ((now + lease).timestamp(), at, at, json.dumps(list(busy)), limit))

    def urgent(self, now: datetime) -> bool:
        """Whether a critical result is due."""
        return bool(self._database.read(_URGENT, (now.timestamp(), 1)))

    def claiming_urgent(self, now: datetime, lease: timedelta, limit: int) -> Statement:
        """Return the statement that claims critical results, whatever else is due."""
        at = now.timestamp()
        return Statement(_CLAIM_URGENT, ((now + lease).timestamp(), at, at, limit))

    def claimed(self, rows: Sequence[Row]) -> list[Copy]:
        """Return the copies that a claim took, with their messages."""
        messages = self._messages({row[1] for row in rows})
        return [self._copy(messages[row[1]], row) for row in rows]

    def recording(self, before: Delivery, after: Delivery) -> Statement:
        """Return the statement that moves a delivery on; ``Conflict`` if it moved meanwhile."""
        return Statement(
            _RECORD,
            (
                after.state,
                after.attempts,
                after.lost,
                after.due.timestamp() if after.due else None,
                after.expires.timestamp(),
                after.warned,
                after.changed.timestamp(),
                self._said(after),
                before.id,
                before.state,
                before.attempts,
            ),
            expect=1,
        )

    def resizing(self, message: str, size: int) -> Statement:
        """Return the statement by which a message that was sealed anew has another length."""
        return Statement("UPDATE message SET size = ? WHERE id = ?", (size, message), expect=1)

    def rewriting(self, message: Message) -> Statement:
        """Return the statement by which a message is the whole that its stub stood for."""
        facts = self._ring.seal(
            message_facts(message.mail, message.summary), f"message/{message.id}/facts"
        )
        return Statement(
            "UPDATE message SET size = ?, facts = ? WHERE id = ?",
            (message.size, facts, message.id),
            expect=1,
        )

    def readdressing(self, copy: Copy, to: Address) -> Statement:
        """Return the statement by which a held copy is for somebody else; ``Conflict``: it moved."""
        one, recipient = copy.delivery, replace(copy.recipient, address=to)
        return Statement(
            "UPDATE delivery SET domain = ?, recipient = ?, facts = ?"
            " WHERE id = ? AND recipient = ? AND state = 'held'",
            (
                domain_of(to),
                self.address(to),
                self._ring.seal(recipient_facts(recipient), f"delivery/{one.id}/facts"),
                one.id,
                self.address(copy.recipient.address),
            ),
            expect=1,
        )

    def correcting(self, message: str) -> Statement:
        """Return the statement by which who handed a message in hears that its answer was wrong."""
        return Statement("UPDATE offer SET corrected = corrected + 1 WHERE message = ?", (message,))

    def recovering(self, now: datetime) -> Statement:
        """Return the statement that takes back, at the start, every claim of a process now gone."""
        return Statement(_RECOVER, (now.timestamp(), now.timestamp()))

    def waking(self, now: datetime, domain: str | None = None) -> Statement:
        """Return the statement that makes what was put off due now: for one domain, or all."""
        if domain is None:
            return Statement(_WAKE, (now.timestamp(),))
        return Statement(f"{_WAKE} AND {_WAITING_FOR}", (now.timestamp(), domain))

    async def forget(self, now: datetime, keep: timedelta) -> int:
        """Remove what ended, and was last touched, longer ago than ``keep``; return how many rows.

        A few at a time, so that mail goes on meanwhile. A delivery that the quarantine keeps a
        case of stays as long as the case; one whose large document lies here, as long as that.
        """
        before = now - keep
        earliest, at = earliest_message_id(before), before.timestamp()
        gone = 0
        for sql, args in (
            (_FORGET_DELIVERIES, (earliest, at, _DONE, _FEW)),
            (_FORGET_MESSAGES, (earliest, _FEW)),
            (_FORGET_ORIGINS, (earliest, _FEW)),
            (_FORGET_TRANSFERS, ((now - _REPEATS).timestamp(), _FEW)),
        ):
            removed = _FEW
            while removed == _FEW:
                (rows,) = await self._database.commit([Statement(sql, args)])
                removed = len(rows)
                gone += removed
        return gone

    def transfer(self, peer: str, transfer: str, recipient: Address) -> bytes:
        """Return the mark of one recipient's copy as another Sceau sends it, however often."""
        return self._ring.index(f"{peer}\0{transfer}\0{addresses.key(recipient)}", "transfer")

    def seen(self, transfer: bytes) -> bool:
        """Whether we took that copy already."""
        return bool(self._database.read("SELECT 1 FROM seen WHERE transfer = ?", (transfer,)))

    def taken(self, transfer: bytes) -> Copy | None:
        """Return what that copy became here."""
        rows = self._database.read("SELECT delivery FROM seen WHERE transfer = ?", (transfer,))
        return self.find(DeliveryId(rows[0][0])) if rows else None

    def seeing(self, transfer: bytes, delivery: DeliveryId, now: datetime) -> Statement:
        """Return the statement that remembers it; ``Conflict`` if another was quicker."""
        return Statement(
            "INSERT INTO seen (transfer, delivery, at) VALUES (?, ?, ?)",
            (transfer, delivery, now.timestamp()),
        )

    def next_due(self) -> datetime | None:
        """Return when the courier will next have something to do."""
        ((due,),) = self._database.read("SELECT min(due) FROM delivery WHERE due IS NOT NULL")
        return _time(due)

    def find(self, delivery: str) -> Copy | None:
        """Return one recipient's copy, or None."""
        found = self._copies("id = ?", (delivery,))
        return found[0] if found else None

    def several(self, deliveries: Iterable[str]) -> list[Copy]:
        """Return these copies, in the order of their messages."""
        return self._copies("id IN (SELECT value FROM json_each(?))", (json.dumps([*deliveries]),))

    def copies(self, message: str) -> list[Copy]:
        """Return all copies of a message, in the order of its recipients."""
        return self._copies("message = ?", (message,))

    async def standing(
        self,
        states: Iterable[State] = OPEN,
        *,
        domain: str | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> list[Copy]:
        """Return deliveries that stand in these states, oldest first: the newest of them.

        Or the first of those that follow another. The search is in a thread: it may pass over a
        great many. What it found is opened a little at a time: mail goes on.
        """
        where, args = ["state IN (SELECT value FROM json_each(?))"], [json.dumps(sorted(states))]
        if domain is not None:
            # The many that went are found by their domain, the few that wait by their state.
            where.append("domain = ?" if _MOST & set(states) else "domain || '' = ?")
            args.append(domain)
        if after is not None:
            where.append("id > ?")
            args.append(after)
        order = "DESC" if after is None else "ASC"
        rows = await self._database.query(
            f"SELECT {_DELIVERY} FROM delivery WHERE {' AND '.join(where)}"  # noqa: S608 - constants only
            f" ORDER BY id {order} LIMIT ?",
            (*args, limit),
        )
        found = []
        for start in range(0, len(rows), _PAGE):
            found += self.claimed(rows[start : start + _PAGE])
            await asyncio.sleep(0)
        return sorted(found, key=lambda copy: _place(copy.delivery.id))

    def named(self, name: str) -> list[MessageId]:
        """Return the messages of that id, reference or header Message-ID, newest first."""
        rows = self._database.read(
            "SELECT id FROM message WHERE id = ? OR reference = ? OR message_id = ?"
            " ORDER BY id DESC",
            (name, name.upper(), self._ring.index(name, "message-id")),
        )
        return [MessageId(row[0]) for row in rows]

    def sent_by(
        self, sender: Address, *, envid: str | None = None, message_id: str | None = None
    ) -> list[Copy]:
        """Return the copies of what this sender sent under that ENVID and that Message-ID.

        Some software gives every message the same ENVID, some reports know only one of the two:
        both where both fit, else the ENVID, else the Message-ID.
        """
        by_envid = self._ring.index(envid, "envid") if envid else None
        by_id = self._ring.index(message_id, "message-id") if message_id else None
        rows = self._database.read(_SENT, (by_envid, envid, by_id, self.address(sender)))
        most = max((known for *_, known in rows), default=0)
        messages = {row[0]: self._message(row) for *row, known in rows if known == most}
        found = self._database.read(_COPIES_OF, (json.dumps(sorted(messages)),)) if rows else []
        return self._sorted(found, messages)

    def given_to(self, recipient: Address, message_id: str) -> list[Copy]:
        """Return this recipient's copies of what came under that Message-ID."""
        return self._copies(
            "recipient = ? AND message IN (SELECT id FROM message WHERE message_id = ?)",
            (self.address(recipient), self._ring.index(message_id, "message-id")),
        )

    def address(self, address: Address) -> bytes:
        """Return the keyed hash by which an address is looked up."""
        return self._index(addresses.key(address), "address")

    def recipient_key(self, recipient: Address) -> str:
        """Return the opaque name under which receipts speak of a recipient."""
        return self._index(addresses.key(recipient), "receipt").hex()

    def _copies(self, where: str, args: tuple[object, ...]) -> list[Copy]:
        rows = self._database.read(f"SELECT {_DELIVERY} FROM delivery WHERE {where}", args)  # noqa: S608 - constants only
        return self._sorted(rows, self._messages({row[1] for row in rows}))

    def _sorted(self, rows: Sequence[Row], messages: Mapping[str, Message]) -> list[Copy]:
        copies = [self._copy(messages[row[1]], row) for row in rows]
        return sorted(copies, key=lambda copy: _place(copy.delivery.id))

    def _messages(self, ids: Iterable[str]) -> dict[str, Message]:
        rows = self._database.read(
            f"SELECT {_MESSAGE} FROM message"  # noqa: S608 - constants only
            " WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {row[0]: self._message(row) for row in rows}

    def _message(self, row: Sequence[Any]) -> Message:
        row_id, arrived, size, door, facts = row
        mail, summary = read_message_facts(self._ring.open(facts, f"message/{row_id}/facts"))
        return Message(MessageId(row_id), _at(arrived), size, door, mail, summary)

    def _copy(self, message: Message, row: Row) -> Copy:
        row_id, _, state, facts, attempts, lost, due, expires, warned, changed, said = row
        recipient = read_recipient_facts(self._ring.open(facts, f"delivery/{row_id}/facts"))
        last = read_reply_facts(self._ring.open(said, f"delivery/{row_id}/said")) if said else None
        delivery = Delivery(
            id=DeliveryId(row_id),
            state=State(state),
            changed=_at(changed),
            expires=_at(expires),
            due=_time(due),
            attempts=attempts,
            lost=lost,
            warned=bool(warned),
            said=last,
        )
        return Copy(message, recipient, delivery)

    def _said(self, delivery: Delivery) -> bytes | None:
        if delivery.said is None:
            return None
        return self._ring.seal(reply_facts(delivery.said), f"delivery/{delivery.id}/said")


def _place(delivery: DeliveryId) -> tuple[str, int]:
    message, _, number = delivery.rpartition(".")
    return message, int(number)


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else _at(seconds)
