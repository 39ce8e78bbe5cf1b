"""Delivered at the door: what another Sceau brings lies in its mailbox before the 250, which says so.

A transaction less, and no report: their gateway knows by the reply what a report would tell it. It is
so only where nothing is to come between, and for all recipients together; else the message is accepted
as any other, and delivered by the courier. docs/transfers.md; ADR 21.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from gateway.relay.delivery import DeliveryId, Event, State, step
from gateway.relay.desk import Desk
from gateway.relay.entrance import Entrance
from gateway.relay.lanes import AtHand, Attempt
from gateway.relay.message import Copy
from gateway.relay.placing import Placed, Placing
from gateway.relay.recorder import tally
from gateway.relay.results import Notice, Result
from gateway.relay.transfers import each_once
from gateway.relay.unheard import Unheard
from gateway.relay.verdict import RELAY
from smtp import reply
from smtp.address import Address, key
from smtp.envelope import Draft
from smtp.reply import Reply
from trust.decision import Action
from vault.database import Statement


@dataclass(frozen=True, slots=True)
class Doorstep:
    """One an intake."""

    desk: Desk
    unheard: Unheard

    async def placed(self, draft: Draft, entered: Entrance, at_hand: AtHand) -> Entrance:
        """Return the same with all of its copies delivered, if nothing comes between, or as it was."""
        try:
            if not self._serves(draft, entered):
                return entered
            copies = tuple(_attempted(result.copy) for result in entered.results)
            one = Attempt(entered.message, copies[0].domain, copies, at_hand)
            found = await Placing(self.desk).entering(one, copies)
        except Exception as error:  # noqa: BLE001 - the courier counts what a message breaks
            about = {"exception": error, "message": entered.message.id}
            self.desk.on_event("doorstep.crashed", about)
            return entered
        placed = tuple(each for each in found if isinstance(each, Placed))
        return replace(entered, placed=placed) if len(placed) == len(found) else entered

    def _serves(self, draft: Draft, entered: Entrance) -> bool:
        """Whether a message may go into its mailboxes now, if there is room."""
        mail, screened = draft.mail, entered.screened
        if not _by_sceau(draft) or mail.mail_from is None or mail.large is not None:
            return False
        if screened.opened or len(screened.decided) < len(each_once(draft)):
            return False  # some had it before: the word would be about them, too
        standing = {result.copy.delivery.state for result in entered.results}
        return standing <= {State.QUEUED, State.SENDING} and all(
            verdict.action is Action.ALLOW and self._plain(one.address)
            for one, verdict in screened.decided
        )

    def _plain(self, address: Address) -> bool:
        """Whether nothing else is done with what arrives there."""
        desk = self.desk
        if not desk.keeps(address) or key(address) in desk.forwards:
            return False
        mailbox = desk.books.accounts.find(address)
        if mailbox is None:
            return False
        absence = desk.books.absences.of(mailbox)
        return absence is None or not absence.holds(desk.clock())

    def noting(self, entered: Entrance) -> list[Statement]:
        """Return the statements that note who is told of it by the reply alone."""
        return self.unheard.adding(_reported(entered))

    def doubted(self, entered: Entrance) -> None:
        """Nobody knows whether it was committed: if it was, its sender has a report."""
        self.unheard.missed(_reported(entered))

    def said(self, draft: Draft, entered: Entrance) -> Reply:
        """Return the 250 of what was delivered; it is committed by now."""
        for one in entered.placed:
            tally(self.desk.metrics, one.result)
        return self._reply(draft, [one.result.copy for one in entered.placed])

    async def again(self, draft: Draft, copies: Sequence[Copy]) -> Reply:
        """Return the 250 of what was taken before: their gateway may not know yet that it arrived."""
        delivered = [copy for copy in copies if copy.delivery.state is State.DELIVERED]
        if _by_sceau(draft) and len(delivered) == len(each_once(draft)):
            return self._reply(draft, delivered)
        await self.untold(copies)
        return Reply(250, "2.0.0", "Accepted before")

    async def untold(self, copies: Sequence[Copy]) -> None:
        """Have it reported of what was delivered before: they ask again, and the reply will not say it."""
        results = (Result(copy, copy.delivery) for copy in copies)
        if reported := [each.after.id for each in results if each.notice is Notice.DELIVERED]:
            await self.desk.books.database.commit(self.unheard.adding(reported))
            self.unheard.missed(reported)

    def _reply(self, draft: Draft, copies: Sequence[Copy]) -> Reply:
        self.unheard.told(draft, [copy.delivery.id for copy in copies])
        return reply.delivered(copies[0].message.reference)


def _attempted(copy: Copy) -> Copy:
    """Return a copy as the courier would have it in hand: this is its first attempt."""
    one = copy.delivery
    if one.state is State.SENDING:
        return copy
    attempted = step(one, Event.ATTEMPT, one.changed, due=one.changed)
    return msgspec.structs.replace(copy, delivery=attempted)


def _reported(entered: Entrance) -> list[DeliveryId]:
    results = (one.result for one in entered.placed)
    return [each.after.id for each in results if each.notice]


def _by_sceau(draft: Draft) -> bool:
    """Whether another Sceau brings it: our own reading room marks its letters too."""
    return draft.peer.listener == RELAY and draft.mail.transfer is not None
