"""How the pages of large documents look, in the frame of all pages for people, and how they refuse."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.web import pages
from gateway.web.document.words import say
from smtp.envelope import Peer

_STATUSES = {"gone": 404, "spent": 410, "not-yours": 403, "not-now": 503, "left": 200}


@dataclass(frozen=True, slots=True)
class Frame:
    """One a house; ``issuer`` is the name of where readers log in."""

    issuer: str

    def said(
        self, request: Request, reason: str, home: str = "", *, again: bool = False
    ) -> Response:
        """Return a page that says one thing; ``home`` is the document's own, ``again``: to try again."""
        status = _STATUSES.get(reason, 403)
        said = {"reason": reason, "again": home if again else "", "wrong": status >= 400}
        return self.page(request, "said", status, home, **said)

    def page(
        self, request: Request, name: str, status: int = 200, home: str = "", **values: Any
    ) -> Response:
        """Return a page, in the reader's language."""
        language = pages.languages(request)
        elsewise = pages.elsewise(request, language)
        if home:  # what brought somebody here is good once: in the other language one begins anew
            elsewise = f"{home}?{elsewise.rpartition('&')[2].rpartition('?')[2]}"
        answer = pages.page(
            f"document/{name}.html",
            language,
            status,
            t=partial(say, language),
            visitor=None,
            path=request.url.path,
            home=home or request.url.path,
            elsewise=elsewise,
            issuer=self.issuer,
            **values,
        )
        # Under "no-referrer" browsers hide the origin of our own form, which we look at.
        answer.headers["Referrer-Policy"] = "same-origin"
        return answer


def origin(request: Request) -> dict[str, str]:
    """Return what the journal has of where a request came from."""
    peer: Peer = request.state.peer
    return {"ip": peer.ip, "listener": peer.listener}
