"""The first visit, or the first after a lost telephone: an invitation becomes a passphrase and a factor.

What was there ends in the transaction that puts the new in its place, and uses the invitation up.
"""

import asyncio
import secrets

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.accounts import passphrases
from gateway.accounts.factors import Factor, Kind
from gateway.accounts.invitations import Invitation
from gateway.accounts.passphrases import PassphraseError
from gateway.web.account.enrolling import Enrolling
from gateway.web.account.parlour import Parlour, peer_of, why
from gateway.web.account.session import FORM, elsewhere, fields_of, form_of, ours
from smtp import reply
from vault.database import Statement
from vault.errors import Conflict

INVITATION = "/account/invitation"
CHOOSE = "/account/invitation/choose"


class Invited:
    """The pages."""

    def __init__(self, parlour: Parlour) -> None:
        self._parlour, self._visitors = parlour, parlour.visitors

    def routes(self) -> list[Route]:
        """Return where an invitation is used."""
        return [
            Route(INVITATION, self._ask, methods=["GET"]),
            Route(INVITATION, self._shown, methods=["POST"]),
            Route(CHOOSE, self._chosen, methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        return self._form(request, code=request.query_params.get("code", ""))

    async def _shown(self, request: Request) -> Response:
        fields = await fields_of(request)
        if not self._holds(request, fields, INVITATION):
            return self._form(request, ("old-form", 403))
        invitation = self._parlour.rooms.invitations.of(fields.get("invitation", ""))
        if invitation is None:
            return await self._nobody(request)
        name = form_of(request)
        ticket = self._visitors.tickets.issue(name, CHOOSE, self._parlour.rooms.clock())
        return self._choices(request, invitation, fields["invitation"], ticket)

    async def _chosen(self, request: Request) -> Response:
        fields = await fields_of(request)
        if not self._holds(request, fields, CHOOSE):
            return self._form(request, ("old-form", 403))
        code, ticket = fields.get("invitation", ""), fields["ticket"]
        invitation = self._parlour.rooms.invitations.of(code)
        if invitation is None:
            return await self._nobody(request)
        form = Enrolling(self._parlour, request, invitation.mailbox, ticket)
        try:
            made, statements = await self._made(form, fields)
        except PassphraseError as error:
            return self._choices(request, invitation, code, ticket, str(error))
        self._visitors.tickets.spend(ticket, self._parlour.rooms.clock())
        try:
            await self._use(request, invitation, statements)
        except Conflict:
            return self._form(request, ("invitation-wrong", 403))
        return self._visitors.enter(elsewhere("/account"), invitation.mailbox, made.id)

    async def _made(
        self, form: Enrolling, fields: dict[str, str]
    ) -> tuple[Factor, list[Statement]]:
        """Return the factor that somebody chose and what adds it; or say why it is not taken."""
        if answer := fields.get("answer"):
            found = form.passkey(answer)
            if found is None:
                raise PassphraseError("passkey-wrong")
            return found
        least = self._parlour.rooms.settings.account.passphrase
        text = passphrases.chosen(fields.get("passphrase", ""), least, form.mailbox.address)
        again = passphrases.normal(fields.get("again", ""))
        if not secrets.compare_digest(passphrases.octets(text), passphrases.octets(again)):
            raise PassphraseError("passphrase-differs")
        found = form.app(fields.get("code", ""))
        if found is None:
            raise PassphraseError("code-wrong")
        made, statements = found
        kept = self._parlour.rooms.factors
        secret = await asyncio.to_thread(passphrases.hashed, text, kept.hasher)
        return made, [*kept.adding(form.mailbox, Kind.PASSPHRASE, secret)[1], *statements]

    async def _use(
        self, request: Request, invitation: Invitation, statements: list[Statement]
    ) -> None:
        rooms, mailbox = self._parlour.rooms, invitation.mailbox
        told = await self._parlour.told(mailbox, "account.opened", "set-up", peer_of(request))
        await self._parlour.commit(
            [
                rooms.invitations.taking(invitation),
                rooms.factors.emptying(mailbox, unless_empty=not invitation.replaces),
                *statements,
                *told,
            ]
        )

    async def _nobody(self, request: Request) -> Response:
        refused = await self._parlour.persons.uninvited(peer_of(request))
        locked = refused is reply.LOGIN_THROTTLED
        return self._form(request, why(refused) if locked else ("invitation-wrong", 403))

    def _form(
        self, request: Request, wrong: tuple[str, int] = ("", 200), code: str = ""
    ) -> Response:
        name = form_of(request)
        answer = self._parlour.page(
            request,
            None,
            "invitation",
            wrong[1],
            form_ticket=self._visitors.tickets.issue(name, INVITATION, self._parlour.rooms.clock()),
            wrong=wrong[0],
            code=code[:100],
        )
        answer.set_cookie(FORM, name, path="/", secure=True, httponly=True, samesite="strict")
        return answer

    def _choices(
        self, request: Request, invitation: Invitation, code: str, ticket: str, wrong: str = ""
    ) -> Response:
        form = Enrolling(self._parlour, request, invitation.mailbox, ticket)
        answer = self._parlour.page(
            request,
            None,
            "choose",
            403 if wrong else 200,
            script=True,
            form_ticket=ticket,
            invitation=code,
            mailbox=invitation.mailbox,
            replaces=invitation.replaces,
            least=self._parlour.rooms.settings.account.passphrase,
            wrong=wrong,
            **form.shown(),
        )
        answer.set_cookie(
            FORM, form_of(request), path="/", secure=True, httponly=True, samesite="strict"
        )
        return answer

    def _holds(self, request: Request, fields: dict[str, str], purpose: str) -> bool:
        now, ticket = self._parlour.rooms.clock(), fields.get("ticket", "")
        name = request.cookies.get(FORM, "")
        return ours(request) and self._visitors.tickets.holds(ticket, name, purpose, now)
