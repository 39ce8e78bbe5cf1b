"""What happened to a mailbox, as the journal has it: who logged in, from where; and who else looked in.

R-I3: whoever opens a mailbox that is not theirs, operators included, is seen by its owner.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.accounts.mailboxes import Mailbox
from gateway.web.account.parlour import Parlour
from vault.journal import Entry

ACTIVITY = "/account/activity"

_LOGINS = {
    "account.opened": "accepted",
    "login.accepted": "accepted",
    "login.failed": "failed",
    "login.throttled": "locked",
}
_LOOKS = {
    "operation.mailbox.show": "looked-list",
    "operation.mailbox.message": "looked-message",
    "operation.mailbox.part": "looked-part",
    "operation.mailbox.handover": "looked-handover",
}
_READS = {
    "mailbox.read": "looked-message",
    "mailbox.downloaded": "looked-part",
    "mailbox.searched": "looked-search",
}
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """One line: somebody tried to come in, and did or did not."""

    at: datetime
    result: str
    door: str
    where: str
    how: str
    times: int


@dataclass(frozen=True, slots=True)
class Looked:
    """One line: somebody else saw something of the mailbox."""

    at: datetime
    who: str
    operator: bool
    what: str
    times: int


@dataclass(frozen=True, slots=True)
class Activity:
    """The page."""

    parlour: Parlour

    def routes(self) -> list[Route]:
        """Return where it is."""
        return [Route(ACTIVITY, self._page, methods=["GET"])]

    async def _page(self, request: Request) -> Response:
        visitor = await self.parlour.visitors.of(request)
        return self.parlour.page(
            request,
            visitor,
            "activity",
            logins=await self.logins(visitor.mailbox),
            looks=await self.looks(visitor.mailbox),
        )

    async def logins(self, mailbox: Mailbox, limit: int = _SHOWN) -> list[LoggedIn]:
        """Return the latest attempts to come in, the newest first."""
        journal = self.parlour.rooms.journal
        found = await journal.about(mailbox.address, _LOGINS, limit)
        return [_logged_in(entry) for entry in reversed(found)]

    async def looks(self, mailbox: Mailbox) -> list[Looked]:
        """Return who else looked into the mailbox, the newest first."""
        journal, address = self.parlour.rooms.journal, mailbox.address
        found = await journal.about(address, _LOOKS, _SHOWN)
        found += await journal.about(address, _READS, _SHOWN, upon=True)
        return sorted(_looks(found, mailbox), key=lambda look: look.at, reverse=True)[:_SHOWN]


def _logged_in(entry: Entry) -> LoggedIn:
    fact = entry.detail.get
    door = str(fact("listener", "")).partition("_")[0]
    return LoggedIn(
        entry.at,
        _LOGINS[entry.event],
        door,
        str(fact("ip", "")),
        str(fact("reason", "")),
        _times(entry),
    )


def _looks(found: list[Entry], owner: Mailbox) -> Iterator[Looked]:
    for entry in found:
        operator = entry.actor.startswith("operator:")
        who = entry.actor.removeprefix("operator:") if operator else entry.who or ""
        if who and who != owner.address:
            what = (_LOOKS | _READS)[entry.event]
            yield Looked(entry.at, who, operator, what, _times(entry))


def _times(entry: Entry) -> int:
    times = entry.detail.get("times", 1)
    return times if isinstance(times, int) else 1
