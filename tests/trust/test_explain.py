"""An operator reads why somebody is, or is not, trusted; and it is what was decided."""

from dataclasses import replace
from datetime import timedelta

import pytest

from smtp.address import Address, parse
from smtp.envelope import Peer
from tests.trust.simulator import (
    LIFE,
    NOW,
    ListAuthority,
    gateway,
    issued,
    listed,
    member,
    pki,
    trust_list,
)
from trust import sentences
from trust.decision import STEPS, Reason, decide
from trust.explain import Finding, explain
from trust.identity import Certificate, Identity, Way
from trust.members import Member, Status
from trust.overlay import Denials, Overlay
from trust.sources import TrustList

APP, DR = parse("resultats@labo.example"), parse("dr.martin@chu.example")
LABO, CHU = member("labo.example"), member("chu.example")
RELAY = Peer("192.0.2.1", certificate=gateway("labo.example").der)
EXPIRED = pki().issue("gw.labo.example", starts=NOW - timedelta(days=2), days=1)
SPKI = Certificate.parse(gateway("chu.example").der).spki_sha256
FRESH = "list, version 1, good until 2026-11-29 12:00:00 UTC"


def said(findings: tuple[Finding, ...]) -> dict[str, str]:
    return {each.step: each.sentence for each in findings}


def test_every_step_is_told() -> None:
    """No step without its words, in the order in which they are asked."""
    assert STEPS == tuple(sentences.PASSED)


def test_every_reason_is_told() -> None:
    """Whatever a step may answer has a sentence; what is asked elsewhere is told elsewhere."""
    elsewhere = {
        "listed",
        "list-missing",
        "next-hop-denied",
        "next-hop-not-entitled",
        "next-hop-expired",
        "next-hop-certificate-revoked",
        "next-hop-certificate-unknown",
    }
    assert set(Reason) - elsewhere == set(sentences.OBJECTIONS)


@pytest.mark.parametrize(
    ("eclipsed", "members"), [({"list"}, (LABO, CHU)), (set(), (LABO,)), (set(), (CHU,))]
)
def test_a_list_that_cannot_be_read_is_told(
    eclipsed: set[str], members: tuple[Member, ...]
) -> None:
    """It may have named whom no other names, and whom a lesser one names."""
    edition = ListAuthority().add(*members).edition()
    current = TrustList.of([edition], eclipsed=frozenset(eclipsed))
    found = explain(DR, current, NOW, sender=APP, peer=RELAY)
    words = "A list that was in force cannot be read for now, and it may have named this domain."
    assert ("defer", words) == (found[-2].outcome, found[-2].sentence)


def test_a_message_that_may_go() -> None:
    """Each step says what it found."""
    current = trust_list(
        LABO, replace(CHU, open=False), listed("Dr.Martin@chu.example", SPKI, holder="RPPS:1")
    )
    spki = Certificate.parse(gateway("labo.example").der).spki_sha256
    name = "CN=gw.labo.example,O=gw.labo.example,C=FR"
    assert (
        Finding("list", "passed", f"One source is in force: {FRESH}."),
        Finding("sender-denial", "passed", "No operator of ours has denied it."),
        Finding("peer-denial", "passed", "No operator of ours has denied it."),
        Finding("sender-list", "passed", f"The list that names labo.example: {FRESH}."),
        Finding(
            "sender-member",
            "passed",
            "labo.example is a member: open, active; so says list.",
        ),
        Finding(
            "peer-entitled",
            "passed",
            f"The certificate {name} (public key {spki}) speaks for labo.example.",
        ),
        Finding("peer-certified", "passed", "It is in its dates, and not revoked (unchecked)."),
        Finding(
            "sender-address", "passed", "labo.example is open: it vouches for all its addresses."
        ),
        Finding("recipient-denial", "passed", "No operator of ours has denied it."),
        Finding("recipient-list", "passed", f"The list that names chu.example: {FRESH}."),
        Finding(
            "recipient-member",
            "passed",
            "chu.example is a member: closed, active; so says list.",
        ),
        Finding(
            "recipient-address",
            "passed",
            "dr.martin@chu.example is listed: PER, held by RPPS:1, pinned to certain keys.",
        ),
        Finding("recipient-suspended", "passed", "chu.example is not suspended."),
        Finding("sender-suspended", "passed", "The sender is not suspended."),
        Finding("verdict", "allow", "listed: 250 2.0.0 OK"),
    ) == explain(DR, current, NOW, sender=APP, peer=RELAY)


def test_only_a_recipient() -> None:
    """May anyone write there? What concerns the sender is not asked."""
    found = explain(DR, trust_list(LABO, CHU), NOW)
    skipped = [each for each in found if "sender" in each.step or "peer" in each.step]
    assert {("not-asked", "No sender was given.")} == {
        (each.outcome, each.sentence) for each in skipped
    }
    assert found[-1].outcome == "allow"


def test_a_sender_without_a_connection() -> None:
    """The identities it might come with are named."""
    found = said(explain(DR, trust_list(LABO, CHU), NOW, sender=APP))
    assert found["peer-denial"] == "No connection was given."
    assert (
        "No connection was given; labo.example may come with "
        "dn:CN=gw.labo.example,O=gw.labo.example,C=FR."
    ) == found["peer-entitled"]


def test_a_log_in() -> None:
    """A person's own mailbox."""
    peer = Peer("192.0.2.1", login=APP)
    found = said(explain(DR, trust_list(LABO, CHU), NOW, sender=APP, peer=peer))
    assert found["peer-entitled"] == "Logged in as resultats@labo.example."


def test_the_null_sender() -> None:
    """A report: its connection answers for it."""
    found = said(explain(DR, trust_list(LABO, CHU), NOW, peer=RELAY))
    null = "The null sender <> is of no domain; its connection answers for it."
    assert found["sender-member"] == null
    assert found["sender-list"] == "At least one list is fresh."
    assert found["peer-entitled"].endswith("speaks for a member.")
    assert found["sender-address"] == "The null sender <> is no address."


def test_which_source_counts() -> None:
    """The higher rank speaks; that a lesser one names the domain too is said, and does not count."""
    first, second = ListAuthority().add(LABO), ListAuthority().add(LABO, CHU)
    current = TrustList.of([first.edition("nationale"), second.edition("locale")])
    found = said(explain(DR, current, NOW, sender=APP, peer=RELAY))
    good = "version 1, good until 2026-11-29 12:00:00 UTC"
    assert (
        f"2 sources are in force, the first counts most: nationale, {good}; locale, {good}."
    ) == found["list"]
    assert (
        "labo.example is a member: open, active; so says nationale "
        "(locale too, of lower rank: that does not count)."
    ) == found["sender-member"]
    assert found["recipient-member"] == "chu.example is a member: open, active; so says locale."


def test_which_source_is_stale() -> None:
    """It is named, with the domain it no longer vouches for."""
    late = NOW + timedelta(days=1)
    first = ListAuthority(life=timedelta(hours=1)).add(LABO)
    current = TrustList.of([first.edition("vieille"), ListAuthority().add(CHU).edition("locale")])
    *_, end, verdict = explain(DR, current, late, sender=APP, peer=RELAY)
    assert ("sender-list", "defer") == (end.step, end.outcome)
    assert (
        "Too old to vouch for labo.example: "
        "vieille, version 1, stale since 2026-11-22 13:00:00 UTC."
    ) == end.sentence
    assert verdict.sentence.startswith("list-stale: 451")


def test_between_our_own_mailboxes() -> None:
    """No list needs to be fresh for that, and it is said so."""
    current = TrustList.of(
        [ListAuthority().add(LABO, CHU).edition()], ours=frozenset({"labo.example"})
    )
    to = parse("secretariat@labo.example")
    peer = Peer("192.0.2.1", login=APP)
    found = explain(to, current, NOW + LIFE, sender=APP, peer=peer)
    own = "The message stays between our own mailboxes: that needs no fresh list."
    assert own == said(found)["sender-list"] == said(found)["recipient-list"]
    assert found[-1].outcome == "allow"


@pytest.mark.parametrize(
    ("denied", "step", "words"),
    [
        (
            Denials(domains=frozenset({"labo.example"})),
            "sender-denial",
            "We deny the whole of labo.example here ourselves.",
        ),
        (
            Denials(addresses=frozenset({APP})),
            "sender-denial",
            "We deny resultats@labo.example here ourselves.",
        ),
        (
            Denials(operators=LABO.marks),
            "sender-denial",
            "here ourselves: dn:CN=gw.labo.example,O=gw.labo.example,C=FR.",
        ),
        (
            Denials(
                certificates=frozenset({Certificate.parse(RELAY.certificate or b"").fingerprint})
            ),
            "peer-denial",
            "is denied here by ourselves.",
        ),
        (
            Denials(addresses=frozenset({DR})),
            "recipient-denial",
            "We deny dr.martin@chu.example here ourselves.",
        ),
    ],
)
def test_what_we_deny(denied: Denials, step: str, words: str) -> None:
    """It is said what it is that our own operator has denied."""
    current = trust_list(LABO, CHU).under(Overlay(denied))
    *_, end, verdict = explain(DR, current, NOW, sender=APP, peer=RELAY)
    assert (step, "refuse") == (end.step, end.outcome)
    assert end.sentence.endswith(words)
    assert decide(APP, DR, RELAY, current, NOW).reason == verdict.sentence.partition(":")[0]


@pytest.mark.parametrize(
    ("domain", "step"), [("labo.example", "sender-member"), ("chu.example", "recipient-member")]
)
def test_what_waits_for_approval(domain: str, step: str) -> None:
    """The change is named by the domain it concerns."""
    current = trust_list(LABO, CHU).under(Overlay(waiting=frozenset({domain})))
    *_, end, _ = explain(DR, current, NOW, sender=APP, peer=RELAY)
    assert (step, "defer") == (end.step, end.outcome)
    waits = f"A change that awaits approval would add {domain}, take it away or alter"
    assert end.sentence.startswith(waits)


@pytest.mark.parametrize(
    ("entries", "peer", "last", "words"),
    [
        ((CHU,), RELAY, "sender-member", "labo.example is no member."),
        (
            (replace(LABO, status=Status.REVOKED), CHU),
            RELAY,
            "sender-member",
            "labo.example was a member and is revoked.",
        ),
        (
            (LABO, CHU),
            Peer("192.0.2.1"),
            "peer-entitled",
            "The connection has neither a log-in nor a certificate.",
        ),
        (
            (LABO, CHU),
            replace(RELAY, certificate=b""),
            "peer-entitled",
            "The connection's certificate cannot be read.",
        ),
        (
            (LABO, CHU),
            replace(RELAY, certificate=issued("x").der),
            "peer-entitled",
            "does not speak for labo.example; the list names dn:CN=gw.labo.example,O=gw.labo",
        ),
        (
            (
                replace(
                    LABO,
                    identities=(Identity(Way.DN, "CN=gw.labo.example,O=gw.labo.example,C=FR"),),
                ),
                CHU,
            ),
            replace(RELAY, certificate=EXPIRED.der),
            "peer-certified",
            "is outside its dates.",
        ),
        (
            (LABO, CHU),
            Peer("192.0.2.1", login=DR),
            "peer-entitled",
            "Logged in as dr.martin@chu.example, not as the sender.",
        ),
        (
            (replace(LABO, open=False), CHU),
            RELAY,
            "sender-address",
            "labo.example is closed, and resultats@labo.example is not listed in it.",
        ),
        (
            (LABO, listed(APP, SPKI), CHU),
            RELAY,
            "sender-address",
            "resultats@labo.example is pinned to other certificates. The certificate CN=gw.labo",
        ),
        (
            (LABO, listed(APP, SPKI), CHU),
            Peer("192.0.2.1", login=APP, certificate=b"?"),
            "sender-address",
            "resultats@labo.example is pinned to other certificates. The connection's certificate",
        ),
        ((LABO,), RELAY, "recipient-member", "chu.example is no member."),
        (
            (LABO, replace(CHU, status=Status.REVOKED)),
            RELAY,
            "recipient-member",
            "chu.example was a member and is revoked.",
        ),
        (
            (LABO, replace(CHU, open=False)),
            RELAY,
            "recipient-address",
            "chu.example is closed, and dr.martin@chu.example is not listed in it.",
        ),
        (
            (LABO, replace(CHU, status=Status.SUSPENDED)),
            RELAY,
            "recipient-suspended",
            "chu.example is suspended: mail for it waits.",
        ),
        (
            (replace(LABO, status=Status.SUSPENDED), CHU),
            RELAY,
            "sender-suspended",
            "labo.example is suspended: its mail waits for a person.",
        ),
    ],
)
def test_each_objection(entries: tuple[Member, ...], peer: Peer, last: str, words: str) -> None:
    """The story ends where the decision ended, and comes to the same verdict."""
    current = trust_list(*entries)
    *_, end, verdict = explain(DR, current, NOW, sender=APP, peer=peer)
    decision = decide(APP, DR, peer, current, NOW)
    assert (last, decision.action) == (end.step, end.outcome)
    assert words in end.sentence
    assert Finding("verdict", decision.action, f"{decision.reason}: {decision.reply}") == verdict


@pytest.mark.parametrize(
    ("peer", "words"),
    [
        (
            Peer("192.0.2.1", login=APP),
            "Logged in as resultats@labo.example, whose domain is no member.",
        ),
        (RELAY, "does not speak for a member."),
    ],
)
def test_a_null_sender_of_nobody(peer: Peer, words: str) -> None:
    """A report by a connection that speaks for no member."""
    found = explain(DR, trust_list(CHU), NOW, peer=peer)
    assert found[-2].sentence.endswith(words)


def test_no_list_and_a_stale_one() -> None:
    """Nothing else is asked."""
    missing = explain(DR, None, NOW)
    assert Finding("list", "defer", "No verified list is loaded.") == missing[0]
    assert missing[-1].sentence.startswith("list-missing: 451 4.7.1")
    *_, end, verdict = explain(DR, trust_list(LABO), NOW + LIFE)
    assert ("recipient-list", "defer", "defer") == (end.step, end.outcome, verdict.outcome)
    assert end.sentence == "Every list that could name it is too old to vouch for anybody."


@pytest.mark.parametrize("sender", [None, APP])
@pytest.mark.parametrize("peer", [None, RELAY, Peer("", login=APP), Peer("")])
def test_every_sentence_is_told_twice(sender: Address | None, peer: Peer | None) -> None:
    """In French too, about the same ends, and in other words."""
    current = trust_list(LABO, replace(CHU, open=False), listed("Dr.Martin@chu.example", SPKI))
    *steps, verdict = explain(DR, current, NOW, sender=sender, peer=peer)
    assert verdict.french == verdict.sentence
    for each in steps:
        assert each.french
        assert each.french != each.sentence
        assert _named(each.sentence) == _named(each.french)


def _named(sentence: str) -> set[str]:
    """Return the addresses and domains in a sentence."""
    words = {word.strip(" .,:;()") for word in sentence.split()}
    return {word for word in words if word.endswith(".example")}
