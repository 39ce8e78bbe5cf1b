"""Who may write to whom, step by step; whoever is allowed was allowed by every step."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp import reply
from smtp.address import Address, domain_of, parse
from smtp.envelope import Peer
from tests.trust.simulator import (
    LIFE,
    NOW,
    ListAuthority,
    dn,
    gateway,
    issued,
    listed,
    member,
    pki,
    trust_list,
)
from trust.decision import (
    LIST_MISSING,
    LIST_STALE,
    Action,
    Decision,
    Reason,
    attempt,
    decide,
    next_hop,
    postponed,
    reports_as,
    speaks_as,
    speaks_for,
)
from trust.identity import Certificate, Identity, Way
from trust.members import Member, Status
from trust.overlay import Denials, Overlay
from trust.sources import TrustList

APP, DR = parse("resultats@labo.example"), parse("dr.martin@chu.example")
LABO, CHU = member("labo.example"), member("chu.example")
LIST = trust_list(LABO, CHU)
RELAY = Peer("192.0.2.1", certificate=gateway("labo.example").der, listener="relay")
LOGIN = Peer("192.0.2.1", login=APP, listener="submission")


def spki(domain: str) -> str:
    return Certificate.parse(gateway(domain).der).spki_sha256


def with_login(text: str) -> Peer:
    return replace(LOGIN, login=parse(text))


def with_certificate(der: bytes) -> Peer:
    return replace(RELAY, certificate=der)


@pytest.mark.parametrize("peer", [RELAY, LOGIN, with_login("Resultats@labo.example")])
def test_both_ends_listed(peer: Peer) -> None:
    """Members of one list write to each other, by certificate or by log-in."""
    expected = Decision(Action.ALLOW, Reason.LISTED, reply.OK)
    assert expected == decide(APP, DR, peer, LIST, NOW)


@pytest.mark.parametrize(
    ("entries", "peer", "action", "reason"),
    [
        pytest.param((CHU,), RELAY, "refuse", "sender-not-listed", id="sender's domain unknown"),
        pytest.param(
            (replace(LABO, status=Status.REVOKED), CHU),
            RELAY,
            "refuse",
            "sender-revoked",
            id="sender's domain revoked",
        ),
        pytest.param(
            (LABO, CHU), Peer("192.0.2.1"), "refuse", "peer-anonymous", id="nothing to know it by"
        ),
        pytest.param(
            (LABO, CHU),
            with_certificate(b"garbage"),
            "refuse",
            "peer-unreadable",
            id="certificate that is none",
        ),
        pytest.param(
            (LABO, CHU),
            with_certificate(gateway("chu.example").der),
            "refuse",
            "peer-not-entitled",
            id="right authority, another domain's certificate",
        ),
        pytest.param(
            (LABO, CHU),
            with_certificate(issued("gw.labo.example", organisation="Autre").der),
            "refuse",
            "peer-not-entitled",
            id="right common name, another organisation",
        ),
        pytest.param(
            (LABO, CHU),
            with_login("autre@labo.example"),
            "refuse",
            "login-not-sender",
            id="logged in as a colleague",
        ),
        pytest.param(
            (replace(LABO, open=False), CHU),
            RELAY,
            "refuse",
            "sender-address-not-listed",
            id="closed, sender not listed",
        ),
        pytest.param(
            (replace(LABO, open=False), listed(APP), CHU), RELAY, "allow", "listed", id="listed"
        ),
        pytest.param(
            (LABO, listed(APP, spki("labo.example")), CHU), RELAY, "allow", "listed", id="pinned"
        ),
        pytest.param(
            (LABO, listed(APP, spki("chu.example")), CHU),
            RELAY,
            "refuse",
            "pin-required",
            id="pinned to another key",
        ),
        pytest.param(
            (LABO, listed(APP, spki("chu.example"), spki("labo.example")), CHU),
            RELAY,
            "allow",
            "listed",
            id="pinned to two keys",
        ),
        pytest.param(
            (LABO, listed(APP, spki("chu.example")), CHU),
            LOGIN,
            "allow",
            "listed",
            id="pinned, but came with a password",
        ),
        pytest.param(
            (LABO, listed(APP, spki("chu.example")), CHU),
            replace(LOGIN, certificate=gateway("labo.example").der),
            "refuse",
            "pin-required",
            id="pinned, logged in by another certificate",
        ),
        pytest.param(
            (LABO, listed(APP, spki("chu.example")), CHU),
            replace(LOGIN, certificate=b"garbage"),
            "refuse",
            "pin-required",
            id="pinned, logged in by a certificate that is none",
        ),
        pytest.param((LABO,), RELAY, "refuse", "recipient-not-listed", id="recipient unknown"),
        pytest.param(
            (LABO, replace(CHU, status=Status.REVOKED)),
            RELAY,
            "refuse",
            "recipient-revoked",
            id="recipient's domain revoked",
        ),
        pytest.param(
            (LABO, replace(CHU, open=False)),
            RELAY,
            "refuse",
            "recipient-address-not-listed",
            id="closed, recipient not listed",
        ),
        pytest.param(
            (LABO, replace(CHU, open=False), listed("Dr.Martin@chu.example")),
            RELAY,
            "allow",
            "listed",
            id="closed, recipient listed in another case",
        ),
        pytest.param(
            (LABO, replace(CHU, status=Status.SUSPENDED)),
            RELAY,
            "defer",
            "recipient-suspended",
            id="recipient's domain suspended",
        ),
        pytest.param(
            (LABO, replace(CHU, status=Status.SUSPENDED, open=False)),
            RELAY,
            "refuse",
            "recipient-address-not-listed",
            id="suspended, and no such address anyway",
        ),
        pytest.param(
            (replace(LABO, status=Status.SUSPENDED), CHU),
            RELAY,
            "hold",
            "sender-suspended",
            id="sender's domain suspended",
        ),
        pytest.param(
            (replace(LABO, status=Status.SUSPENDED), replace(CHU, status=Status.SUSPENDED)),
            RELAY,
            "defer",
            "recipient-suspended",
            id="both suspended",
        ),
        pytest.param(
            (replace(LABO, status=Status.SUSPENDED),),
            RELAY,
            "refuse",
            "recipient-not-listed",
            id="a suspended sender's outsider",
        ),
        pytest.param(
            (replace(LABO, identities=(Identity(Way.SAN, "gw.labo.example"),)), CHU),
            RELAY,
            "allow",
            "listed",
            id="by DNS name",
        ),
        pytest.param(
            (replace(LABO, identities=(Identity(Way.SPKI, spki("labo.example")),)), CHU),
            RELAY,
            "allow",
            "listed",
            id="by public key",
        ),
    ],
)
def test_each_step(entries: tuple[Member, ...], peer: Peer, action: str, reason: str) -> None:
    """The action, and the word for it that never changes."""
    decision = decide(APP, DR, peer, trust_list(*entries), NOW)
    assert (action, reason) == (decision.action, decision.reason)


def test_no_list_and_a_stale_list_vouch_for_nobody() -> None:
    """It is our fault, so they come again: never 5yz."""
    assert (Action.DEFER, "list-missing") == brief(decide(APP, DR, RELAY, None, NOW))
    late = NOW + LIFE
    assert (Action.DEFER, "list-stale") == brief(decide(APP, DR, RELAY, LIST, late))
    assert (Action.ALLOW, "listed") == brief(
        decide(APP, DR, RELAY, LIST, late - timedelta(seconds=1))
    )


def brief(decision: Decision) -> tuple[str, str]:
    return decision.action, decision.reason


@pytest.mark.parametrize(
    ("starts", "days", "expected"),
    [
        (NOW - timedelta(days=2), 1, (Action.DEFER, "peer-expired")),
        (NOW + timedelta(days=1), 2, (Action.DEFER, "peer-expired")),
        (NOW - timedelta(days=1), 2, (Action.ALLOW, "listed")),
    ],
)
def test_a_certificate_outside_its_dates(
    starts: datetime, days: int, expected: tuple[str, str]
) -> None:
    """A renewal repairs it, so it defers: on the connection, and at the next hop."""
    certificate = pki().issue("gw.labo.example", starts=starts, days=days)
    current = trust_list(replace(LABO, identities=(dn(certificate),)), CHU)
    assert expected == brief(decide(APP, DR, with_certificate(certificate.der), current, NOW))
    reason = expected[1].replace("peer-", "next-hop-")
    hop = next_hop("labo.example", certificate.der, current, NOW)
    assert (expected[0], reason) == brief(hop)
    speaks = speaks_for(with_certificate(certificate.der), "labo.example", current, NOW)
    assert (expected[0] is Action.ALLOW) == speaks


def test_a_wrong_certificate_that_is_expired_too() -> None:
    """Only the right one is worth waiting for."""
    certificate = pki().issue("gw.autre.example", starts=NOW - timedelta(days=2), days=1)
    found = decide(APP, DR, with_certificate(certificate.der), LIST, NOW)
    assert (Action.REFUSE, "peer-not-entitled") == brief(found)


@pytest.mark.parametrize(
    ("peer", "entries", "expected"),
    [
        (RELAY, (LABO, CHU), ("allow", "listed")),
        (LOGIN, (LABO, CHU), ("allow", "listed")),
        (RELAY, (CHU,), ("refuse", "peer-not-entitled")),
        (LOGIN, (CHU,), ("refuse", "peer-not-entitled")),
        (RELAY, (replace(LABO, status=Status.REVOKED), CHU), ("refuse", "peer-not-entitled")),
        (LOGIN, (replace(LABO, status=Status.REVOKED), CHU), ("refuse", "peer-not-entitled")),
        (RELAY, (replace(LABO, status=Status.SUSPENDED), CHU), ("allow", "listed")),
        (RELAY, (LABO,), ("refuse", "recipient-not-listed")),
        (RELAY, (replace(LABO, open=False), CHU), ("allow", "listed")),
        (Peer("192.0.2.1"), (LABO, CHU), ("refuse", "peer-anonymous")),
    ],
)
def test_the_null_sender(
    peer: Peer, entries: tuple[Member, ...], expected: tuple[str, str]
) -> None:
    """``<>`` is of no domain: its connection must speak for some member, its report says more."""
    assert expected == brief(decide(None, DR, peer, trust_list(*entries), NOW))


@pytest.mark.parametrize(
    ("sender", "entries", "expected"),
    [
        (APP, (LABO, CHU), ("allow", "listed")),
        (None, (CHU,), ("allow", "listed")),
        (APP, (CHU,), ("refuse", "sender-not-listed")),
        (APP, (replace(LABO, status=Status.REVOKED), CHU), ("refuse", "sender-revoked")),
        (APP, (replace(LABO, status=Status.SUSPENDED), CHU), ("allow", "listed")),
        (APP, (LABO,), ("refuse", "recipient-not-listed")),
        (APP, (LABO, replace(CHU, status=Status.REVOKED)), ("refuse", "recipient-revoked")),
        (APP, (LABO, replace(CHU, status=Status.SUSPENDED)), ("defer", "recipient-suspended")),
        (APP, (LABO, replace(CHU, open=False)), ("refuse", "recipient-address-not-listed")),
    ],
)
def test_before_each_attempt(
    sender: Address | None, entries: tuple[Member, ...], expected: tuple[str, str]
) -> None:
    """Both ends must still be members; the connection it came by proved itself at the 250.

    A suspended sender is not asked about again: a person may have released the message.
    """
    assert expected == brief(attempt(sender, DR, trust_list(*entries), NOW))


def test_an_attempt_without_a_list() -> None:
    """What waits goes on waiting."""
    assert (Action.DEFER, "list-missing") == brief(attempt(APP, DR, None, NOW))
    assert (Action.DEFER, "list-stale") == brief(attempt(APP, DR, LIST, NOW + LIFE))


@pytest.mark.parametrize(
    ("domain", "certificate", "current", "now", "expected"),
    [
        ("chu.example", gateway("chu.example").der, LIST, NOW, ("allow", "listed")),
        ("chu.example", gateway("labo.example").der, LIST, NOW, ("defer", "next-hop-not-entitled")),
        ("chu.example", b"garbage", LIST, NOW, ("defer", "next-hop-not-entitled")),
        ("x.example", gateway("chu.example").der, LIST, NOW, ("refuse", "recipient-not-listed")),
        (
            "chu.example",
            gateway("chu.example").der,
            trust_list(replace(CHU, status=Status.REVOKED)),
            NOW,
            ("refuse", "recipient-revoked"),
        ),
        ("chu.example", gateway("chu.example").der, None, NOW, ("defer", "list-missing")),
        ("chu.example", gateway("chu.example").der, LIST, NOW + LIFE, ("defer", "list-stale")),
    ],
)
def test_the_next_hop(
    domain: str,
    certificate: bytes,
    current: TrustList | None,
    now: datetime,
    expected: tuple[str, str],
) -> None:
    """The server we reached must prove itself; DNS said where, the certificate says whether."""
    assert expected == brief(next_hop(domain, certificate, current, now))


@pytest.mark.parametrize(
    ("peer", "domain", "entries", "expected"),
    [
        (RELAY, "labo.example", (LABO, CHU), True),
        (RELAY, "chu.example", (LABO, CHU), False),
        (RELAY, "labo.example", (CHU,), False),
        (RELAY, "labo.example", (replace(LABO, status=Status.REVOKED),), False),
        (RELAY, "labo.example", (replace(LABO, status=Status.SUSPENDED),), True),
        (RELAY, "b.example", (replace(LABO, domain="b.example"), LABO), True),
        (LOGIN, "labo.example", (LABO,), True),
        (LOGIN, "chu.example", (LABO, CHU), False),
        (Peer("192.0.2.1"), "labo.example", (LABO,), False),
        (with_certificate(b"garbage"), "labo.example", (LABO,), False),
    ],
)
def test_speaking_for_a_domain(
    peer: Peer,
    domain: str,
    entries: tuple[Member, ...],
    expected: bool,  # noqa: FBT001
) -> None:
    """From, Sender and reports are believed from those the list names, and nobody else."""
    assert expected == speaks_for(peer, domain, trust_list(*entries), NOW)


@pytest.mark.parametrize(
    ("pins", "expected"),
    [((), True), ((spki("labo.example"),), True), ((spki("chu.example"),), False)],
)
def test_a_pinned_address_is_named_by_its_own_key_alone(
    pins: tuple[str, ...],
    expected: bool,  # noqa: FBT001
) -> None:
    """Else MAIL FROM would keep the pin, and From, which people read, would not."""
    current = trust_list(LABO, listed(APP, *pins))
    assert expected == speaks_as(RELAY, APP, current, NOW)


def test_speaking_as_an_address_needs_its_domain() -> None:
    """Not listed, or no list: nobody does."""
    assert speaks_as(
        RELAY, parse("postmaster@labo.example"), trust_list(replace(LABO, open=False)), NOW
    )
    assert not speaks_as(RELAY, DR, LIST, NOW)
    assert not speaks_as(RELAY, APP, None, NOW)


@pytest.mark.parametrize(
    ("author", "entries", "expected"),
    [
        pytest.param("postmaster@labo.example", (LABO,), True, id="the domain itself"),
        pytest.param("mailer-daemon@mx.labo.example", (LABO,), True, id="a machine of it"),
        pytest.param("mailer-daemon@a.b.labo.example", (LABO,), True, id="further below"),
        pytest.param("mailer-daemon@evillabo.example", (LABO,), False, id="a look-alike"),
        pytest.param("mailer-daemon@mx.evillabo.example", (LABO,), False, id="below a look-alike"),
        pytest.param("mailer-daemon@labo.example.evil.example", (LABO,), False, id="a prefix"),
        pytest.param("mailer-daemon@mx.chu.example", (LABO, CHU), False, id="below another member"),
        pytest.param(
            "dr@mx.labo.example",
            (LABO, replace(CHU, domain="mx.labo.example")),
            False,
            id="itself a member, with another certificate",
        ),
        pytest.param(
            "dr@a.mx.labo.example",
            (LABO, replace(CHU, domain="mx.labo.example")),
            False,
            id="below a member that is below",
        ),
        pytest.param(
            "mailer-daemon@mx.labo.example",
            (replace(LABO, status=Status.REVOKED), CHU),
            False,
            id="below a revoked one",
        ),
    ],
)
def test_a_report_may_come_in_the_name_of_a_machine(
    author: str,
    entries: tuple[Member, ...],
    expected: bool,  # noqa: FBT001
) -> None:
    """Mail systems report as MAILER-DAEMON@their-host; a suffix that only looks alike is nobody's."""
    assert expected == reports_as(RELAY, parse(author), trust_list(*entries), NOW)


def test_nobody_reports_without_a_fresh_list() -> None:
    """Nor under a pinned address with another key."""
    daemon = parse("mailer-daemon@mx.labo.example")
    assert not reports_as(RELAY, daemon, None, NOW)
    assert not reports_as(RELAY, daemon, LIST, NOW + LIFE)
    pinned = trust_list(LABO, listed(APP, spki("chu.example")))
    assert not reports_as(RELAY, APP, pinned, NOW)


def test_nobody_speaks_without_a_fresh_list() -> None:
    """Neither without a list nor with a stale one."""
    assert not speaks_for(RELAY, "labo.example", None, NOW)
    assert not speaks_for(RELAY, "labo.example", LIST, NOW + LIFE)


# What we deny ourselves.

LABO_CERTIFICATE = Certificate.parse(gateway("labo.example").der)
OTHER = Identity(Way.SAN, "gw.autre.example")


@pytest.mark.parametrize(
    ("denied", "expected"),
    [
        (Denials(domains=frozenset({"labo.example"})), "sender-denied"),
        (Denials(addresses=frozenset({APP})), "sender-denied"),
        (Denials(operators=LABO.marks), "sender-denied"),
        (Denials(certificates=frozenset({LABO_CERTIFICATE.fingerprint})), "peer-denied"),
        (Denials(domains=frozenset({"chu.example"})), "recipient-denied"),
        (Denials(addresses=frozenset({DR})), "recipient-denied"),
        (Denials(operators=CHU.marks), "recipient-denied"),
    ],
)
def test_a_local_denial_wins_over_every_list(denied: Denials, expected: str) -> None:
    """By domain, address, operator or certificate; refused, because a person decided it."""
    current = LIST.under(Overlay(denied))
    assert (Action.REFUSE, expected) == brief(decide(APP, DR, RELAY, current, NOW))


@pytest.mark.parametrize(
    "denied",
    [
        Denials(domains=frozenset({"autre.example"})),
        Denials(addresses=frozenset({"autre@labo.example"})),
        Denials(operators=frozenset({OTHER.mark})),
        Denials(certificates=frozenset({"00" * 32})),
    ],
)
def test_a_denial_meets_nobody_else(denied: Denials) -> None:
    """Neighbours of what is denied go on."""
    current = LIST.under(Overlay(denied))
    assert (Action.ALLOW, "listed") == brief(decide(APP, DR, RELAY, current, NOW))
    assert (Action.ALLOW, "listed") == brief(attempt(APP, DR, current, NOW))
    assert (Action.ALLOW, "listed") == brief(decide(APP, DR, LOGIN, current, NOW))
    assert (Action.ALLOW, "listed") == brief(decide(None, DR, RELAY, current, NOW))


def test_one_denied_operator_of_two() -> None:
    """The domain goes on with the other; the denied one's certificate passes for none."""
    shared = replace(LABO, identities=(*LABO.identities, OTHER))
    current = trust_list(shared, CHU).under(Overlay(Denials(operators=LABO.marks)))
    assert (Action.REFUSE, "peer-denied") == brief(decide(APP, DR, RELAY, current, NOW))
    assert (Action.ALLOW, "listed") == brief(attempt(APP, DR, current, NOW))


def test_a_denial_needs_no_fresh_list() -> None:
    """It is our own knowledge: what waits for a fresh list ends, if it is denied meanwhile."""
    late = NOW + LIFE
    current = LIST.under(Overlay(Denials(domains=frozenset({"chu.example"}))))
    assert (Action.REFUSE, "recipient-denied") == brief(attempt(APP, DR, current, late))
    current = LIST.under(Overlay(Denials(addresses=frozenset({APP}))))
    assert (Action.REFUSE, "sender-denied") == brief(attempt(APP, DR, current, late))
    assert (Action.REFUSE, "sender-denied") == brief(decide(APP, DR, RELAY, current, late))


def test_whoever_may_not_ask_learns_nothing_of_whom_we_deny() -> None:
    """A peer that speaks for nobody hears of its own certificate, and of no recipient."""
    current = LIST.under(Overlay(Denials(addresses=frozenset({DR}))))
    foreign = with_certificate(gateway("chu.example").der)
    assert (Action.REFUSE, "peer-not-entitled") == brief(decide(APP, DR, foreign, current, NOW))


def test_the_null_sender_of_a_denied_log_in_or_certificate() -> None:
    """A report is no way round a denial."""
    denied = Denials(addresses=frozenset({APP}))
    current = LIST.under(Overlay(denied))
    assert (Action.REFUSE, "sender-denied") == brief(decide(None, DR, LOGIN, current, NOW))
    current = LIST.under(Overlay(Denials(operators=LABO.marks)))
    assert (Action.REFUSE, "peer-denied") == brief(decide(None, DR, RELAY, current, NOW))
    current = LIST.under(Overlay(Denials(domains=frozenset({"labo.example"}))))
    assert (Action.REFUSE, "peer-not-entitled") == brief(decide(None, DR, RELAY, current, NOW))
    assert (Action.ALLOW, "listed") == brief(attempt(None, DR, current, NOW))


def test_whoever_writes_for_another_is_asked_about_too() -> None:
    """A denied log-in sends in nobody's name."""
    current = LIST.under(Overlay(Denials(addresses=frozenset({"autre@labo.example"}))))
    found = decide(APP, DR, with_login("autre@labo.example"), current, NOW)
    assert (Action.REFUSE, "sender-denied") == brief(found)


def test_a_denied_certificate_that_is_none() -> None:
    """What cannot be read is refused for that."""
    current = LIST.under(Overlay(Denials(operators=CHU.marks)))
    found = decide(APP, parse("x@labo.example"), with_certificate(b"garbage"), current, NOW)
    assert (Action.REFUSE, "peer-unreadable") == brief(found)


def test_a_denied_next_hop() -> None:
    """DNS may have led us there: nothing is sent, and another attempt follows."""
    der = gateway("chu.example").der
    denied = Denials(certificates=frozenset({Certificate.parse(der).fingerprint}))
    found = next_hop("chu.example", der, LIST.under(Overlay(denied)), NOW)
    assert (Action.DEFER, "next-hop-denied") == brief(found)


def test_the_denied_speak_for_nobody() -> None:
    """Neither in From, nor in a report."""
    for denied in (
        Denials(domains=frozenset({"labo.example"})),
        Denials(operators=LABO.marks),
        Denials(certificates=frozenset({LABO_CERTIFICATE.fingerprint})),
    ):
        assert not speaks_for(RELAY, "labo.example", LIST.under(Overlay(denied)), NOW)
    current = LIST.under(Overlay(Denials(addresses=frozenset({APP}))))
    assert speaks_for(RELAY, "labo.example", current, NOW)
    assert not speaks_as(RELAY, APP, current, NOW)


# What waits for an operator's approval.


@pytest.mark.parametrize(
    ("domain", "entries", "expected"),
    [
        ("labo.example", (LABO, CHU), ("defer", "sender-awaits-approval")),
        ("labo.example", (CHU,), ("defer", "sender-awaits-approval")),
        ("chu.example", (LABO, CHU), ("defer", "recipient-awaits-approval")),
        ("chu.example", (LABO,), ("defer", "recipient-awaits-approval")),
        ("autre.example", (LABO, CHU), ("allow", "listed")),
        (
            "labo.example",
            (replace(LABO, status=Status.REVOKED), CHU),
            ("refuse", "sender-revoked"),
        ),
        (
            "chu.example",
            (LABO, replace(CHU, status=Status.REVOKED)),
            ("refuse", "recipient-revoked"),
        ),
    ],
)
def test_what_awaits_approval(
    domain: str, entries: tuple[Member, ...], expected: tuple[str, str]
) -> None:
    """Neither trusted nor refused until an operator has decided; a revocation never waits."""
    current = trust_list(*entries).under(Overlay(waiting=frozenset({domain})))
    assert expected == brief(decide(APP, DR, RELAY, current, NOW))
    assert expected == brief(attempt(APP, DR, current, NOW))


# Several sources, each with its own date.

YOUNG, OLD = timedelta(days=7), timedelta(hours=1)
SOON = NOW + timedelta(hours=2)


def two_sources(old: Member, young: Member, *, ours: frozenset[str] = frozenset()) -> TrustList:
    first, second = ListAuthority(life=OLD).add(old), ListAuthority(life=YOUNG).add(young)
    return TrustList.of([first.edition("vieille"), second.edition("fraiche")], ours=ours)


def test_a_stale_source_stops_its_own_domains() -> None:
    """Whichever end it names; and what it does not name is judged by those that are fresh."""
    for old, young in ((LABO, CHU), (CHU, LABO)):
        current = two_sources(old, young)
        assert (Action.DEFER, "list-stale") == brief(decide(APP, DR, RELAY, current, SOON))
        assert (Action.DEFER, "list-stale") == brief(attempt(APP, DR, current, SOON))
    der = gateway("labo.example").der
    found = next_hop("labo.example", der, two_sources(LABO, CHU), SOON)
    assert (Action.DEFER, "list-stale") == brief(found)


def test_whom_no_list_names_waits_only_if_all_are_stale() -> None:
    """One that went stale must not keep every misspelt domain waiting."""
    current = two_sources(CHU, LABO)
    to = parse("x@absent.example")
    assert (Action.REFUSE, "recipient-not-listed") == brief(decide(APP, to, RELAY, current, SOON))
    assert (Action.DEFER, "list-stale") == brief(attempt(APP, to, current, NOW + YOUNG))
    assert postponed("absent.example", current, SOON) is None
    assert postponed("chu.example", current, SOON) is LIST_STALE
    assert postponed("chu.example", None, SOON) is LIST_MISSING


def test_the_null_sender_of_a_stale_source() -> None:
    """Its connection's member is named by a list that vouches for nobody any more."""
    current = two_sources(LABO, CHU)
    assert (Action.DEFER, "list-stale") == brief(decide(None, DR, RELAY, current, SOON))
    assert not speaks_for(RELAY, "labo.example", current, SOON)


def test_between_our_own_mailboxes_nothing_needs_to_be_fresh() -> None:
    """A hospital goes on writing within, whatever becomes of the list; whom it denies does not."""
    ours = frozenset({"labo.example"})
    inside = parse("secretariat@labo.example")
    current = TrustList.of([ListAuthority().add(LABO, CHU).edition()], ours=ours)
    late = NOW + LIFE
    assert (Action.ALLOW, "listed") == brief(decide(APP, inside, LOGIN, current, late))
    assert (Action.ALLOW, "listed") == brief(attempt(APP, inside, current, late))
    assert (Action.DEFER, "list-stale") == brief(decide(APP, DR, LOGIN, current, late))
    waiting = current.under(Overlay(waiting=ours))
    assert (Action.ALLOW, "listed") == brief(decide(APP, inside, LOGIN, waiting, NOW))
    denied = current.under(Overlay(Denials(addresses=frozenset({inside}))))
    assert (Action.REFUSE, "recipient-denied") == brief(decide(APP, inside, LOGIN, denied, late))


def test_our_own_domain_that_is_not_listed_yet() -> None:
    """It waits with the change that adds it; mail within too."""
    ours = frozenset({"labo.example"})
    current = TrustList.of(
        [ListAuthority().add(CHU).edition()], ours=ours, overlay=Overlay(waiting=ours)
    )
    inside = parse("secretariat@labo.example")
    found = decide(APP, inside, LOGIN, current, NOW)
    assert (Action.DEFER, "sender-awaits-approval") == brief(found)


def test_a_removal_counts_from_the_next_question() -> None:
    """The list that counts is the one in force when the question is asked."""
    authority = ListAuthority().add(LABO, CHU)
    before = authority.current()
    del authority.members["labo.example"]
    after = authority.current()
    assert [("allow", "listed"), ("refuse", "sender-not-listed")] == [
        brief(decide(APP, DR, RELAY, current, NOW)) for current in (before, after)
    ]


# A second opinion, written otherwise: what the rule says, not how the steps ask it.

_STATUSES = st.sampled_from(Status)
_DOMAINS = ("labo.example", "chu.example", "absent.example")
_ADDRESSES = st.builds(
    lambda local, domain: parse(f"{local}@{domain}"),
    st.sampled_from(["a", "b"]),
    st.sampled_from(_DOMAINS),
)
_PEERS = st.one_of(
    st.sampled_from(
        [RELAY, with_certificate(gateway("chu.example").der), Peer("192.0.2.1")],
    ),
    st.builds(lambda login: replace(LOGIN, login=login), _ADDRESSES),
)


@given(
    statuses=st.tuples(_STATUSES, _STATUSES),
    opens=st.tuples(st.booleans(), st.booleans()),
    entries=st.sets(st.sampled_from(["a@labo.example", "a@chu.example"])),
    sender=_ADDRESSES,
    recipient=_ADDRESSES,
    peer=_PEERS,
)
def test_whoever_is_allowed_meets_every_condition(
    *,
    statuses: tuple[Status, Status],
    opens: tuple[bool, bool],
    entries: set[str],
    sender: Address,
    recipient: Address,
    peer: Peer,
) -> None:
    """Allowed if and only if all of the rule's conditions hold together."""
    members = {
        domain: member(domain, open=opens[n], status=statuses[n])
        for n, domain in enumerate(_DOMAINS[:2])
    }
    current = trust_list(*members.values(), *(listed(entry) for entry in sorted(entries)))

    def known(address: Address) -> bool:
        there = members.get(domain_of(address))
        if there is None or there.status is not Status.ACTIVE:
            return False
        return there.open or address in entries

    if peer.login is not None:
        entitled = peer.login == sender
    else:
        entitled = peer.certificate == gateway(domain_of(sender)).der

    found = decide(sender, recipient, peer, current, NOW)
    assert (known(sender) and known(recipient) and entitled) == (found.action is Action.ALLOW)
    assert found.reply.positive == (found.action in {Action.ALLOW, Action.HOLD})
    assert found.reply.transient == (found.action is Action.DEFER)


def test_every_reason_is_specified() -> None:
    """docs/trust-list.md names each by its word."""
    specification = (Path(__file__).parents[2] / "docs" / "trust-list.md").read_text("utf-8")
    assert [] == [reason for reason in Reason if f"`{reason}`" not in specification]
