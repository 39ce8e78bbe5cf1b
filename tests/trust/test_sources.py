"""Only verified bytes can be asked; each domain is spoken for by one source, the first that names it."""

import dataclasses
import mmap
from datetime import timedelta

import pytest

from smtp.address import parse
from tests.trust.simulator import (
    LIFE,
    NOW,
    ListAuthority,
    gateway,
    issued,
    listed,
    member,
    trust_list,
)
from trust.addresses import Addresses, Kind, Listed
from trust.calm import let_go
from trust.formats import native
from trust.identity import Certificate, Identity, Way
from trust.members import Host, Member, Status
from trust.overlay import Overlay
from trust.signatures.quorum import verify
from trust.sources import Edition, TrustList

CHU, LABO = member("chu.example"), member("labo.example")
OTHER_NAME = Identity(Way.DN, "CN=gw,O=Labo")
HER = parse("dr.eve@chu.example")


def edition(source: str, *entries: Member | Listed) -> Edition:
    return ListAuthority().add(*entries).edition(source)


def test_an_edition_needs_verified_bytes() -> None:
    """An unverified list is not a type."""
    content, _ = ListAuthority().add(CHU).publish()
    with pytest.raises(TypeError):
        Edition("list", content, native.parse, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("sources", [(), ("one", "one")])
def test_a_list_is_made_of_editions_one_a_source(sources: tuple[str, ...]) -> None:
    """A source cannot speak twice, and nothing is no list."""
    with pytest.raises(ValueError, match="one a source"):
        TrustList.of(edition(source, CHU) for source in sources)


def test_a_trust_list_cannot_be_altered() -> None:
    """Neither in place nor, an edition, as a copy."""
    current = trust_list(CHU)
    with pytest.raises(dataclasses.FrozenInstanceError):
        current.editions = ()  # type: ignore[misc]
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(current.editions[0], digest="0" * 64)  # type: ignore[call-arg]


def test_looking_up() -> None:
    """Domains by name, addresses by what their spellings share, certificates by any identity."""
    other = Member("autre.example", (*CHU.identities, OTHER_NAME))
    current = trust_list(CHU, LABO, other, listed("Dr.Ève@chu.example", kind=Kind.CAB))

    assert current.member("chu.example") == CHU.said_by("list")
    assert current.member("absent.example") is None
    found = current.listed(parse("dr.ÈVE@CHU.example"))
    assert found is not None
    assert Kind.CAB is found.kind
    assert current.listed(parse("autre@chu.example")) is None
    assert current.listed(parse("autre@absent.example")) is None
    names = [each.domain for each in current.represented(_read(gateway("chu.example").der))]
    assert ["autre.example", "chu.example"] == names
    assert current.represented(_read(issued("inconnu").der)) == ()


def _read(der: bytes) -> Certificate:
    return Certificate.parse(der)


def test_what_an_edition_remembers_of_its_origin() -> None:
    """The hash of its bytes, who signed them, when it came, what they claim."""
    authority = ListAuthority().add(CHU)
    current = authority.edition()
    assert native.digest(authority.content) == current.digest
    assert set(list(authority.quorum.keys)[:2]) == current.signers
    assert (NOW, 1, NOW, None) == (
        current.arrived,
        current.claims.version,
        current.claims.issued,
        current.claims.previous,
    )


def test_a_domain_is_spoken_for_by_the_first_source_that_names_it() -> None:
    """Identities, hosts, status and addresses: never a union, or a lesser source could add a key."""
    lesser = Member(
        "chu.example", (OTHER_NAME,), (Host("ailleurs.example"),), status=Status.REVOKED
    )
    first = edition("national", CHU)
    second = edition("local", lesser, LABO, listed(HER))
    current = TrustList.of([first, second])

    assert current.members["chu.example"] == CHU.said_by("national")
    assert current.members["labo.example"] == LABO.said_by("local")
    assert current.listed(HER) is None
    assert current.represented(_read(gateway("chu.example").der)) == (CHU.said_by("national"),)
    assert current.edition("local") is second
    assert current.edition("elsewhere") is None

    turned = TrustList.of([second, first])
    assert (OTHER_NAME,) == turned.members["chu.example"].identities
    assert Status.REVOKED is turned.members["chu.example"].status
    assert turned.listed(HER) is not None


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_stale_from_its_date_on(seconds: int) -> None:
    """At the second itself it no longer vouches for anybody."""
    current, now = trust_list(CHU), NOW + LIFE + timedelta(seconds=seconds)
    asked = current.members["chu.example"]
    assert (seconds >= 0) == current.stale(now) == current.stale_for(asked, now)


def test_each_source_is_as_fresh_as_itself() -> None:
    """One that stopped moving takes nobody else's members with it."""
    old = ListAuthority(life=LIFE / 2).add(LABO).edition("local")
    current, now = TrustList.of([edition("national", CHU), old]), NOW + LIFE / 2
    assert [False, True] == [
        current.stale_for(current.members[name], now) for name in ("chu.example", "labo.example")
    ]
    assert not current.stale(now)
    assert current.stale(NOW + LIFE)


def test_a_revocation_need_not_wait_for_the_rest_of_its_list() -> None:
    """Who is revoked by an edition that waits is revoked now; others stay as they were."""
    current = TrustList.of(
        [edition("national", CHU, LABO)], revoked=frozenset({"chu.example", "x"})
    )
    assert [Status.REVOKED, Status.ACTIVE] == [each.status for each in current.members.values()]
    speakers = current.represented(_read(gateway("chu.example").der))
    assert [Status.REVOKED] == [each.status for each in speakers]


def test_directories_enrich_and_grant_nothing() -> None:
    """A list's word comes first; what only a directory names is on no list."""
    his = parse("dr.adam@chu.example")
    first = Addresses.of([listed(str(HER), kind=Kind.ORG), listed(str(his), kind=Kind.CAB)])
    second = Addresses.of([listed(str(his), kind=Kind.APP)])
    current = TrustList.of(
        [edition("national", CHU, listed(HER))], directories=[Addresses.of([]), first, second]
    )
    found = [current.find(who) for who in (HER, his, parse("nul@chu.example"))]
    assert [Kind.PER, Kind.CAB, None] == [each and each.kind for each in found]
    assert current.listed(his) is None


def test_an_overlay_is_laid_without_a_copy() -> None:
    """A denial must not cost what the list cost."""
    before = trust_list(CHU)
    overlay = Overlay(waiting=frozenset({"chu.example"}))
    after = before.under(overlay)
    assert (overlay, Overlay()) == (after.overlay, before.overlay)
    assert after.members is before.members


def test_below_a_list_that_cannot_be_read_nothing_is_fresh() -> None:
    """What no other names it may have named, and what a lesser one names it may have refused."""
    editions = [edition("national", CHU), edition("local", LABO)]
    whole, holed = TrustList.of(editions), TrustList.of(editions, eclipsed=frozenset({"local"}))
    assert [False, True] == [each.silent(NOW) for each in (whole, holed)]
    assert NOW >= holed.fresh_until
    assert not holed.stale(NOW)
    chu, labo = (holed.members[each] for each in ("chu.example", "labo.example"))
    assert [False, True] == [holed.stale_for(each, NOW) for each in (chu, labo)]


def _mapped(source: str, mapped: mmap.mmap) -> Edition:
    """An edition of CHU whose addresses lie there, as another process hands them over."""
    authority = ListAuthority().add(CHU)
    content, envelopes = authority.publish()
    claims = dataclasses.replace(native.read(content), addresses=Addresses(mapped))
    return Edition(source, verify(content, envelopes, authority.quorum), lambda *_: claims, NOW)


async def test_what_two_lists_share_stays_when_one_of_them_goes() -> None:
    """The outdated list is taken to pieces; whom another list still names is still found."""
    packed = Addresses.of([listed(HER)]).packed
    mapped = mmap.mmap(-1, len(packed))
    mapped[:] = bytes(packed)
    shared = _mapped("second", mapped)
    before = TrustList.of([edition("list", LABO), shared])
    after = TrustList.of([edition("list", LABO), shared])

    held = before.pieces(after)
    assert not any(each is mapped for each in held)
    del before
    await let_go(held)

    assert listed(HER) == after.listed(HER)
    assert CHU.said_by("second") == after.member("chu.example")

    held = after.pieces(TrustList.of([edition("list", LABO)]))
    del after, shared
    await let_go(held)
    assert mapped.closed
