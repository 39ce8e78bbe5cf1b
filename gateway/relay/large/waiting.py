"""While a whole is fetched: whether there is room for it, and what its sender hears of the delay.

What is being fetched lies on the disk before it lies in a mailbox, so it counts before. Its sender
was told *relayed*; where the rest takes as long as any delay that is told, that is told, once.
docs/large-documents.md; RFC 3464 §2.3.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from gateway.receipts.bounce import Why
from gateway.relay.delivery import State
from gateway.relay.desk import Desk
from gateway.relay.large.fetches import Turn
from gateway.relay.large.large import Large
from gateway.relay.message import Copy
from gateway.relay.notices import Notices
from gateway.relay.results import Result
from imap.errors import OverQuota
from smtp.reply import Reply
from vault.errors import Conflict

STILL = Reply(451, "4.4.0", "The large document is still being fetched from its sender's gateway")
_REASON = "large-fetching"
_WHY = Why(
    "le document est volumineux, et la passerelle du destinataire le récupère encore auprès de la"
    " vôtre. Il n'y a rien à faire ; si c'est urgent, joignez votre correspondant par un autre moyen.",
    "the document is large, and the recipient's gateway is still fetching it from yours."
    " There is nothing to do; if it is urgent, reach your correspondent by other means.",
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One a gateway."""

    desk: Desk
    large: Large
    notices: Notices

    def copies(self, message: str) -> list[Copy]:
        """Return the copies that wait for their whole."""
        found = self.desk.books.spool.copies(message)
        return [copy for copy in found if copy.delivery.state is State.FETCHING]

    def room(self, one: Turn, copies: Sequence[Copy]) -> bool:
        """Whether anybody whom it is for has room for it: else it would be fetched in vain."""
        begun = bool(self.large.fetches.had(one.message))
        return any(self._fits(copy, one.size, begun=begun) for copy in copies)

    def _fits(self, copy: Copy, size: int, *, begun: bool) -> bool:
        """Whether it fits beside what else is fetched for them; what has begun goes on."""
        books = self.desk.books
        mailbox = books.accounts.find(copy.recipient.address)
        if mailbox is None:
            return True  # they are told at the end
        coming = 0
        if not begun:
            coming = self.large.fetches.begun(books.spool.address(copy.recipient.address))
        try:
            books.mailboxes.check_room(mailbox.id, coming + size)
        except OverQuota:
            return False
        return not coming or coming + size <= self.large.settings.quota

    async def warn(self) -> bool:
        """Tell the senders of what takes long; return whether there is a report to carry."""
        told = False
        before = self.desk.clock() - self.desk.schedule.delay_notice_after
        for message in self.large.fetches.slow(before):
            try:
                told |= await self._warned(message)
            except Conflict:  # it moved at this very moment
                continue
            except Exception as error:  # noqa: BLE001 - one message stops no other
                self.desk.on_event("large.crashed", {"exception": error, "message": message})
        return told

    async def _warned(self, message: str) -> bool:
        spool = self.desk.books.spool
        results = [
            Result(
                copy, replace(copy.delivery, warned=True, said=STILL), _REASON, late=True, why=_WHY
            )
            for copy in self.copies(message)
            if not copy.delivery.warned
        ]
        if not results:
            return False
        told = await self.notices.reporting(results[0].copy.message, results)
        moved = [spool.recording(each.copy.delivery, each.after) for each in results]
        await self.desk.books.database.commit([*moved, *told])
        return bool(told)
