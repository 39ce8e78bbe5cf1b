"""What the account's pages have in common: who visits, how they prove it, and the operators' verbs.

A person does to their own mailbox what an operator could, by the same verbs; the journal says who.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from gateway.accounts.passkeys import Party
from gateway.accounts.persons import Persons
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from gateway.web.account.session import Visitor, Visitors
from smtp import reply
from smtp.envelope import Peer
from smtp.reply import Reply


@dataclass(frozen=True, slots=True)
class Parlour:
    """Where people are received."""

    rooms: Rooms
    visitors: Visitors
    persons: Persons

    async def perform(self, visitor: Visitor, verb: str, **arguments: Any) -> Any:
        """Do something to a mailbox as its person; ``OperationError`` says why not."""
        return await perform(self.rooms, f"mailbox:{visitor.mailbox.key}", verb, arguments)

    def page(
        self, request: Request, visitor: Visitor | None, name: str, status: int = 200, **more: Any
    ) -> Response:
        """Return one of the account's pages."""
        return self.visitors.page(request, visitor, f"account/{name}.html", status, **more)

    def party(self, request: Request) -> Party:
        """Return for whom passkeys are made here: the name and place that browsers see."""
        settings = self.rooms.settings
        origin = settings.account.origin or _origin(
            settings.setup.host or settings.site.host,
            settings.setup.web or request.scope["server"][1],
        )
        return Party(urlsplit(origin).hostname or "", origin, f"Sceau {settings.site.name}")


def peer_of(request: Request) -> Peer:
    """Return the other end of the connection."""
    peer: Peer = request.state.peer
    return peer


def why(refused: Reply) -> tuple[str, int]:
    """Return what a person is told of a failed log-in, and its status."""
    return ("throttled", 429) if refused is reply.LOGIN_THROTTLED else ("log-in-failed", 403)


def _origin(host: str, port: int) -> str:
    return f"https://{host}" if port == 443 else f"https://{host}:{port}"
