"""What a person logs in with: seen, added, changed, removed; each change asks for a second factor first."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.accounts import passphrases
from gateway.accounts.factors import Factor, Kind
from gateway.accounts.mailboxes import AccountError
from gateway.accounts.passphrases import PassphraseError
from gateway.web.account.enrolling import Enrolling
from gateway.web.account.parlour import Parlour, peer_of
from gateway.web.account.session import Visitor, elsewhere
from vault.database import Statement
from vault.errors import Conflict

APP, PASSKEY, PASSPHRASE = "app", "passkey", "passphrase"  # what can be added, or changed

_Found = tuple[Factor, list[Statement]] | None
_Page = Callable[[Request], Awaitable[Response]]


class Security:
    """The pages."""

    def __init__(self, parlour: Parlour) -> None:
        self._parlour, self._visitors = parlour, parlour.visitors
        self._factors = f"{parlour.visitors.house.base}/factors"
        self._remove = f"{self._factors}/remove"

    def routes(self) -> list[Route]:
        """Return where factors are looked after."""
        made = [
            Route(f"{self._factors}/{kind}", page, methods=[method])
            for kind in (APP, PASSKEY, PASSPHRASE)
            for method, page in (("GET", self._asked(kind)), ("POST", self._sent(kind)))
        ]
        return [
            Route(self._factors, self._list, methods=["GET"]),
            Route(self._remove, self._removed, methods=["POST"]),
            *made,
        ]

    async def _list(self, request: Request) -> Response:
        visitor = await self._visitors.of(request)
        done = "done" if "done" in request.query_params else ""
        return self._listed(request, visitor, said=done)

    def _asked(self, kind: str) -> _Page:
        async def page(request: Request) -> Response:
            visitor = await self._visitors.fresh(request)
            ticket = self._visitors.ticket(visitor, f"{self._factors}/{kind}")
            return self._form(request, visitor, kind, ticket)

        return page

    def _sent(self, kind: str) -> _Page:
        async def page(request: Request) -> Response:
            visitor = await self._visitors.fresh(request)
            fields = await self._visitors.form(request, visitor, f"{self._factors}/{kind}")
            ticket, notice = fields["ticket"], "passphrase" if kind == PASSPHRASE else "added"
            try:
                statements = await self._statements(request, visitor, kind, fields)
            except PassphraseError as error:
                return self._form(request, visitor, kind, ticket, str(error))
            self._visitors.tickets.spend(ticket, self._parlour.rooms.clock())
            told = await self._parlour.told(visitor.who, kind, notice, peer_of(request))
            try:
                await self._parlour.commit([*statements, *told])
            except Conflict:
                return self._form(request, visitor, kind, ticket, "too-many-factors")
            if kind == PASSPHRASE:
                self._visitors.alone(visitor)
            return elsewhere(f"{self._factors}?done")

        return page

    async def _statements(
        self, request: Request, visitor: Visitor, kind: str, fields: dict[str, str]
    ) -> list[Statement]:
        """Return what the form asks for; or say why it is not taken."""
        if kind == PASSPHRASE:
            return await self._passphrase(visitor, fields)
        form = Enrolling(self._parlour, request, visitor.who, fields["ticket"])
        label = " ".join(fields.get("label", "").split())
        if kind == APP:
            found = form.app(fields.get("code", ""), label)
            wrong = "code-wrong"
        else:
            found = form.passkey(fields.get("answer", ""), label)
            wrong = "passkey-wrong"
        if found is None:
            raise PassphraseError(wrong)
        return found[1]

    async def _passphrase(self, visitor: Visitor, fields: dict[str, str]) -> list[Statement]:
        rooms = self._parlour.rooms
        least = self._visitors.house.least
        text = passphrases.chosen(fields.get("passphrase", ""), least, visitor.who.login)
        again = passphrases.normal(fields.get("again", ""))
        if not secrets.compare_digest(passphrases.octets(text), passphrases.octets(again)):
            raise PassphraseError("passphrase-differs")
        secret = await asyncio.to_thread(passphrases.hashed, text, rooms.factors.hasher)
        return rooms.factors.adding(visitor.who, Kind.PASSPHRASE, secret)[1]

    async def _removed(self, request: Request) -> Response:
        visitor = await self._visitors.fresh(request, self._factors)
        fields = await self._visitors.form(request, visitor, self._remove)
        peer, who = peer_of(request), visitor.who
        told = await self._parlour.told(who, "removed", "removed", peer)
        try:
            await self._parlour.rooms.factors.remove(who, fields.get("factor", ""), told)
        except AccountError:
            return self._listed(request, visitor, wrong="last-one", status=409)
        self._parlour.rooms.wake()
        return elsewhere(f"{self._factors}?done")

    def _listed(
        self,
        request: Request,
        visitor: Visitor,
        *,
        wrong: str = "",
        said: str = "",
        status: int = 200,
    ) -> Response:
        found = self._parlour.rooms.factors.of(visitor.who)
        return self._parlour.page(
            request, visitor, "factors", status, wrong=wrong, said=said, factors=found
        )

    def _form(
        self, request: Request, visitor: Visitor, kind: str, ticket: str, wrong: str = ""
    ) -> Response:
        form = Enrolling(self._parlour, request, visitor.who, ticket)
        return self._parlour.page(
            request,
            visitor,
            "factor",
            403 if wrong else 200,
            script=kind == PASSKEY,
            kind=kind,
            form_ticket=ticket,
            wrong=wrong,
            least=self._visitors.house.least,
            **form.shown(),
        )
