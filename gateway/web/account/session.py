"""Who is in by a browser: what every page for people asks first.

The session's name is a cookie that no script and no other site gets hold of (``__Host-``, HttpOnly,
SameSite=Strict); its mailbox and its factor are looked up at every request, so that closing the one or
ending the other ends it. A form comes with its ticket, from our own pages. R-B3, R-B5, RFC 6265.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.accounts.mailboxes import Mailbox
from gateway.accounts.sessions import Session, Sessions
from gateway.operations.rooms import Rooms
from gateway.web import pages
from gateway.web.account.tickets import Tickets
from gateway.web.account.words import say
from gateway.web.problem import Problem
from gateway.web.server import POLICY
from smtp.address import Address

SESSION = "__Host-sceau"
FORM = "__Host-sceau-form"  # who has no session yet is known by this, for the ticket of a form
LOGIN = "/account/login"

_FIELDS = 100
_NAME = re.compile(r"[A-Za-z0-9_-]{43}")
_YEAR = 365 * 24 * 3600
_WITHIN = re.compile(
    r"/(?:account|read)(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*"
)  # where one may be sent on to
_SCRIPTED = f"{POLICY}; script-src 'self'"


class Turned(Problem):
    """A refusal with an answer of its own: somebody is shown, or sent to, another page."""

    def __init__(self, reason: str, answer: Response) -> None:
        super().__init__(reason)
        self.answer = answer

    def response(self, request_id: str) -> Response:
        """Return that answer."""
        del request_id
        return self.answer


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is in: a person, known by their own mailbox."""

    mailbox: Mailbox
    person: Address
    factor: str  # the id of what they came in by
    since: datetime  # the last time they showed a second factor
    session: str  # stands for the session; its name is the browser's alone


class Visitors:
    """Asked by every page for people."""

    def __init__(self, rooms: Rooms, sessions: Sessions, tickets: Tickets) -> None:
        self._rooms, self.sessions, self.tickets = rooms, sessions, tickets
        self.idle = rooms.settings.account.idle  # seconds without a request that end a session
        self._fresh = timedelta(seconds=rooms.settings.account.fresh)

    async def of(self, request: Request) -> Visitor:
        """Return who it is; who is not in is sent to the log-in (``Problem``)."""
        session = self._session(request)
        if session is not None and (found := self._visitor(session)) is not None:
            return found
        raise Turned("log-in-needed", elsewhere(f"{LOGIN}{_onward(request)}"))

    async def fresh(self, request: Request, back: str = "") -> Visitor:
        """Return who it is, if they showed a second factor just now; else they are asked for it.

        ``back``: the page to go on with, where the request's own is none.
        """
        visitor = await self.of(request)
        if self._rooms.clock() < visitor.since + self._fresh:
            return visitor
        raise Turned("log-in-needed", elsewhere(f"/account/confirm{_onward(request, back)}"))

    def ticket(self, visitor: Visitor, purpose: str) -> str:
        """Return the hidden field ``ticket`` of a form; its purpose is where it is sent."""
        return self.tickets.issue(visitor.session, purpose, self._rooms.clock())

    async def form(self, request: Request, visitor: Visitor, purpose: str) -> dict[str, str]:
        """Return the fields of a form that came from a page of ours (``Problem`` otherwise)."""
        fields = await fields_of(request)
        self.checked(request, visitor, fields.get("ticket", ""), purpose)
        return fields

    def checked(self, request: Request, visitor: Visitor, ticket: str, purpose: str) -> None:
        """Raise ``Problem`` if a form did not come from a page that this visitor was shown."""
        now = self._rooms.clock()
        held = self.tickets.holds(ticket, visitor.session, purpose, now)
        if not (held and ours(request)):
            raise Turned("old-form", self.refusal(request, "old-form", 403))

    def page(
        self,
        request: Request,
        visitor: Visitor | None,
        template: str,
        status: int = 200,
        *,
        script: bool = False,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """Return a page, in the reader's language; without ``script`` it can run none."""
        language = self.language(request)
        answer = pages.page(
            template,
            language,
            status,
            t=partial(say, language),
            visitor=visitor,
            path=request.url.path,
            mail=self._rooms.settings.reading.enabled,
            ticket=partial(self.ticket, visitor) if visitor else None,
            **values,
        )
        if script:
            answer.headers["Content-Security-Policy"] = _SCRIPTED
        # Under "no-referrer" browsers hide the origin of our own forms, which we look at.
        answer.headers["Referrer-Policy"] = "same-origin"
        answer.headers.update(headers or {})
        if request.query_params.get("lang") == language:  # chosen, not guessed: remembered
            answer.set_cookie(
                pages.CHOSEN, language, _YEAR, secure=True, httponly=True, samesite="strict"
            )
        return answer

    def language(self, request: Request) -> str:
        """Return the language that somebody reads."""
        return pages.languages(request)

    def refusal(self, request: Request, words: str, status: int) -> Response:
        """Return a page that says why not."""
        return self.page(request, None, "account/refused.html", status, words=words)

    def enter(self, answer: Response, mailbox: Mailbox, factor: str) -> Response:
        """Begin a session, under a name that nobody knew before (no fixation)."""
        _cookie(answer, self.sessions.begin(mailbox.id, factor, self._rooms.clock()))
        return answer

    def renew(self, answer: Response, visitor: Visitor, factor: str) -> Response:
        """Note that a second factor was shown again; the session goes on under another name."""
        name = self.sessions.proved(visitor.session, factor, self._rooms.clock())
        if name is not None:
            _cookie(answer, name)
        return answer

    def leave(self, answer: Response, visitor: Visitor) -> Response:
        """End a session."""
        self.sessions.end(lambda session: session.key == visitor.session)
        answer.delete_cookie(SESSION, path="/", secure=True, httponly=True, samesite="strict")
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        return answer

    def closed(self, who: Address) -> None:
        """End the sessions of a mailbox that may not log in any more."""
        mailbox = self._rooms.accounts.find(who)
        if mailbox is not None and not mailbox.sends:
            self.sessions.end(lambda session: session.mailbox == mailbox.id)

    def _session(self, request: Request) -> Session | None:
        name = request.cookies.get(SESSION, "")
        return self.sessions.of(name, self._rooms.clock()) if name else None

    def _visitor(self, session: Session) -> Visitor | None:
        mailbox = self._rooms.accounts.by_id(session.mailbox)
        if mailbox is None or not mailbox.sends:
            self.sessions.end(lambda each: each.mailbox == session.mailbox)
            return None
        if self._rooms.factors.one(mailbox, session.factor) is None:
            self.sessions.end(lambda each: each.factor == session.factor)
            return None
        return Visitor(mailbox, mailbox.address, session.factor, session.since, session.key)


async def fields_of(request: Request) -> dict[str, str]:
    """Return the fields of a form; of one that is none, none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return {}
    try:
        text = (await request.body()).decode("utf-8")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError:
        raise Problem("bad-request") from None


def form_of(request: Request) -> str:
    """Return by what a browser without a session is known; a new name, if it has none."""
    name = request.cookies.get(FORM, "")
    return name if _NAME.fullmatch(name) else secrets.token_urlsafe(32)


def elsewhere(path: str) -> Response:
    """Send a browser to another of our pages."""
    return RedirectResponse(path, 303)


def onward(request: Request | Mapping[str, str], otherwise: str = "/account") -> str:
    """Return where somebody wanted to go: a page of ours, whatever was asked."""
    wanted = request.query_params if isinstance(request, Request) else request
    path = wanted.get("next", "")
    return path if _WITHIN.fullmatch(path) else otherwise


def _onward(request: Request, back: str = "") -> str:
    path = back or request.url.path
    return f"?next={quote(path)}" if _WITHIN.fullmatch(path) and path != "/account" else ""


def ours(request: Request) -> bool:
    """Whether the browser, if it says so, says that a page of ours sends this (Fetch metadata)."""
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    site = request.headers.get("sec-fetch-site", "same-origin")
    return site == "same-origin" and origin in {None, f"https://{host}"}


def _cookie(answer: Response, name: str) -> None:
    answer.set_cookie(SESSION, name, path="/", secure=True, httponly=True, samesite="strict")
