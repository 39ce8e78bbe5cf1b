"""SEARCH and UID SEARCH: sets of UIDs, narrowed key by key.

Keys that a row answers are asked together, in one pass; those that need what lies in the messages
come after, of what is left. RFC 3501 §6.4.4, RFC 4731 (ESEARCH), RFC 5182 (SEARCHRES), RFC 7162.
"""

import asyncio
from collections.abc import Callable
from datetime import date
from email.utils import parsedate

from imap.folder import Row, UidSet
from imap.grammar import search as keys
from imap.grammar.command import Search
from imap.grammar.search import Key
from imap.grammar.sets import Ranges
from imap.grammar.writer import Answer
from imap.store import Wanted
from imap.visit import Visit

Predicate = Callable[[Row], bool]
_QUESTIONS = 10_000  # asked of rows at once: a few milliseconds


async def search(visit: Visit, command: Search) -> Answer:
    """Find messages and tell which they are.

    Who looks for words in another's messages learns what is in them: that is noted, the words are not.
    """
    if command.returns is not None and "SAVE" in command.returns:
        saved, visit.saved = visit.saved, UidSet()
    else:
        saved = visit.saved
    found = await _Searching(visit, saved, command.key).those(command.key, visit.view.uids)
    modseq = 0
    asked = list(keys.every(command.key))
    if any(isinstance(each, keys.ChangedSince) for each in asked):  # RFC 7162 §3.1.5
        visit.minds_changes()
        modseq = await _highest(visit, _answered(found, command.returns))
    folder = visit.opened
    reads = any(isinstance(each, keys.InText) for each in asked)
    if reads and folder.mailbox != visit.principal.own:
        await visit.acted("searched", folder, UidSet())
    told = found if command.by_uid else visit.view.uids.places(found)
    if command.returns is None:
        visit.say(_old(told, modseq))
        return Answer("OK", "Searched")
    if "SAVE" in command.returns:
        visit.saved = _saved(found, command.returns)
    if command.returns != {"SAVE"}:
        visit.say(_extended(command, told, modseq))
    return Answer("OK", "Searched")


def _old(told: UidSet, modseq: int) -> bytes:
    numbers = "".join([f" {number}" for number in told])
    last = f" (MODSEQ {modseq})" if modseq and len(told) else ""
    return f"* SEARCH{numbers}{last}\r\n".encode()


def _answered(found: UidSet, returns: frozenset[str] | None) -> UidSet:
    """Return those of what was found that the answer speaks of, as for ``$`` (RFC 4731 §3.2)."""
    return found if returns is None else _saved(found, returns)


def _saved(found: UidSet, returns: frozenset[str]) -> UidSet:
    """Return what ``$`` is afterwards (RFC 5182 §2.4)."""
    if returns & {"ALL", "COUNT"} or not returns & {"MIN", "MAX"} or not len(found):
        return found
    ends = {"MIN": found.nth(1), "MAX": found.nth(len(found))}
    return UidSet.of(ends[end] for end in ("MIN", "MAX") if end in returns)


def _extended(command: Search, told: UidSet, modseq: int) -> bytes:
    returns = command.returns or frozenset()
    words = [f'* ESEARCH (TAG "{command.tag}")']
    if command.by_uid:
        words.append("UID")
    if len(told):
        if "MIN" in returns:
            words.append(f"MIN {told.nth(1)}")
        if "MAX" in returns:
            words.append(f"MAX {told.nth(len(told))}")
        if "ALL" in returns:
            words.append(f"ALL {told}")
    if "COUNT" in returns:
        words.append(f"COUNT {len(told)}")
    if modseq and len(told):
        words.append(f"MODSEQ {modseq}")
    return " ".join(words).encode() + b"\r\n"


async def _highest(visit: Visit, found: UidSet) -> int:
    highest = 0
    async for rows in visit.mailboxes.rows(visit.open_id, found):
        highest = max(highest, *(row.modseq for row in rows), 0)
    return highest


class _Searching:
    """One search."""

    def __init__(self, visit: Visit, saved: UidSet, key: Key) -> None:
        self._visit = visit
        many = sum(1 for _ in keys.every(key))
        self._at_once = max(1, _QUESTIONS // many)  # rows, then others have their turn
        self._saved = saved
        self._now = visit.house.clock()

    async def those(self, key: Key, among: UidSet) -> UidSet:  # noqa: PLR0911 - one arm a kind
        """Return those of which a key is true."""
        if not len(among) or key == Key():  # ALL
            return among
        match key:
            case keys.Numbers(ranges, by_uid):
                return among & self._named(ranges, by_uid=by_uid)
            case keys.And(parts):
                return await self._all(parts, among)
            case keys.Or(one, other) if not _by_row(key):
                first = await self.those(one, among)
                return first | await self.those(other, among - first)
            case keys.Not(inner) if not _by_row(key):
                return among - await self.those(inner, among)
            case keys.InField(field, text):
                return await self._wanted(Wanted("HEADER", field, text), among)
            case keys.InText(text, header):
                return await self._wanted(Wanted("TEXT" if header else "BODY", "", text), among)
            case keys.Dated(sent, compare, day) if sent:
                return await self._sent(compare, day, among)
        return await self._rows(self._predicate(key), among)

    async def _all(self, parts: tuple[Key, ...], among: UidSet) -> UidSet:
        for part in parts:
            if isinstance(part, keys.Numbers):
                among = await self.those(part, among)
        plain = [self._predicate(part) for part in parts if _by_row(part)]
        if plain:
            among = await self._rows(lambda row: all(true(row) for true in plain), among)
        for part in parts:
            if not _by_row(part) and not isinstance(part, keys.Numbers):
                among = await self.those(part, among)
        return among

    async def _rows(self, true: Predicate, among: UidSet) -> UidSet:
        found: list[int] = []
        async for rows in self._visit.mailboxes.rows(self._visit.open_id, among):
            for start in range(0, len(rows), self._at_once):
                found += [row.uid for row in rows[start : start + self._at_once] if true(row)]
                await asyncio.sleep(0)
        return UidSet.of(found)

    async def _wanted(self, wanted: Wanted, among: UidSet) -> UidSet:
        return await self._visit.mailboxes.search(self._visit.open_id, among, wanted)

    async def _sent(self, compare: str, day: date, among: UidSet) -> UidSet:
        found: list[int] = []
        async for some in self._visit.mailboxes.indexes(self._visit.open_id, among):
            for stored in some:
                sent = sent_on(stored.index.envelope)
                if sent is not None and _compares(sent, compare, day):
                    found.append(stored.row.uid)
        return UidSet.of(found)

    def _named(self, ranges: Ranges | None, *, by_uid: bool) -> UidSet:
        return self._saved if ranges is None else self._visit.matching(ranges, by_uid=by_uid)

    def _predicate(self, key: Key) -> Predicate:  # noqa: PLR0911 - one arm a kind
        """Return what a key that a row answers asks of it."""
        match key:
            case keys.And(parts):
                all_of = [self._predicate(part) for part in parts]
                return lambda row: all(true(row) for true in all_of)
            case keys.Or(one, other):
                first, second = self._predicate(one), self._predicate(other)
                return lambda row: first(row) or second(row)
            case keys.Not(inner):
                true = self._predicate(inner)
                return lambda row: not true(row)
            case keys.Flagged(flag):
                wanted = flag.lower()
                if wanted == "\\recent":
                    recent = self._visit.recent
                    return lambda row: row.uid in recent
                return lambda row: any(each.lower() == wanted for each in row.flags)
            case keys.Sized(larger, octets):
                return lambda row: row.size > octets if larger else row.size < octets
            case keys.Aged(younger, seconds):
                limit = self._now.timestamp() - seconds
                return lambda row: (row.arrived >= limit) is younger
            case keys.ChangedSince(modseq):
                return lambda row: row.modseq >= modseq
            case keys.Dated(_, compare, day):
                return lambda row: _compares(self._visit.here(row.arrived).date(), compare, day)
        return lambda _: True


def _by_row(key: Key) -> bool:
    """Whether a message's row answers it, and nothing in the message must be opened."""
    match key:
        case keys.And(parts):
            return all(map(_by_row, parts))
        case keys.Or(one, other):
            return _by_row(one) and _by_row(other)
        case keys.Not(inner):
            return _by_row(inner)
        case keys.Dated(sent):
            return not sent
    return not isinstance(key, keys.InField | keys.InText | keys.Numbers)


def _compares(this: date, compare: str, day: date) -> bool:
    if compare == "<":
        return this < day
    return this >= day if compare == ">=" else this == day


def sent_on(envelope: bytes) -> date | None:
    """Return the day that a message says it was written: the first field of its ENVELOPE."""
    if not envelope.startswith(b'("'):
        return None
    parsed = parsedate(envelope[2 : envelope.find(b'"', 2)].decode("ascii", "replace"))
    try:
        return date(*parsed[:3]) if parsed else None
    except ValueError:
        return None
