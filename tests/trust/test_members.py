"""What a list may say: its entries, and what a version of it claims."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from smtp.address import Address, parse
from tests.trust import simulator
from tests.trust.simulator import LIFE, NOW, issued, listed, member
from trust.addresses import Addresses, Kind, Listed
from trust.errors import IdentityError, ListError
from trust.identity import Certificate, Identity, Way
from trust.members import Claims, Host, Member, Status

CHU, LABO = member("chu.example"), member("labo.example")
NAME = Identity(Way.DN, "CN=gw,O=Labo")


def some(*texts: str) -> Addresses:
    return Addresses.of(listed(text) for text in texts)


def claims(**changed: object) -> Claims:
    whole = Claims(1, NOW, NOW + LIFE, None, (CHU, LABO), some("dr@chu.example"))
    return dataclasses.replace(whole, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 0},
        {"version": -1},
        {"version": 2**53},
        {"version": 2, "previous": None},
        {"previous": "0" * 64},
        {"issued": NOW.replace(tzinfo=None)},
        {"issued": NOW.astimezone(timezone(timedelta(hours=1)))},
        {"issued": NOW.replace(microsecond=1)},
        {"stale_after": NOW},
        {"stale_after": NOW - timedelta(days=1)},
        {"members": ()},
        {"members": (CHU,), "addresses": some("dr@labo.example")},
        {"members": (CHU, CHU)},
        {"version": None, "previous": "a" * 64},
    ],
)
def test_a_list_that_contradicts_itself(wrong: dict[str, object]) -> None:
    """What nobody could act on is refused when it is read."""
    with pytest.raises(ListError):
        claims(**wrong)


def test_a_previous_version_is_named_by_its_hash() -> None:
    """Anything else than a SHA-256 in lower-case hex is no hash."""
    with pytest.raises(IdentityError):
        claims(version=2, previous="A" * 64)
    assert claims(version=2, previous="a" * 64).previous == "a" * 64


@pytest.mark.parametrize(
    "make",
    [
        lambda: Member("LABO.example", (NAME,)),
        lambda: Member("labo", (NAME,)),
        lambda: Member("*.labo.example", (NAME,)),
        lambda: Member("labo.example", ()),
        lambda: Member("labo.example", (NAME, Identity(Way.DN, "O=labo, CN=GW"))),
        lambda: Member("labo.example", (NAME,), (Host("gw.labo.example"), Host("gw.labo.example"))),
        lambda: Host("GW.labo.example"),
        lambda: Host("127.0.0.1 "),
        lambda: Host("gw.labo.example", 0),
        lambda: Host("gw.labo.example", 65536),
        lambda: Listed(Address("dr@CHU.example"), Kind.PER),
        lambda: Listed(Address("dr"), Kind.PER),
        lambda: Listed(Address("e\u0301@chu.example"), Kind.PER),
        lambda: Listed(parse("dr@chu.example"), Kind.PER, "Dr Ève"),
        lambda: Listed(parse("dr@chu.example"), Kind.PER, "1\n"),
        lambda: Listed(parse("dr@chu.example"), Kind.PER, "1" * 65),
    ],
)
def test_an_entry_that_is_none(make: Callable[[], object]) -> None:
    """A wrong entry cannot be built, by whichever format it comes."""
    with pytest.raises(ListError):
        make()


def test_a_pin_is_a_hash() -> None:
    """A pin that is none would match nothing, for ever."""
    with pytest.raises(IdentityError):
        listed("dr@chu.example", "sha256:00")


def test_many_operators_for_a_domain_and_many_domains_for_an_operator() -> None:
    """The list is many to many: each certificate it names speaks for the domain."""
    shared = simulator.dn(issued("operateur"))
    one = Member("a.example", (shared, simulator.dn(issued("autre operateur"))))
    two = Member("b.example", (shared,))
    certificates = [
        Certificate.parse(issued(name).der) for name in ("operateur", "autre operateur")
    ]
    assert [[True, True], [True, False]] == [
        [each.entitles(certificate) for certificate in certificates] for each in (one, two)
    ]


def test_years_before_our_era_of_computing() -> None:
    """Even an absurd date is a date: the keeper judges it, not the reader."""
    assert claims(issued=datetime(1, 1, 1, tzinfo=UTC)).issued.year == 1


def test_a_version_without_a_number_is_known_by_its_date() -> None:
    """Formats that count nothing follow each other by date."""
    assert ["version 1", "the version of 2026-11-22 12:00:00 UTC"] == [
        claims(version=version).name for version in (1, None)
    ]


def test_a_member_spoken_for_is_the_same_member() -> None:
    """It learns who speaks for it, and perhaps that it is revoked; nothing else changes."""
    said = CHU.said_by("national")
    assert dataclasses.replace(CHU, source="national") == said
    assert dataclasses.replace(said, status=Status.REVOKED) == said.said_by(
        "national", Status.REVOKED
    )
    assert "" == CHU.source
