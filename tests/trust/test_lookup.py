"""Who may be written to, and who has an address: the hidden are never shown."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp.address import Address, parse
from tests.trust.simulator import pki
from tests.world.clock import START
from tests.world.lists import Lists
from trust import lookup
from trust.addresses import Kind, Listed
from trust.directory.entry import Entry
from trust.directory.reading import Directory
from trust.lookup import Answer, State
from trust.members import Status
from trust.sources import TrustList

MARTIN = parse("claire.martin@chu.example")
DURAND = parse("paul.durand@chu.example")
SECRET = parse("cache.martin@chu.example")
LABO = parse("resultats@labo.example")
SENDER = parse("dr@cabinet.example")


def entry(address: Address, name: str = "", **more: object) -> Entry:
    return Entry(address, Kind.PER, name=name, **more)  # type: ignore[arg-type]


DIRECTORY = Directory.of(
    [
        entry(MARTIN, "Claire Martin", person="rpps:10003456786", structure="CHU Nord"),
        entry(DURAND, "Paul Durand", structure="CHU Nord"),
        entry(SECRET, "Cache Martin", hidden=True),
        entry(parse("claire.martin@ailleurs.example"), "Claire Martin"),
        entry(parse("claire.martin@parti.example"), "Claire Martin"),
    ]
)


def trust_list(
    addresses: Sequence[Listed] = (), directories: Sequence[Directory] = (DIRECTORY,)
) -> TrustList:
    lists = Lists.make(pki())
    lists.now = START
    for domain, is_open in (
        ("chu.example", True),
        ("labo.example", False),
        ("cabinet.example", True),
        ("parti.example", True),
    ):
        lists.add(domain, pki().issuing, open=is_open)
    lists.change("parti.example", status=Status.REVOKED)
    lists.addresses = [Listed(LABO, Kind.APP, "finess:540002698"), *addresses]
    made = lists.current(START)
    return TrustList.of(made.editions, directories=directories)


def found(question: str, listed: TrustList, limit: int = 20) -> list[Address]:
    wanted = lookup.read(question)
    assert isinstance(wanted, tuple)
    return [each.address for each in lookup.search(wanted, SENDER, listed, START, limit)]


def test_words_find_whom_one_may_write_to() -> None:
    """Not the hidden, not whose domain is on no list, not whose domain was removed."""
    listed = trust_list()

    assert [MARTIN] == found("MARTIN Claire", listed)
    assert [MARTIN, DURAND] == found("chu nord", listed)
    assert [MARTIN] == found("chu nord", listed, limit=1)
    assert [] == found("cache", listed)
    assert [] == found("", listed)


def test_a_lists_own_addresses_are_found() -> None:
    """Where no directory is there, by what stands in the address."""
    hidden = Listed(parse("resultats.caches@labo.example"), Kind.APP, hidden=False)
    listed = trust_list([hidden], directories=())
    assert {LABO, hidden.address} == set(found("resul labo", listed))
    assert [hidden.address] == found("resultats caches", listed)


def test_a_list_too_long_to_scan_is_left_to_directories(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million addresses are not read for each question."""
    monkeypatch.setattr(lookup, "_SCANNED", 0)
    assert [] == found("resultats", trust_list(directories=()))


@pytest.mark.parametrize(
    ("address", "state", "reason"),
    [
        (MARTIN, State.TRUSTED, "listed"),
        (LABO, State.TRUSTED, "listed"),
        ("inconnu@chu.example", State.TRUSTED, "domain-trusted"),
        (SECRET, State.TRUSTED, "domain-trusted"),
        ("autre@labo.example", State.NOT_TRUSTED, "recipient-address-not-listed"),
        ("claire.martin@ailleurs.example", State.NOT_TRUSTED, "recipient-not-listed"),
        ("claire.martin@parti.example", State.NOT_TRUSTED, "recipient-revoked"),
    ],
)
def test_an_address_is_answered_as_a_message_would_be(
    address: str, state: State, reason: str
) -> None:
    """Trusted or not, and why; a hidden one as any other that nobody knows."""
    wanted = lookup.read(address)
    assert isinstance(wanted, str)
    answer = lookup.about(wanted, SENDER, trust_list(), START)
    assert (state, reason) == (answer.state, answer.reason)


def test_what_is_hidden_anywhere_is_shown_nowhere() -> None:
    """One source that hides is enough."""
    open_hearted = Directory.of([entry(SECRET, "Cache Martin"), entry(LABO, "Laboratoire")])
    listed = trust_list(directories=(open_hearted, DIRECTORY))
    assert lookup.shown(SECRET, listed) is None
    assert [] == found("cache martin", listed)
    named = lookup.shown(LABO, listed)
    assert named is not None
    assert "Laboratoire" == named.name
    again = Directory.of([entry(LABO, "Un autre nom")])
    assert named == lookup.shown(LABO, trust_list(directories=(open_hearted, again)))

    veiled = Directory.of([entry(LABO, hidden=True)])
    assert lookup.shown(LABO, trust_list(directories=(veiled,))) is None


def test_without_a_list_nothing_is_known() -> None:
    """Not now: an operator can repair that."""
    expected = Answer(MARTIN, State.UNKNOWN, "list-missing")
    assert expected == lookup.about(MARTIN, SENDER, None, START)


def test_the_lists_own_word_hides_too() -> None:
    """*Liste rouge* in the list itself."""
    listed = trust_list()
    edition = listed.editions[0]
    veil = edition.claims.addresses.of([Listed(LABO, Kind.APP, hidden=True)])
    object.__setattr__(edition.claims, "addresses", veil)
    assert lookup.shown(LABO, listed) is None
    assert [] == found("resultats", listed)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("  Dr.X@CHU.example ", parse("Dr.X@chu.example")),
        ("Hélène  MARTIN helene", ("helene", "martin")),
        ("@", ()),
        ("pas une@adresse valable@", ("pas", "une", "adresse", "valable")),
        ("a b", ()),
    ],
)
def test_what_somebody_typed(typed: str, expected: object) -> None:
    """An address, or words without accents and case; one letter looks for nothing."""
    assert expected == lookup.read(typed)


@given(st.text(max_size=300))
def test_anything_can_be_typed(typed: str) -> None:
    """No question is an error."""
    assert isinstance(lookup.read(typed), str | tuple)
