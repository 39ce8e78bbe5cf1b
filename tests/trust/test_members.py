"""What a list may say, and that only a verified one can be asked."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from smtp.address import Address, parse
from tests.trust import simulator
from tests.trust.simulator import LIFE, NOW, gateway, issued, listed, member, trust_list
from trust.errors import IdentityError, ListError
from trust.formats import native
from trust.identity import Certificate, Identity, Way
from trust.members import Claims, Host, Kind, Listed, Member, TrustList

CHU, LABO = member("chu.example"), member("labo.example")
NAME = Identity(Way.DN, "CN=gw,O=Labo")


def claims(**changed: object) -> Claims:
    whole = Claims(1, NOW, NOW + LIFE, None, (CHU, LABO), (listed("dr@chu.example"),))
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
        {"members": (CHU,), "addresses": (listed("dr@labo.example"),)},
        {"members": (CHU, CHU)},
        {"addresses": (listed("dr@chu.example"), listed("DR@chu.example"))},
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


def test_a_trust_list_needs_verified_bytes() -> None:
    """An unverified list is not a type."""
    content, _ = simulator.ListAuthority().add(CHU).publish()
    with pytest.raises(TypeError):
        TrustList(content, native.read)  # type: ignore[arg-type]


def test_a_trust_list_cannot_be_altered() -> None:
    """Neither in place nor as a copy."""
    current = trust_list(CHU)
    with pytest.raises(dataclasses.FrozenInstanceError):
        current.stale_after = NOW + 2 * LIFE  # type: ignore[misc]
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(current, version=2)  # type: ignore[call-arg]


def test_looking_up() -> None:
    """Domains by name, addresses by what their spellings share, certificates by any identity."""
    other = Member("autre.example", (*CHU.identities, NAME))
    current = trust_list(CHU, LABO, other, listed("Dr.Ève@chu.example", kind=Kind.CAB))

    assert current.member("chu.example") == CHU
    assert current.member("absent.example") is None
    found = current.find(parse("dr.ÈVE@CHU.example"))
    assert found is not None
    assert Kind.CAB is found.kind
    assert current.find(parse("autre@chu.example")) is None
    assert (other, CHU) == current.represented(Certificate.parse(gateway("chu.example").der))
    assert current.represented(Certificate.parse(issued("inconnu").der)) == ()


def test_what_a_trust_list_remembers_of_its_origin() -> None:
    """The hash of its bytes and who signed them."""
    authority = simulator.ListAuthority().add(CHU)
    current = authority.current()
    assert native.digest(authority.content) == current.digest
    assert set(list(authority.quorum.keys)[:2]) == current.signers
    assert (1, NOW, None) == (current.version, current.issued, current.previous)


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_stale_from_its_date_on(seconds: int) -> None:
    """At the second itself it no longer vouches for anybody."""
    assert (seconds >= 0) == trust_list(CHU).stale(NOW + LIFE + timedelta(seconds=seconds))


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
