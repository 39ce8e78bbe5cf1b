"""Whom a laboratory means by a number: exactly one mailbox, or nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents.errors import DocumentError
from gateway.labs.recipients import NotNowError, resolving
from smtp.address import Address, parse
from tests.trust.simulator import pki
from tests.world.clock import START
from tests.world.lists import Lists
from trust.addresses import Kind
from trust.directory.entry import Entry
from trust.directory.reading import Directory
from trust.sources import TrustList

LABO = parse("resultats@labo.example")


def _entry(address: str, kind: Kind = Kind.PER, **more: object) -> Entry:
    return Entry(parse(address), kind, **more)  # type: ignore[arg-type]


def _listed() -> TrustList:
    lists = Lists.make(pki())
    lists.now = START
    for domain in ("chu.example", "labo.example"):
        lists.add(domain, pki().issuing)
    directory = Directory.of(
        [
            _entry("martin@chu.example", person="rpps:10003456786"),
            _entry("cabinet@chu.example", Kind.CAB, person="rpps:10003456786"),
            _entry("secret@chu.example", person="rpps:10001234565", hidden=True),
            _entry("retraite@ailleurs.example", person="rpps:10000000017"),
            _entry("accueil@chu.example", Kind.ORG, organisation="finess:540002698"),
            _entry("urgences@chu.example", Kind.ORG, organisation="finess:540002698"),
            _entry("labo@chu.example", Kind.ORG, organisation="finess:750000010"),
            _entry("robot@chu.example", Kind.APP, organisation="finess:750000010"),
            _entry("parti@ailleurs.example", Kind.ORG, organisation="finess:750000010"),
        ]
    )
    return TrustList.of(lists.current(START).editions, directories=[directory])


LISTED = _listed()


def _resolved(text: str) -> Address:
    return resolving(LABO, LISTED, START)(text)


def test_an_address_is_itself() -> None:
    """Whether it may be written to the intake decides."""
    assert "X@nowhere.example" == _resolved("X@Nowhere.example")


def test_a_number_stands_for_one_mailbox() -> None:
    """A person's own before the one they share; an establishment's only where it has one."""
    assert "martin@chu.example" == _resolved("rpps:10003456786")
    assert "labo@chu.example" == _resolved("finess:750000010")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("finess:540002698", "several mailboxes.*accueil@chu.example, urgences@chu.example"),
        ("rpps:10001234565", "no mailbox"),  # hidden
        ("rpps:10000000017", "no mailbox"),  # on no list
        ("rpps:10003456787", "check digit"),
        ("martin", "neither an address nor a number"),
        ("a@@b", "no mail address"),
    ],
)
def test_nobody_is_guessed(text: str, words: str) -> None:
    """Ambiguous, hidden, not trusted, wrong: the laboratory learns which, and nothing is sent."""
    with pytest.raises(DocumentError, match=words):
        _resolved(text)


def test_without_a_list_it_waits() -> None:
    """An address can be read; a number cannot be looked up."""
    resolve = resolving(LABO, None, START)
    assert "a@b.example" == resolve("a@b.example")
    with pytest.raises(NotNowError):
        resolve("rpps:10003456786")


@given(st.text())
def test_any_text_is_an_address_or_our_error(text: str) -> None:
    """Whatever a companion says."""
    try:
        found = _resolved(text)
    except DocumentError:
        return
    assert "@" in found
