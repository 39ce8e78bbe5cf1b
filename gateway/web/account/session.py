"""Who is in by a browser: what every page for people asks first.

The session's name is a cookie that no script and no other site gets hold of (``__Host-``, HttpOnly,
SameSite=Strict); its mailbox and its factor are looked up at every request, so that closing the one or
ending the other ends it. A form comes with its ticket, from our own pages. R-B3, R-B5, RFC 6265.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.accounts.admission import shown
from gateway.accounts.mailboxes import Mailbox
from gateway.accounts.operators import Operator
from gateway.accounts.sessions import Session, Sessions
from gateway.operations.rooms import Rooms
from gateway.web import pages
from gateway.web.account.tickets import Tickets
from gateway.web.problem import Problem
from gateway.web.server import POLICY
from smtp.address import Address

Person: TypeAlias = Mailbox | Operator
Say = Callable[..., str]  # language, key, values
Shown = Callable[[Request, "Visitor | None"], Mapping[str, Any]]


def _nothing(_request: Request, _visitor: "Visitor | None") -> Mapping[str, Any]:
    return {}


_FIELDS = 100
_NAME = re.compile(r"[A-Za-z0-9_-]{43}")
_YEAR = 365 * 24 * 3600
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
class House:
    """Pages for one kind of people: those with a mailbox, or the operators.

    Cookies know no ports: two houses of one host have names of their own.
    """

    base: str  # where its pages begin
    within: re.Pattern[str]  # where one may be sent on to
    session: str  # the cookie that opens it
    form: str  # who has no session yet is known by this one, for the ticket of a form
    frame: str  # the template that its pages stand in
    find: Callable[[str], Person | None]  # its people, by their key
    say: Say  # its words
    idle: float  # seconds without a request that end a session
    longest: float
    fresh: float  # seconds for which a second factor counts for what matters
    origin: str = ""  # as browsers see it; else the host, and the port ...
    port: int | None = None  # ... as seen from outside, or else the one that listens
    least: int = 12  # characters of a passphrase
    shown: Shown = _nothing  # what its frame shows beside
    policy: str = ""  # what pages for who is in may run, if more than none

    @property
    def login(self) -> str:
        """Where one comes in."""
        return f"{self.base}/login"

    def onward(self, wanted: Mapping[str, str]) -> str:
        """Return where somebody wanted to go: a page of the house, whatever was asked."""
        path = wanted.get("next", "")
        return path if self.within.fullmatch(path) else self.base

    def asking(self, path: str) -> str:
        """Return the query that remembers where somebody wanted to go."""
        known = self.within.fullmatch(path) and path != self.base
        return f"?next={quote(path)}" if known else ""


def within(*rooms: str) -> re.Pattern[str]:
    """Return the shape of the pages below these."""
    return re.compile(rf"/(?:{'|'.join(rooms)})(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is in."""

    who: Person
    factor: str  # the id of what they came in by
    since: datetime  # the last time they showed a second factor
    session: str  # stands for the session; its name is the browser's alone

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox by which a person is known, where people have one."""
        assert isinstance(self.who, Mailbox)
        return self.who

    @property
    def person(self) -> Address:
        """Its address."""
        return self.mailbox.address

    @property
    def operator(self) -> Operator:
        """The operator, where they come."""
        assert isinstance(self.who, Operator)
        return self.who


class Visitors:
    """Asked by every page for people."""

    def __init__(self, rooms: Rooms, house: House, tickets: Tickets) -> None:
        self._rooms, self.house, self.tickets = rooms, house, tickets
        self.sessions = Sessions(timedelta(seconds=house.idle), timedelta(seconds=house.longest))
        self.idle = house.idle
        self._fresh = timedelta(seconds=house.fresh)

    async def of(self, request: Request, *, idly: bool = False) -> Visitor:
        """Return who it is; who is not in is sent to the log-in (``Problem``).

        ``idly``: the page asks by itself, which keeps no session alive.
        """
        if (found := self.seen(request, idly=idly)) is not None:
            return found
        went = request.method == "GET" and not idly  # to a page that one can go to again
        further = self.house.asking(request.url.path) if went else ""
        raise Turned("log-in-needed", elsewhere(f"{self.house.login}{further}"))

    def seen(self, request: Request, *, idly: bool = True) -> Visitor | None:
        """Return who it is, if somebody is in."""
        session = self._session(request, idly=idly)
        return self._visitor(request, session) if session is not None else None

    async def fresh(self, request: Request, back: str = "") -> Visitor:
        """Return who it is, if they showed a second factor just now; else they are asked for it.

        ``back``: the page to go on with, where the request's own is none.
        """
        visitor = await self.of(request)
        if self._rooms.clock() < visitor.since + self._fresh:
            return visitor
        raise Turned(
            "log-in-needed",
            elsewhere(f"{self.house.base}/confirm{self.house.asking(back or request.url.path)}"),
        )

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
        saying: Say | None = None,
        **values: Any,
    ) -> Response:
        """Return a page, in the reader's language; without ``script`` it can run none."""
        language = self.language(request)
        same = {"elsewise": pages.elsewise(request, language)}
        values = {**same, **self.house.shown(request, visitor), **values}
        answer = pages.page(
            template,
            language,
            status,
            t=partial(saying or self.house.say, language),
            visitor=visitor,
            path=request.url.path,
            frame=self.house.frame,
            base=self.house.base,
            mail=self._rooms.settings.reading.enabled,
            ticket=partial(self.ticket, visitor) if visitor else None,
            **values,
        )
        if policy := (self.house.policy if visitor else "") or (_SCRIPTED if script else ""):
            answer.headers["Content-Security-Policy"] = policy
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

    def enter(self, answer: Response, who: Person, factor: str) -> Response:
        """Begin a session, under a name that nobody knew before (no fixation)."""
        self._cookie(answer, self.sessions.begin(who.key, factor, self._rooms.clock()))
        return answer

    def renew(self, answer: Response, visitor: Visitor, factor: str) -> Response:
        """Note that a second factor was shown again; the session goes on under another name."""
        name = self.sessions.proved(visitor.session, factor, self._rooms.clock())
        if name is not None:
            self._cookie(answer, name)
        return answer

    def leave(self, answer: Response, visitor: Visitor) -> Response:
        """End a session."""
        self.sessions.end(lambda session: session.key == visitor.session)
        answer.delete_cookie(
            self.house.session, path="/", secure=True, httponly=True, samesite="strict"
        )
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        return answer

    def alone(self, visitor: Visitor) -> None:
        """End all other sessions of a person: whoever knew the passphrase before may be in one."""
        owner = visitor.who.key
        self.sessions.end(lambda each: each.owner == owner and each.key != visitor.session)

    def closed(self, who: Address) -> None:
        """End the sessions of a mailbox that may not log in any more."""
        mailbox = self._rooms.accounts.find(who)
        if mailbox is not None and not mailbox.sends:
            self.sessions.end(lambda session: session.owner == mailbox.key)

    def form_of(self, request: Request) -> str:
        """Return by what a browser without a session is known; a new name, if it has none."""
        name = request.cookies.get(self.house.form, "")
        return name if _NAME.fullmatch(name) else secrets.token_urlsafe(32)

    def known_by(self, answer: Response, name: str) -> Response:
        """Let a browser without a session be known by this name."""
        answer.set_cookie(
            self.house.form, name, path="/", secure=True, httponly=True, samesite="strict"
        )
        return answer

    def holds(self, request: Request, ticket: str, purpose: str) -> bool:
        """Whether a browser without a session sends a form that we showed it."""
        now, name = self._rooms.clock(), request.cookies.get(self.house.form, "")
        return ours(request) and self.tickets.holds(ticket, name, purpose, now)

    def _cookie(self, answer: Response, name: str) -> None:
        answer.set_cookie(
            self.house.session, name, path="/", secure=True, httponly=True, samesite="strict"
        )

    def _session(self, request: Request, *, idly: bool) -> Session | None:
        name = request.cookies.get(self.house.session, "")
        return self.sessions.of(name, self._rooms.clock(), idly=idly) if name else None

    def _visitor(self, request: Request, session: Session) -> Visitor | None:
        who = self.house.find(session.owner)
        if who is None or not who.sends:
            self.sessions.end(lambda each: each.owner == session.owner)
            return None
        if isinstance(who, Operator) and session.factor in who.certificates:
            if shown(request.state.peer) != session.factor:
                return None  # it is good on connections that show the certificate, and nowhere else
        elif self._rooms.factors.one(who, session.factor) is None:
            self.sessions.end(lambda each: each.factor == session.factor)
            return None
        return Visitor(who, session.factor, session.since, session.key)


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


def elsewhere(path: str) -> Response:
    """Send a browser to another of our pages."""
    return RedirectResponse(path, 303)


def ours(request: Request) -> bool:
    """Whether the browser, if it says so, says that a page of ours sends this (Fetch metadata)."""
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    site = request.headers.get("sec-fetch-site", "same-origin")
    return site == "same-origin" and origin in {None, f"https://{host}"}
