"""Pages for people: Jinja templates in French and English, escaped, without a script.

They work in any browser, on any screen, and with JavaScript off; nothing in them comes from elsewhere.
"""

from functools import cache
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

LANGUAGES = ("fr", "en")
CHOSEN = "__Host-sceau-lang"  # the cookie that remembers a choice


def languages(request: Request) -> str:
    """Return the language to answer in: as chosen, as the browser says, or French."""
    for chosen in (request.query_params.get("lang", ""), request.cookies.get(CHOSEN, "")):
        if chosen in LANGUAGES:
            return chosen
    for wish in request.headers.get("accept-language", "")[:200].split(","):
        language = wish.partition(";")[0].strip()[:2].lower()
        if language in LANGUAGES:
            return language
    return LANGUAGES[0]


def elsewise(request: Request, language: str) -> str:
    """Return where the same page is in the other language, asked the same."""
    other = LANGUAGES[1 - LANGUAGES.index(language)]
    asked = [(name, text) for name, text in request.query_params.multi_items() if name != "lang"]
    return f"{request.url.path}?{urlencode([*asked, ('lang', other)])}"


def page(template: str, language: str, status: int = 200, **values: Any) -> Response:
    """Return a page."""
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    return Response(text(template, language, **values), status, headers, "text/html")


def text(template: str, language: str, **values: Any) -> str:
    """Return a template, filled in."""
    colon = "\u00a0:" if language == "fr" else ":"
    return _environment().get_template(template).render(lang=language, colon=colon, **values)


def routes() -> list[Route]:
    """Return what all pages need: how they look."""
    return [Route("/web.css", _style)]


async def _style(request: Request) -> Response:
    del request
    css = _environment().get_template("web.css").render()
    return Response(css, headers={"Cache-Control": "max-age=3600"}, media_type="text/css")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("gateway.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
