"""A person's devices: each has a password of its own, made here, shown once, ended alone.

Making one asks for a second factor first; ending one never does, for that is what somebody in a hurry
needs. R-B5.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.operations.account import noticing
from gateway.operations.error import OperationError
from gateway.web.account.enrolling import LABEL
from gateway.web.account.parlour import Parlour, peer_of
from gateway.web.account.session import Visitor, elsewhere

DEVICES = "/account/devices"
NEW = "/account/devices/new"
REVOKE = "/account/devices/revoke"
SCOPES = ("", "read", "submit", "addresses")
DAYS = ("", "7", "30", "90", "365")


class Devices:
    """The pages."""

    def __init__(self, parlour: Parlour) -> None:
        self._parlour, self._visitors = parlour, parlour.visitors

    def routes(self) -> list[Route]:
        """Return where devices are looked after."""
        return [
            Route(DEVICES, self._list, methods=["GET"]),
            Route(NEW, self._ask, methods=["GET"]),
            Route(NEW, self._make, methods=["POST"]),
            Route(REVOKE, self._revoke, methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        visitor = await self._visitors.of(request)
        rooms = self._parlour.rooms
        now = rooms.clock()
        found = rooms.credentials.of(visitor.mailbox)
        return self._parlour.page(
            request,
            visitor,
            "devices",
            usable=[each for each in reversed(found) if each.usable(now)],
            over=[each for each in reversed(found) if not each.usable(now)][:20],
            said="revoked-done" if "done" in request.query_params else "",
        )

    async def _ask(self, request: Request) -> Response:
        visitor = await self._visitors.fresh(request)
        return self._parlour.page(request, visitor, "device", scopes=SCOPES, days=DAYS)

    async def _make(self, request: Request) -> Response:
        visitor = await self._visitors.fresh(request)
        fields = await self._visitors.form(request, visitor, NEW)
        scope, days = fields.get("scope", ""), fields.get("days", "")
        if scope not in SCOPES or days not in DAYS:
            return self._visitors.refusal(request, "old-form", 400)
        # Sent again, it would make another one: a password is shown once.
        self._visitors.tickets.spend(fields["ticket"], self._parlour.rooms.clock())
        made = await self._parlour.perform(
            visitor,
            "mailbox.password",
            address=visitor.mailbox.address,
            label=" ".join(fields.get("label", "").split())[:LABEL],
            days=int(days) if days else None,
            scopes=[scope] if scope else [],
        )
        rooms, where = self._parlour.rooms, peer_of(request).ip
        await self._parlour.commit(await noticing(rooms, visitor.mailbox, "device", where))
        return self._shown(request, visitor, made)

    async def _revoke(self, request: Request) -> Response:
        visitor = await self._visitors.of(request)
        fields = await self._visitors.form(request, visitor, REVOKE)
        try:
            await self._parlour.perform(
                visitor,
                "mailbox.revoke",
                address=visitor.mailbox.address,
                credential=fields.get("credential", ""),
            )
        except OperationError:  # it has ended already
            return elsewhere(DEVICES)
        return elsewhere(f"{DEVICES}?done")

    def _shown(self, request: Request, visitor: Visitor, made: dict[str, str]) -> Response:
        return self._parlour.page(request, visitor, "device-made", made=made)
