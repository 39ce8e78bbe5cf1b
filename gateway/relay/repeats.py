"""A mail that may have been offered before: who had it then, and what is committed so that it is known again.

What a peer's transfer id does between two Sceau (``transfers``), a mail's own Message-ID does for software
that offers until it is sure (``once``). R-A7, R-I4.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.relay.arrival import Arrival
from gateway.relay.books import Books
from gateway.relay.delivery import DeliveryId, State
from gateway.relay.entrance import Entrance
from gateway.relay.once import NOBODY, Known, Once, Passing
from smtp.envelope import MessageId, Recipient, reference
from smtp.reply import Reply
from vault.database import Statement
from vault.stream import Seen, unseen


@dataclass(frozen=True, slots=True)
class Repeats:
    """One mail, as far as it is known by now."""

    books: Books
    once: Once
    arrival: Arrival
    mail: Passing | None  # None: it is not to be known again
    known: Known = NOBODY

    @classmethod
    def of(cls, books: Books, once: Once, arrival: Arrival) -> "Repeats":
        """Return what is to be found out of a mail while it passes."""
        ours = len(arrival.top + arrival.block)
        return cls(books, once, arrival, once.asked(arrival.draft, arrival.header, ours))

    @property
    def see(self) -> Seen:
        """Who looks at what passes."""
        return unseen if self.mail is None else self.mail.see

    def among(self, recipients: Sequence[Recipient]) -> "Repeats":
        """Return the same once it has all passed: which of these have it already."""
        if self.mail is None:
            return self
        return replace(self, known=self.once.known(self.mail, recipients))

    def answers(self, recipients: Sequence[Recipient]) -> bool:
        """Whether nobody is to have it now: all have it, or it is not what they have."""
        return self.known.other or len(self.known.before) == len(recipients)

    @property
    def said(self) -> Reply:
        """What its sender is told, if all have it."""
        first = next(iter(self.known.before.values())).rpartition(".")[0]
        return Reply(250, "2.0.0", f"Accepted before, reference {reference(MessageId(first))}")

    def told(self, actor: str) -> list[Statement]:
        """Return the journal's lines about those who had it before."""
        return [
            self.books.journal.entry(
                self.arrival.at,
                "message.repeated",
                actor,
                message=delivery.rpartition(".")[0],
                who=self.arrival.draft.mail.mail_from,
                whom=whom,
            )
            for whom, delivery in self.known.before.items()
        ]

    def keeping(self, entered: Entrance) -> list[Statement]:
        """Return the statements by which the copies that enter are known again."""
        mail = self.mail
        if mail is None:
            return []
        return [
            self.once.keeping(mail, one.copy.recipient.address, one.after.id, self.arrival.at)
            for one in entered.results
            if one.after.state is not State.REFUSED
        ]

    def copies(self, entered: Entrance | None = None) -> list[DeliveryId]:
        """Return all copies that there are now, be they of an earlier message."""
        fresh = [] if entered is None else [one.after.id for one in entered.results]
        return [*fresh, *self.known.before.values()]
