"""The cure of a refusal: one address, or none; never a guess, never a hidden one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp.address import parse
from tests.trust.test_lookup import LABO, SENDER, entry, trust_list
from tests.world.clock import START
from trust.addresses import Kind, Listed
from trust.cure import cure, edits
from trust.directory.entry import Entry
from trust.directory.reading import Directory

_RPPS = "rpps:10003456786"


def _cured(refused: str, *entries: Entry, listed: tuple[Listed, ...] = ()) -> str | None:
    directories = (Directory.of(entries),) if entries else ()
    return cure(parse(refused), SENDER, trust_list(listed, directories), START)


def _of(address: str, **more: object) -> Entry:
    return entry(parse(address), **more)  # type: ignore[arg-type]


def test_the_same_persons_other_address() -> None:
    """Who has left one hospital is found at the other."""
    old = _of("c.martin@parti.example", person=_RPPS)
    new = _of("c.martin@chu.example", person=_RPPS)
    another = _of("c.martin@cabinet.example", person=_RPPS)

    assert "c.martin@chu.example" == _cured("c.martin@parti.example", old, new)
    assert _cured("c.martin@parti.example", old, new, another) is None
    assert _cured("c.martin@parti.example", old) is None


@pytest.mark.parametrize("holder", ["", "finess:540002698", "rpps:1", "x:10003456786"])
def test_only_a_persons_number_says_who_is_the_same(holder: str) -> None:
    """A hospital has a thousand mailboxes, and none stands for another."""
    old = Listed(parse("accueil@labo.example"), Kind.ORG, holder)
    new = Listed(parse("reception@labo.example"), Kind.ORG, holder)
    assert _cured("accueil@labo.example", listed=(old, new)) is None


@pytest.mark.parametrize("which", ["old", "new"])
def test_a_hidden_address_cures_nothing(which: str) -> None:
    """Neither is it named, nor does it lead anywhere."""
    old = _of("c.martin@parti.example", person=_RPPS, hidden=which == "old")
    new = _of("reception@chu.example", person=_RPPS, hidden=which == "new")
    assert _cured("c.martin@parti.example", old, new) is None


def test_a_domain_one_edit_away() -> None:
    """The same name where the domain was misspelt, if it is known there."""
    there = _of("dr.martin@chu.example")
    for wrong in ("dr.martin@chuu.example", "dr.martin@cuh.example", "dr.martin@chi.example"):
        assert "dr.martin@chu.example" == _cured(wrong, there)
    assert _cured("dr.martin@chix.example", there) is None
    assert _cured("dr.marti@chuu.example", there) is None
    assert _cured("dr.martin@chuu.example") is None


def test_a_name_one_edit_away_at_the_same_closed_domain() -> None:
    """A slip of the finger; between two near ones nobody guesses."""
    twin = Listed(parse("resultat@labo.example"), Kind.APP)
    assert LABO == _cured("resultatss@labo.example")
    assert LABO == _cured("Resutlats@labo.example")
    assert _cured("resultatx@labo.example", listed=(twin,)) is None


def test_what_is_never_near() -> None:
    """Numbers tell mailboxes apart, and short names are near to everything."""
    numbered = Listed(parse("salle12@labo.example"), Kind.ORG)
    short = Listed(parse("bio@labo.example"), Kind.ORG)
    for wrong in ("salle13@labo.example", "salle1@labo.example", "salle21@labo.example"):
        assert _cured(wrong, listed=(numbered,)) is None
    assert _cured("bi@labo.example", listed=(short,)) is None
    assert _cured("résultats@labo.example") is None


def test_a_cure_that_no_reply_could_say_is_none() -> None:
    """A reply is ASCII."""
    old = _of("c.martin@parti.example", person=_RPPS)
    new = _of("hélène@chu.example", person=_RPPS)
    assert _cured("c.martin@parti.example", old, new) is None


def test_whom_the_sender_may_not_write_to_is_no_cure() -> None:
    """It would be refused again."""
    refused = parse("resultatss@labo.example")
    stranger = parse("x@ailleurs.example")
    assert cure(refused, stranger, trust_list(), START) is None


def test_the_refused_address_itself_is_no_cure() -> None:
    """However it is spelt."""
    one = _of("C.Martin@chu.example", person=_RPPS)
    assert _cured("c.martin@chu.example", one) is None


@given(st.text("abcxyz.-_019", max_size=70))
def test_one_edit_leads_back(text: str) -> None:
    """What is near is near both ways, and never the same."""
    near = set(edits(text))
    assert text not in near
    assert all(text in set(edits(each)) for each in list(near)[:20] if 5 <= len(each) <= 40)
