"""FETCH and UID FETCH: ready-made octets joined, content streamed.

What a list shows was written down when the message came (``imap.index``); of content only what was
asked for is opened, block by block, as fast as the client takes it. RFC 3501 §6.4.5, §7.4.2;
RFC 7162 §3.1.4 (CHANGEDSINCE), §3.2.6 (VANISHED).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from imap.commands import content
from imap.errors import Expunged, MailboxError
from imap.folder import Row, UidSet
from imap.grammar import dates
from imap.grammar.command import Fetch
from imap.grammar.fetch import Binary, Body, Item
from imap.grammar.writer import Answer
from imap.store import Mode, Stored
from imap.visit import Visit
from vault.errors import Gone, VaultError

_EXPUNGED = "Some of the messages no longer exist"

Piece = Callable[[Row], bytes]

_UID = Item("UID")
_INDEXED = frozenset({"ENVELOPE", "BODY", "BODYSTRUCTURE"})


async def fetch(visit: Visit, command: Fetch) -> Answer:
    """Tell what is asked of messages."""
    uids = visit.chosen(command.messages, by_uid=command.by_uid)
    items = list(dict.fromkeys(command.items))
    if command.changed_since is not None:
        uids = await _changed(visit, command, uids, command.changed_since)
        items.append(Item("MODSEQ"))
    if Item("MODSEQ") in items:
        visit.minds_changes()
    elif visit.condstore and Item("FLAGS") in items:
        items.append(Item("MODSEQ"))  # from then on flags come with it (RFC 7162 §3.2)
    if command.by_uid and _UID not in items:
        items.insert(0, _UID)
    if items == [_UID]:  # what the client knows: also of messages that went meanwhile
        await _named(visit, uids)
        return Answer("OK", "Fetched")
    told = await _Fetching(visit, tuple(dict.fromkeys(items))).run(uids)
    if told < len(uids) and not command.by_uid:
        raise Expunged(_EXPUNGED)
    return Answer("OK", "Fetched")


async def _named(visit: Visit, uids: UidSet) -> None:
    """Tell UIDs and nothing else."""
    position = visit.view.uids.position
    for some in uids.slices(1000):
        lines = [b"* %d FETCH (UID %d)\r\n" % (position(uid), uid) for uid in some]
        visit.say(b"".join(lines))
        await visit.flow()


async def _changed(visit: Visit, command: Fetch, uids: UidSet, since: int) -> UidSet:
    """Return those that changed; tell which of those named are gone, if that is asked."""
    changes = await visit.mailboxes.changes(visit.open_id, since)
    if command.vanished and visit.qresync and command.messages is not None:
        gone = (changes.vanished & visit.known_as(command.messages)) - visit.view.uids
        if len(gone):
            visit.say(f"* VANISHED (EARLIER) {gone}\r\n".encode())
    return uids & UidSet.of(row.uid for row in changes.rows)


class _Fetching:
    """One FETCH, item by item, message by message."""

    def __init__(self, visit: Visit, items: tuple[Item, ...]) -> None:
        self.visit = visit
        self._items = items
        self._marks = any(isinstance(item, Body | Binary) and not item.peek for item in items)
        self._marks &= visit.writable and visit.place is not None and "s" in visit.place.rights
        self._flags = Item("FLAGS") in items
        self._indexed = any(
            isinstance(item, Body | Binary) or item.name in _INDEXED for item in items
        )
        self._gives = _gives(items)
        self._failed: Exception | None = None
        self._pieces = [None if isinstance(i, Body | Binary) else self._piece(i) for i in items]

    async def run(self, uids: UidSet) -> int:
        """Tell it of all of them; return of how many there was something to tell."""
        visit, told = self.visit, 0
        if not self._indexed:
            async for rows in visit.mailboxes.rows(visit.open_id, uids):
                self._plain(rows)
                told += len(rows)
                await visit.flow()
            return told
        async for some in visit.mailboxes.indexes(visit.open_id, uids):
            told += len(some)
            if self._marks:
                some = await self._marked(some)  # noqa: PLW2901 - the same, seen
            if any(piece is None for piece in self._pieces):
                if self._gives:
                    await visit.give([stored.row for stored in some])
                for stored in some:
                    await self._whole(stored)
            else:
                self._ready(some)
            await visit.flow()
        return told

    def _plain(self, rows: Sequence[Row]) -> None:
        position = self.visit.view.uids.position
        pieces = [piece for piece in self._pieces if piece is not None]
        out = [
            b"* %d FETCH (%b)\r\n" % (position(row.uid), b" ".join([p(row) for p in pieces]))
            for row in rows
        ]
        self.visit.say(b"".join(out))

    def _ready(self, some: Sequence[Stored]) -> None:
        position = self.visit.view.uids.position
        out = []
        for stored in some:
            row = stored.row
            told = [
                self._structure(item, stored) if item.name in _INDEXED else piece(row)
                for item, piece in zip(self._items, self._pieces, strict=True)
                if piece is not None
            ]
            out.append(b"* %d FETCH (%b)\r\n" % (position(row.uid), b" ".join(told)))
        self.visit.say(b"".join(out))

    async def _whole(self, stored: Stored) -> None:
        """Tell one message, content among it."""
        visit, row = self.visit, stored.row
        visit.say(b"* %d FETCH (" % visit.view.uids.position(row.uid))
        for place, (item, piece) in enumerate(zip(self._items, self._pieces, strict=True)):
            if place:
                visit.say(b" ")
            if isinstance(item, Body | Binary):
                visit.say(item.label.encode() + b" ")
                await self._content(stored, item)
            elif item.name in _INDEXED:
                visit.say(self._structure(item, stored))
            elif piece is not None:
                visit.say(piece(row))
        if self._marks and not self._flags:
            visit.say(b" FLAGS " + visit.flags(row))
        visit.say(b")\r\n")
        await visit.flow()
        if self._failed is not None:
            raise self._failed

    async def _content(self, stored: Stored, item: Body | Binary) -> None:
        """Say one item; what cannot be said is NIL, so that the answer can be read to its end."""
        try:
            if isinstance(item, Body):
                await content.body(self.visit, stored, item)
            else:
                await content.binary(self.visit, stored, item)
        except (MailboxError, VaultError) as error:
            self.visit.say(b"0" if item.label.startswith("BINARY.SIZE") else b"NIL")
            self._failed = Expunged(_EXPUNGED) if isinstance(error, Gone) else error

    async def _marked(self, some: Sequence[Stored]) -> list[Stored]:
        """Mark as read what is now given out to be read."""
        unseen = UidSet.of(each.row.uid for each in some if "\\Seen" not in each.row.flags)
        if not len(unseen):
            return list(some)
        visit = self.visit
        flagged = await visit.mailboxes.flag(visit.open_id, unseen, Mode.ADD, ("\\Seen",))
        visit.did(flagged.rows)
        rows = {row.uid: row for row in flagged.rows}
        return [replace(each, row=rows.get(each.row.uid, each.row)) for each in some]

    def _structure(self, item: Item, stored: Stored) -> bytes:
        index = stored.index
        ready = {
            "ENVELOPE": index.envelope,
            "BODY": index.body,
            "BODYSTRUCTURE": index.bodystructure,
        }
        return item.name.encode() + b" " + ready[item.name]

    def _piece(self, item: Item) -> Piece:
        visit = self.visit
        match item.name:
            case "FLAGS":
                return lambda row: b"FLAGS " + visit.flags(row)
            case "INTERNALDATE":
                return lambda row: (
                    b"INTERNALDATE " + dates.written(visit.here(row.arrived)).encode()
                )
        return _PIECES.get(item.name, lambda _: b"")


def _gives(items: Sequence[Item]) -> bool:
    """Whether what is asked for is more than headers: that is what the journal keeps."""
    return any(
        isinstance(item, Body) and not item.section.text.startswith(("HEADER", "MIME"))
        for item in items
    ) or any(isinstance(item, Binary) and item.name == "BINARY" for item in items)


_PIECES: dict[str, Piece] = {
    "UID": lambda row: b"UID %d" % row.uid,
    "RFC822.SIZE": lambda row: b"RFC822.SIZE %d" % row.size,
    "MODSEQ": lambda row: b"MODSEQ (%d)" % row.modseq,
}
