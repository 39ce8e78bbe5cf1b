"""Coming in, showing a factor once more, and going.

One page asks for all at once, so that nobody learns which half was wrong. A form that was sent is spent:
what a browser signed for it cannot be sent again. Whoever comes in has a session that nobody knew.
"""

from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.accounts import passkeys
from gateway.accounts.persons import Proved, Signed
from gateway.web.account.parlour import Parlour, peer_of, why
from gateway.web.account.session import Visitor, elsewhere, fields_of
from gateway.web.problem import Problem
from smtp.reply import Reply


class LogIn:
    """The door."""

    def __init__(self, parlour: Parlour) -> None:
        self._parlour, self._visitors = parlour, parlour.visitors
        self._house = house = parlour.visitors.house
        self._confirm, self._out = f"{house.base}/confirm", f"{house.base}/logout"

    def routes(self) -> list[Route]:
        """Return where one comes in and goes out."""
        return [
            Route(self._house.login, self._ask, methods=["GET"]),
            Route(self._house.login, self._enter, methods=["POST"]),
            Route(self._confirm, self._ask_again, methods=["GET"]),
            Route(self._confirm, self._confirmed, methods=["POST"]),
            Route(self._out, self._leave, methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        try:
            await self._visitors.of(request)
        except Problem:
            return self._form(request, self._house.onward(request.query_params))
        return elsewhere(self._house.onward(request.query_params))

    async def _enter(self, request: Request) -> Response:
        fields = await fields_of(request)
        further, ticket = self._house.onward(fields), fields.get("ticket", "")
        if not self._visitors.holds(request, ticket, self._house.login):
            return self._form(request, further, ("old-form", 403))
        self._spend(ticket)
        found = await self._proved(request, fields, ticket)
        if isinstance(found, Reply):
            answer = self._form(request, further, why(found), fields.get("address", ""))
            answer.background = BackgroundTask(self._parlour.warn)
            return answer
        return self._visitors.enter(elsewhere(further), found.owner, found.factor.id)

    async def _proved(
        self, request: Request, fields: dict[str, str], ticket: str
    ) -> Proved[Any] | Reply:
        persons, peer = self._parlour.persons, peer_of(request)
        if fields.get("answer"):
            return await persons.by_passkey(self._signed(request, fields, ticket), peer)
        address, passphrase = fields.get("address", ""), fields.get("passphrase", "")
        return await persons.log_in(address, passphrase, fields.get("code", ""), peer)

    async def _ask_again(self, request: Request) -> Response:
        visitor = await self._visitors.of(request)
        return self._again(request, visitor, self._house.onward(request.query_params))

    async def _confirmed(self, request: Request) -> Response:
        visitor = await self._visitors.of(request)
        fields = await self._visitors.form(request, visitor, self._confirm)
        ticket, further, peer = fields["ticket"], self._house.onward(fields), peer_of(request)
        self._spend(ticket)
        if fields.get("answer"):
            signed = self._signed(request, fields, ticket)
            found = await self._parlour.persons.by_passkey(signed, peer, visitor.who)
        else:
            code = fields.get("code", "")
            found = await self._parlour.persons.by_code(visitor.who, code, peer)
        if isinstance(found, Reply):
            return self._again(request, visitor, further, why(found))
        return self._visitors.renew(elsewhere(further), visitor, found.factor.id)

    async def _leave(self, request: Request) -> Response:
        visitor = await self._visitors.of(request)
        await self._visitors.form(request, visitor, self._out)
        return self._visitors.leave(
            self._form(request, self._house.base, said="logged-out"), visitor
        )

    def _form(
        self,
        request: Request,
        further: str,
        wrong: tuple[str, int] = ("", 200),
        address: str = "",
        said: str = "",
    ) -> Response:
        name = self._visitors.form_of(request)
        ticket = self._visitors.tickets.issue(name, self._house.login, self._parlour.rooms.clock())
        answer = self._parlour.page(
            request,
            None,
            "login",
            wrong[1],
            script=True,
            form_ticket=ticket,
            further=further,
            wrong=wrong[0],
            said=said,
            address=address[:320],
            options=self._options(request, ticket),
        )
        return self._visitors.known_by(answer, name)

    def _again(
        self,
        request: Request,
        visitor: Visitor,
        further: str,
        wrong: tuple[str, int] = ("", 200),
    ) -> Response:
        ticket = self._visitors.ticket(visitor, self._confirm)
        return self._parlour.page(
            request,
            visitor,
            "confirm",
            wrong[1],
            script=True,
            form_ticket=ticket,
            further=further,
            wrong=wrong[0],
            kinds={each.kind.value for each in self._parlour.rooms.factors.of(visitor.who)},
            options=self._options(request, ticket),
        )

    def _options(self, request: Request, ticket: str) -> str:
        challenge = self._visitors.tickets.secret(ticket, "passkey")
        return passkeys.showing(self._parlour.party(request), challenge)

    def _signed(self, request: Request, fields: dict[str, str], ticket: str) -> Signed:
        challenge = self._visitors.tickets.secret(ticket, "passkey")
        return Signed(self._parlour.party(request), challenge, fields["answer"])

    def _spend(self, ticket: str) -> None:
        self._visitors.tickets.spend(ticket, self._parlour.rooms.clock())
