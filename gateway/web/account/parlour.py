"""What the account's pages have in common: who visits, how they prove it, and the operators' verbs.

A person does to their own mailbox what an operator could, by the same verbs; the journal says who.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from gateway.accounts.invitations import Invitations
from gateway.accounts.mailboxes import Mailbox
from gateway.accounts.passkeys import Party
from gateway.accounts.persons import Persons
from gateway.operations.account import address_of, noticing
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from gateway.web.account.session import Person, Visitor, Visitors
from smtp import reply
from smtp.envelope import Peer
from smtp.reply import Reply
from vault.database import Statement


@dataclass(frozen=True, slots=True)
class Parlour:
    """Where people are received."""

    rooms: Rooms
    visitors: Visitors
    persons: Persons[Any]  # of the house's kind
    invitations: Invitations[Any]
    warn: Callable[[], Awaitable[None]]  # done once a refusal is out, whatever was wrong

    async def perform(self, visitor: Visitor, verb: str, **arguments: Any) -> Any:
        """Do something to a mailbox as its person; ``OperationError`` says why not."""
        return await perform(self.rooms, visitor.mailbox.actor, verb, arguments)

    async def commit(self, statements: Sequence[Statement]) -> None:
        """Do it, and let what was written to somebody leave at once."""
        await self.rooms.database.commit(statements)
        self.rooms.wake()

    async def told(self, who: Person, what: str, notice: str, peer: Peer) -> list[Statement]:
        """Return what tells the journal, and a mailbox's owner by mail, what was done to an account."""
        mailbox = who if isinstance(who, Mailbox) else None
        entry = self.rooms.journal.entry(
            self.rooms.clock(),
            f"account.{what}" if mailbox else f"operator.{what}",
            who.actor,
            who=mailbox.address if mailbox else None,
            ip=peer.ip,
            listener=peer.listener,
        )
        if mailbox is None:
            return [entry]
        return [entry, *await noticing(self.rooms, mailbox, notice, peer.ip)]

    def page(
        self, request: Request, visitor: Visitor | None, name: str, status: int = 200, **more: Any
    ) -> Response:
        """Return one of the pages that people of every house have."""
        return self.visitors.page(request, visitor, f"account/{name}.html", status, **more)

    def party(self, request: Request) -> Party:
        """Return for whom passkeys are made here: the name and place that browsers see."""
        settings, house = self.rooms.settings, self.visitors.house
        origin = house.origin or address_of(
            settings.setup.host or settings.site.host,
            house.port or request.scope["server"][1],
        )
        return Party(urlsplit(origin).hostname or "", origin, f"Sceau {settings.site.name}")


def peer_of(request: Request) -> Peer:
    """Return the other end of the connection."""
    peer: Peer = request.state.peer
    return peer


def why(refused: Reply) -> tuple[str, int]:
    """Return what a person is told of a failed log-in, and its status."""
    return ("throttled", 429) if refused is reply.LOGIN_THROTTLED else ("log-in-failed", 403)
