"""Coming in by a client certificate, on the listener that asks for one; and showing it again.

The session is good on connections that show the same certificate, and on no other. A certificate of our
anchors is not enough: an administrator names whose it is.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.accounts.admission import Admission, shown
from gateway.accounts.operators import Operator
from gateway.web.account.parlour import peer_of, why
from gateway.web.account.session import Visitor, Visitors, elsewhere, fields_of
from smtp.reply import Reply


class ByCertificate:
    """The way in."""

    def __init__(self, visitors: Visitors, admission: Admission) -> None:
        self._visitors, self._admission = visitors, admission
        self._house = visitors.house

    def routes(self) -> list[Route]:
        """Return where it is."""
        return [Route(f"{self._house.base}/certificate", self._shown, methods=["POST"])]

    async def _shown(self, request: Request) -> Response:
        fields = await fields_of(request)
        further, ticket = self._house.onward(fields), fields.get("ticket", "")
        visitor = self._visitors.seen(request, idly=False)
        if visitor is not None:
            self._visitors.checked(request, visitor, ticket, f"{self._house.base}/confirm")
        elif not self._visitors.holds(request, ticket, self._house.login):
            return self._visitors.refusal(request, "old-form", 403)
        operator = visitor.operator if visitor else None
        found = await self._admission.certificate(peer_of(request), operator)
        if isinstance(found, Reply):
            return self._visitors.refusal(request, *why(found))
        return self._entered(request, elsewhere(further), visitor, found)

    def _entered(
        self, request: Request, answer: Response, visitor: Visitor | None, operator: Operator
    ) -> Response:
        mark = shown(peer_of(request))
        if visitor is not None:
            return self._visitors.renew(answer, visitor, mark)
        return self._visitors.enter(answer, operator, mark)
