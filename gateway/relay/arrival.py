"""A message at the door: its header is here and judged, its body still comes.

What we add goes on top (our trace, and what a submission lacks); a submission's Bcc goes; every
other byte is handed on as it was sent. RFC 5321 §4.4, §6.3; RFC 6409 §8.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.relay.authors import FROM_NOT_ENTITLED, Authors, authors, completed, own, unreadable
from gateway.relay.desk import Desk
from gateway.relay.message import Message, Summary
from gateway.relay.verdict import RELAY
from gateway.settings import Limits
from smtp import reply, trace
from smtp.envelope import Draft, Envelope, MessageId, new_message_id
from smtp.header import Header, HeaderError, HeaderScanner
from smtp.reply import Reply
from trust.decision import in_force, speaks_for

LOOPING = Reply(
    554, "5.4.6", "The message has passed through too many hosts, it is in a loop; it was refused"
)

_LONGEST = 1000  # characters of a header field that receipts and lists show
_NO_AUTHORS = Authors((), None)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message whose header has been read; ``refusal`` says why it will not be taken."""

    id: MessageId
    at: datetime
    draft: Draft
    header: Header
    said: Authors
    top: bytes  # what we put in front
    block: bytes  # the header as it is kept
    rest: bytes  # what of the body came with it
    body: AsyncIterator[bytes]
    refusal: Reply | None = None

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield the message as it is kept."""
        yield b"".join((self.top, self.block, self.rest))
        async for block in self.body:
            yield block

    async def peeked(self, limit: int) -> "Arrival":
        """Read ahead until that much of the body, or all of it, is in ``rest``."""
        parts, size = [self.rest], len(self.rest)
        while size < limit and (block := await anext(self.body, None)) is not None:
            parts.append(block)
            size += len(block)
        return replace(self, rest=b"".join(parts))

    async def drained(self) -> None:
        """Read to the end what nobody keeps: only a whole message may be answered 250."""
        async for _ in self.body:
            pass

    def message(self, size: int) -> Message:
        """Return what the spool will know of it."""
        first = self.header.first
        summary = Summary(
            author=self.said.authors[0] if self.said.authors else None,
            sender=_shown(first("from")),
            subject=_shown(first("subject")),
            date=_shown(first("date")),
            message_id=_shown(first("message-id")) or self._given(),
        )
        peer = self.draft.peer
        return Message(self.id, self.at, size, peer.listener, self.draft.mail, summary)

    def _given(self) -> str:
        added = Header.skim(self.top).first("message-id")
        return _shown(added)


async def arrive(draft: Draft, body: AsyncIterator[bytes], desk: Desk, limits: Limits) -> Arrival:
    """Read a message's header and judge it by the rules of its door."""
    now = desk.clock()
    scanner = HeaderScanner(limits.header_size)
    header, refusal = Header(b"", ()), None
    try:
        async for block in body:
            if scanner.feed(block):
                break
        header = Header(scanner.finish(), ())
        header = Header.parse(header.raw)
    except HeaderError as error:
        refusal = unreadable(error)
    arrival = Arrival(
        id=new_message_id(now),
        at=now,
        draft=draft,
        header=header,
        said=_NO_AUTHORS,
        top=b"",
        block=header.raw,
        rest=scanner.rest,
        body=body,
        refusal=refusal,
    )
    return arrival if refusal else _judged(arrival, desk, limits)


def _judged(arrival: Arrival, desk: Desk, limits: Limits) -> Arrival:
    """Return the arrival with what we add to it, or with what is wrong with its header."""
    if trace.hops(arrival.header) >= limits.hops:
        return replace(arrival, refusal=LOOPING)
    said = authors(arrival.header)
    if isinstance(said, Reply):
        return replace(arrival, refusal=said)
    draft = arrival.draft
    envelope = Envelope(arrival.id, arrival.at, draft.peer, draft.mail, draft.recipients)
    top, block = trace.received(envelope, desk.host, arrival.at), arrival.header.raw
    if draft.peer.listener == RELAY:
        refusal = _not_theirs(said, draft, desk)
    elif draft.peer.login is None:
        refusal = reply.MUST_LOG_IN
    else:
        refusal = own(said, draft.peer.login, desk.domains)
        added, block = completed(arrival.header, desk.host, arrival.id, arrival.at)
        top += added
    return replace(arrival, said=said, top=top, block=block, refusal=refusal)


def _not_theirs(said: Authors, draft: Draft, desk: Desk) -> Reply | None:
    """Relay: every domain in From and Sender is one that the peer's certificate speaks for."""
    now, listed = desk.clock(), desk.keeper.current
    if (objection := in_force(listed, now)) is not None:
        return objection.reply
    if all(speaks_for(draft.peer, domain, listed, now) for domain in said.domains):
        return None
    return FROM_NOT_ENTITLED


def _shown(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "replace")[:_LONGEST]
