"""What an entry says, and by which words it is found."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtp.address import parse
from trust.addresses import Kind, Listed
from trust.directory.entry import LONGEST, Entry, clean, fold, words

DR = parse("zoe.barber@chu.example")


def test_the_holder_is_the_person_where_there_is_one() -> None:
    """A practitioner's mailbox in a hospital is the practitioner's."""
    assert "rpps:1" == Entry(DR, Kind.PER, "rpps:1", "finess:2").holder
    assert "finess:2" == Entry(DR, Kind.ORG, "", "finess:2").holder


def test_what_it_says_as_the_list_would() -> None:
    """It grants nothing: no directory names the key an address may come with."""
    entry = Entry(DR, Kind.PER, "rpps:1", hidden=True)

    assert Listed(DR, Kind.PER, "rpps:1", hidden=True) == entry.listed


def test_words() -> None:
    """An address is found by its local part, by name, by structure and by service."""
    entry = Entry(DR, Kind.PER, name="Dr Zoé BARBER", structure="CHU d'Évreux", service="Œil")

    assert {"zoe", "barber", "dr", "chu", "evreux", "œil"} == entry.words


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Évreux", "evreux"), ("FRANÇOIS", "francois"), ("Straße", "strasse"), ("ﬁn", "fin")],
)
def test_fold(text: str, folded: str) -> None:
    """Neither case nor accents keep anybody from being found."""
    assert folded == fold(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  DR  Zoé\tBARBER ", "DR Zoé BARBER"),
        ("a\u202eb\x00c\r\nd", "abc d"),
        ("x" * 500, "x" * LONGEST),
        ("plain", "plain"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    """A text is one line of what can be seen, and not endless."""
    assert shown == clean(text)


@given(st.text())
@example("0 \x08\x850")
@example("e\u200d\u0301")
def test_any_text(text: str) -> None:
    """Whatever a directory writes, what is shown is clean, and stays so."""
    shown = clean(text)

    assert shown == clean(shown)
    assert len(shown) <= LONGEST
    assert not any(unicodedata.category(c).startswith("C") for c in shown)
    assert all(len(word) >= 2 and word == fold(word) for word in words(text))


@given(st.text(max_size=12))
def test_no_character_folds_by_its_neighbours(text: str) -> None:
    """A text folds to what its characters fold to, which is what Unicode says of the whole."""
    bare = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())

    assert "".join(c for c in bare if not unicodedata.combining(c)) == fold(text)
