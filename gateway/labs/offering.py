"""Handing results in, each once: the same way for every door that software uses.

A result is known by whose it is and by its key; the same key with other bytes is refused in words. The
offer is written down in the very transaction that makes its message ours, so a crash leaves both or
neither. What streams is known by its hash, once it has all come. R-A7, R-I4.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from msgspec import structs

from gateway.labs.offers import Facts, Offered, Offers
from gateway.labs.unsent import Turned, Unsent
from gateway.relay.delivery import DeliveryId
from gateway.relay.desk import Desk
from gateway.relay.intake import Intake
from gateway.relay.message import Copy
from smtp import reply
from smtp.address import Address
from smtp.envelope import Body, Draft, Mail, MessageId, Peer, Recipient, Refusal, made_at
from smtp.reply import Reply
from vault.database import Statement

OTHER_BYTES = Reply(
    554,
    "5.7.7",
    "another file was handed in before under the same key; a corrected result needs one of its own",
)
IN_HAND = Reply(450, "4.3.0", "A result of that key is being handed in at this moment")

_BLOCK = 64 << 10


@dataclass(frozen=True, slots=True)
class Result:
    """What software hands in."""

    door: str  # where answers about it go
    peer: Peer  # who is logged in, and by which way
    mailbox: Address  # in whose name
    key: str  # the same result has the same
    recipients: tuple[Address, ...] = field(repr=False)
    blocks: AsyncIterator[bytes] = field(repr=False)
    facts: Facts = field(repr=False)
    beside: bytes = b""  # what is said of it, if its bytes do not say it
    digest: str = ""  # what its bytes are known by; empty: by their hash, as they come
    body: Body = Body.EIGHT_BIT
    answered: bool = False  # nobody waits for a last answer
    critical: bool = False  # somebody is told if no message comes of it


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an offer: a message (``row``), or why it did not."""

    said: Reply
    row: Offered | None = None
    again: bool = False  # it is the message of an earlier offer
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Taking:
    """A result that is being handed in, and what is written down of it with its message."""

    offering: "Offering"
    result: Result
    mark: bytes
    at: datetime
    digest: str  # empty until all of it has come
    refused: tuple[tuple[str, str], ...] = ()
    row: Offered | None = None
    again: bool = False

    def known(self, digest: str) -> None:
        """All of it has come: that is what it was."""
        self.digest = digest

    def kept(self, copies: Sequence[DeliveryId]) -> list[Statement]:
        """Return what is committed with a message of which these are the copies.

        None are named where all of that message count. Some may be of an earlier message, which
        came by another way; or all of them, and then it came again.
        """
        offers, result = self.offering.offers, self.result
        messages = {each.rpartition(".")[0] for each in copies}
        newest = max(messages)  # their order is that of their times
        self.again = made_at(newest) < int(self.at.timestamp() * 1000) / 1000
        counted = tuple(copies) if self.again or len(messages) > 1 else ()
        facts = structs.replace(result.facts, refused=self.refused, copies=counted)
        id_, digest = secrets.token_hex(16), offers.digest(self.digest)
        self.row = Offered(id_, digest, MessageId(newest), self.at, facts)
        name = facts.name or facts.key or result.key
        sent = self.offering.unsent.sent(result.door, result.mailbox, name)
        adding = offers.adding(self.row, result.door, self.mark)
        return [adding, sent, *([offers.telling(id_, self.at)] if result.answered else [])]


@dataclass(slots=True)
class Offering:
    """One a gateway."""

    desk: Desk
    intake: Intake
    offers: Offers
    _in_hand: set[bytes] = field(default_factory=set)  # keys of results that are being taken

    async def offer(self, result: Result) -> Outcome:
        """Make a result a message of ours, once."""
        mark = self.offers.mark(result.mailbox, result.key)
        if mark in self._in_hand:  # what becomes of the other is seen first
            return Outcome(IN_HAND)
        self._in_hand.add(mark)
        try:
            row = self.offers.find(mark)
            if row is not None:
                return await self._same(result, row)
            return await self._hand_in(result, mark)
        finally:
            self._in_hand.discard(mark)

    async def _same(self, result: Result, row: Offered) -> Outcome:
        """Answer for what is a message already, if these are its bytes."""
        digests = [result.digest] if result.digest else []
        if not digests:
            async for _ in _passing(result, digests.append):
                pass
        if self.offers.digest(digests[0]) != row.digest:
            return Outcome(OTHER_BYTES)
        return Outcome(reply.OK, row, row.facts.claim != result.facts.claim, row.facts.refused)

    async def _hand_in(self, result: Result, mark: bytes) -> Outcome:
        draft = _draft(result)
        taking = _Taking(self, result, mark, self.desk.clock(), result.digest)
        said = self.intake.mail(draft)
        if said.positive:
            draft = self._addressed(draft, result)
            taking.refused = tuple((one.recipient.address, str(one.reply)) for one in draft.refused)
            if draft.recipients:
                coming = result.blocks if result.digest else _passing(result, taking.known)
                said = await self.intake.accept(draft, coming, taking.kept)
            else:
                await self.intake.abandoned(draft)
                said = reply.NO_RECIPIENTS
        assert taking.row is not None or not said.positive
        row = taking.row if said.positive else None
        return Outcome(said, row, taking.again, refused=taking.refused)

    async def turned(self, door: str, name: str, turned: Turned, *, critical: bool = False) -> None:
        """Keep in mind a result of which no message came, until it is offered again and taken.

        Of a critical one a person is told now: nobody may be looking at the answers.
        """
        now = self.desk.clock()
        statements = [self.unsent.adding(door, name, turned, now)]
        critical = critical and self.desk.urgency.may(turned.sender)
        if critical and not (turned.claim and self.unsent.told(door, name, turned)):
            statements.append(self.desk.criticals.lost(turned, now))
        await self.offers.database.commit(statements)

    def known(self, mailbox: Address, key: str) -> Offered | None:
        """Return what a mailbox offered under that key, if anything was."""
        return self.offers.find(self.offers.mark(mailbox, key))

    async def renamed(self, mailbox: Address, before: str, after: str) -> None:
        """Let a result be known by another key from now on."""
        marks = (self.offers.mark(mailbox, key) for key in (before, after))
        await self.offers.database.commit([self.offers.renaming(*marks)])

    @property
    def unsent(self) -> Unsent:
        """What could not be sent."""
        return Unsent(self.offers.database, self.offers.ring)

    def _addressed(self, draft: Draft, result: Result) -> Draft:
        for address in result.recipients:
            recipient = Recipient(address)
            said = self.intake.rcpt(draft, recipient)
            if said.positive:
                draft = replace(draft, recipients=(*draft.recipients, recipient))
            else:
                draft = replace(draft, refused=(*draft.refused, Refusal(recipient, said)))
        return draft

    def copies(self, row: Offered) -> list[Copy]:
        """Return the copies that an offer is answered by, those that were taken before among them."""
        spool = self.desk.books.spool
        return spool.several(row.facts.copies) if row.facts.copies else spool.copies(row.message)


def _draft(result: Result) -> Draft:
    mail = Mail(
        result.mailbox,
        body=result.body,
        smtputf8=not "".join((result.mailbox, *result.recipients)).isascii(),
    )
    return Draft(result.peer, mail)


async def blocks(message: bytes) -> AsyncIterator[bytes]:
    """Yield a message that is whole at hand, a block at a time."""
    for start in range(0, len(message), _BLOCK):
        yield message[start : start + _BLOCK]


async def _passing(result: Result, known: Callable[[str], None]) -> AsyncIterator[bytes]:
    """Hand on what comes; before its end, tell what it is known by, with what is said of it."""
    hashed = hashlib.sha256()
    async for block in result.blocks:
        hashed.update(block)
        yield block
    known(hashlib.sha256(hashed.digest() + result.beside).hexdigest())
