"""Whether an offered list may come into force: each numbered step, and their order."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.trust.simulator import LIFE, NOW, ListAuthority, member
from trust.errors import (
    ChainError,
    IdentityError,
    ListError,
    RevokedError,
    SignatureError,
    SignerError,
    TrustError,
    UnsettledError,
)
from trust.fetching import FetchState
from trust.formats import native
from trust.members import Claims
from trust.signatures.verified import Verified
from trust.sources import Edition
from trust.verification import FEW, SKEW, Demands, Known, Offer, OfferError, Outcome, examine

CHU, LABO = member("chu.example"), member("labo.example")
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def authority() -> ListAuthority:
    return ListAuthority().add(CHU)


def known(authority: ListAuthority) -> Known:
    return Known(authority.version, native.digest(authority.content), authority.now)


def passes(authority: ListAuthority, offer: Offer, before: Known | None = None) -> Edition:
    return examine(offer, authority.demands, NOW, known=before)


def refusal(
    authority: ListAuthority, offer: Offer, before: Known | None = None
) -> tuple[Outcome, int | None]:
    with pytest.raises(OfferError) as refused:
        passes(authority, offer, before)
    return refused.value.outcome, refused.value.version


def test_a_good_list(authority: ListAuthority) -> None:
    """The first, the next, and one after a gap."""
    assert passes(authority, authority.offer()).claims.version == 1
    first = known(authority)
    assert passes(authority, authority.offer(), first).claims.version == 2
    assert passes(authority, authority.offer(), first).claims.version == 3


def test_1_size(authority: ListAuthority) -> None:
    """Not a byte of what is too large is looked at."""
    offer = authority.offer()
    small = replace(authority.demands, limit=len(offer.content) - 1)
    with pytest.raises(OfferError) as refused:
        examine(offer, small, NOW)
    assert Outcome.TOO_BIG is refused.value.outcome


def test_3_signatures(authority: ListAuthority) -> None:
    """Unsigned, signed by too few, or signed over other bytes, with or without a checksum beside."""
    offer = authority.offer()
    content, envelopes = bytes(offer.content), offer.signatures
    checksum = hashlib.sha256(content[:-9]).hexdigest().encode()
    for bad in (
        Offer(content),
        Offer(content, envelopes[:1]),
        Offer(content.replace(b"chu", b"cha"), envelopes),
        Offer(content[:-9], (*envelopes, checksum)),
        Offer(content, tuple(authority.sign(content, 8, 9))),
    ):
        assert refusal(authority, bad) == (Outcome.UNSIGNED, None)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ListError, Outcome.MALFORMED),  # 2
        (SignatureError, Outcome.UNSIGNED),  # 3
        (SignerError, Outcome.UNMATCHED),  # 4
        (ChainError, Outcome.UNTRUSTED_SIGNER),  # 5
        (RevokedError, Outcome.SIGNER_REVOKED),  # 6
        (UnsettledError, Outcome.SIGNER_UNSETTLED),  # 6
        (IdentityError, Outcome.MALFORMED),
    ],
)
def test_2_to_6_whatever_a_format_objects(error: type[TrustError], outcome: Outcome) -> None:
    """Each doubt about a signature has its own word, and nothing is read before all are settled."""

    class Doubtful:
        def verify(self, offer: Offer, now: datetime) -> Verified:
            raise error("why")

        def read(self, verified: Verified, arrived: datetime) -> Claims:
            raise AssertionError("read before it was verified")

    with pytest.raises(OfferError, match="why") as refused:
        examine(Offer(b""), Demands("doubtful", Doubtful(), 10), NOW)
    assert outcome is refused.value.outcome


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"<ListeBlancheMSSante/>", b'{"members":[]}', b'{"truncated":"']
)
def test_7_form(authority: ListAuthority, content: bytes) -> None:
    """Well signed and no list: truncated before it was signed, or empty."""
    offer = Offer(content, tuple(authority.sign(content)))
    assert refusal(authority, offer) == (Outcome.MALFORMED, None)


def test_8_date(authority: ListAuthority) -> None:
    """Issued tomorrow is not issued; a little ahead is how clocks are. Stale is still newer."""
    ahead = NOW + SKEW
    assert passes(authority, authority.offer(issued=ahead)).claims.version == 1
    offer = authority.offer(issued=ahead + timedelta(seconds=1))
    assert refusal(authority, offer) == (Outcome.FUTURE, 2)
    assert passes(authority, authority.offer(issued=NOW - LIFE, stale_after=NOW)).stale(NOW)


def test_9_roll_back(authority: ListAuthority) -> None:
    """An old list, however well signed, restores nobody."""
    offer = authority.offer()
    authority.publish()
    assert refusal(authority, offer, known(authority)) == (Outcome.ROLLED_BACK, 1)


def test_10_equivocation(authority: ListAuthority) -> None:
    """Two lists of one number; the same one again is no such thing."""
    offer = authority.offer()
    before = known(authority)
    assert passes(authority, offer, before).digest == before.digest
    other = ListAuthority().add(CHU, LABO)
    assert refusal(authority, other.offer(), before) == (Outcome.EQUIVOCATION, 1)


def test_11_succession(authority: ListAuthority) -> None:
    """The next version names ours by its hash, or it follows from another history."""
    authority.publish()
    before = known(authority)
    other = ListAuthority().add(LABO)
    other.publish()
    assert refusal(authority, other.offer(), before) == (Outcome.BROKEN_CHAIN, 2)
    assert passes(authority, other.offer(), before).claims.version == 3


def test_12_order_in_time(authority: ListAuthority) -> None:
    """A later version is not older."""
    authority.publish()
    before = known(authority)
    offer = authority.offer(issued=NOW - timedelta(seconds=1))
    assert refusal(authority, offer, before) == (Outcome.BACKDATED, 2)


@dataclass(frozen=True)
class Dated(native.Source):
    """A format without version numbers, as the national lists are."""

    def read(self, verified: Verified, arrived: datetime) -> Claims:
        return replace(native.parse(verified, arrived), version=None, previous=None)


@pytest.mark.parametrize(
    ("issued", "same", "outcome"),
    [
        (NOW - timedelta(seconds=1), False, Outcome.ROLLED_BACK),
        (NOW, False, Outcome.EQUIVOCATION),
        (NOW, True, None),
        (NOW + timedelta(seconds=1), False, None),
    ],
)
def test_lists_without_a_number_follow_each_other_by_date(
    authority: ListAuthority, issued: datetime, *, same: bool, outcome: Outcome | None
) -> None:
    """An earlier date is a roll-back; one date with two contents is two stories."""
    first = authority.offer()
    before = Known(None, native.digest(first.content), NOW)
    authority.add(LABO)
    offer = first if same else authority.offer(issued=issued)
    demands = Demands("dated", Dated(authority.quorum), native.LIMIT)
    if outcome is None:
        assert examine(offer, demands, NOW, known=before).claims.version is None
        return
    with pytest.raises(OfferError, match="the version of") as refused:
        examine(offer, demands, NOW, known=before)
    assert outcome is refused.value.outcome


def test_a_source_may_change_its_format(authority: ListAuthority) -> None:
    """Between a list with a number and one without, the date decides."""
    dated = Known(None, "0" * 64, NOW)
    assert passes(authority, authority.offer(), dated).claims.version == 1
    earlier = authority.offer(issued=NOW - timedelta(seconds=1))
    assert refusal(authority, earlier, dated) == (Outcome.ROLLED_BACK, 2)
    numbered = Known(3, "0" * 64, NOW)
    demands = Demands("dated", Dated(authority.quorum), native.LIMIT)
    later = examine(authority.offer(issued=LATER), demands, LATER, known=numbered)
    assert LATER == later.claims.issued


@pytest.mark.parametrize(
    ("members", "lost", "plausible"),
    [(40, FEW, True), (50, 25, True), (50, 26, False), (3, 2, True)],
)
def test_13_plausibility(members: int, lost: int, *, plausible: bool) -> None:
    """Half of a list does not go overnight: it was cut off before it was signed. A small one may."""
    authority = ListAuthority()
    for number in range(members):
        authority.add(replace(CHU, domain=f"d{number}.example"))
    before = authority.edition()
    for number in range(lost):
        del authority.members[f"d{number}.example"]
    offer = authority.offer()
    if plausible:
        found = examine(offer, authority.demands, NOW, before=before)
        assert members - lost == len(found.members)
        return
    with pytest.raises(OfferError, match=f"lacks {lost} of the {members} domains") as refused:
        examine(offer, authority.demands, NOW, before=before)
    assert (Outcome.IMPLAUSIBLE, 2) == (refused.value.outcome, refused.value.version)


def test_what_came_once_is_judged_by_the_day_it_came(authority: ListAuthority) -> None:
    """Restored years later, the edition still knows when it arrived."""
    offer = authority.offer()
    found = examine(offer, authority.demands, NOW + 100 * LIFE, arrived=NOW)
    assert NOW == found.arrived


def test_what_the_web_says_is_an_outcome() -> None:
    """Whatever keeps a document from coming has its word."""
    assert set(FetchState) <= {outcome.value for outcome in Outcome}


def test_every_outcome_is_specified() -> None:
    """docs/trust-list.md names each by its word."""
    specification = (Path(__file__).parents[2] / "docs" / "trust-list.md").read_text("utf-8")
    assert [] == [outcome for outcome in Outcome if f"`{outcome}`" not in specification]
