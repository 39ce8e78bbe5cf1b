"""How an attempt is carried out: into our own mailboxes, or over a connection to a next hop.

The order at a next hop: its hosts as the trust list names them, else as DNS does; TLS; its
certificate held against the list for this very domain; and only then a word about the message.
RFC 5321 §5, R-A4, R-C2.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial

import msgspec

from gateway.relay.copying import Copying
from gateway.relay.delivery import State, holder
from gateway.relay.desk import Desk
from gateway.relay.handing.lines import Line, Lines, within_the_house
from gateway.relay.integrating import Integrating
from gateway.relay.lanes import Attempt, Lane, Link
from gateway.relay.large.lending import Lending, Parcel
from gateway.relay.message import Copy
from gateway.relay.placing import Placing
from gateway.relay.resolver import Resolver
from gateway.relay.results import BACKED_OFF, OUR_FAULT, Result, Scale, outgoing
from gateway.relay.routes import Beside, Hosts, Lookup, Ours, Route, route
from gateway.settings.motion import Relay
from smtp import reply
from smtp.envelope import Body
from smtp.reply import Reply
from smtp.send.client import UNREACHABLE, Connection, Entitled, TlsFailure
from smtp.send.outgoing import Outcome
from trust.decision import (
    ALLOW,
    NEXT_HOP_EXPIRED,
    Action,
    Decision,
    Reason,
    attempt,
    next_hop,
)
from trust.errors import IdentityError
from trust.identity import Certificate
from trust.sources import TrustList

Dial = Callable[[str, int, Entitled], Awaitable[Link | Reply]]

_UNREACHED = "peer-unreachable"
# Their certificate is at fault; else it is the list, which says so elsewhere.
_ALARMING = frozenset(
    {
        Reason.NEXT_HOP_NOT_ENTITLED,
        Reason.NEXT_HOP_EXPIRED,
        Reason.NEXT_HOP_CERTIFICATE_REVOKED,
    }
)
_MANY = 100  # recipients at once, where the peer does not say (RFC 5321 §4.5.3.1.8)


def dialling(host: str, context: ssl.SSLContext, settings: Relay) -> Dial:
    """Return how to reach a next hop over mutual TLS."""

    async def dial(name: str, port: int, entitled: Entitled) -> Link | Reply:
        return await Connection.open(
            name,
            port,
            helo=host,
            context=context,
            entitled=entitled,
            connect_timeout=settings.connect_timeout,
            reply_timeout=settings.reply_timeout,
            chunking=settings.chunking,
        )

    return dial


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """Why no connection to a next hop came about: the reply, and our word for it."""

    said: Reply
    reason: str = _UNREACHED


@dataclass(frozen=True, slots=True)
class Carrier:
    """One a gateway; ``courier`` gives it attempts and lanes."""

    desk: Desk
    resolver: Resolver
    settings: Relay
    dial: Dial
    lines: Lines = field(default_factory=dict)  # to the mailbox servers of the house

    async def attempt(self, lane: Lane, one: Attempt, results: list[Result]) -> bool:
        """Ask the trust list again, then deliver or send what may go; add each result as it comes.

        Return whether the peer had been away until now.
        """
        going = self._allowed(one, results)
        if isinstance(lane.route, Ours):
            if going:
                placed = await Placing(self.desk).place(one, going)
                results += await Copying(self.desk).copied(one, placed)
            return False
        if isinstance(lane.route, Beside):
            going = self._there(going, results)
        if lane.closed(self.desk.clock()):  # others knocked a moment ago
            results += self._behind(lane, going)
            return False
        return await self._send(lane, one, tuple(going), results) if going else False

    def waits(self, lane: Lane, one: Attempt) -> list[Result]:
        """Return what becomes of an attempt whose peer is backed off: it waits as the others do.

        The trust list is asked all the same: what it no longer allows has ended.
        """
        results: list[Result] = []
        going = self._allowed(one, results)
        return results + self._behind(lane, going)

    def _allowed(self, one: Attempt, results: list[Result]) -> list[Copy]:
        """Ask the trust list again; return the copies that may go, add what stops the others."""
        scale, listed = self.desk.scale(), self.desk.keeper.current
        going: list[Copy] = []
        for copy in one.copies:
            if (stopped := scale.checked(copy, self._decision(copy, listed, scale))) is None:
                going.append(copy)
            else:
                results.append(stopped)
        return going

    def _behind(self, lane: Lane, copies: Iterable[Copy]) -> list[Result]:
        scale = self.desk.scale()
        return [
            scale.put_off(copy, lane.said, BACKED_OFF, not_before=lane.opens) for copy in copies
        ]

    def _decision(self, copy: Copy, listed: TrustList | None, scale: Scale) -> Decision:
        """Ask whether both ends are still members; what we say to our own people needs no list."""
        if copy.message.inward and copy.domain in self.desk.domains:
            return ALLOW
        found = attempt(copy.message.mail.mail_from, copy.recipient.address, listed, scale.now)
        if found.reason is Reason.SENDER_DENIED and not self._released(copy, found.reason):
            return replace(found, action=Action.HOLD)  # it was taken before: a person looks at it
        return found

    def _released(self, copy: Copy, reason: str) -> bool:
        return reason in self.desk.books.review.register.waived(copy.delivery.id)

    def _there(self, copies: Iterable[Copy], results: list[Result]) -> list[Copy]:
        """Return the copies whose mailbox is one of ours, wherever its mail lies."""
        scale, there = self.desk.scale(), list[Copy]()
        for copy in copies:
            mailbox = self.desk.books.accounts.find(copy.recipient.address)
            if mailbox is not None and mailbox.receives:
                there.append(copy)
            else:
                results.append(scale.refused(copy, reply.NO_SUCH_MAILBOX, "no-such-mailbox"))
        return there

    async def _send(
        self, lane: Lane, one: Attempt, copies: tuple[Copy, ...], results: list[Result]
    ) -> bool:
        """Send copies to their domain's next hop, over a connection that is open if there is one."""
        line = self._line(lane)
        link = lane.reusable(
            lambda link: line is not None or self._judged(one, link.certificate) == ALLOW
        )
        fresh, back = link is None, False
        while copies:
            if link is None:
                found = await self._reach(lane, one)
                if isinstance(found, _Obstacle):
                    results += self._unreached(lane, one, copies, found)
                    return back
                link, fresh = found, True
                back = lane.reached() or back
            now, lent = await self._lent(link, one, copies[: link.recipients_max or _MANY], line)
            outcome = await self._say(link, one, now, lent, line)
            if not outcome.stale or fresh:
                heard = self._heard(now, outcome, line)
                if line is not None:
                    heard = await self._watched(one, heard, line)
                    heard = await Copying(self.desk).copied(one, heard)
                results += heard
                copies = tuple(copy for copy in copies if copy not in now)
            # else: they had hung up on an idle connection, and nothing was said yet
            if not outcome.reusable:
                await link.close()
                link = None
        if link is not None:
            lane.idle.append(link)
        return back

    def _line(self, lane: Lane) -> Line | None:
        return self.lines[lane.route.server] if isinstance(lane.route, Beside) else None

    async def _lent(
        self, link: Link, one: Attempt, copies: tuple[Copy, ...], line: Line | None
    ) -> tuple[tuple[Copy, ...], Parcel | Reply | None]:
        """Return which copies go together, and what goes in place of a message that is too large."""
        large = self.desk.large
        if line is not None or large is None:
            return copies, None
        return await Lending(self.desk, large).parcel(one, copies, link.offer)

    async def _say(
        self,
        link: Link,
        one: Attempt,
        copies: tuple[Copy, ...],
        lent: Parcel | Reply | None,
        line: Line | None,
    ) -> Outcome:
        if isinstance(lent, Reply):
            refused = tuple((copy.recipient.address, lent) for copy in copies)
            return Outcome(refused, dsn=False, reusable=link.usable)
        said = outgoing(one, copies)
        if lent is not None:
            outcome = await link.send(lent.outgoing(said), _one(lent.content))
            if not lent.link.reader:
                return outcome
            # That the letter arrived is not that its reader has the document: that is told later.
            return msgspec.structs.replace(outcome, dsn=True, delivered=False)
        said = said if line is None else within_the_house(said)
        if one.content is not None:
            return await link.send(said, _one(one.content))
        body = self.desk.books.vault.stream(holder(one.copies[0].delivery.id))
        async with aclosing(body):
            return await link.send(said, body)

    def _heard(self, copies: tuple[Copy, ...], outcome: Outcome, line: Line | None) -> list[Result]:
        scale = self.desk.scale()
        answered = zip(copies, outcome.replies, strict=True)
        if line is None:
            return [self._replied(copy, said, scale, outcome) for copy, (_, said) in answered]
        return [self._kept(copy, said, scale, line) for copy, (_, said) in answered]

    def _replied(self, copy: Copy, said: Reply, scale: Scale, outcome: Outcome) -> Result:
        """Return what a next hop's reply makes of a copy; another Sceau's may say that it arrived."""
        if not (said.positive and outcome.delivered):
            return scale.answered(copy, said, dsn=outcome.dsn)
        result = scale.confirmed(copy, said)
        relayed = self.desk.books.relayed(copy, result.after)
        return msgspec.structs.replace(result, also=relayed)

    async def _watched(self, one: Attempt, heard: list[Result], line: Line) -> list[Result]:
        """Have what another server keeps looked at, where it can be, for who wants to know.

        A program's acknowledgement is an answer, and its sender has that too (R-E7, R-F3).
        """
        if line.answers:
            told = Integrating(self.desk)
            return [await told.acknowledged(one, each, line.errors) for each in heard]
        if line.folder is not None:
            expected = Integrating(self.desk).expected
            return [
                msgspec.structs.replace(each, also=(*each.also, *await expected(one, each)))
                for each in heard
            ]
        if line.deposits is None:
            return heard
        placing = Placing(self.desk)
        return [
            msgspec.structs.replace(
                each, also=(*each.also, *await placing.watching(one, each.copy))
            )
            if each.after.state is State.DELIVERED
            else each
            for each in heard
        ]

    def _kept(self, copy: Copy, said: Reply, scale: Scale, line: Line) -> Result:
        """Return what a mailbox server's answer makes of a copy: it is there only if it says so."""
        if not said.positive or not line.stores:
            return scale.answered(copy, said, dsn=False)
        result = scale.stored(copy, said)
        mailbox = self.desk.books.accounts.find(copy.recipient.address)
        if mailbox is None or copy.message.mail.mail_from is None:
            return result
        return msgspec.structs.replace(
            result, also=(self.desk.books.arrived(copy, result.after, mailbox),)
        )

    def _unreached(
        self, lane: Lane, one: Attempt, copies: tuple[Copy, ...], why: _Obstacle
    ) -> list[Result]:
        scale, said = self.desk.scale(), why.said
        if said.permanent:
            return [scale.refused(copy, said, "no-route") for copy in copies]
        lane.failed(said, scale.schedule, scale.now, scale.chance())
        if why.reason == _UNREACHED:
            # Not in its words: a log line is ours. They are in the message's own story.
            told = {"domain": one.domain, "code": said.code, "enhanced": said.enhanced}
            self.desk.on_event("peer.unreachable", {**told, "reason": why.reason})
        our_fault = why.reason in OUR_FAULT  # the list went stale while we connected
        return [scale.put_off(copy, said, why.reason, our_fault=our_fault) for copy in copies]

    async def _reach(self, lane: Lane, one: Attempt) -> Link | _Obstacle:
        """Connect to the first host that answers and may have this domain's mail."""
        if (line := self._line(lane)) is not None:
            opened = await line.open()
            return _Obstacle(opened) if isinstance(opened, Reply) else opened
        hosts: Route | Reply = lane.route
        if isinstance(hosts, Lookup):
            hosts = await self.resolver.find(hosts.domain, self.settings.default_port)
            if isinstance(hosts, Reply):
                return _Obstacle(hosts)
        assert isinstance(hosts, Hosts)
        last = _Obstacle(UNREACHABLE)
        for name, port in hosts.places:
            objections: list[Decision] = []
            found = await self.dial(name, port, partial(self._entitled, one, objections))
            if not isinstance(found, Reply):
                return found
            if isinstance(found, TlsFailure) and found.shown:
                last = self._unproven(one, found)
                continue
            reason = objections[0].reason if objections else _UNREACHED
            last = _Obstacle(UNREACHABLE) if found.permanent else _Obstacle(found, reason)
        return last

    def _unproven(self, one: Attempt, failure: TlsFailure) -> _Obstacle:
        """Tell operators whose certificate did not verify, and why; a sender, that it expired."""
        self.desk.watch.failed(failure.shown, failure.why, "next-hop")
        if failure.expired:
            self._alarm(one, NEXT_HOP_EXPIRED, failure.shown)
            return _Obstacle(NEXT_HOP_EXPIRED.reply, NEXT_HOP_EXPIRED.reason)
        return _Obstacle(failure)

    async def _entitled(
        self,
        one: Attempt,
        objections: list[Decision],
        der: bytes,
        issuers: tuple[bytes, ...],
    ) -> Reply | None:
        """Return why this certificate may not have the domain's mail, and raise the alarm."""
        await self.desk.watch.met(der, issuers, "next-hop")
        decision = self._judged(one, der)
        if decision.action is Action.ALLOW:
            return None
        objections.append(decision)
        if decision.reason in _ALARMING:
            self._alarm(one, decision, der)
        return decision.reply

    def _alarm(self, one: Attempt, decision: Decision, der: bytes) -> None:
        self.desk.on_event(
            "peer.wrong_certificate",
            {
                "domain": one.domain,
                "reason": decision.reason,
                "certificate": _print(der),
                "message": one.message.id,
            },
        )

    def _judged(self, one: Attempt, der: bytes) -> Decision:
        return next_hop(one.domain, der, self.desk.keeper.current, self.desk.clock())

    async def recall(self, copy: Copy) -> Reply:
        """Ask the gateway that was given a copy to give it back; nothing of it is sent again."""
        desk = self.desk
        way = route(copy.domain, desk.domains, desk.keeper.current, self.settings.default_port)
        one = Attempt(copy.message, copy.domain, (copy,))
        found = await self._reach(Lane(way, 1), one)
        if isinstance(found, _Obstacle):
            return found.said
        said = msgspec.structs.replace(
            outgoing(one, (copy,)), recall=True, body=Body.SEVEN_BIT, size=2
        )
        try:
            outcome = await found.send(said, _one(b"\r\n"))
        finally:
            await found.close()
        return outcome.replies[0][1]

    async def rest(self, lanes: Iterable[Lane]) -> None:
        """Close the connections that nobody used for a while."""
        before = asyncio.get_running_loop().time() - self.settings.idle_after
        await _closed(link for lane in lanes for link in lane.tired(before))

    async def close(self, lanes: Iterable[Lane]) -> None:
        """Close all idle connections."""
        await _closed(link for lane in lanes for link in lane.tired(float("inf")))


async def _closed(links: Iterable[Link]) -> None:
    """Close connections, all at once: a peer that lingers takes its seconds once, not each time."""
    async with asyncio.TaskGroup() as group:
        for link in links:
            group.create_task(link.close())


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _print(der: bytes) -> str:
    try:
        return Certificate.parse(der).fingerprint
    except IdentityError:
        return ""
