"""Coming in, showing a factor once more, and going.

One page asks for all at once, so that nobody learns which half was wrong. A form that was sent is spent:
what a browser signed for it cannot be sent again. Whoever comes in has a session that nobody knew.
"""

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.accounts import passkeys
from gateway.accounts.persons import Proved, Signed
from gateway.web.account.parlour import Parlour, peer_of, why
from gateway.web.account.session import (
    FORM,
    LOGIN,
    Visitor,
    elsewhere,
    fields_of,
    form_of,
    onward,
    ours,
)
from gateway.web.problem import Problem
from smtp.reply import Reply

CONFIRM = "/account/confirm"
LEAVE = "/account/logout"


class LogIn:
    """The door."""

    def __init__(self, parlour: Parlour) -> None:
        self._parlour, self._visitors = parlour, parlour.visitors

    def routes(self) -> list[Route]:
        """Return where one comes in and goes out."""
        return [
            Route(LOGIN, self._ask, methods=["GET"]),
            Route(LOGIN, self._enter, methods=["POST"]),
            Route(CONFIRM, self._ask_again, methods=["GET"]),
            Route(CONFIRM, self._confirmed, methods=["POST"]),
            Route(LEAVE, self._leave, methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        try:
            await self._visitors.of(request)
        except Problem:
            return self._form(request, onward(request))
        return elsewhere(onward(request))

    async def _enter(self, request: Request) -> Response:
        fields = await fields_of(request)
        further, ticket = onward(fields), fields.get("ticket", "")
        if not self._holds(request, ticket, LOGIN):
            return self._form(request, further, ("old-form", 403))
        self._spend(ticket)
        found = await self._proved(request, fields, ticket)
        if isinstance(found, Reply):
            answer = self._form(request, further, why(found), fields.get("address", ""))
            answer.background = BackgroundTask(self._parlour.warn)
            return answer
        return self._visitors.enter(elsewhere(further), found.mailbox, found.factor.id)

    async def _proved(
        self, request: Request, fields: dict[str, str], ticket: str
    ) -> Proved | Reply:
        persons, peer = self._parlour.persons, peer_of(request)
        if fields.get("answer"):
            return await persons.by_passkey(self._signed(request, fields, ticket), peer)
        address, passphrase = fields.get("address", ""), fields.get("passphrase", "")
        return await persons.log_in(address, passphrase, fields.get("code", ""), peer)

    async def _ask_again(self, request: Request) -> Response:
        return self._again(request, await self._visitors.of(request), onward(request))

    async def _confirmed(self, request: Request) -> Response:
        visitor = await self._visitors.of(request)
        fields = await self._visitors.form(request, visitor, CONFIRM)
        ticket, further, peer = fields["ticket"], onward(fields), peer_of(request)
        self._spend(ticket)
        if fields.get("answer"):
            signed = self._signed(request, fields, ticket)
            found = await self._parlour.persons.by_passkey(signed, peer, visitor.mailbox)
        else:
            code = fields.get("code", "")
            found = await self._parlour.persons.by_code(visitor.mailbox, code, peer)
        if isinstance(found, Reply):
            return self._again(request, visitor, further, why(found))
        return self._visitors.renew(elsewhere(further), visitor, found.factor.id)

    async def _leave(self, request: Request) -> Response:
        visitor = await self._visitors.of(request)
        await self._visitors.form(request, visitor, LEAVE)
        return self._visitors.leave(self._form(request, "/account", said="logged-out"), visitor)

    def _form(
        self,
        request: Request,
        further: str,
        wrong: tuple[str, int] = ("", 200),
        address: str = "",
        said: str = "",
    ) -> Response:
        name = form_of(request)
        ticket = self._visitors.tickets.issue(name, LOGIN, self._parlour.rooms.clock())
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
        answer.set_cookie(FORM, name, path="/", secure=True, httponly=True, samesite="strict")
        return answer

    def _again(
        self,
        request: Request,
        visitor: Visitor,
        further: str,
        wrong: tuple[str, int] = ("", 200),
    ) -> Response:
        ticket = self._visitors.ticket(visitor, CONFIRM)
        return self._parlour.page(
            request,
            visitor,
            "confirm",
            wrong[1],
            script=True,
            form_ticket=ticket,
            further=further,
            wrong=wrong[0],
            kinds={each.kind.value for each in self._parlour.rooms.factors.of(visitor.mailbox)},
            options=self._options(request, ticket),
        )

    def _options(self, request: Request, ticket: str) -> str:
        challenge = self._visitors.tickets.secret(ticket, "passkey")
        return passkeys.showing(self._parlour.party(request), challenge)

    def _signed(self, request: Request, fields: dict[str, str], ticket: str) -> Signed:
        challenge = self._visitors.tickets.secret(ticket, "passkey")
        return Signed(self._parlour.party(request), challenge, fields["answer"])

    def _holds(self, request: Request, ticket: str, purpose: str) -> bool:
        now, name = self._parlour.rooms.clock(), request.cookies.get(FORM, "")
        return ours(request) and self._visitors.tickets.holds(ticket, name, purpose, now)

    def _spend(self, ticket: str) -> None:
        self._visitors.tickets.spend(ticket, self._parlour.rooms.clock())
