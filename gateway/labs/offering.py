"""Handing results in, each once: the same way for every door that software uses.

A result is known by whose it is and by its key. The offer is written down before its message is, so
a crash between the two leaves the name by which the intake knows what it took; the same key with
other bytes is refused in words. What streams is known by its hash once it has all come, which is
written down before the intake makes it ours. R-A7, R-I4.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from msgspec import structs

from gateway.labs.offers import Facts, Offered, Offers
from gateway.labs.unsent import Turned, Unsent
from gateway.relay.desk import Desk
from gateway.relay.intake import Intake
from gateway.relay.message import Copy
from smtp import reply
from smtp.address import Address, domain_of
from smtp.envelope import Body, Draft, Mail, MessageId, Peer, Recipient, Refusal, made_at
from smtp.reply import Reply
from vault.database import Statement
from vault.errors import VaultError

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


class OtherBytesError(Exception):
    """What came is not what came before under this key; the intake must not keep it."""


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
            return await self._once(result, mark)
        except OtherBytesError:
            return Outcome(OTHER_BYTES)
        finally:
            self._in_hand.discard(mark)

    async def _once(self, result: Result, mark: bytes) -> Outcome:
        digest = self.offers.digest(result.digest) if result.digest else b""
        row = self.offers.find(mark)
        if row is None:
            row = Offered(secrets.token_hex(16), digest, None, self.desk.clock(), result.facts)
            adding = self.offers.adding(row.id, result.door, mark, digest, row.at, result.facts)
            await self.offers.database.commit([adding])
        if digest and not row.digest:
            await self.offers.database.commit([self.offers.naming(row.id, digest)])
        elif digest and row.digest != digest:
            raise OtherBytesError
        coming = result.blocks if digest else self._known(row, result)
        if row.message is None:
            return await self._hand_in(replace(result, blocks=coming), row)
        async for _ in coming:
            pass
        return Outcome(reply.OK, row, row.facts.claim != result.facts.claim, row.facts.refused)

    async def _known(self, row: Offered, result: Result) -> AsyncIterator[bytes]:
        """Hand on what comes; that all has come is told only once it is known what it was."""
        hashed = hashlib.sha256()
        async for block in result.blocks:
            hashed.update(block)
            yield block
        digest = self.offers.digest(hashlib.sha256(hashed.digest() + result.beside).hexdigest())
        if not row.digest:
            await self.offers.database.commit([self.offers.naming(row.id, digest)])
        elif row.digest != digest:
            raise OtherBytesError

    async def _hand_in(self, result: Result, row: Offered) -> Outcome:
        draft = _draft(result, row)
        said = self.intake.mail(draft)
        if said.positive:
            draft = self._addressed(draft, result)
            if draft.recipients:
                said = await self.intake.accept(draft, result.blocks)
            else:
                await self.intake.abandoned(draft)
                said = reply.NO_RECIPIENTS
        refused = tuple((each.recipient.address, str(each.reply)) for each in draft.refused)
        if not said.positive:
            if said.permanent:
                await self.offers.database.commit([self.offers.dropping(row.id)])
            return Outcome(said, refused=refused)
        message, again, copies = self._became(draft, row.at)
        facts = structs.replace(result.facts, refused=refused or row.facts.refused, copies=copies)
        taken = [self.offers.taken(row.id, message, facts), self._sent(result)]
        if result.answered:
            taken.append(self.offers.telling(row.id, self.desk.clock()))
        await self.offers.database.commit(taken)
        row = replace(row, message=message, facts=facts)
        return Outcome(said, row, again, refused=facts.refused)

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

    def _sent(self, result: Result) -> Statement:
        name = result.facts.name or result.facts.key or result.key
        return self.unsent.sent(result.door, result.mailbox, name)

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
        return (
            spool.several(row.facts.copies) if row.facts.copies else spool.copies(row.message or "")
        )

    def _became(self, draft: Draft, at: datetime) -> tuple[MessageId, bool, tuple[str, ...]]:
        """Return which message the intake made of it, whether of another offer, and its copies.

        No copies are named where all of that message count.
        """
        spool, mail = self.desk.books.spool, draft.mail
        assert mail.mail_from is not None and mail.transfer is not None  # noqa: PT018
        peer, transfer = domain_of(mail.mail_from), mail.transfer
        marks = (spool.transfer(peer, transfer, one.address) for one in draft.recipients)
        found = [each for mark in marks if (each := spool.took(mark)) is not None]
        if not found:
            raise VaultError("a message that was taken is not there")
        messages = {each.rpartition(".")[0] for each in found}
        newest = max(messages)  # their order is that of their times
        again = made_at(newest) < int(at.timestamp() * 1000) / 1000
        return MessageId(newest), again, tuple(found) if again or len(messages) > 1 else ()


def _draft(result: Result, row: Offered) -> Draft:
    mail = Mail(
        result.mailbox,
        body=result.body,
        smtputf8=not "".join((result.mailbox, *result.recipients)).isascii(),
        transfer=f"offer/{row.id}",
    )
    return Draft(result.peer, mail)


async def blocks(message: bytes) -> AsyncIterator[bytes]:
    """Yield a message that is whole at hand, a block at a time."""
    for start in range(0, len(message), _BLOCK):
        yield message[start : start + _BLOCK]
