"""Lists of messages as a page shows them, a page at a time, newest first."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.web.reading.letter import bounded
from gateway.web.reading.places import Place
from gateway.web.reading.shown import line, soon
from imap.folder import UidSet
from imap.store import Entry, Mailboxes, Wanted
from smtp.message.fields import words
from smtp.message.header import Header, HeaderError, mailboxes

_HEADER = 16 << 10
_MOST_NAMED = 100
_MOST_FIELDS = 20
_AT_ONCE = 200  # messages that are searched before it is asked again whether there is time
_LONG_ENOUGH = 15.0  # seconds of one search: a request has 30
_WRITTEN = frozenset({"\\Sent", "\\Drafts"})  # folders whose messages are their owner's own


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody that a header names."""

    name: str
    address: str

    @property
    def short(self) -> str:
        """What a list has room for."""
        return self.name or self.address


@dataclass(frozen=True, slots=True)
class Row:
    """One message of a list."""

    uid: int
    path: str
    who: str
    subject: str
    at: str
    unread: bool
    flagged: bool
    answered: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: the newest messages, and how far it came."""

    entries: tuple[Entry, ...]
    read: int  # messages it looked into
    more: bool  # than are listed
    whole: bool


def people(values: Sequence[bytes]) -> list[Person]:
    """Return whom some fields of a header name; what is no address is shown as it stands."""
    found: list[Person] = []
    for value in values[:_MOST_FIELDS]:
        try:
            named = mailboxes(bounded(value))
        except HeaderError:
            found.append(Person(line(words(value[:1000].decode("utf-8", "replace"))), ""))
            continue
        found += [Person(line(words(one.shown), 100), line(one.address)) for one in named]
    return found[:_MOST_NAMED]


async def rows(
    store: Mailboxes, place: Place, entries: Sequence[Entry], language: str, now: datetime
) -> list[Row]:
    """Return entries as a list shows them, newest first."""
    found = []
    for entry in reversed(entries):
        if place.folder.special in _WRITTEN:
            who = await _recipients(store, entry)
        else:
            who = people([entry.summary.sender.encode()])
        flags = {flag.lower() for flag in entry.flags}
        found.append(
            Row(
                entry.uid,
                f"{place.path}/{entry.uid}",
                ", ".join(one.short for one in who[:3]) + (" …" if len(who) > 3 else ""),
                line(words(entry.summary.subject)),
                soon(entry.arrived, now, language),
                unread="\\seen" not in flags,
                flagged="\\flagged" in flags,
                answered="\\answered" in flags,
            )
        )
    return found


async def _recipients(store: Mailboxes, entry: Entry) -> list[Person]:
    header = Header.skim(await store.read(entry, 0, min(entry.size, _HEADER)))
    return people([*header.all("to"), *header.all("cc"), *header.all("bcc")])


async def search(store: Mailboxes, place: Place, needle: str, most: int) -> Found:
    """Look for words in the newest messages first, as many as there is time for."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _LONG_ENOUGH
    found: list[int] = []
    looked_at = 0
    uids = (await store.select(place.folder.id)).uids
    for some in _newest(uids):
        hits = await store.search(place.folder.id, some, Wanted("TEXT", "", needle))
        found += sorted(hits, reverse=True)
        looked_at += len(some)
        if len(found) > most or loop.time() > end:
            break
    entries = [
        entry
        for uid in reversed(found[:most])
        if (entry := store.entry(place.box.mailbox.id, uid, place.folder.name)) is not None
    ]
    return Found(tuple(entries), looked_at, len(found) > most, looked_at == len(uids))


def _newest(uids: UidSet) -> Iterator[UidSet]:
    last = len(uids)
    while last > 0:
        first = max(1, last - _AT_ONCE + 1)
        yield UidSet(((first, last),)).among(uids)
        last = first - 1
