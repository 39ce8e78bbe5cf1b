"""The right certificate must also be one that its authority vouches for, in its dates or bridged."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from smtp.address import parse
from smtp.envelope import Peer
from tests.trust.simulator import NOW, gateway, issued, member, pki, trust_list
from trust.bridges import Bridge, Bridges
from trust.decision import decide, next_hop, speaks_for
from trust.explain import explain
from trust.identity import Certificate, Identity, Way
from trust.overlay import Doubt, Overlay
from trust.revocation import Source, Standing, Standings, State
from trust.sources import TrustList

APP, DR = parse("resultats@labo.example"), parse("dr.martin@chu.example")
LEAF = gateway("labo.example").der
EXPIRED = pki().issue("gw.labo.example", starts=NOW - timedelta(days=9), days=8).der
RELAY = Peer("192.0.2.1", certificate=LEAF, listener="relay")
HOUR = timedelta(hours=1)
GOOD = Standing(State.GOOD, NOW, NOW + HOUR, Source.CRL)
REVOKED = Standing(State.REVOKED, NOW, source=Source.CRL, why="key-compromise")
UNKNOWN = Standing(State.UNKNOWN, NOW, why="unreachable")


def bridge(der: bytes, begins: datetime = NOW) -> Bridges:
    one = Certificate.parse(der)
    ends = begins + timedelta(hours=72)
    return Bridges.of(
        [Bridge("labo.example", one.spki_sha256, one.subject, begins, ends, "a", "b")]
    )


def under(
    standing: Standing | None = None, der: bytes = LEAF, bridges: Bridges | None = None
) -> TrustList:
    known = {} if standing is None else {Certificate.parse(der).fingerprint: standing}
    overlay = Overlay(certificates=Standings(known, asked=True), bridges=bridges or Bridges())
    return trust_list(member("labo.example"), member("chu.example")).under(overlay)


@pytest.mark.parametrize(
    ("standing", "after", "peer", "hop"),
    [
        (GOOD, timedelta(), "listed", "listed"),
        (GOOD, 4 * HOUR, "listed", "listed"),
        (
            GOOD,
            6 * HOUR,
            "peer-certificate-unknown",
            "next-hop-certificate-unknown",
        ),
        (REVOKED, timedelta(), "peer-certificate-revoked", "next-hop-certificate-revoked"),
        (UNKNOWN, timedelta(), "peer-certificate-unknown", "next-hop-certificate-unknown"),
        (None, timedelta(), "peer-certificate-unknown", "next-hop-certificate-unknown"),
    ],
)
def test_how_a_certificate_stands_decides(
    standing: Standing | None, after: timedelta, peer: str, hop: str
) -> None:
    """Good within its grace; revoked refused at once, unknown put off; a next hop never gets any."""
    listed, now = under(standing), NOW + after

    found = decide(APP, DR, RELAY, listed, now)
    assert peer == found.reason
    assert {"listed": "allow", "peer-certificate-revoked": "refuse"}.get(peer, "defer") == (
        found.action
    )
    there = next_hop("labo.example", LEAF, listed, now)
    assert (hop, "allow" if hop == "listed" else "defer") == (there.reason, there.action)
    assert (peer == "listed") == speaks_for(RELAY, "labo.example", listed, now)
    assert peer == decide(None, DR, RELAY, listed, now).reason


def test_a_person_with_a_revoked_certificate_is_refused_and_an_unknown_one_waits_here() -> None:
    """Who submits would lose a message that is only put off: an attempt asks no peer again."""
    person = replace(RELAY, login=APP, listener="submission_certificate")

    assert "peer-certificate-revoked" == decide(APP, DR, person, under(REVOKED), NOW).reason
    assert "listed" == decide(APP, DR, person, under(UNKNOWN), NOW).reason


def test_whom_it_belongs_to_is_asked_first() -> None:
    """A stranger does not learn that we would ask its authority."""
    stranger = replace(RELAY, certificate=gateway("chu.example").der)

    assert "peer-not-entitled" == decide(APP, DR, stranger, under(), NOW).reason


@pytest.mark.parametrize(
    ("standing", "doubt"),
    [
        (GOOD, None),
        (REVOKED, Doubt.REVOKED),
        (UNKNOWN, Doubt.OUT_OF_DATE),
        (None, Doubt.OUT_OF_DATE),
        (Standing(State.GOOD, NOW, why="names-nobody"), Doubt.OUT_OF_DATE),
    ],
)
def test_a_bridge_carries_what_its_authority_vouches_for(
    standing: Standing | None, doubt: Doubt | None
) -> None:
    """Expired but not revoked: that must be known, and nobody may just have stayed silent."""
    overlay = under(standing, EXPIRED, bridge(EXPIRED)).overlay

    assert doubt is overlay.doubt(Certificate.parse(EXPIRED), NOW)


def test_an_expired_certificate_is_put_off_and_a_bridge_lets_it_flow() -> None:
    """Both ways; and the explanation names the two who built it."""
    peer = replace(RELAY, certificate=EXPIRED)
    listed = under(GOOD, EXPIRED)
    assert "peer-expired" == decide(APP, DR, peer, listed, NOW).reason
    assert "next-hop-expired" == next_hop("labo.example", EXPIRED, listed, NOW).reason

    bridged = under(GOOD, EXPIRED, bridge(EXPIRED))
    assert "listed" == decide(APP, DR, peer, bridged, NOW).reason
    assert "listed" == next_hop("labo.example", EXPIRED, bridged, NOW).reason
    told = {one.step: one.sentence for one in explain(DR, bridged, NOW, sender=APP, peer=peer)}
    assert "the bridge of a and b carries it until" in told["peer-certified"]


def test_where_nobody_is_asked_dates_count_all_the_same() -> None:
    """And no bridge stands there: nobody could say that the certificate is not revoked."""
    expired = Certificate.parse(EXPIRED)

    assert Doubt.OUT_OF_DATE is Overlay().doubt(expired, NOW)
    assert Doubt.OUT_OF_DATE is Overlay(bridges=bridge(EXPIRED)).doubt(expired, NOW)
    assert Overlay().doubt(Certificate.parse(LEAF), NOW) is None


def test_a_member_known_by_its_anchor_waits_until_the_chain_is_known() -> None:
    """Direct: until its chain is judged nobody can say whether it is entitled, so nobody says no."""
    anchor = "a" * 64
    leaf = issued("x", hosts=("labo.example",)).der
    by_anchor = replace(member("labo.example"), identities=(Identity(Way.ANCHOR, anchor),))
    plain = trust_list(member("labo.example"), member("chu.example"))
    # The native format names nobody by an anchor; what a bundle says is tested with its reader.
    object.__setattr__(
        plain, "members", {**plain.members, "labo.example": by_anchor.said_by("list")}
    )
    peer = replace(RELAY, certificate=leaf)

    def reason(standing: Standing | None) -> str:
        known = {} if standing is None else {Certificate.parse(leaf).fingerprint: standing}
        listed = plain.under(Overlay(certificates=Standings(known, asked=True)))
        return decide(APP, DR, peer, listed, NOW).reason

    assert "peer-certificate-unknown" == reason(None)
    assert "listed" == reason(replace(GOOD, anchors=frozenset({anchor})))
    assert "peer-certificate-unknown" == reason(replace(UNKNOWN, anchors=frozenset({anchor})))
    assert "peer-not-entitled" == reason(replace(GOOD, anchors=frozenset({"b" * 64})))


def test_whoever_holds_a_lent_anchor_speaks_for_nobody_named_otherwise() -> None:
    """It can issue a certificate of any name; the one of another member's operator, for instance."""
    leaf = Certificate.parse(LEAF)
    listed = trust_list(member("labo.example"), member("chu.example"))
    standing = replace(GOOD, anchors=frozenset({"a" * 64}))

    def reasons(standing: Standing) -> tuple[str, str]:
        standings = Standings({leaf.fingerprint: standing}, asked=True)
        laid = listed.under(Overlay(certificates=standings))
        out = next_hop("labo.example", LEAF, laid, NOW)
        return decide(APP, DR, replace(RELAY, certificate=LEAF), laid, NOW).reason, out.reason

    assert ("listed", "listed") == reasons(standing)
    lent = ("peer-not-entitled", "next-hop-not-entitled")
    assert lent == reasons(replace(standing, lent=True))


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (REVOKED, "is revoked (CRL key-compromise)."),
        (UNKNOWN, "Nobody vouches for it now (unreachable)."),
        (GOOD, "not revoked (CRL, good until"),
        (Standing(State.GOOD), "not revoked."),
    ],
)
def test_the_explanation_says_who_said_so(standing: Standing, words: str) -> None:
    """An operator reads whether it was the list or the responder, and until when it counts."""
    found = explain(DR, under(standing), NOW, sender=APP, peer=RELAY)

    assert words in next(one.sentence for one in found if one.step == "peer-certified")


def test_a_certificate_that_cannot_be_read_is_told_elsewhere() -> None:
    """The step before has refused it; a log-in beside it is not held up."""
    person = replace(RELAY, login=APP, certificate=b"?")
    found = {one.step: one for one in explain(DR, under(), NOW, sender=APP, peer=person)}

    assert "It cannot be read, and so vouches for nothing." == found["peer-certified"].sentence
    by_login = replace(person, certificate=None)
    found = {one.step: one for one in explain(DR, under(), NOW, sender=APP, peer=by_login)}
    assert "The connection shows no certificate." == found["peer-certified"].sentence
