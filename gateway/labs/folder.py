"""The watched folder: a laboratory's software puts results in, and finds the answers beside them.

A result is taken once it lies still, by a rename, so that no other program takes it too; then it is
packed, handed to the one intake, and answered. Every step may be the last before a crash: what was
claimed is taken up again, and what was taken already is known: that is of its message's own
transaction. docs/laboratories.md. R-A7, R-I4, R-J5.
"""

import asyncio
import os
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from gateway.documents import acknowledgement, order
from gateway.documents.errors import DocumentError
from gateway.documents.order import Order
from gateway.labs import answers, ready, streaming, urgency
from gateway.labs.composing import Composed, Offer, compose, told
from gateway.labs.lines import Lines
from gateway.labs.names import Answer, Form, form
from gateway.labs.names import Offered as Found
from gateway.labs.offering import IN_HAND, Offering, Outcome, Result, blocks
from gateway.labs.offers import Facts, Offered
from gateway.labs.recipients import NotNowError, Resolve, resolving
from gateway.labs.shelf import Beside, Claim, Shelf, ShelfError
from gateway.labs.telling import Telling
from gateway.labs.unsent import Turned
from gateway.labs.watched import Watched
from gateway.relay.critical import FIELD
from gateway.relay.desk import Desk
from smtp.address import Address
from smtp.envelope import Body, Peer
from smtp.message.header import Header
from vault.errors import VaultError

DOOR = "folder"
_AT_ONCE = 8  # files in hand,
_PACKED = 2  # of which so many are packed: more threads only take turns from the loop,
_LARGE = 4 << 20  # and of those above this one: a mail is three times its document
_HEADER = 256 << 10  # octets of a ready mail's header
_MOST = 500  # files of one look, after which what is critical is looked for again,
_TOGETHER = 25  # and of those answered at once
_LATER = (Answer.DELIVERED, Answer.FAILED, Answer.CORRECTED, Answer.ANSWERED)
_UNKNOWN = "only .pdf, .xml (CDA), .hl7 (ORU), .hpr (HPRIM) and .eml are sent from here"


_Lying = tuple[tuple[int, ...], datetime, bool]  # how it was, since when, whether it is critical


class Taken(NamedTuple):
    """A file that is a message now, and not yet answered."""

    claim: Claim
    row: Offered
    again: bool


@dataclass(slots=True)
class Folder:
    """One a watched folder; ``run`` is a task of the gateway's group."""

    watched: Watched
    desk: Desk
    offering: Offering
    _lying: dict[Found, _Lying] = field(default_factory=dict)
    _later: dict[str, datetime] = field(default_factory=dict)  # claims that wait, by their mark
    _operators: Telling = field(init=False)
    _swept: bool = False  # of what a crash left
    _large: asyncio.Lock = field(default_factory=asyncio.Lock)
    _packing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_PACKED))
    _taken: list[Taken] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._operators = Telling(self.desk, {"folder": self.watched.name})

    async def run(self) -> None:
        """Look for ever, without a pause while there is work; a folder that is away is looked for again."""
        while True:
            found = 0
            try:
                found = await self.round()
                self.desk.away.pop(f"folder {self.watched.name}", None)
            except OSError as error:
                self.desk.away.setdefault(f"folder {self.watched.name}", self.desk.clock())
                self._operators.once("folder.away", type(error).__name__)
            if not found:
                await asyncio.sleep(self.watched.poll)

    async def round(self) -> int:
        """Take what lies still, and answer that it was; return how many files were taken up."""
        shelf = await asyncio.to_thread(Shelf.open, self.watched.path)
        try:
            self._taken.clear()
            claims = await asyncio.to_thread(self._look, shelf)
            gate = asyncio.Semaphore(_AT_ONCE)
            async with asyncio.TaskGroup() as group:
                for claim, size in claims:
                    group.create_task(self._one(shelf, claim, size, gate))
            await self._accepted(shelf, 1)
        finally:
            shelf.close()
        return len(claims)

    def _look(self, shelf: Shelf) -> list[tuple[Claim, int]]:
        """Return what was claimed and not answered, and claim what lies still; with its size."""
        now = self.desk.clock()
        if not self._swept:
            shelf.sweep()
            self._swept = True
        found = [each for each in shelf.claims() if self._later.get(each.mark, now) <= now]
        lying: dict[Found, _Lying] = {}
        for each in shelf.offered():
            stamp = shelf.stamp(each)
            before = self._lying.get(each)
            if before is None or before[0] != stamp:
                before = (stamp, now, urgency.found(each, shelf.glance))
            lying[each] = before
        # What is critical is taken before all that lies there, in whatever order names have.
        for each, (_, since, _) in sorted(lying.items(), key=lambda one: not one[1][2]):
            if self._ready(each, now - since) and len(found) < _MOST:
                found += self._claimed(shelf, each)
        self._lying = lying
        return [(claim, shelf.size(claim)) for claim in found]

    def _claimed(self, shelf: Shelf, found: Found) -> list[Claim]:
        try:
            claim = shelf.claim(found)
        except OSError as error:  # not ours to move, say: it stops no other
            self._operators.once("folder.put_off", type(error).__name__)
            return []
        return [claim] if claim is not None else []

    def _ready(self, found: Found, still: timedelta) -> bool:
        waits = found.companion is None and found.name.lower().endswith(".pdf")
        return still >= (self.watched.patience if waits else self.watched.settle)

    async def _one(self, shelf: Shelf, claim: Claim, size: int, gate: asyncio.Semaphore) -> None:
        """The boundary of one file: whatever is wrong with it stops no other."""
        async with gate:
            try:
                self._later.pop(claim.mark, None)
                if size > _LARGE:
                    async with self._large:
                        await self._tried(shelf, claim, streams=form(claim.name) is Form.MAIL)
                else:
                    await self._tried(shelf, claim)
                await self._accepted(shelf, _TOGETHER)
            except (NotNowError, VaultError, OSError) as error:  # not the file's fault
                self._wait(claim)
                self._operators.tell("folder.put_off", type(error).__name__)
            except Exception as error:  # noqa: BLE001 - one file stops no other
                self._wait(claim)
                self.desk.on_event("folder.crashed", {"exception": error})

    async def _tried(self, shelf: Shelf, claim: Claim, *, streams: bool = False) -> None:
        """Take a file, or answer what is wrong with it; neither may come to its end."""
        try:
            await self._take(shelf, claim, streams=streams)
        except (DocumentError, ShelfError) as error:
            await self._failed(shelf, claim, str(error))

    async def _take(self, shelf: Shelf, claim: Claim, *, streams: bool = False) -> None:
        """Make the file a message of ours, once, and answer."""
        taken = self._streamed if streams else self._whole
        outcome = await taken(shelf, claim)
        if outcome.row is not None:
            self._taken.append(Taken(claim, outcome.row, outcome.again))
        elif outcome.said.permanent:
            await self._failed(shelf, claim, outcome.said.text, outcome.refused)
        else:
            self._wait(claim)
            if outcome.said is not IN_HAND:
                self._operators.tell("folder.put_off", str(outcome.said.code))

    async def _streamed(self, shelf: Shelf, claim: Claim) -> Outcome:
        """Hand in a ready mail that is nowhere whole in memory."""
        watched = self.watched
        file = await asyncio.to_thread(shelf.opened, claim, watched.largest)
        try:
            companion = await asyncio.to_thread(shelf.companion, claim, watched.largest)
            said = order.read(companion) if companion is not None else Order()
            digest = await asyncio.to_thread(streaming.digest, file, companion)
            async with aclosing(streaming.blocks(file)) as octets:
                mail = await ready.read(octets, said.to, self._resolve(), _HEADER)
                result = self._result(claim, said, digest, mail.recipients)
                top = FIELD if said.critical else b""
                coming = streaming.below(top, mail.blocks)
                return await self.offering.offer(replace(result, blocks=coming))
        finally:
            os.close(file)

    async def _whole(self, shelf: Shelf, claim: Claim) -> Outcome:
        """Hand in a file that is read, and perhaps packed, as one."""
        async with self._packing:
            offer, said, composed = await asyncio.to_thread(self._prepared, shelf, claim)
        result = self._result(claim, said, offer.digest, composed.recipients)
        if offer.form is Form.HL7:
            head = acknowledgement.asked(offer.content)
            result = replace(result, facts=msgspec.structs.replace(result.facts, asked=head))
        body = Body.SEVEN_BIT if composed.message.isascii() else Body.EIGHT_BIT
        return await self.offering.offer(
            replace(result, blocks=blocks(composed.message), body=body)
        )

    def _result(
        self, claim: Claim, said: Order, digest: str, recipients: tuple[Address, ...]
    ) -> Result:
        return Result(
            self.watched.name,
            Peer("127.0.0.1", login=self.watched.mailbox, listener=DOOR),
            self.watched.mailbox,
            said.key or digest,
            recipients,
            blocks(b""),
            Facts(claim.name, claim.mark, key=said.key),
            digest=digest,
        )

    def _resolve(self) -> Resolve:
        listed, hold = self.desk.keeper.current, self.watched.hold
        return resolving(self.watched.mailbox, listed, self.desk.clock(), hold=hold)

    def _prepared(self, shelf: Shelf, claim: Claim) -> tuple[Offer, Order, Composed]:
        kind = form(claim.name)
        if kind is None:
            raise ShelfError(_UNKNOWN)
        content, companion = shelf.read(claim, self.watched.largest)
        offer = Offer(kind, content, companion)
        said = told(offer)
        now, mailbox = self.desk.clock(), self.watched.mailbox
        composed = compose(offer, said, mailbox, now, self.watched.product, self._resolve())
        return offer, said, composed

    async def _accepted(self, shelf: Shelf, enough: int) -> None:
        """Answer what was taken, once so many are; only then its file is let go of."""
        if len(self._taken) < enough:
            return
        taken, self._taken = self._taken, []
        ready: list[tuple[Claim, Beside]] = []
        for each in taken:
            try:
                ready.append((each.claim, self._first(*each)))
            except Exception as error:  # noqa: BLE001 - one file stops no other
                self._wait(each.claim)
                self.desk.on_event("folder.crashed", {"exception": error})
        try:
            await asyncio.to_thread(_let_go, shelf, ready)
        except OSError as error:  # it is answered again, once there is room
            for claim, _ in ready:
                self._wait(claim)
            self._operators.tell("folder.put_off", type(error).__name__)

    def _first(self, claim: Claim, row: Offered, again: bool) -> Beside:  # noqa: FBT001 - a tuple's
        content = answers.accepted(claim.name, row, self.offering.copies(row), again=again)
        # A name that is used again has the answers of its last use alone.
        instead = () if again else _LATER
        return Beside(claim.name, Answer.ACCEPTED, content, instead, answers.taken(row))

    async def _failed(
        self,
        shelf: Shelf,
        claim: Claim,
        why: str,
        refused: tuple[tuple[str, str], ...] = (),
    ) -> None:
        said = urgency.read(await asyncio.to_thread(shelf.beside, claim))
        turned = Turned(self.watched.mailbox, claim.name, said.key, why, refused, claim.mark)
        critical = said.critical or await asyncio.to_thread(self._marked, shelf, claim)
        await self.offering.turned(self.watched.name, claim.name, turned, critical=critical)
        now = self.desk.clock()
        content = answers.failed(claim.name, now, why, refused)
        head = await asyncio.to_thread(self._head, shelf, claim)
        instead = (Answer.ACCEPTED, Answer.DELIVERED, Answer.CORRECTED, Answer.ANSWERED)
        told = answers.turned(head, now, why)
        await asyncio.to_thread(shelf.answer, claim.name, Answer.FAILED, content, instead, told)
        await asyncio.to_thread(shelf.set_aside, claim)
        self._operators.tell("folder.failed", "refused" if refused else "unusable")

    def _marked(self, shelf: Shelf, claim: Claim) -> bool:
        """Whether a ready mail says itself that it may not wait."""
        if form(claim.name) is not Form.MAIL:
            return False
        head = Lines().feed(shelf.begins(claim)).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        return self.desk.urgency.asked(Header.skim(head), self.watched.mailbox)

    def _head(self, shelf: Shelf, claim: Claim) -> str:
        """Return the head of a message that asks for answers in HL7, if this is one."""
        if form(claim.name) is not Form.HL7:
            return ""
        try:
            content, _ = shelf.read(claim, self.watched.largest)
        except (OSError, ShelfError):
            return ""
        return acknowledgement.asked(content)

    def _wait(self, claim: Claim) -> None:
        self._later[claim.mark] = self.desk.clock() + self.watched.again


def _let_go(shelf: Shelf, answered: list[tuple[Claim, Beside]]) -> None:
    shelf.answer_all(beside for _, beside in answered)
    for claim, _ in answered:
        shelf.done(claim)
