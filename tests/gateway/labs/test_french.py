"""Who reads French in the morning reads why in French, whoever found the fault."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from gateway.labs.french import french, meaning
from gateway.labs.offering import OTHER_BYTES
from gateway.relay.once import OTHER_MAIL

_ROOT = Path(__file__).parents[3]
_ROOMS = ("gateway/documents", "gateway/labs", "smtp/message/header.py", "smtp/address.py")
_ARCHIVES = {"xdm.py", "metadata.py", "packing.py"}  # what a door hands on is not unpacked there
_ERRORS = {"DocumentError", "ShelfError", "HeaderError", "HolderError", "AddressError"}
_HOLES = {
    "what": ["the patient's day of birth", "the patient's given name", "is not as it must be"]
}


def _files() -> Iterator[Path]:
    for room in (*_ROOMS, "trust/identifiers.py"):
        place = _ROOT / room
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


def _said() -> Iterator[tuple[str, ...]]:
    """Yield what can be said, and with it how else where a hole may have several values."""
    for file in _files():
        if file.name in _ARCHIVES:
            continue
        name = ".".join(file.relative_to(_ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=error), args=[what]) if error in _ERRORS:
                    yield from _sentences(name, what)


def _sentences(module: str, what: ast.expr) -> Iterator[tuple[str, ...]]:
    match what:
        case ast.Constant(value=str(words)):
            yield (words,)
        case ast.Name(id=constant):
            yield (getattr(import_module(module), constant),)
        case ast.JoinedStr(values=parts):
            names = [_name(part) for part in parts]
            yield tuple(
                "".join(
                    value if name == "what" else _filled(part)
                    for part, name in zip(parts, names, strict=True)
                )
                for value in (_HOLES["what"] if "what" in names else [""])
            )
        case _:  # another error's words
            assert "str(error)" == ast.unparse(what) or "detail" in ast.unparse(what)


def _name(part: ast.expr) -> str:
    return ast.unparse(part.value) if isinstance(part, ast.FormattedValue) else ""


def _filled(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    return {"where": " at $.to", "given_up": "; the INS-C was given up"}.get(_name(part), "7")


ALL = sorted(set(_said()))


@pytest.mark.parametrize("words", ALL, ids=[each[0] for each in ALL])
def test_every_fault_has_its_french(words: tuple[str, ...]) -> None:
    """Whatever can be wrong with a file, a mail or a recipient."""
    assert any(french(each) != each for each in words)


def test_what_is_inside_another_sentence_is_french_too() -> None:
    """And names, numbers and places stay as they are."""
    told = french("the mail cannot be sent: not an address: an address needs an @")
    assert "le message ne peut pas être envoyé : pas une adresse : une adresse demande un @" == told
    several = french("rpps:10001234565 has several mailboxes, name one of them: a@b.fr, c@d.fr")
    assert "rpps:10001234565 a plusieurs boîtes, nommez l'une d'elles : a@b.fr, c@d.fr" == several
    assert "une clé que personne ne connaît, à $.to" in french(
        "the file's companion has a key that nobody knows at $.to"
    )


def test_what_the_intake_says_is_french_too() -> None:
    """In the words that whoever writes by hand reads; a reply has its own meaning."""
    assert "sous la même clé" in french(OTHER_BYTES.text)
    assert "Message-ID" in french(OTHER_MAIL.text)
    assert "Un autre message" in french(OTHER_MAIL.text)
    assert "n'existe pas" in meaning("550 5.1.1 The mailbox does not exist").french
    assert ("something else",) * 2 == meaning("something else")
