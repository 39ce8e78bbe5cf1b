"""A way leads to our anchors by signatures, or it leads nowhere."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.pki import Asking, Authority, Issued
from trust.chain import Chains, chains, fingerprint

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OURS = Authority.make(NOW - timedelta(days=900), "Sante")
OTHER = Authority.make(NOW - timedelta(days=900), "Sante")  # the same names, other keys
CRL, OCSP = "http://pki.example/aci.crl", "http://ocsp.example/"
LEAF = OURS.issue("mx.labo.example", days=1000, asking=Asking((CRL, "ldap://x/y"), (OCSP,)))


def found(leaf: Issued | bytes, now: datetime = NOW, authority: Authority = OURS) -> Chains:
    der = leaf if isinstance(leaf, bytes) else leaf.der
    return chains(der, [authority.issuing.der], [authority.root.der], now)


def test_a_way_is_found_from_the_leaf_to_the_anchor() -> None:
    """Each certificate stands beside the one that signed it, and says whom to ask."""
    (chain,) = found(LEAF).found

    assert fingerprint(OURS.root.der) == chain.anchor
    assert [LEAF.der, OURS.issuing.der] == [link.certificate for link in chain.links]
    assert [OURS.issuing.der, OURS.root.der] == [link.issuer for link in chain.links]
    assert (CRL,) == chain.links[0].crls
    assert (OCSP,) == chain.links[0].ocsps
    assert [True, False] == [link.named for link in chain.links]


def test_an_intermediate_may_be_an_anchor() -> None:
    """Who pins the issuing authority alone does not trust its root."""
    only = chains(LEAF.der, [OURS.issuing.der], [OURS.issuing.der], NOW)

    assert frozenset({fingerprint(OURS.issuing.der)}) == only.anchors
    assert "no-path" == chains(OTHER.issuing.der, [], [OURS.issuing.der], NOW).why


def test_an_issuer_of_the_same_name_is_another() -> None:
    """A forged authority that bears our authority's very name leads nowhere."""
    forged = OTHER.issue("mx.labo.example", days=1000)

    assert frozenset() == found(forged).anchors
    assert "no-path" == found(forged).why
    beside = chains(forged.der, [OTHER.issuing.der, OURS.issuing.der], [OURS.root.der], NOW)
    assert () == beside.found


def test_without_the_intermediate_there_is_no_way() -> None:
    """What the peer did not send and we do not know is not fetched from where it says."""
    assert "no-path" == chains(LEAF.der, [], [OURS.root.der], NOW).why


@pytest.mark.parametrize("days", [1001, 5000, -5000])
def test_a_leaf_outside_its_dates_is_judged_by_all_else(days: int) -> None:
    """Its dates are looked at elsewhere, where a bridge may stand."""
    young = Authority.make(NOW, "Sante")
    leaf = young.issue("a", days=10, starts=NOW + timedelta(days=1))
    at = NOW + timedelta(days=100 if days > 0 else 0)

    assert chains(leaf.der, [young.issuing.der], [young.root.der], at).found


def test_an_authority_outside_its_dates_counts_no_more() -> None:
    """Only the leaf has that grace: a dead authority vouches for nobody."""
    old = Authority.make(NOW - timedelta(days=3700), "Sante")
    leaf = old.issue("a", days=9000)

    assert (
        "authority-expired"
        == chains(leaf.der, [old.issuing.der], [old.root.der], NOW + timedelta(days=2)).why
    )
    to_come = Authority.make(NOW + timedelta(days=5), "Sante")
    leaf = to_come.issue("a", starts=NOW - timedelta(days=5))
    why = chains(leaf.der, [to_come.issuing.der], [to_come.root.der], NOW).why
    assert "authority-not-yet-valid" == why


def test_a_leaf_signs_no_leaf() -> None:
    """A member's own certificate is no authority (basicConstraints)."""
    sub = Authority(OURS.root, LEAF, NOW)
    forged = sub.issue("mx.chu.example")

    assert not chains(forged.der, [LEAF.der, OURS.issuing.der], [OURS.root.der], NOW).found


def test_rubbish_beside_a_good_chain_is_passed_over() -> None:
    """A peer may send more than it should."""
    assert chains(LEAF.der, [b"rubbish", OURS.issuing.der], [OURS.root.der], NOW).found


def test_a_leaf_that_is_an_anchor_has_no_way() -> None:
    """An anchor speaks for nobody: it signs those who do."""
    assert not chains(OURS.root.der, [], [OURS.root.der], NOW).found


def test_many_ways_are_not_all_walked() -> None:
    """Certificates that sign each other in a ring must not cost us an hour."""
    rings = [Authority.make(NOW - timedelta(days=900), "Sante").issuing.der for _ in range(40)]

    assert "no-path" == chains(LEAF.der, rings, [OURS.root.der], NOW).why


@given(st.binary(max_size=400), st.integers(0, 5000), st.integers(0, 255))
def test_any_bytes_give_chains_or_a_word(junk: bytes, at: int, octet: int) -> None:
    """Strangers write certificates; whatever they hold, nothing is raised."""
    assert not found(junk).found
    changed = bytearray(LEAF.der)
    changed[at % len(changed)] = octet
    kept = bytes(changed) == LEAF.der
    assert kept or not found(bytes(changed)).found
