"""The first visit, or the first after a lost telephone: an invitation becomes a passphrase and a factor.

What was there ends in the transaction that puts the new in its place, and uses the invitation up.
"""

import asyncio
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.accounts import passphrases
from gateway.accounts.factors import Factor, Kind
from gateway.accounts.invitations import Invitation
from gateway.accounts.passphrases import PassphraseError
from gateway.web.account.enrolling import Enrolling
from gateway.web.account.parlour import Parlour, peer_of, why
from gateway.web.account.session import elsewhere, fields_of
from smtp import reply
from vault.database import Statement
from vault.errors import Conflict


class Invited:
    """The pages."""

    def __init__(self, parlour: Parlour) -> None:
        self._parlour, self._visitors = parlour, parlour.visitors
        self._home = parlour.visitors.house.base
        self._invitation = f"{self._home}/invitation"
        self._choose = f"{self._invitation}/choose"

    def routes(self) -> list[Route]:
        """Return where an invitation is used."""
        return [
            Route(self._invitation, self._ask, methods=["GET"]),
            Route(self._invitation, self._shown, methods=["POST"]),
            Route(self._choose, self._chosen, methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        return self._form(request, code=request.query_params.get("code", ""))

    async def _shown(self, request: Request) -> Response:
        fields = await fields_of(request)
        if not self._visitors.holds(request, fields.get("ticket", ""), self._invitation):
            return self._form(request, ("old-form", 403))
        invitation = self._parlour.invitations.of(fields.get("invitation", ""))
        if invitation is None:
            return await self._nobody(request)
        name = self._visitors.form_of(request)
        ticket = self._visitors.tickets.issue(name, self._choose, self._parlour.rooms.clock())
        return self._choices(request, invitation, fields["invitation"], ticket)

    async def _chosen(self, request: Request) -> Response:
        fields = await fields_of(request)
        if not self._visitors.holds(request, fields.get("ticket", ""), self._choose):
            return self._form(request, ("old-form", 403))
        code, ticket = fields.get("invitation", ""), fields["ticket"]
        invitation = self._parlour.invitations.of(code)
        if invitation is None:
            return await self._nobody(request)
        form = Enrolling(self._parlour, request, invitation.owner, ticket)
        try:
            made, statements = await self._made(form, fields)
        except PassphraseError as error:
            return self._choices(request, invitation, code, ticket, str(error))
        self._visitors.tickets.spend(ticket, self._parlour.rooms.clock())
        try:
            await self._use(request, invitation, statements)
        except Conflict:
            return self._form(request, ("invitation-wrong", 403))
        return self._visitors.enter(elsewhere(self._home), invitation.owner, made.id)

    async def _made(
        self, form: Enrolling, fields: dict[str, str]
    ) -> tuple[Factor, list[Statement]]:
        """Return the factor that somebody chose and what adds it; or say why it is not taken."""
        if answer := fields.get("answer"):
            found = form.passkey(answer)
            if found is None:
                raise PassphraseError("passkey-wrong")
            return found
        least = self._visitors.house.least
        text = passphrases.chosen(fields.get("passphrase", ""), least, form.who.login)
        again = passphrases.normal(fields.get("again", ""))
        if not secrets.compare_digest(passphrases.octets(text), passphrases.octets(again)):
            raise PassphraseError("passphrase-differs")
        found = form.app(fields.get("code", ""))
        if found is None:
            raise PassphraseError("code-wrong")
        made, statements = found
        kept = self._parlour.rooms.factors
        secret = await asyncio.to_thread(passphrases.hashed, text, kept.hasher)
        return made, [*kept.adding(form.who, Kind.PASSPHRASE, secret)[1], *statements]

    async def _use(
        self, request: Request, invitation: Invitation[Any], statements: list[Statement]
    ) -> None:
        rooms, who = self._parlour.rooms, invitation.owner
        told = await self._parlour.told(who, "opened", "set-up", peer_of(request))
        await self._parlour.commit(
            [
                self._parlour.invitations.taking(invitation),
                rooms.factors.emptying(who, unless_empty=not invitation.replaces),
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
        name = self._visitors.form_of(request)
        answer = self._parlour.page(
            request,
            None,
            "invitation",
            wrong[1],
            form_ticket=self._visitors.tickets.issue(
                name, self._invitation, self._parlour.rooms.clock()
            ),
            wrong=wrong[0],
            code=code[:100],
        )
        return self._visitors.known_by(answer, name)

    def _choices(
        self, request: Request, invitation: Invitation[Any], code: str, ticket: str, wrong: str = ""
    ) -> Response:
        form = Enrolling(self._parlour, request, invitation.owner, ticket)
        answer = self._parlour.page(
            request,
            None,
            "choose",
            403 if wrong else 200,
            script=True,
            form_ticket=ticket,
            invitation=code,
            person=invitation.owner.login,
            replaces=invitation.replaces,
            least=self._visitors.house.least,
            wrong=wrong,
            **form.shown(),
        )
        return self._visitors.known_by(answer, self._visitors.form_of(request))
