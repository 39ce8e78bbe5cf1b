"""Who shares which mailbox: seen by those who have rights on it, changed by those who may say so (``a``).

One's own mailbox is one's own to share; giving a right asks for a second factor first. R-D1, RFC 4314.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.accounts.mailboxes import Mailbox
from gateway.accounts.rights import MEMBER, OWNER, READER, Rights
from gateway.accounts.shares import Share
from gateway.operations.error import OperationError
from gateway.web.account.parlour import Parlour
from gateway.web.account.session import Visitor, elsewhere

SHARING = "/account/sharing"
UNSHARE = "/account/sharing/end"
WORDS = {READER: "right-reader", MEMBER: "right-member", OWNER: "right-owner"}
GIVEN = ("reader", "member", "owner")


@dataclass(frozen=True, slots=True)
class Shared:
    """One mailbox as somebody with rights on it sees it."""

    mailbox: Mailbox
    rights: Rights
    people: list[Share]

    @property
    def administers(self) -> bool:
        """Whether they may say who shares it."""
        return "a" in self.rights


class Sharing:
    """The page."""

    def __init__(self, parlour: Parlour) -> None:
        self._parlour, self._visitors = parlour, parlour.visitors

    def routes(self) -> list[Route]:
        """Return where it is."""
        return [
            Route(SHARING, self._shown, methods=["GET"]),
            Route(SHARING, self._share, methods=["POST"]),
            Route(UNSHARE, self._unshare, methods=["POST"]),
        ]

    async def _shown(self, request: Request) -> Response:
        visitor = await self._visitors.of(request)
        return self._page(request, visitor, said="done" if "done" in request.query_params else "")

    async def _share(self, request: Request) -> Response:
        visitor = await self._visitors.fresh(request)
        fields = await self._visitors.form(request, visitor, SHARING)
        rights = fields.get("rights", "")
        if rights not in GIVEN:
            return self._visitors.refusal(request, "old-form", 400)
        return await self._changed(request, visitor, "mailbox.share", fields, rights=rights)

    async def _unshare(self, request: Request) -> Response:
        visitor = await self._visitors.of(request)
        fields = await self._visitors.form(request, visitor, UNSHARE)
        return await self._changed(request, visitor, "mailbox.unshare", fields)

    async def _changed(
        self, request: Request, visitor: Visitor, verb: str, fields: dict[str, str], **more: str
    ) -> Response:
        """Do it, if the mailbox is one of which this person may say who shares it."""
        administered = {each.mailbox.key: each for each in self._all(visitor) if each.administers}
        found = administered.get(fields.get("mailbox", ""))
        if found is None:
            return self._visitors.refusal(request, "share-wrong", 403)
        person = fields.get("person", "")
        try:
            await self._parlour.perform(
                visitor, verb, address=found.mailbox.address, person=person, **more
            )
        except OperationError:
            return self._page(request, visitor, wrong="share-wrong")
        return elsewhere(f"{SHARING}?done")

    def _all(self, visitor: Visitor) -> list[Shared]:
        shares = self._parlour.rooms.shares
        own = Shared(visitor.mailbox, OWNER, shares.on(visitor.mailbox))
        given = [
            Shared(each.mailbox, each.rights, shares.on(each.mailbox))
            for each in shares.of(visitor.mailbox)
            if each.mailbox.sends
        ]
        return [own, *given]

    def _page(
        self, request: Request, visitor: Visitor, *, wrong: str = "", said: str = ""
    ) -> Response:
        return self._parlour.page(
            request,
            visitor,
            "sharing",
            400 if wrong else 200,
            all=self._all(visitor),
            words=WORDS,
            given=GIVEN,
            wrong=wrong,
            said=said,
        )
