"""Every page of the console and every verb that it offers, by hand, in a browser.

``WALKS`` is the one table: which page offers which verbs, and who walks through it. A verb that an
operator's role knows, a form that a page has, and is in no walk, fails here.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from starlette.routing import Route

from gateway.console.roles import VERBS
from gateway.operations import perform
from tests.gateway.console import walks_desk, walks_house, walks_mail
from tests.gateway.console.chromium import seen
from tests.gateway.console.desk import Operators, console
from tests.gateway.console.walking import Trail, Walker, walker
from tests.vault.people import Person, ended

Way = Callable[[Walker, Walker, Path], Awaitable[None]]


class Walk(NamedTuple):
    """One page, with those below it."""

    way: Way
    verbs: frozenset[str]


def _verbs(room: str, names: str) -> frozenset[str]:
    return frozenset(f"{room}.{name}" for name in names.split())


WALKS: dict[str, Walk] = {
    "settings": Walk(walks_desk.operators, _verbs("operator", "list invite role suspend resume")),
    "today": Walk(walks_desk.today, frozenset()),
    "trust": Walk(
        walks_house.trust,
        _verbs(
            "trust",
            "show explain diff history denials bridges approve reject deny allow bridge unbridge",
        ),
    ),
    "mailboxes": Walk(
        walks_house.mailboxes,
        _verbs(
            "mailbox",
            "find folders people factors credentials"
            " add describe share unshare invite password revoke suspend resume close",
        ),
    ),
    "citizens": Walk(walks_desk.citizens, _verbs("citizen", "list show oppose allow")),
    "quarantine": Walk(
        walks_mail.quarantine,
        _verbs("quarantine", "list show preview note preserve escrow release refuse choose"),
    ),
    "spool": Walk(
        walks_mail.spool,
        _verbs("spool", "peers waiting retry cancel hold resume") | {"lab.acknowledge"},
    ),
    "large": Walk(walks_mail.large, _verbs("large", "list cancel retry")),
    "trace": Walk(walks_mail.trace, _verbs("trace", "find story reveal")),
    "journal": Walk(walks_desk.journal, _verbs("journal", "search verify export")),
    "indicators": Walk(walks_desk.indicators, frozenset({"indicators"})),
    "door": Walk(walks_desk.door, frozenset()),
}
# Roles know them, and no page asks for them: they are asked for at the command line.
ELSEWHERE = (
    _verbs("directory", "status show refresh")
    | {"address.search", "certificates.list", "journal.events", "keys.list", "mailbox.list"}
    | {"spool.holds", "traffic.hours", "lab.critical"}
)
# Walked through elsewhere, by who has what it takes: a passkey in test_settings, a certificate in test_door.
_BESIDE = {"/console/factors/passkey", "/console/certificate"}
_SOURCES = Path(perform.__file__).parents[1]


def test_every_verb_has_a_walk_or_no_page() -> None:
    """What a role knows is offered by a page and walked, or is asked for nowhere here."""
    walked = frozenset().union(*(walk.verbs for walk in WALKS.values()))
    assert set() == walked & ELSEWHERE
    assert walked | ELSEWHERE == VERBS.keys() | {each for each in walked if each not in VERBS}
    assert set() == walked - perform.VERBS.keys()
    named = set(_named())
    assert set() == named & ELSEWHERE
    assert set() == named - walked


def _named() -> Iterator[str]:
    """Yield the verbs that a page's code or template names."""
    pages = [
        *(path for path in (_SOURCES / "console").glob("*.py") if not _TABLES.search(path.name)),
        *(_SOURCES / "web" / "templates" / "console").glob("*.html"),
    ]
    for path in pages:
        found = re.findall(r'"([a-z]+(?:\.[a-z]+)?)"', path.read_text())
        yield from (each for each in found if each in perform.VERBS and each not in _WORDS)


_TABLES = re.compile(r"^roles|words")  # of verbs, whoever asks for them
_WORDS = {"trace", "recall"}  # a page's and a door's name, too


async def test_every_verb_is_walked(tmp_path: Path) -> None:
    """Filled in, pressed and read; no script of anybody's ran; nothing is left that nobody asked for."""
    with _keys(tmp_path) as settings:
        async with console(tmp_path, settings) as desk:
            browser, _ = await desk.seated()
            trail = Trail()
            async with (
                seen(desk, browser) as look,
                walker(desk, look, trail) as one,
                walker(desk, look, trail, stranger=True) as other,
            ):
                last = 0
                for name, walk in WALKS.items():
                    await walk.way(one, other, tmp_path)
                    last, performed = await _performed(desk, last)
                    assert walk.verbs == performed, name
            routes = list(_routes(desk))
    left = [
        (method, path)
        for method, path in routes
        if not any(method == how and re.fullmatch(path, where) for how, where in trail.asked)
    ]
    assert [] == left
    assert [] == [each for each in look.complaints if not each.startswith(_REFUSED)]
    assert _WRONG == [(status, path.rpartition("/")[2]) for status, path in trail.refused]


_REFUSED = "Failed to load resource: the server responded with a status of 4"
# What was asked wrongly on purpose, in this order.
_WRONG = [
    (404, "nulle-part"),
    (400, "explain"),
    (409, "deny"),
    (409, "add"),
    (409, "share"),
    (400, "close"),
    (409, "citizens"),
    (404, "trace"),
    (403, "login"),
]


@contextmanager
def _keys(folder: Path) -> Iterator[str]:
    """Let cases be taken away for one person; yield the settings of the walks."""
    people = {"dpo": Person.make(folder / "gpg")}
    (folder / "dpo.asc").write_bytes(people["dpo"].public)
    with ended(people):
        yield (
            f'\n[quarantine]\nescrow_keys = ["{folder}/dpo.asc"]\nsecond_operator = ["malware"]\n'
            "\n[certificates]\nbridge = true\n"
        )


async def _performed(desk: Operators, after: int) -> tuple[int, set[str]]:
    """Return what the operators asked of the gateway since then, by the journal."""
    rooms, found = desk.place.chu.rooms, set()
    await rooms.notes.write()
    while entries := await rooms.journal.page(after):
        after = entries[-1].seq
        found |= {
            each.event.removeprefix("operation.")
            for each in entries
            if each.event.startswith("operation.") and each.actor in _OPERATORS
        }
    return after, found


_OPERATORS = {"operator:anne", "operator:lea"}


def _routes(desk: Operators) -> Iterator[tuple[str, str]]:
    """Yield every page and every form of the console, as a pattern."""
    for route in desk.place.chu.gateway._webs.console.routes():
        assert isinstance(route, Route)
        if route.path not in _BESIDE:
            for method in (route.methods or set()) - {"HEAD"}:
                yield method, re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(route.path))
