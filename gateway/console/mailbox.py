"""One mailbox: whose it is, who uses it, what opens it; never what lies in it.

It is named by its opaque key, so that no address stands in a page's own. Codes and passwords are in
the answer to the form that asked for them, and nowhere else. R-D1, R-D8, R-B3.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.accounts.mailboxes import Mailbox
from gateway.console.frame import Frame
from gateway.console.mailboxes_words import WORDS
from gateway.operations.error import OperationError
from gateway.operations.mailbox import row
from gateway.operations.veil import veiled
from smtp.address import AddressError, key, parse

MAILBOXES = "/console/mailboxes"
ONE = f"{MAILBOXES}/{{key}}"
RIGHTS = ("reader", "member", "owner")
_LONGEST = 320


class OneMailbox:
    """The page, and its verbs."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        return [
            Route(ONE, self._shown, methods=["GET"]),
            Route(f"{ONE}/describe", self._describe, methods=["POST"]),
            Route(f"{ONE}/suspend", self._suspend, methods=["POST"]),
            Route(f"{ONE}/resume", self._resume, methods=["POST"]),
            Route(f"{ONE}/close", self._close, methods=["POST"]),
            Route(f"{ONE}/share", self._share, methods=["POST"]),
            Route(f"{ONE}/unshare", self._unshare, methods=["POST"]),
            Route(f"{ONE}/invite", self._invite, methods=["POST"]),
            Route(f"{ONE}/password", self._password, methods=["POST"]),
            Route(f"{ONE}/revoke", self._revoke, methods=["POST"]),
        ]

    async def _shown(self, request: Request) -> Response:
        await self._frame.operator(request)
        return await self._page(request)

    async def _describe(self, request: Request) -> Response:
        fields = await self._form(request)
        return await self._done(
            request,
            "mailbox.describe",
            "described",
            name=fields.get("name", "").strip()[:200],
            holder=fields.get("holder", "").strip()[:100],
            hidden="hidden" in fields,
        )

    async def _suspend(self, request: Request) -> Response:
        await self._form(request)
        return await self._done(request, "mailbox.suspend", "suspended")

    async def _resume(self, request: Request) -> Response:
        await self._form(request)
        return await self._done(request, "mailbox.resume", "resumed")

    async def _close(self, request: Request) -> Response:
        """Close it for good: who asks types its address, for nothing brings it back."""
        fields = await self._acted(request)
        found = self._find(request)
        if found is None or not _same(fields.get("address", ""), found):
            return await self._page(request, 400, wrong="close-differs")
        successor = fields.get("successor", "").strip()[:_LONGEST] or None
        return await self._done(request, "mailbox.close", "closed", successor=successor)

    async def _share(self, request: Request) -> Response:
        fields = await self._form(request)
        rights = fields.get("rights", "")
        return await self._done(
            request,
            "mailbox.share",
            "shared",
            person=fields.get("person", "").strip()[:_LONGEST],
            rights=rights if rights in RIGHTS else RIGHTS[0],
        )

    async def _unshare(self, request: Request) -> Response:
        fields = await self._form(request)
        person = fields.get("person", "")[:_LONGEST]
        return await self._done(request, "mailbox.unshare", "unshared", person=person)

    async def _revoke(self, request: Request) -> Response:
        fields = await self._form(request)
        credential = fields.get("credential", "")[:100]
        return await self._done(request, "mailbox.revoke", "revoked", credential=credential)

    async def _invite(self, request: Request) -> Response:
        await self._acted(request)
        return await self._secret(request, "mailbox.invite", "code")

    async def _password(self, request: Request) -> Response:
        fields = await self._acted(request)
        days = fields.get("days", "")
        return await self._secret(
            request,
            "mailbox.password",
            "password",
            label=fields.get("label", "").strip()[:100],
            days=int(days) if days.isascii() and days.isdecimal() and len(days) < 6 else None,
        )

    async def _form(self, request: Request) -> dict[str, str]:
        await self._frame.operator(request)
        return await self._frame.form(request)

    async def _acted(self, request: Request) -> dict[str, str]:
        """Return the fields of a form that opens a mailbox, or closes it for good."""
        back = f"{MAILBOXES}/{found.key}" if (found := self._find(request)) else MAILBOXES
        return await self._frame.acted(request, back=back)

    async def _done(self, request: Request, verb: str, said: str, **arguments: Any) -> Response:
        """Do it, and show the mailbox as it is then."""
        if (found := self._find(request)) is None:
            return self._missing(request)
        try:
            await self._frame.perform(request, verb, address=found.address, **arguments)
        except OperationError as error:
            return await self._page(request, 409, error=error)
        return self._frame.elsewhere(f"{MAILBOXES}/{found.key}", said)

    async def _secret(self, request: Request, verb: str, name: str, **arguments: Any) -> Response:
        """Do it, and show what this answer alone holds; or that a second operator must ask, too."""
        if (found := self._find(request)) is None:
            return self._missing(request)
        try:
            made = await self._frame.perform(request, verb, address=found.address, **arguments)
        except OperationError as error:
            return await self._page(request, 409, error=error)
        if made[name] is None:
            return self._frame.elsewhere(f"{MAILBOXES}/{found.key}", "waiting")
        return await self._page(request, made=made)

    def _find(self, request: Request) -> Mailbox | None:
        return self._frame.rooms.accounts.by_key(str(request.path_params["key"])[:40])

    def _missing(self, request: Request) -> Response:
        error = OperationError("there is no such mailbox", "")
        return self._frame.refused(request, error, WORDS, 404)

    async def _page(
        self,
        request: Request,
        status: int = 200,
        *,
        error: OperationError | None = None,
        wrong: str = "",
        made: dict[str, Any] | None = None,
    ) -> Response:
        if (found := self._find(request)) is None:
            return self._missing(request)
        asked = {"address": found.address}
        return self._frame.page(
            request,
            "mailbox.html",
            WORDS,
            status,
            mailbox=veiled(row(found), self._frame.rooms.settings.journal.citizens),
            at=f"{MAILBOXES}/{found.key}",
            folders=await self._frame.perform(request, "mailbox.folders", **asked),
            people=await self._frame.perform(request, "mailbox.people", **asked),
            factors=await self._frame.perform(request, "mailbox.factors", **asked),
            credentials=await self._frame.perform(request, "mailbox.credentials", **asked),
            rights=RIGHTS,
            error=self._frame.told(request, error) if error else None,
            wrong=wrong,
            made=made,
        )


def _same(typed: str, mailbox: Mailbox) -> bool:
    try:
        return key(parse(typed.strip())) == key(mailbox.address)
    except AddressError:
        return False
