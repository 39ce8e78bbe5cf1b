"""An Outbox on an IMAP server of the house: what is put into it is sent, and moved to Sent or Error.

One message at a time goes through the one offering, known by the folder's UIDVALIDITY, its UID and
its Message-ID, or until it was moved by its octets. What became of it is where it lies: a crash at
any point leaves it in the Outbox, and the intake knows what it took. The server tells by itself that
something came (IDLE); one that is away is looked for again, less and less often. R-A7, R-I4;
RFC 2177, RFC 6851.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.documents.errors import DocumentError
from gateway.labs import ready, recipients
from gateway.labs.offering import IN_HAND, Offering, Outcome, Result
from gateway.labs.offers import Facts
from gateway.labs.returned import Returned, notice
from gateway.labs.telling import Telling
from gateway.labs.unsent import Turned
from gateway.relay.desk import Desk
from gateway.relay.handing.account import Account, Accounts, Refused
from gateway.settings import labs
from smtp.address import Address
from smtp.envelope import Peer
from smtp.reply import Reply, printable
from smtp.send.client import UNREACHABLE
from vault.errors import VaultError

DOOR = "outbox"
_FIRST, _LONGEST = 1.0, 300.0  # seconds until a server that is away is looked for again
_NO_FOLDER = Reply(451, "4.3.5", "There is no such folder in that mailbox")
_TOO_LARGE = "the mail is larger than any that is sent from here"


@dataclass(slots=True)
class Outbox:
    """One a folder; ``run`` is a task of the gateway's group."""

    settings: labs.Outbox
    accounts: Accounts
    desk: Desk
    offering: Offering
    header_size: int = 256 << 10
    _pause: float = _FIRST
    _later: dict[str, datetime] = field(default_factory=dict)  # what waits, by its mark
    _noticed: set[str] = field(default_factory=set)  # notices that were put, by the mail's mark
    _operators: Telling = field(init=False)

    def __post_init__(self) -> None:
        self._operators = Telling(self.desk, {"outbox": self.settings.name})

    @property
    def mailbox(self) -> Address:
        """In whose name it is sent."""
        return Address(self.settings.mailbox)

    async def run(self) -> None:
        """Watch for ever; a server that is away is looked for again."""
        while True:
            try:
                await self.watch()
            except Refused as refused:
                self.desk.away.setdefault(f"outbox {self.settings.name}", self.desk.clock())
                self._operators.once("outbox.away", str(refused.said.enhanced))
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, _LONGEST)

    async def watch(self) -> None:
        """Take what comes, until the server is away: ``Refused``."""
        async with self.accounts.within(self.mailbox) as account:
            while True:
                await self.round(account)
                self._pause = _FIRST
                self.desk.away.pop(f"outbox {self.settings.name}", None)
                await self._rest(account)

    async def round(self, account: Account) -> int:
        """Take up what lies in the folder, until nothing is left; return how many there were."""
        validity = await account.opened(self.settings.folder)
        if validity is None:
            raise Refused(_NO_FOLDER)
        taken = 0
        while uids := self._due(validity, await account.ready()):
            for uid in uids:
                await self._one(account, validity, uid)
                taken += 1
        return taken

    def _due(self, validity: int, uids: list[int]) -> list[int]:
        """Return what need not wait; what is no longer there is forgotten."""
        now = self.desk.clock()
        marks = {_mark(validity, each) for each in uids}
        self._later = {mark: due for mark, due in self._later.items() if mark in marks}
        return [each for each in uids if self._later.get(_mark(validity, each), now) <= now]

    async def _rest(self, account: Account) -> None:
        """Wait until something came, or something that waits is to be tried again."""
        now, longest = self.desk.clock(), self.settings.idle
        for due in self._later.values():
            longest = min(longest, max(1.0, (due - now).total_seconds()))
        if account.idles:
            await account.changed(longest)
        else:
            await asyncio.sleep(longest)

    async def _one(self, account: Account, validity: int, uid: int) -> None:
        """The boundary of one mail: whatever is wrong with it stops no other."""
        mark = _mark(validity, uid)
        self._later.pop(mark, None)
        try:
            await self._take(account, mark, uid)
        except Refused as refused:
            if refused.said is UNREACHABLE:
                raise  # the line is begun anew
            self._wait(mark)  # it was not moved, say: the others go on
            self._operators.tell("outbox.put_off", refused.said.enhanced)
        except VaultError as error:  # not the mail's fault
            self._wait(mark)
            self._operators.tell("outbox.put_off", type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one mail stops no other
            self._wait(mark)
            self.desk.on_event("outbox.crashed", {"exception": error})

    async def _take(self, account: Account, mark: str, uid: int) -> None:
        """Make a mail a message of ours, once, and put it where that shows."""
        size = await account.size(uid)
        if size is None:  # somebody took it back
            return
        message_id = ""
        try:
            if size > self.settings.largest:
                raise DocumentError(_TOO_LARGE)
            async with self._octets(account, uid) as coming:
                mail = await ready.read(coming, (), recipients.address, self.header_size)
                message_id = mail.message_id
                place = self._key(mark, message_id)
                known = place if message_id else await self._found(account, mark, uid)
                outcome = await self.offering.offer(self._result(mail, mark, known))
        except DocumentError as error:
            await self._failed(account, mark, uid, message_id, Outcome(_unusable(str(error))))
            return
        if outcome.row is not None:
            if outcome.refused:
                await self._notice(account, mark, message_id, outcome, sent=True)
            await self._moved(account, mark, uid, self.settings.sent)
            if known != place:
                await self.offering.renamed(self.mailbox, known, place)
        elif outcome.said.permanent:
            critical = self.desk.urgency.asked(mail.header, self.mailbox)
            await self._failed(account, mark, uid, message_id, outcome, critical=critical)
        else:
            self._wait(mark)
            if outcome.said is not IN_HAND:
                self._operators.tell("outbox.put_off", str(outcome.said.code))

    @asynccontextmanager
    async def _octets(self, account: Account, uid: int) -> AsyncIterator[AsyncIterator[bytes]]:
        async with aclosing(account.blocks(uid)) as octets:
            yield _bounded(octets, self.settings.largest)

    async def _found(self, account: Account, mark: str, uid: int) -> str:
        """Return what a mail without Message-ID is known by: its octets, as long as it lies there.

        A server may give it another UID between our 250 and the move. Once it was moved it is known
        by its place again, for the same words, filed anew, are another mail: also if we crashed
        between the move and that.
        """
        place = self._key(mark, "")
        if self.offering.known(self.mailbox, place) is not None:
            return place
        hashed = hashlib.sha256()
        async with self._octets(account, uid) as octets:
            async for block in octets:
                hashed.update(block)
        known = self._key("octets", hashed.hexdigest())
        offered = self.offering.known(self.mailbox, known)
        before = mark if offered is None else offered.facts.claim
        if before != mark and _numbering(before) == _numbering(mark):
            # One number is one mail for as long as the numbering lasts (RFC 3501 §2.3.1.1).
            await self.offering.renamed(self.mailbox, known, self._key(before, ""))
        return known

    def _key(self, *what: str) -> str:
        return "\0".join((DOOR, self.settings.name, *what))

    def _result(self, mail: ready.Mail, mark: str, known: str) -> Result:
        return Result(
            self.settings.name,
            Peer("127.0.0.1", login=self.mailbox, listener=DOOR),
            self.mailbox,
            known,
            mail.recipients,
            mail.blocks,
            Facts("", mark, key=mail.message_id),
            answered=True,
        )

    async def _moved(self, account: Account, mark: str, uid: int, folder: str) -> None:
        await account.move(uid, folder)
        self._noticed.discard(mark)
        self._wait(mark)  # a server that says so and leaves it there is not asked without end

    async def _failed(
        self,
        account: Account,
        mark: str,
        uid: int,
        message_id: str,
        outcome: Outcome,
        *,
        critical: bool = False,
    ) -> None:
        why, name = outcome.said.text, message_id or mark
        turned = Turned(self.mailbox, "", message_id, why, outcome.refused, mark)
        await self.offering.turned(self.settings.name, name, turned, critical=critical)
        await self._notice(account, mark, message_id, outcome, sent=False)
        await self._moved(account, mark, uid, self.settings.errors)
        self._operators.tell("outbox.failed", "refused" if outcome.refused else "unusable")

    async def _notice(
        self, account: Account, mark: str, message_id: str, outcome: Outcome, *, sent: bool
    ) -> None:
        """Say in the folder of errors why; before the mail goes there, so that a crash hides nothing."""
        if mark in self._noticed:
            return
        about = Returned(
            self.mailbox,
            self.desk.postmaster,
            self.settings.folder,
            self.desk.clock(),
            mark,
            message_id,
            "" if outcome.refused else outcome.said.text,
            outcome.refused,
            sent,
        )
        await account.file(self.settings.errors, notice(about))
        self._noticed.add(mark)

    def _wait(self, mark: str) -> None:
        self._later[mark] = self.desk.clock() + timedelta(seconds=self.settings.again)


def _mark(validity: int, uid: int) -> str:
    return f"{validity}.{uid}"


def _numbering(mark: str) -> str:
    return mark.partition(".")[0]


async def _bounded(octets: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    """Yield what comes, which may be more than its server said."""
    async for block in octets:
        most -= len(block)
        if most < 0:
            raise DocumentError(_TOO_LARGE)
        yield block


def _unusable(why: str) -> Reply:
    return Reply(554, "5.6.0", printable(why))
