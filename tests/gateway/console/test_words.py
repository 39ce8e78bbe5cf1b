"""The words of the console: both languages say as much, and every page finds its own."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from importlib import resources

import pytest

import gateway.console
from gateway.accounts.operators import Role
from gateway.console.desk import ROOMS
from gateway.console.words import WORDS, Words, speaking
from gateway.web.account.words import WORDS as ACCOUNT

_SHOWN = re.compile(r"\{(\w+)(?::[^{}]*#[^{}]*)?\}")  # not what only picks a form


def _tables() -> Iterator[tuple[str, Words]]:
    for module in pkgutil.iter_modules(gateway.console.__path__):
        found = importlib.import_module(f"gateway.console.{module.name}")
        if hasattr(found, "WORDS"):
            yield module.name, found.WORDS


@pytest.mark.parametrize(("name", "words"), list(_tables()))
def test_both_languages_say_as_much(name: str, words: Words) -> None:
    """Neither is empty, and both have the same blanks."""
    for key, (french, english) in words.items():
        assert french, key
        assert english, key
        assert sorted(_SHOWN.findall(french)) == sorted(_SHOWN.findall(english)), key


def test_every_word_of_a_template_is_in_a_table() -> None:
    """Whichever page it is of."""
    known = {key for _, words in _tables() for key in words} | ACCOUNT.keys()
    folder = resources.files("gateway.web").joinpath("templates/console")
    for page in folder.iterdir():
        if page.name.endswith(".html"):
            named = re.findall(
                r"""\bt\(["']([a-z-]+[a-z0-9])["']\s*[,)]""", page.read_text("utf-8")
            )
            assert set() == set(named) - known, page.name


def test_navigation_and_roles_have_their_words() -> None:
    """A page that is listed can be named."""
    made = {f"nav-{entry.key}" for entry, _ in ROOMS} | {f"role-{role}" for role in Role}
    assert set() == made - WORDS.keys()


def test_a_pages_own_words_come_first() -> None:
    """Then the console's, then those of log-ins; what an address says is only said if it is ours."""
    say = speaking({"home": ("Chez nous", "At home"), "said-gone": ("Parti : {n}", "Gone: {n}")})
    assert "Chez nous" == say("fr", "home")
    assert "Settings" == say("en", "nav-settings")
    assert ACCOUNT["passphrase"][0] == say("fr", "passphrase")
    assert "Gone: 3" == say("en", "said-gone", n=3)
    assert "" == say("en", "said-<script>")
    with pytest.raises(KeyError):
        say("en", "nothing-of-ours")


@pytest.mark.parametrize(
    ("number", "french", "english"),
    [
        (0, "0 remise attend", "0 deliveries wait"),
        (1, "1 remise attend", "1 delivery waits"),
        (2, "2 remises attendent", "2 deliveries wait"),
        (
            1234,
            "1\N{NARROW NO-BREAK SPACE}234 remises attendent",
            "1\N{NARROW NO-BREAK SPACE}234 deliveries wait",
        ),
    ],
)
def test_one_is_not_many(number: int, french: str, english: str) -> None:
    """And what is one, each language says in its own way: of nothing, French has one."""
    say = speaking(
        {
            "wait": (
                "{n:# remise attend|# remises attendent}",
                "{n:# delivery waits|# deliveries wait}",
            )
        }
    )
    assert (french, english) == (say("fr", "wait", n=number), say("en", "wait", n=number))
