"""The account's pages, put together; other pages for people stand on the same session."""

from datetime import timedelta
from typing import Protocol

from starlette.routing import Route

from gateway.accounts.logins import Logins
from gateway.accounts.mailboxes import Mailbox
from gateway.accounts.persons import Persons
from gateway.accounts.throttle import Throttle
from gateway.operations.rooms import Rooms
from gateway.web.account.activity import Activity
from gateway.web.account.away import Away
from gateway.web.account.devices import Devices
from gateway.web.account.invited import Invited
from gateway.web.account.login import LogIn
from gateway.web.account.overview import Overview
from gateway.web.account.parlour import Parlour
from gateway.web.account.security import Security
from gateway.web.account.session import House, Visitors, within
from gateway.web.account.sharing import Sharing
from gateway.web.account.tickets import Tickets
from gateway.web.account.words import say
from gateway.web.files import ACCOUNT, files
from smtp.envelope import Peer


class _Room(Protocol):
    def routes(self) -> list[Route]: ...


class Account:
    """The rooms, and who is in them."""

    def __init__(self, rooms: Rooms, logins: Logins) -> None:
        settings = rooms.settings.account
        house = House(
            base="/account",
            within=within("account", "read"),
            session="__Host-sceau",
            form="__Host-sceau-form",
            frame="account/base.html",
            find=rooms.accounts.by_key,
            say=say,
            idle=settings.idle,
            longest=settings.longest,
            fresh=settings.fresh,
            origin=settings.origin,
            port=rooms.settings.setup.web,
            least=settings.passphrase,
        )
        self.visitors = Visitors(rooms, house, Tickets())
        persons = Persons(
            rooms.accounts.by_key, rooms.factors, logins, self._guessed, tell=rooms.notes.tell
        )
        self._warned = Throttle(1, timedelta(hours=1))  # a mailbox is not flooded with warnings
        self._suspects: list[tuple[Mailbox, Peer]] = []
        self._enabled = settings.enabled
        self._parlour = Parlour(rooms, self.visitors, persons, rooms.invitations, self._warn)

    def routes(self) -> list[Route]:
        """Return every page, if the settings want them."""
        if not self._enabled:
            return []
        return [
            *files("account", ACCOUNT),
            *(route for room in self._rooms() for route in room.routes()),
        ]

    def _guessed(self, mailbox: Mailbox, peer: Peer) -> None:
        """Note that somebody has a person's passphrase, and not their code; at most once an hour."""
        now = self._parlour.rooms.clock()
        if not self._warned.locked(mailbox.key, now):
            self._warned.failed(mailbox.key, now)
            self._suspects.append((mailbox, peer))

    async def _warn(self) -> None:
        """Tell those people, after the answer is out."""
        while self._suspects:
            mailbox, peer = self._suspects.pop()
            told = await self._parlour.told(mailbox, "guessed", "guessed", peer)
            await self._parlour.commit(told)

    def _rooms(self) -> list[_Room]:
        parlour, activity = self._parlour, Activity(self._parlour)
        return [
            LogIn(parlour),
            Invited(parlour),
            Overview(parlour, activity),
            Devices(parlour),
            Security(parlour),
            activity,
            Away(parlour),
            Sharing(parlour),
        ]
