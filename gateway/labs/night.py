"""What became of the results that some mailboxes sent within a time: counted, and those that failed.

Counting is the database's; only what must go another way is opened. What a recipient's server took
and was promised a confirmation of is still on its way until that time is up. R-F1, R-I4.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.labs.french import meaning
from gateway.labs.morning import Account, Answer, Left, Morning, counted
from gateway.labs.offers import COLUMNS, Offered, Offers
from gateway.labs.unsent import Turned, Unsent
from gateway.receipts.receipt import Kind
from gateway.relay import ambiguous
from gateway.relay.books import Books
from gateway.relay.delivery import State
from gateway.relay.message import Copy
from smtp import reply
from smtp.address import Address, domain_of, key
from smtp.envelope import MessageId, earliest_message_id, reference
from smtp.reply import Reply, spoken
from vault.search import Search

_BAD = (State.FAILED, State.EXPIRED, State.REFUSED, State.CANCELLED, State.UNCONFIRMED)
_ANSWERS = {each: Answer(each.value) for each in _BAD} | {State.RELAYED: Answer.UNCONFIRMED}
_THEIRS = (
    "m.sender_domain IN (SELECT value FROM json_each(?))"
    " AND hex(m.sender) IN (SELECT value FROM json_each(?)) AND m.door <> 'copy'"
)
_NIGHT = f"m.id >= ? AND m.arrived >= ? AND m.arrived < ? AND {_THEIRS}"
# What a peer took and will not confirm any more: nothing was promised, and it has lain long enough.
_OVERDUE = (
    "(d.state = 'relayed' AND d.changed <= ?"
    " AND NOT EXISTS (SELECT 1 FROM deadline WHERE deadline.message = m.id))"
)
_COUNT = f"""SELECT d.state, {_OVERDUE}, count(*) FROM message m
    JOIN delivery d ON d.message = m.id WHERE {_NIGHT} GROUP BY 1, 2"""  # noqa: S608 - constants only
_MESSAGES = f"SELECT count(*) FROM message m WHERE {_NIGHT}"  # noqa: S608 - constants only
_LEFT = f"""SELECT d.id FROM message m JOIN delivery d ON d.message = m.id WHERE {_NIGHT}
    AND (d.state IN (SELECT value FROM json_each(?)) OR {_OVERDUE})"""  # noqa: S608 - constants only
_EARLIER = f"""SELECT d.id FROM delivery d JOIN message m ON m.id = d.message
    WHERE d.state IN (SELECT value FROM json_each(?)) AND d.changed >= ? AND d.changed < ?
    AND m.arrived < ? AND {_THEIRS}"""  # noqa: S608 - constants only
_OFFERS = f"""SELECT {COLUMNS} FROM offer WHERE at >= ? AND at < ?
    AND message IN (SELECT m.id FROM message m WHERE m.id >= ? AND {_THEIRS})"""  # noqa: S608
_CORRECTED = """SELECT DISTINCT message FROM outbox WHERE type = ?
    AND message IN (SELECT value FROM json_each(?))"""
_FEW = 200  # copies opened in one go
_OFFERED = frozenset({"folder", "api", "outbox"})  # doors whose offers are remembered
_MOST = 10_000  # refusals at the door of one look


@dataclass(frozen=True, slots=True)
class Night:
    """One a gateway."""

    books: Books
    offers: Offers
    unsent: Unsent
    window: timedelta = timedelta(days=90)  # within which an offer is known again

    async def of(
        self,
        senders: Sequence[Address],
        since: datetime,
        until: datetime,
        unconfirmed: timedelta = timedelta(hours=1),
    ) -> Morning:
        """Return what became of all that these mailboxes handed in, and who does not have it.

        What a peer took and promised no report of counts as unconfirmed after ``unconfirmed``.
        """
        theirs = (
            json.dumps(sorted({domain_of(each) for each in senders})),
            json.dumps([self.books.spool.address(each).hex().upper() for each in senders]),
        )
        night = (earliest_message_id(since), since.timestamp(), until.timestamp(), *theirs)
        overdue, bad = (until - unconfirmed).timestamp(), json.dumps(_BAD)
        query = self.books.database.query
        ((messages,),) = await query(_MESSAGES, night)
        counts = await query(_COUNT, (overdue, *night))
        found = await query(_LEFT, (*night, bad, overdue))
        since_, until_ = since.timestamp(), until.timestamp()
        before = await query(_EARLIER, (bad, since_, until_, since_, *theirs))
        left = await self._copies([row[0] for row in found], earlier=False)
        rows = len(left)
        left += await self._copies([row[0] for row in before], earlier=True)
        refused, never = await self._refused(senders, since, until)
        turned = [*await self.unsent.between(senders, since, until)]
        refused += await self._offered(
            (since_, until_, earliest_message_id(since - self.window), *theirs)
        )
        left += [*refused, *(one for at, each in turned for one in _unsent(at, each))]
        many = {(state, late): count for state, late, count in counts}
        delivered = many.get((State.DELIVERED, 0), 0)
        another = counted(left, earlier=False)
        spooled = sum(many.values())
        # Of those with a bad end, who has no row took the result back.
        ended = sum(many.get((state, 0), 0) for state in _BAD) + many.get((State.RELAYED, 1), 0)
        return Morning(
            since,
            until,
            Account(
                results=messages + never + len(turned),
                recipients=spooled + another - rows,
                delivered=delivered,
                on_the_way=spooled - delivered - ended,
                another_way=another,
                taken_back=ended - rows,
                earlier=counted(left, earlier=True),
            ),
            tuple(sorted(left, key=lambda one: (one.at, one.message, one.recipient))),
        )

    async def _copies(self, ids: Sequence[str], *, earlier: bool) -> list[Left]:
        """Open those copies, a few at a time: mail goes on meanwhile."""
        left: list[Left] = []
        for start in range(0, len(ids), _FEW):
            copies = self.books.spool.several(ids[start : start + _FEW])
            messages = sorted({each.message.id for each in copies})
            told = self.offers.became(messages)
            rows = await self.books.database.query(
                _CORRECTED, (Kind.CORRECTED.value, json.dumps(messages))
            )
            corrected = {message for (message,) in rows}
            for copy in copies:
                if copy.delivery.said == reply.RECALLED:
                    continue
                wrong = copy.message.id in corrected and copy.delivery.state is State.FAILED
                offered = told.get(copy.message.id)
                left.append(_left(copy, offered, earlier=earlier, corrected=wrong))
            await asyncio.sleep(0)
        return left

    async def _refused(
        self, senders: Sequence[Address], since: datetime, until: datetime
    ) -> tuple[list[Left], int]:
        """Return who was refused at a door of mail, and how many messages went to nobody for that.

        Of what software offers as files or by HTTPS the offer itself tells (``_offered``).
        """
        found: list[Left] = []
        nowhere: set[str] = set()
        for sender in senders:
            what = Search(
                events=("recipient.refused",),
                about=self.books.journal.key(sender),
                since=since.timestamp(),
                until=until.timestamp(),
            )
            entries = (await self.books.journal.find(what, _MOST)).entries
            mine = [
                each
                for each in entries
                if each.who
                and key(Address(each.who)) == key(sender)
                and each.detail.get("door") not in _OFFERED
            ]
            there = self._there(sorted({each.message for each in mine if each.message}))
            for each in mine:
                message = each.message or ""
                if message not in there:
                    nowhere.add(message)
                said = spoken(str(each.detail.get("said", "")))
                found.append(_never(each.at, message, each.whom or "", said))
        return found, len(nowhere)

    async def _offered(self, night: tuple[object, ...]) -> list[Left]:
        """Return who was refused of the results that were taken for others."""
        found: list[Left] = []
        rows = await self.books.database.query(_OFFERS, night)
        for start in range(0, len(rows), _FEW):
            for offered in map(self.offers.opened, rows[start : start + _FEW]):
                for recipient, words in offered.facts.refused:
                    one = _never(offered.at, offered.message, recipient, spoken(words))
                    found.append(replace(one, key=offered.facts.key, file=offered.facts.name))
            await asyncio.sleep(0)
        return found

    def _there(self, messages: Sequence[str]) -> set[str]:
        rows = self.books.database.read(
            "SELECT id FROM message WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(messages),),
        )
        return {message for (message,) in rows}


def _left(copy: Copy, offered: Offered | None, *, earlier: bool, corrected: bool) -> Left:
    message = copy.message
    return Left(
        copy.delivery.changed,
        Answer.CORRECTED if corrected else _ANSWERS[copy.delivery.state],
        ambiguous.shown(copy.recipient.address),
        message.reference,
        message.id,
        message.summary.message_id,
        offered.facts.key if offered else "",
        offered.facts.name if offered else "",
        copy.delivery.said,
        earlier=earlier,
    )


def _never(at: datetime, message: str, recipient: str, said: Reply | None) -> Left:
    named = reference(MessageId(message)) if message else ""
    return Left(at, Answer.REFUSED, recipient, named, message, said=said)


def _unsent(at: datetime, turned: Turned) -> Iterator[Left]:
    """Yield the rows of a file of which no message came: one a recipient who was refused."""
    for recipient, words in turned.refused or (("", turned.why),):
        said = spoken(words)
        yield Left(
            at,
            Answer.NOT_SENT,
            recipient,
            key=turned.key,
            file=turned.name,
            said=said,
            words=meaning(words) if said is None else None,
        )
