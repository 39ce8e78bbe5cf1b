"""Delivered at the door: what another Sceau brings lies in its mailbox before the 250, which says so.

A transaction less, and no report: their gateway knows by the reply what a report would tell it. It is
so only where nothing is to come between, and for all recipients together; else the message is accepted
as any other, and delivered by the courier. docs/transfers.md; ADR 21.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.relay.delivery import State
from gateway.relay.desk import Desk
from gateway.relay.entrance import Entrance
from gateway.relay.lanes import AtHand, Attempt
from gateway.relay.message import Copy
from gateway.relay.placing import Placed, Placing
from gateway.relay.recorder import tally
from gateway.relay.screening import Screened
from gateway.relay.unheard import Unheard
from smtp import reply
from smtp.address import Address, key
from smtp.envelope import Draft
from smtp.reply import Reply
from trust.decision import Action
from vault.database import Statement
from vault.errors import SealError


@dataclass(frozen=True, slots=True)
class Doorstep:
    """One an intake."""

    desk: Desk
    unheard: Unheard

    def serves(self, draft: Draft, screened: Screened) -> bool:
        """Whether a message may go into its mailboxes now, if there is room."""
        mail = draft.mail
        if mail.transfer is None or mail.mail_from is None or mail.large is not None:
            return False
        if screened.opened or len(screened.decided) < _people(draft):
            return False  # some had it before: the word would be about them, too
        return all(
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
        try:
            absence = desk.books.absences.of(mailbox)
        except SealError:  # the courier tells operators of it, and delivers
            return False
        return absence is None or not absence.holds(desk.clock())

    async def placed(self, entered: Entrance, at_hand: AtHand) -> Entrance:
        """Return the same with all of its copies delivered, if there is room for each."""
        copies = entered.claimed
        if not copies or len(copies) < len(entered.results):
            return entered
        one = Attempt(entered.message, copies[0].domain, tuple(copies), at_hand)
        try:
            found = await Placing(self.desk).places(one, copies)
        except Exception as error:  # noqa: BLE001 - the courier counts what a message breaks
            self.desk.on_event("doorstep.crashed", {"exception": error, "message": one.message.id})
            return entered
        placed = tuple(each for each in found if isinstance(each, Placed))
        return replace(entered, placed=placed) if len(placed) == len(found) else entered

    def noting(self, entered: Entrance) -> list[Statement]:
        """Return the statements that note who is told of it by the reply alone."""
        results = (one.result for one in entered.placed)
        return self.unheard.adding(each.after.id for each in results if each.notice)

    def said(self, draft: Draft, entered: Entrance) -> Reply:
        """Return the 250 of what was delivered; it is committed by now."""
        for one in entered.placed:
            tally(self.desk.metrics, one.result)
        return self._said(draft, [one.result.copy for one in entered.placed])

    def again(self, draft: Draft, copies: Sequence[Copy]) -> Reply:
        """Return the 250 of what was taken before: their gateway may not know yet that it arrived."""
        delivered = [copy for copy in copies if copy.delivery.state is State.DELIVERED]
        if len(delivered) == _people(draft):
            return self._said(draft, delivered)
        return Reply(250, "2.0.0", "Accepted before")

    def _said(self, draft: Draft, copies: Sequence[Copy]) -> Reply:
        self.unheard.said(draft, [copy.delivery.id for copy in copies])
        return reply.delivered(copies[0].message.reference)


def _people(draft: Draft) -> int:
    return len({key(one.address) for one in draft.recipients})
