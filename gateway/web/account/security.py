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

FACTORS = "/account/factors"
APP = "/account/factors/app"
PASSKEY = "/account/factors/passkey"
PASSPHRASE = "/account/factors/passphrase"  # noqa: S105 - a path
REMOVE = "/account/factors/remove"

_Found = tuple[Factor, list[Statement]] | None
_Page = Callable[[Request], Awaitable[Response]]


class Security:
    """The pages."""

    def __init__(self, parlour: Parlour) -> None:
        self._parlour, self._visitors = parlour, parlour.visitors

    def routes(self) -> list[Route]:
        """Return where factors are looked after."""
        made = [
            Route(path, page, methods=[method])
            for path in (APP, PASSKEY, PASSPHRASE)
            for method, page in (("GET", self._asked(path)), ("POST", self._sent(path)))
        ]
        return [
            Route(FACTORS, self._list, methods=["GET"]),
            Route(REMOVE, self._removed, methods=["POST"]),
            *made,
        ]

    async def _list(self, request: Request) -> Response:
        visitor = await self._visitors.of(request)
        done = "done" if "done" in request.query_params else ""
        return self._listed(request, visitor, said=done)

    def _asked(self, path: str) -> _Page:
        async def page(request: Request) -> Response:
            visitor = await self._visitors.fresh(request)
            return self._form(request, visitor, path, self._visitors.ticket(visitor, path))

        return page

    def _sent(self, path: str) -> _Page:
        async def page(request: Request) -> Response:
            visitor = await self._visitors.fresh(request)
            fields = await self._visitors.form(request, visitor, path)
            ticket, notice = fields["ticket"], "passphrase" if path == PASSPHRASE else "added"
            try:
                statements = await self._statements(request, visitor, path, fields)
            except PassphraseError as error:
                return self._form(request, visitor, path, ticket, str(error))
            self._visitors.tickets.spend(ticket, self._parlour.rooms.clock())
            event = f"account.{path.rpartition('/')[2]}"
            told = await self._parlour.told(visitor.mailbox, event, notice, peer_of(request))
            try:
                await self._parlour.commit([*statements, *told])
            except Conflict:
                return self._form(request, visitor, path, ticket, "too-many-factors")
            return elsewhere(f"{FACTORS}?done")

        return page

    async def _statements(
        self, request: Request, visitor: Visitor, path: str, fields: dict[str, str]
    ) -> list[Statement]:
        """Return what the form asks for; or say why it is not taken."""
        if path == PASSPHRASE:
            return await self._passphrase(visitor, fields)
        form = Enrolling(self._parlour, request, visitor.mailbox, fields["ticket"])
        label = " ".join(fields.get("label", "").split())
        if path == APP:
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
        least = rooms.settings.account.passphrase
        text = passphrases.chosen(fields.get("passphrase", ""), least, visitor.person)
        again = passphrases.normal(fields.get("again", ""))
        if not secrets.compare_digest(passphrases.octets(text), passphrases.octets(again)):
            raise PassphraseError("passphrase-differs")
        secret = await asyncio.to_thread(passphrases.hashed, text, rooms.factors.hasher)
        return rooms.factors.adding(visitor.mailbox, Kind.PASSPHRASE, secret)[1]

    async def _removed(self, request: Request) -> Response:
        visitor = await self._visitors.fresh(request, FACTORS)
        fields = await self._visitors.form(request, visitor, REMOVE)
        peer, mailbox = peer_of(request), visitor.mailbox
        told = await self._parlour.told(mailbox, "account.removed", "removed", peer)
        try:
            await self._parlour.rooms.factors.remove(mailbox, fields.get("factor", ""), told)
        except AccountError:
            return self._listed(request, visitor, wrong="last-one", status=409)
        self._parlour.rooms.wake()
        return elsewhere(f"{FACTORS}?done")

    def _listed(
        self,
        request: Request,
        visitor: Visitor,
        *,
        wrong: str = "",
        said: str = "",
        status: int = 200,
    ) -> Response:
        found = self._parlour.rooms.factors.of(visitor.mailbox)
        return self._parlour.page(
            request, visitor, "factors", status, wrong=wrong, said=said, factors=found
        )

    def _form(
        self, request: Request, visitor: Visitor, path: str, ticket: str, wrong: str = ""
    ) -> Response:
        form = Enrolling(self._parlour, request, visitor.mailbox, ticket)
        return self._parlour.page(
            request,
            visitor,
            "factor",
            403 if wrong else 200,
            script=path == PASSKEY,
            kind=path.rpartition("/")[2],
            form_ticket=ticket,
            wrong=wrong,
            least=self._parlour.rooms.settings.account.passphrase,
            **form.shown(),
        )
