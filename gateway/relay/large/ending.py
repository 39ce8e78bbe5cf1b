"""What lies here for others ends: nobody waits for it any more, its time is up, or somebody ends it.

Who was told *relayed* and whose document nobody fetched is told that it failed. A sender may take it
back from who reads by a browser, as long as nobody looked.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from gateway.relay.books import GATEWAY
from gateway.relay.delivery import Event, State, step
from gateway.relay.desk import Desk
from gateway.relay.large.links import Link, Links
from gateway.relay.message import Copy
from gateway.relay.notices import Notices
from gateway.relay.results import Result
from smtp.reply import TAKEN_BACK, Reply
from vault.errors import Conflict

NOT_FETCHED = Reply(
    550, "5.4.7", "Nobody fetched the large document within its time; it lies here no longer"
)
ENDED = Reply(550, "5.7.0", "An operator ended the large document's stay here; it was not fetched")
UNREAD = Reply(250, "2.0.0", "Nobody had looked at it; the link that was sent leads nowhere now")
LOOKED_AT = Reply(550, "5.7.0", "Somebody has looked at the large document; it stays")
ASK_AGAIN = Reply(451, "4.3.0", "Something became of it at this very moment; ask again")
_WAITS = frozenset({State.RELAYED, State.UNCONFIRMED})


@dataclass(frozen=True, slots=True)
class Ending:
    """One a gateway."""

    desk: Desk
    links: Links
    notices: Notices

    async def round(self) -> int:
        """End what is to end; return how many links."""
        done, unwanted = 0, self.links.unwanted()
        for name in unwanted:
            done += await self._guarded(name, self._dropped)
        for name in self.links.expired(self.desk.clock()):
            if name not in unwanted:
                done += await self._guarded(name, self._expired)
        return done

    async def _guarded(self, name: str, work: Callable[[Link], Awaitable[object]]) -> bool:
        """Work on one link; one that is broken, or that another hand changed, stops no other."""
        try:
            link = self.links.named(name)
            if link is not None:
                await work(link)
        except Exception as error:  # noqa: BLE001 - one link never stops the round
            self.desk.on_event("large.crashed", {"exception": error, "link": name})
            return False
        return link is not None

    async def _dropped(self, link: Link) -> None:
        await self.desk.books.database.commit(self.links.dropping(link))

    async def _expired(self, link: Link) -> None:
        # What another gateway has fetched is theirs: they say what became of it.
        waits = _WAITS if link.reader or link.taken is None else ()
        await self._ended(link, waits, NOT_FETCHED, "large-expired")

    async def end(self, link: Link, said: Reply, reason: str, actor: str = GATEWAY) -> int:
        """End one link, and the copies that wait for it; return how many copies that was."""
        return await self._ended(link, _WAITS, said, reason, actor)

    async def recalled(self, link: Link, copy: Copy, actor: str) -> Reply:
        """Take one copy back from its reader, if nobody looked at the document yet.

        The link itself ends with the last of its domain's readers. docs/recall.md.
        """
        if link.looks or copy.delivery.state not in _WAITS:
            return LOOKED_AT
        books, now = self.desk.books, self.desk.clock()
        result = Result(copy, step(copy.delivery, Event.BOUNCED, now, TAKEN_BACK), "recalled")
        others = any(
            one.delivery.state in _WAITS
            for one in books.spool.copies(link.message)
            if one.domain == link.domain and one.delivery.id != copy.delivery.id
        )
        statements = [
            self.links.untouched(link.id),
            *books.moving(copy, result.after, actor=actor, reason=result.reason),
            *await self.notices.reporting(copy.message, [result]),
            *([] if others else self.links.dropping(link)),
        ]
        try:
            await books.database.commit(statements)
        except Conflict:  # looked at, or reported on, at this very moment
            return ASK_AGAIN
        return UNREAD

    async def _ended(
        self,
        link: Link,
        waits: Collection[State],
        said: Reply,
        reason: str,
        actor: str = GATEWAY,
    ) -> int:
        books, now = self.desk.books, self.desk.clock()
        for last in (False, False, True):
            results = [
                Result(copy, step(copy.delivery, Event.BOUNCED, now, said), reason)
                for copy in books.spool.copies(link.message)
                if copy.domain == link.domain and copy.delivery.state in waits
            ]
            moving = [
                statement
                for one in results
                for statement in books.moving(one.copy, one.after, actor=actor, reason=reason)
            ]
            told = await self.notices.reporting(results[0].copy.message, results) if results else []
            entry = books.journal.entry(now, "large.ended", actor, message=link.message)
            try:
                await books.database.commit([*self.links.dropping(link), *moving, *told, entry])
            except Conflict:  # a report moved a copy at this very moment
                if last:
                    raise
                continue
            books.outbox.bell.set()
            self.desk.metrics.large.labels("ended").inc()
            return len(results)
        raise AssertionError("three tries are made")
