"""An operator reads why somebody is, or is not, trusted; and it is what was decided."""

from dataclasses import replace
from datetime import timedelta

import pytest

from smtp.address import parse
from smtp.envelope import Peer
from tests.trust.simulator import LIFE, NOW, gateway, issued, listed, member, pki, trust_list
from trust import explain as room
from trust.decision import STEPS, Reason, decide
from trust.explain import Finding, explain
from trust.identity import Certificate, Identity, Way
from trust.members import Member, Status

APP, DR = parse("resultats@labo.example"), parse("dr.martin@chu.example")
LABO, CHU = member("labo.example"), member("chu.example")
RELAY = Peer("192.0.2.1", certificate=gateway("labo.example").der)
EXPIRED = pki().issue("gw.labo.example", starts=NOW - timedelta(days=2), days=1)
SPKI = Certificate.parse(gateway("chu.example").der).spki_sha256


def test_every_step_is_told() -> None:
    """No step without its words, in the order in which they are asked."""
    assert STEPS == tuple(room._TOLD)


def test_every_reason_is_told() -> None:
    """Whatever a step may answer has a sentence; the list's and the next hop's are told apart."""
    elsewhere = {
        "listed",
        "list-missing",
        "list-stale",
        "next-hop-not-entitled",
        "next-hop-expired",
    }
    assert set(Reason) - elsewhere == set(room._OBJECTIONS)


def test_a_message_that_may_go() -> None:
    """Each step says what it found."""
    current = trust_list(
        LABO, replace(CHU, open=False), listed("Dr.Martin@chu.example", SPKI, holder="RPPS:1")
    )
    spki = Certificate.parse(gateway("labo.example").der).spki_sha256
    name = "CN=gw.labo.example,O=gw.labo.example,C=FR"
    assert (
        Finding("list", "passed", "Version 1 of the list is good until 2026-11-29 12:00:00 UTC."),
        Finding("sender-member", "passed", "labo.example is a member: open, active."),
        Finding(
            "peer-entitled",
            "passed",
            f"The certificate {name} (public key {spki}) speaks for labo.example.",
        ),
        Finding(
            "sender-address", "passed", "labo.example is open: it vouches for all its addresses."
        ),
        Finding("recipient-member", "passed", "chu.example is a member: closed, active."),
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
    assert [
        ("sender-member", "No sender was given."),
        ("peer-entitled", "No sender was given."),
    ] == [(each.step, each.sentence) for each in found[1:3]]
    assert ["not-asked"] * 4 == [
        each.outcome for each in found if "sender" in each.step or "peer" in each.step
    ]
    assert found[-1].outcome == "allow"


def test_a_sender_without_a_connection() -> None:
    """The identities it might come with are named."""
    found = explain(DR, trust_list(LABO, CHU), NOW, sender=APP)
    assert (
        "No connection was given; labo.example may come with "
        "dn:CN=gw.labo.example,O=gw.labo.example,C=FR."
    ) == found[2].sentence


def test_a_log_in() -> None:
    """A person's own mailbox."""
    found = explain(DR, trust_list(LABO, CHU), NOW, sender=APP, peer=Peer("192.0.2.1", login=APP))
    assert found[2].sentence == "Logged in as resultats@labo.example."


def test_the_null_sender() -> None:
    """A report: its connection answers for it."""
    found = explain(DR, trust_list(LABO, CHU), NOW, peer=RELAY)
    assert found[1].sentence == "The null sender <> is of no domain; its connection answers for it."
    assert found[2].sentence.endswith("speaks for a member.")
    assert found[3].sentence == "The null sender <> is no address."


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
            "peer-entitled",
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
    stale = explain(DR, trust_list(CHU), NOW + LIFE)
    assert [("list", "defer"), ("verdict", "defer")] == [
        (each.step, each.outcome) for each in stale
    ]
