"""A message at the door: its header is here and judged, its body still comes.

What we add goes on top (our trace, and what a submission lacks); a submission's Bcc goes; every
other byte is handed on as it was sent. RFC 5321 §4.4, §6.3; RFC 6409 §8.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

import msgspec

from gateway.relay import ends
from gateway.relay.authors import FROM_NOT_ENTITLED, Authors, authors, completed, own, unreadable
from gateway.relay.critical import marked
from gateway.relay.desk import Desk
from gateway.relay.lanes import Letter
from gateway.relay.message import Message, Summary
from gateway.relay.verdict import RELAY
from gateway.settings.motion import Limits
from imap.index import Indexing
from smtp import reply
from smtp.address import Address, domain_of, key
from smtp.envelope import Body, Draft, Envelope, MessageId, new_message_id
from smtp.message import trace
from smtp.message.header import Header, HeaderError, HeaderScanner
from smtp.reply import Reply
from trust.addresses import Kind
from trust.decision import postponed, reports_as, speaks_as

LOOPING = Reply(
    554, "5.4.6", "The message has passed through too many hosts, it is in a loop; it was refused"
)

# Octets of the body that are read with the header: a message that ends before is handed on from
# memory, and need not be opened again. With what the door holds back it makes 256 KiB a connection;
# a folder hands in a few at once, which were packed in memory.
_AHEAD = 128 << 10
_AHEAD_OF = {"folder": 1 << 20}
_REPORT = 64 << 10  # octets of a report that are read; what it returns may be longer
_LONGEST = 1000  # characters of a header field that receipts and lists show
_NO_AUTHORS = Authors((), None)
_PERSONAL = frozenset({Kind.PER, Kind.CAB})  # mailboxes that speak as a person


class Arrival(msgspec.Struct, frozen=True):
    """A message whose header has been read, and a little more.

    ``refusal`` says why it will not be taken.
    """

    id: MessageId
    at: datetime
    draft: Draft
    header: Header
    said: Authors
    top: bytes  # what we put in front
    block: bytes  # the header as it is kept
    start: bytes  # the message as it is kept, as far as it was read; all of it if ``whole``
    whole: bool  # nothing more will come
    body: AsyncIterator[bytes]
    refusal: Reply | None = None

    @property
    def within(self) -> timedelta | None:
        """The time that a submission asks for its own last answers, if it was taken with it."""
        asked = ends.asked(self.header)
        return None if isinstance(asked, Reply) else asked

    @property
    def rest(self) -> bytes:
        """The body, as far as a report is read."""
        at = len(self.top) + len(self.block)
        return self.start[at : at + _REPORT]

    async def drained(self) -> None:
        """Read to the end what nobody keeps: only a whole message may be answered 250."""
        async for _ in self.body:
            pass

    def message(self, size: int, *, ascii_only: bool = True, critical: bool = False) -> Message:
        """Return what the spool will know of it.

        Who sends eight bits without saying so (RFC 6152) is understood, and sent on as such.
        """
        first = self.header.first
        summary = Summary(
            author=self.said.authors[0] if self.said.authors else None,
            sender=_shown(first("from")),
            subject=_shown(first("subject")),
            date=_shown(first("date")),
            message_id=_shown(first("message-id")) or self._given(),
            critical=critical,
        )
        mail = self.draft.mail
        if not ascii_only and mail.body is Body.SEVEN_BIT:
            mail = replace(mail, body=Body.EIGHT_BIT)
        return Message(self.id, self.at, size, self.draft.peer.listener, mail, summary)

    def _given(self) -> str:
        added = Header.skim(self.top).first("message-id")
        return _shown(added)


async def arrive(draft: Draft, body: AsyncIterator[bytes], desk: Desk, limits: Limits) -> Arrival:
    """Read a message's header and judge it by the rules of its door."""
    now = desk.clock()
    scanner = HeaderScanner(limits.header_size)
    header, refusal, whole = Header(b"", ()), None, True
    ahead: list[bytes] = []
    try:
        most = _AHEAD_OF.get(draft.peer.listener, _AHEAD)
        whole = await _read_ahead(body, scanner, ahead, most)
        header = Header(scanner.finish(), ())
        header = Header.parse(header.raw)
    except HeaderError as error:
        refusal = unreadable(error)
    envelope = Envelope(new_message_id(now), now, draft.peer, draft.mail, draft.recipients)
    top, block = b"", header.raw
    found = refusal or _said(header, limits)
    if isinstance(found, Reply):
        said, refusal = _NO_AUTHORS, found
    else:
        said, refusal = found, _not_allowed(found, draft, desk)
        top = trace.received(envelope, desk.host, now)
        if draft.peer.listener == RELAY:
            top = _return_path(draft) + top
        else:
            really = _really(found, draft, desk)
            added, block = completed(header, desk.host, envelope.id, now, really)
            top += added
            refusal = refusal or _wished(header, draft, desk)
    return Arrival(
        id=envelope.id,
        at=now,
        draft=draft,
        header=header,
        said=said,
        top=top,
        block=block,
        start=b"".join((top, block, scanner.rest, *ahead)),
        whole=whole,
        body=body,
        refusal=refusal,
    )


async def _read_ahead(
    body: AsyncIterator[bytes], scanner: HeaderScanner, ahead: list[bytes], most: int
) -> bool:
    """Read the header and a little more, which is put into ``ahead``; return whether that was all."""
    octets = 0
    async for block in body:
        if scanner.complete:
            ahead.append(block)
            octets += len(block)
        elif scanner.feed(block):
            octets = len(scanner.rest)
        if octets >= most:
            return False
    return True


@dataclass(slots=True)
class Passage:
    """A message on its way into the vault, as it is kept: what was read ahead, then the rest."""

    start: bytes
    body: AsyncIterator[bytes]
    ascii: bool = True  # so far; else it needs a way that takes eight bits
    letter: Letter | None = None  # if it was indexed, once it has all come
    _indexing: Indexing | None = None

    @classmethod
    def of(cls, arrival: Arrival, desk: Desk) -> Self:
        """Return the passage of a message; one that we file and do not keep at hand is indexed."""
        passage = cls(arrival.start, arrival.body)
        if not arrival.whole and any(desk.keeps(one.address) for one in arrival.draft.recipients):
            passage.index()
        return passage

    def index(self) -> None:
        """Have it indexed as it passes, so that nobody opens it again for that."""
        self._indexing = self._indexing or Indexing()

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield it, and see what is to be known of it."""
        yield self._seen(self.start)
        async for block in self.body:
            yield self._seen(block)
        if self._indexing is not None:
            self.letter = Letter(self._indexing.header, self._indexing.finish())

    def _seen(self, block: bytes) -> bytes:
        self.ascii = self.ascii and block.isascii()
        if self._indexing is not None:
            self._indexing.feed(block)
        return block


def _return_path(draft: Draft) -> bytes:
    """Return the field that final delivery adds: mail that comes by relay ends here.

    Clients hold it against the address that asks for a reading report (R-F2; RFC 5321 §4.4).
    """
    return f"Return-Path: <{draft.mail.mail_from or ''}>\r\n".encode()


def _said(header: Header, limits: Limits) -> Authors | Reply:
    """Return in whose name the message speaks, or what is wrong with its header anywhere."""
    if trace.hops(header) >= limits.hops:
        return LOOPING
    return authors(header)


def _not_allowed(said: Authors, draft: Draft, desk: Desk) -> Reply | None:
    """Return why its door does not let it speak in that name."""
    if draft.peer.listener == RELAY:
        return _not_theirs(said, draft, desk)
    if draft.peer.login is None:
        return reply.MUST_LOG_IN
    return own(said, draft.peer.login, _posting_as(draft))


def _posting_as(draft: Draft) -> Address | None:
    """Return the mailbox in whose name somebody else sends; MAIL FROM was allowed as that."""
    login, sender = draft.peer.login, draft.mail.mail_from
    return sender if login and sender and key(login) != key(sender) else None


def _really(said: Authors, draft: Draft, desk: Desk) -> Address | None:
    """Return who sends in the name of a person: an organisation's name is nobody's in particular."""
    posting_as = _posting_as(draft)
    if posting_as is None or draft.peer.login in said.authors:
        return None
    mailbox = desk.books.accounts.find(posting_as)
    return draft.peer.login if mailbox is not None and mailbox.kind in _PERSONAL else None


def _not_theirs(said: Authors, draft: Draft, desk: Desk) -> Reply | None:
    """Relay: every address in From and Sender is one that the peer's certificate speaks for.

    What has no return path is taken only if it answers a message of ours (``answers``), so there
    the name of a machine of theirs will do.
    """
    now, listed = desk.clock(), desk.keeper.current
    allowed = reports_as if draft.mail.mail_from is None else speaks_as
    for one in said.all:
        if (objection := postponed(domain_of(one), listed, now)) is not None:
            return objection.reply
        if not allowed(draft.peer, one, listed, now):
            return FROM_NOT_ENTITLED
    return None


def _wished(header: Header, draft: Draft, desk: Desk) -> Reply | None:
    """Return what is wrong with what a sender of ours asks for: a time, or that it overtakes."""
    asked, sender = ends.asked(header), draft.mail.mail_from
    if isinstance(asked, Reply):
        return asked
    if sender is not None and marked(header) and not desk.urgency.may(sender):
        return reply.CRITICAL_NOT_AGREED
    return None


def _shown(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "replace")[:_LONGEST]
