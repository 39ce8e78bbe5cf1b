"""The words of the account's pages."""

import re
from importlib import resources

from gateway.accounts.factors import Kind
from gateway.web.account.activity import _LOGINS, _LOOKS, _READS
from gateway.web.account.devices import SCOPES
from gateway.web.account.sharing import GIVEN
from gateway.web.account.words import WORDS

_MADE = {
    *(f"factor-{kind}" for kind in Kind),
    *(f"scope-{scope or 'all'}" for scope in SCOPES),
    *(f"right-{each}" for each in GIVEN),
    *(f"kind-{kind}" for kind in ("password", "certificate", "token")),
    *(_LOGINS | _LOOKS | _READS).values(),
}


def test_both_languages_say_as_much() -> None:
    """Neither is empty, and both have the same blanks."""
    for french, english in WORDS.values():
        assert french
        assert english
        assert re.findall(r"\{\w+\}", french) == re.findall(r"\{\w+\}", english)


def test_every_word_of_a_page_is_there() -> None:
    """Whether a template names it, or makes its name."""
    folder = resources.files("gateway.web").joinpath("templates/account")
    pages = "".join(
        page.read_text("utf-8") for page in folder.iterdir() if page.name.endswith(".html")
    )
    named = set(re.findall(r"""\bt\(["']([a-z-]+[a-z])["']""", pages))
    assert named - {"door"} <= WORDS.keys()
    assert WORDS.keys() >= _MADE


def test_no_word_is_left_over() -> None:
    """What no page and no room of ours says, nobody translates."""
    folder = resources.files("gateway.web").joinpath("templates")
    told = "".join(
        page.read_text("utf-8")
        for name in ("account", "reading")
        for page in folder.joinpath(name).iterdir()
        if page.name.endswith(".html")
    )
    rooms = resources.files("gateway.web").joinpath("account")
    told += "".join(
        room.read_text("utf-8")
        for room in rooms.iterdir()
        if room.name.endswith(".py") and room.name != "words.py"
    )
    told += resources.files("gateway.accounts").joinpath("passphrases.py").read_text("utf-8")
    left = {key for key in WORDS if f'"{key}"' not in told and f"'{key}'" not in told}
    assert set() == {
        each for each in left - _MADE if not each.endswith("-why") and not each.startswith("door-")
    }
