"""``trace.find``: which message is meant, by whatever the caller on the telephone has.

A name leads to its messages, an address and a domain to what they sent, were sent and tried in vain,
a time to what came then. Newest first, by pages, each of a bounded cost however much there is.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from gateway.operations import trace
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.veil import veiled
from gateway.operations.words import moment, told
from gateway.relay.message import Copy
from smtp.address import Address, AddressError, domain_of, parse, parse_domain
from smtp.envelope import MessageId, earliest_message_id, reference
from vault.journal import Entry
from vault.search import Search

_MOST = 200  # messages in one answer
_STEP = 200  # rows of the journal that are opened in one go: mail goes on
_STEPS = 5  # of these, for what happened to a domain
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HIGHEST = "Z" * 26  # above every id
# What befalls an address or a domain outside any message that was taken.
REFUSALS = ("login.failed", "login.throttled", "message.refused", "recipient.refused")
WIRES = (
    "certificate.revoked",
    "certificate.unverified",
    "peer.unreachable",
    "peer.wrong_certificate",
    "tls.failed",
)
# Of what else befell an address: not who looked at it, and what operators did is the journal's.
_TELLING = ("login.", "mailbox.", "message.", "recipient.", "session.", "tls.", "recall.")
_OF_DOMAIN = """
SELECT id FROM (SELECT id FROM message WHERE sender_domain = ?1 AND id >= ?2 AND id < ?3
                ORDER BY id DESC LIMIT ?4)
UNION SELECT substr(id, 1, 26) FROM (SELECT id FROM delivery WHERE domain = ?1 AND id >= ?2
                AND id < ?3 ORDER BY id DESC LIMIT ?4)
ORDER BY 1 DESC
"""
_LAST = """SELECT count(*), substr(min(id), 1, 26) FROM (SELECT id FROM delivery
           WHERE domain = ?1 AND id >= ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4)"""
_OF_TIME = "SELECT id FROM message WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?"


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, and where the page before this one ended."""

    since: datetime | None
    until: datetime | None
    before: str
    limit: int

    @property
    def ids(self) -> tuple[str, str]:
        """The lowest message id, and the one above the highest."""
        low = earliest_message_id(max(self.since, _EPOCH)) if self.since else ""
        high = earliest_message_id(max(self.until, _EPOCH)) if self.until else _HIGHEST
        return low, min(high, self.before) if self.before else high

    def search(self, *, about: bytes | None = None, events: Sequence[str] = ()) -> Search:
        """Return what is asked of the journal in that time."""
        since = self.since.timestamp() if self.since else None
        until = self.until.timestamp() if self.until else None
        return Search(tuple(events), about=about, since=since, until=until)


async def find(
    rooms: Rooms,
    *,
    what: str = "",
    since: str | None = None,
    until: str | None = None,
    before: str = "",
    limit: int = 50,
) -> object:
    """Return the messages that are meant, the newest first, and what happened beside them.

    ``before`` of the answer, given again, goes on to older ones.
    """
    text = what.strip()
    span = Span(moment(since), moment(until), before, max(1, min(limit, _MOST)))
    return veiled(await _found(rooms, text, span), rooms.settings.journal.citizens)


async def _found(rooms: Rooms, text: str, span: Span) -> dict[str, Any]:
    if not text:
        return await _of_time(rooms, span)
    if (meant := trace.named(rooms, text)) and not span.before:
        return await _answer(rooms, "message", meant, [], None)
    if (address := _address(text)) is not None:
        return await _of_address(rooms, address, span)
    if (domain := _domain(text)) is not None:
        return await _of_domain(rooms, domain, span)
    if await rooms.journal.by_message(text.upper()):
        return await _answer(rooms, "message", [text.upper()], [], None)
    raise OperationError(
        f"nothing here is known as {text}",
        "give the reference from the 250, the Message-ID, our own id, an address or a domain",
    )


async def _of_time(rooms: Rooms, span: Span) -> dict[str, Any]:
    low, high = span.ids
    rows = await rooms.database.query(_OF_TIME, (low, high, span.limit))
    ids = [row[0] for row in rows]
    return await _answer(rooms, "time", ids, [], ids[-1] if len(ids) == span.limit else None)


async def _of_domain(rooms: Rooms, domain: str, span: Span) -> dict[str, Any]:
    args = (domain, *span.ids, span.limit)
    ids = [row[0] for row in await rooms.database.query(_OF_DOMAIN, args)]
    ((copies, lowest),) = await rooms.database.query(_LAST, args)
    if copies == span.limit:  # below that, recipients of the domain may be missing
        ids = [one for one in ids if one >= lowest]
    more = len(ids) > span.limit or copies == span.limit or len(ids) == span.limit
    ids = ids[: span.limit]
    events = [] if span.before else await _befell(rooms, domain, span, (*REFUSALS, *WIRES))
    return await _answer(rooms, "domain", ids, events, ids[-1] if more and ids else None)


async def _of_address(rooms: Rooms, address: Address, span: Span) -> dict[str, Any]:
    """Return what the journal knows of an address: it remembers longer than the spool."""
    before = int(span.before) if span.before.isdecimal() else None
    asked = span.search(about=rooms.journal.key(address))
    ids: dict[str, None] = {}
    events: list[Entry] = []
    for _ in range(_STEPS):
        found = await rooms.journal.find(asked, _STEP, before)
        before = found.before
        for entry in found.entries:
            if entry.message is not None and entry.event not in REFUSALS:
                ids[entry.message] = None
            elif entry.event.startswith(_TELLING):
                events.append(entry)
        if before is None or len(ids) >= span.limit:
            break
    if not span.before:
        events += await _befell(rooms, domain_of(address), span, WIRES)
    if not ids and not events and not span.before and span.since is span.until is None:
        raise OperationError(
            f"the journal knows nothing of {address}", "look for its domain, or for a time"
        )
    return await _answer(rooms, "address", [*ids], events, None if before is None else str(before))


async def _befell(rooms: Rooms, domain: str, span: Span, kinds: Sequence[str]) -> list[Entry]:
    """Return the latest that befell a domain: refusals, and connections that came to nothing.

    Whose it was stands in the sealed part of a row, so the latest of these kinds are opened; they are
    few beside the messages, and what repeats is one row.
    """
    speaks = cache(rooms.watch.speaks_for)  # few certificates fail often
    asked, before, events = span.search(events=kinds), None, list[Entry]()
    for _ in range(_STEPS):
        found = await rooms.journal.find(asked, _STEP, before)
        events += [
            entry
            for entry in found.entries
            if domain in _domains(entry) or domain in speaks(entry.actor.removeprefix("peer:"))
        ]
        before = found.before
        if before is None or len(events) >= span.limit:
            break
    return events[: span.limit]


def _domains(entry: Entry) -> set[str]:
    ends = {end.rpartition("@")[2].lower() for end in (entry.who, entry.whom) if end}
    return ends | {str(entry.detail.get("domain", ""))}


async def _answer(
    rooms: Rooms, kind: str, ids: Sequence[str], events: Iterable[Entry], before: str | None
) -> dict[str, Any]:
    messages, recalled = [], await rooms.journal.telling(ids, trace.WITHDRAWALS)
    for one in ids:
        entries = await rooms.journal.by_message(one) if one in recalled else ()
        messages.append(_message(rooms, one, trace.withdrawn(entries)))
        await asyncio.sleep(0)  # opening a page of them takes a while: mail goes on
    return {
        "kind": kind,
        "messages": messages,
        "events": [trace.row(entry) for entry in sorted(events, key=lambda one: -one.seq)],
        "before": before,
    }


def _message(rooms: Rooms, message: str, withdrawn: Mapping[str, str | None]) -> dict[str, Any]:
    """Return a message as a line; of one whose rows were forgotten, its id is left."""
    copies = rooms.spool.copies(message)
    row: dict[str, Any] = {
        "message": message,
        "reference": reference(MessageId(message)),
        "arrived": None,
        "sender": None,
        "door": None,
        "size": None,
        "recipients": [_recipient(copy, withdrawn) for copy in copies[:_SHOWN]],
        "more": max(0, len(copies) - _SHOWN),
    }
    if copies:
        one = copies[0].message
        row |= {
            "arrived": told(one.arrived),
            "sender": one.mail.mail_from or "<>",
            "door": one.door,
            "size": one.size,
        }
    return row


_SHOWN = 5  # recipients of a message in a list


def _recipient(copy: Copy, withdrawn: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        "address": copy.recipient.address,
        "state": copy.delivery.state.value,
        "changed": told(copy.delivery.changed),
        "withdrawn": withdrawn.get(copy.recipient.address),
    }


def _address(text: str) -> Address | None:
    try:
        return parse(text)
    except AddressError:
        return None


def _domain(text: str) -> str | None:
    name = text.removeprefix("@")
    try:
        return parse_domain(name) if "." in name else None
    except AddressError:
        return None
