"""Documents that arrive for a person are copied to the mailbox of the software that files them.

A rule of the house, not of the sender: the copy is a message of its own, made in the transaction that
delivers the first, and its sender is told nothing of it. A copy is never copied. What software then
says of the document is said of the first, in the person's name. R-E7.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from gateway.documents import marks, xdm
from gateway.relay.books import GATEWAY
from gateway.relay.delivery import Delivery, State, delivery_id, holder
from gateway.relay.desk import Desk
from gateway.relay.lanes import Attempt
from gateway.relay.message import Copy, Door, Message
from gateway.relay.placing import Placing
from gateway.relay.results import Result, original
from smtp.address import Address, key
from smtp.envelope import Notify, Recipient, new_message_id
from smtp.message.fields import words
from vault.database import Statement

_NEVER = frozenset({Notify.NEVER})


@dataclass(frozen=True, slots=True)
class Copying:
    """One a gateway."""

    desk: Desk

    async def copied(self, one: Attempt, results: Sequence[Result]) -> list[Result]:
        """Return these results, with the copies that are to be made of what was delivered."""
        if (
            not self.desk.forwards
            or one.message.door == Door.COPY
            or one.message.mail.mail_from is None
        ):
            return [*results]
        return [await self._one(one, each) for each in results]

    async def _one(self, one: Attempt, result: Result) -> Result:
        to = self.desk.forwards.get(key(result.copy.recipient.address))
        if to is None or result.after.state is not State.DELIVERED:
            return result
        there = self.desk.books.spool.copies(one.message.id)
        if key(to) in {key(each.recipient.address) for each in there}:
            return result  # it has its own
        if not await self._is_for_software(one):
            return result
        mailbox = self.desk.books.accounts.find(to)
        if mailbox is None or not mailbox.receives:
            self.desk.on_event("copy.no_mailbox", {"message": one.message.id})
            return result
        making = self._making(result.copy, to)
        return msgspec.structs.replace(result, also=(*result.also, *making), sends=True)

    async def _is_for_software(self, one: Attempt) -> bool:
        """Whether software is to file it: its subject says so, or the archive is there (R-E7)."""
        if words(one.message.summary.subject).lstrip().startswith(marks.PREFIX):
            return True
        index = (await Placing(self.desk).letter(one)).index
        return any(part.name.upper() == xdm.NAME.upper() for part in index.parts)

    def _making(self, copy: Copy, to: Address) -> list[Statement]:
        """Return the statements that make a copy, of the content as it was delivered."""
        books, now = self.desk.books, self.desk.clock()
        made = new_message_id(now)
        mail = replace(copy.message.mail, envid=None, transfer=None, ret=None)
        own = Message(made, now, copy.message.size, Door.COPY, mail, copy.message.summary)
        queued = Delivery(
            delivery_id(made, 1),
            State.QUEUED,
            changed=now,
            expires=now + self.desk.schedule.expire_after,
            due=now,
        )
        # Whose document it is stands in the ORCPT: what software says of it is about that one.
        recipient = Recipient(to, _NEVER, original(copy.recipient))
        entry = books.journal.entry(
            now,
            "message.copied",
            GATEWAY,
            message=copy.message.id,
            who=copy.recipient.address,
            whom=to,
            copy=made,
        )
        return [
            *books.vault.sharing(holder(copy.delivery.id), holder(queued.id)),
            *books.spool.entering(own, [Copy(own, recipient, queued)]),
            entry,
        ]
