"""Who may read a large document by a browser, and what it means that they did.

Only whom the list, or a directory, names as the holder of an address that the message went to, asked
anew at every look: what it names may change. Each look is written down before anything is given out; who
is somebody else is written down too, and told. The first download to its end is what delivers the
message. R-B1, R-I3; docs/large-documents.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.accounts.issuers import names
from gateway.relay.delivery import Event, State, step
from gateway.relay.desk import Desk
from gateway.relay.large.links import Link, Links
from gateway.relay.large.reach import holder_of
from gateway.relay.message import Copy
from gateway.relay.notices import Notices
from gateway.relay.results import Result
from smtp.reply import Reply, printable
from trust.decision import Action, attempt
from vault.database import Statement
from vault.errors import Conflict

STRANGER = "document.stranger"
FETCHED = Reply(250, "2.0.0", "Its reader has fetched it")
_REASON = "fetched"
_OVER = frozenset({State.REFUSED, State.FAILED, State.EXPIRED, State.CANCELLED})
_WAITING = frozenset({State.RELAYED, State.UNCONFIRMED})
_LONGEST = 80  # of what an issuer says of somebody
_TRIES = 3  # a report, or a deadline, may move a delivery at this very moment


@dataclass(frozen=True, slots=True)
class Readers:
    """One a gateway."""

    desk: Desk
    links: Links
    notices: Notices
    wake: Callable[[], None]  # there may be a report to carry

    def find(self, token: str) -> Link | None:
        """Return what lies here for readers under a token, if its time is not over."""
        link = self.links.find(token)
        if link is None or not link.reader or link.expires <= self.desk.clock():
            return None
        return link if self.copies(link) else None

    def copies(self, link: Link) -> list[Copy]:
        """Return the copies that went to a link's domain, but for those that may go no more.

        Who was removed from the list, or denied, since then is given nothing; nor is anybody from
        whom it was taken back.
        """
        copies = self.desk.books.spool.copies(link.message)
        return [one for one in copies if one.domain == link.domain and self._may(one)]

    def _may(self, copy: Copy) -> bool:
        sender, listed = copy.message.mail.mail_from, self.desk.keeper.current
        found = attempt(sender, copy.recipient.address, listed, self.desk.clock())
        return copy.delivery.state not in _OVER and found.action is not Action.REFUSE

    def theirs(self, link: Link, named: str) -> list[Copy]:
        """Return the copies that are for whom an issuer names; none: it is for somebody else."""
        listed = self.desk.keeper.current
        return [
            one
            for one in self.copies(link)
            if (holder := holder_of(listed, one.recipient.address)) and named in names(holder)
        ]

    async def looked(
        self,
        link: Link,
        copies: Sequence[Copy],
        what: str,
        facts: Mapping[str, str],
        *,
        begun: bool,
    ) -> None:
        """Write down that a reader is about to be given something; ``begun``: from its beginning."""
        entries = [self._entry(link, one, f"document.{what}", facts) for one in copies]
        counted = [self.links.looked(link.id)] if begun else []
        await self.desk.books.database.commit([*entries, *counted])
        self.desk.metrics.events.labels(f"document.{what}").inc()

    async def refused(self, link: Link, named: str, facts: Mapping[str, str]) -> None:
        """Write down that somebody else wanted it, and tell operators."""
        told = {**facts, "named": printable(named, _LONGEST)}
        entries = [self._entry(link, one, "document.refused", told) for one in self.copies(link)]
        await self.desk.books.database.commit(entries)
        self.desk.on_event(STRANGER, {"message": link.message, "domain": link.domain})

    async def taken(self, link: Link, copies: Sequence[Copy]) -> None:
        """Let a download to its end deliver what waited for it, and its sender be told."""
        books, wanted = self.desk.books, {one.delivery.id for one in copies}
        for last in (False,) * (_TRIES - 1) + (True,):
            now = self.desk.clock()
            waiting = [
                one
                for one in self.copies(link)
                if one.delivery.id in wanted and one.delivery.state in _WAITING
            ]
            if not waiting and link.taken is not None:
                return
            results = [
                Result(one, step(one.delivery, Event.CONFIRMED, now, FETCHED), _REASON)
                for one in waiting
            ]
            # Who had its last answer already is told nothing more: it enters the trace alone.
            news = [each for each in results if each.copy.delivery.state is State.RELAYED]
            told = await self.notices.reporting(waiting[0].message, news) if news else []
            moved = [
                s for each in results for s in books.moving(each.copy, each.after, reason=_REASON)
            ]
            try:
                await books.database.commit([self.links.taking(link.id, now), *moved, *told])
            except Conflict:
                if last:
                    raise
                continue
            break
        if link.taken is None:
            self.desk.metrics.large.labels("taken").inc()
        for each in results:
            self.desk.metrics.deliveries.labels(each.after.state).inc()
        books.outbox.bell.set()
        self.wake()

    def _entry(self, link: Link, copy: Copy, event: str, facts: Mapping[str, str]) -> Statement:
        return self.desk.books.journal.entry(
            self.desk.clock(),
            event,
            "reader",
            message=link.message,
            who=copy.message.mail.mail_from,
            whom=copy.recipient.address,
            link=link.id,
            **facts,
        )
