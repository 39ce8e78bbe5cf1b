"""A message that is too large for its next hop: what is handed over in its place, and what stays.

Before a word of the stub is said, the whole is held under a name of its own and that is committed:
who is told of it finds it. What is already lent to a domain is lent again under the same name,
however often the courier tries. docs/large-documents.md.
"""

import hashlib
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta

import msgspec

from gateway.relay.delivery import State, holder
from gateway.relay.desk import Desk
from gateway.relay.lanes import Attempt
from gateway.relay.large import stub
from gateway.relay.large.hops import Hop
from gateway.relay.large.large import Large
from gateway.relay.large.links import Facts, Link, new_link_id, new_token
from gateway.relay.large.notice import words
from gateway.relay.large.reach import Way, too_large
from gateway.relay.large.reaching import reached
from gateway.relay.large.stub import Cut, Instead, Mark
from gateway.relay.message import Copy
from gateway.settings.large_reader import Reader
from imap.decoding import Decoder, decoder
from imap.errors import UnknownEncoding
from smtp.envelope import Body, Notify
from smtp.message.mime import PartIndex
from smtp.reply import Reply
from smtp.send.outgoing import Offer, Outgoing
from vault.errors import Conflict

FULL = Reply(
    552,
    "5.2.2",
    "Too many of your large documents still wait to be fetched; it was not sent",
)
OTHERWISE = Reply(
    450,
    "4.3.2",
    "Other recipients there were promised the large document in another way; tried again later",
)
_PROMISED = frozenset({State.RELAYED, State.UNCONFIRMED})
_ROOM = 8 << 10  # octets that are left to the next hop below its limit
_UNLIMITED = 1 << 62


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes in place of a message."""

    content: bytes
    link: Link

    def outgoing(self, said: Outgoing) -> Outgoing:
        """Return how MAIL and RCPT announce it.

        A report that a stub arrived is none that its reader has what it stands for.
        """
        said = msgspec.structs.replace(
            said,
            size=len(self.content),
            body=said.body if self.content.isascii() else Body.EIGHT_BIT,
            large=None if self.link.reader else self.link.size,
        )
        if not self.link.reader:
            return said
        failures = frozenset({Notify.FAILURE, Notify.DELAY})
        recipients = tuple(
            one if one.notify is None else replace(one, notify=one.notify & failures or one.notify)
            for one in said.recipients
        )
        return msgspec.structs.replace(said, recipients=recipients)


@dataclass(frozen=True, slots=True)
class Lending:
    """One a gateway."""

    desk: Desk
    large: Large

    async def parcel(
        self, one: Attempt, copies: tuple[Copy, ...], offer: Offer
    ) -> tuple[tuple[Copy, ...], Parcel | Reply | None]:
        """Return which copies go together now, and what goes: a stub, a refusal, or the whole (None)."""
        hop = Hop.of(offer, self.desk.clock())
        if met := self.large.hops.met(one.domain, hop):
            await self.desk.books.database.commit(met)
        ways = [(copy, self._way(copy, hop)) for copy in copies]
        chosen = ways[0][1]
        together = tuple(copy for copy, its in ways if its is chosen)
        if chosen is Way.WHOLE:
            return together, None
        if chosen is Way.NONE:
            return together, too_large(hop.size)
        lent = await self._lent(one, hop, reader=chosen is Way.READ)
        if isinstance(lent, Reply) and hop.takes(one.message.size):
            return together, None  # nobody must fetch what can go as it is
        return together, lent

    def _way(self, copy: Copy, hop: Hop) -> Way:
        large, size = self.large, copy.message.size
        above = large.settings.above
        if above and above < size <= large.settings.largest and large.port and hop.fetches(size):
            return Way.FETCHED
        listed = self.desk.keeper.current
        return reached(large, listed, copy.recipient.address, size, hop)

    async def _lent(self, one: Attempt, hop: Hop, *, reader: bool) -> Parcel | Reply:
        link = self.large.links.of(one.message.id, one.domain)
        if link is not None and link.reader is not reader:  # they run another gateway by now
            if self._waited_for(link):
                return OTHERWISE
            await self.desk.books.database.commit(self.large.links.dropping(link))
            link = None
        if link is None:
            made = await self._link(one, hop, reader=reader)
            if isinstance(made, Reply):
                return made
            link = made
        return Parcel(await self._stub(link), link)

    def _waited_for(self, link: Link) -> bool:
        """Whether somebody was told of it already, and has not fetched it."""
        return any(
            copy.domain == link.domain and copy.delivery.state in _PROMISED
            for copy in self.desk.books.spool.copies(link.message)
        )

    async def _link(self, one: Attempt, hop: Hop, *, reader: bool) -> Link | Reply:
        """Keep a message for a domain, and note what it is."""
        links, settings, message = self.large.links, self.large.settings, one.message
        sender = message.mail.mail_from
        if sender is None:
            return too_large(hop.size)
        if links.used(sender) + message.size > settings.quota:
            return FULL
        facts = await self._facts(one, hop)
        if facts is None:
            return too_large(hop.size)
        now = self.desk.clock()
        expires = now + timedelta(days=settings.keep_days)
        link = Link(
            new_link_id(), message.id, one.domain, message.size, now, expires, facts, reader
        )
        books = self.desk.books
        held = books.vault.sharing(_holder(one), link.holder)
        copy = one.copies[0]
        told = books.told(
            copy, copy.delivery, "large.lent", now, reason="reader" if reader else "gateway"
        )
        try:
            await books.database.commit([*held, links.adding(link, sender), told])
        except Conflict:  # another attempt for this domain was quicker
            if (found := links.of(message.id, one.domain)) is None:
                raise
            return found
        self.desk.metrics.large.labels("lent").inc()
        return link

    async def _facts(self, one: Attempt, hop: Hop) -> Facts | None:
        """Read a message once for its hash and its parts; None if it cannot be made small."""
        index, whole = PartIndex(), hashlib.sha256()
        async with aclosing(self.desk.books.vault.stream(_holder(one))) as body:
            async for block in body:
                whole.update(block)
                index.feed(block)
        limit = (hop.size or _UNLIMITED) - _ROOM
        size = one.message.size
        cuts = stub.plan(index.finish(), size, limit, self.large.settings.part)
        if cuts is None:
            return None
        read = [await self._hashed(one, cut) for cut in cuts]
        return Facts(new_token(), whole.hexdigest(), tuple(read))

    async def _hashed(self, one: Attempt, cut: Cut) -> Cut:
        """Return a cut with the length and hash of its file."""
        found, octets, undone = hashlib.sha256(), 0, _decoder(cut.encoding)
        async with aclosing(self.desk.books.vault.stream(_holder(one), cut.body, cut.end)) as body:
            async for block in body:
                piece = undone.feed(block)
                found.update(piece)
                octets += len(piece)
        rest = undone.finish()
        found.update(rest)
        return Cut(*_places(cut), octets + len(rest), found.hexdigest())

    async def _stub(self, link: Link) -> bytes:
        """Write what goes in place of the whole."""
        mark = Mark(link.facts.token, self.large.port, link.size, link.facts.sha256)
        reader = self.large.settings.reader
        instead = (
            _for_reader(reader, link)
            if link.reader and reader
            else stub.external(mark, self._url(link), link.expires)
        )
        written = [] if link.reader else [mark.encode()]
        vault, held, cuts = self.desk.books.vault, link.holder, link.facts.cuts
        if cuts[0].header == 0:  # the message is that one part
            block = await vault.read(held, 0, cuts[0].body)
            return b"".join((*written, stub.root(block, instead(0, cuts[0], block))))
        for piece in stub.kept(link.size, cuts):
            if isinstance(piece, int):
                cut = cuts[piece]
                block = await vault.read(held, cut.header, cut.body)
                written.append(instead(piece, cut, block))
            else:
                written.append(await vault.read(held, *piece))
        return b"".join(written)

    def _url(self, link: Link) -> str:
        return f"https://{self.desk.host}:{self.large.port}/large/{link.facts.token}"


def _for_reader(reader: Reader, link: Link) -> Instead:
    url = f"{reader.origin}/document/{link.facts.token}"
    return words(url, link.expires, reader.name)


def _holder(one: Attempt) -> str:
    return holder(one.copies[0].delivery.id)


def _places(cut: Cut) -> tuple[int, int, int, str, str, str]:
    return cut.header, cut.body, cut.end, cut.type, cut.name, cut.encoding


def _decoder(encoding: str) -> Decoder:
    try:
        return decoder(encoding)
    except UnknownEncoding:  # it is given out as it is
        return decoder("")
