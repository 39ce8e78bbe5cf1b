"""Authorities are asked ahead of time and seldom; while one is silent its last word stands."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from cryptography import x509

from gateway.demo.pki import Asking, Issued
from gateway.demo.revocation import Register
from tests.trust.pki import (
    BY_BOTH,
    BY_CRL,
    BY_OCSP,
    CHALLENGE,
    CRL,
    FORBIDDEN,
    OCSP,
    SILENT,
    Memory,
    Pki,
)
from tests.world.clock import Clock
from trust.authorities import Authorities, Manners, Revocation
from trust.chain import chains, fingerprint
from trust.revocation import Source, Standing, State


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pki(clock: Clock) -> Pki:
    return Pki.make(clock)


@pytest.fixture
def shelf() -> Memory:
    return Memory()


@pytest.fixture
def told() -> list[tuple[str, object]]:
    return []


@pytest.fixture
def authorities(
    pki: Pki, shelf: Memory, clock: Clock, told: list[tuple[str, object]]
) -> Authorities:
    return Authorities(
        pki, shelf, clock, Manners(), lambda event, facts: told.append((event, facts["reason"]))
    )


async def ask(authorities: Authorities, pki: Pki, leaf: Issued) -> Standing:
    return await authorities.standing(leaf.der, pki.others, pki.anchors)


@pytest.mark.parametrize(
    ("asking", "source"), [(BY_CRL, Source.CRL), (BY_OCSP, Source.OCSP), (BY_BOTH, Source.OCSP)]
)
async def test_a_good_certificate_is_good_until_the_answer_ends(
    authorities: Authorities, pki: Pki, clock: Clock, asking: Asking, source: Source
) -> None:
    """And it is known to which anchor it leads."""
    found = await ask(authorities, pki, pki.issue(asking=asking))

    assert (State.GOOD, source) == (found.state, found.source)
    assert clock() + timedelta(days=1) == found.until
    assert {fingerprint(pki.anchors[0])} == found.anchors


@pytest.mark.parametrize("asking", [BY_CRL, BY_OCSP, BY_BOTH])
async def test_a_revoked_certificate_is_revoked_for_good(
    authorities: Authorities, pki: Pki, clock: Clock, asking: Asking
) -> None:
    """Seen at the next look, and then never asked again, whatever the authority says later."""
    leaf = pki.issue(asking=asking)
    assert State.GOOD is (await ask(authorities, pki, leaf)).state

    pki.register.revoke(leaf, clock())
    clock.advance(hours=1)
    assert State.REVOKED is (await ask(authorities, pki, leaf)).state

    pki.register.revoked.clear()
    clock.advance(days=3)
    asked = len(pki.asked)
    assert State.REVOKED is (await ask(authorities, pki, leaf)).state
    assert asked == len(pki.asked)


@pytest.mark.parametrize("asking", [BY_CRL, BY_OCSP])
async def test_a_hold_is_lifted_by_a_later_word_alone(
    authorities: Authorities, pki: Pki, clock: Clock, asking: Asking
) -> None:
    """An answer from before it, brought again, lifts nothing."""
    leaf = pki.issue(asking=asking)
    before = clock()
    clock.advance(hours=1)
    pki.register.revoke(leaf, clock(), x509.ReasonFlags.certificate_hold)
    assert (await ask(authorities, pki, leaf)).hold

    pki.register.revoked.clear()
    pages = dict(pki.pages)
    pki.pages[CRL] = lambda _: pki.register.crl(before, pki.life)
    pki.pages[OCSP] = lambda asked: pki.register.answer(asked, before, pki.life)
    clock.advance(hours=1)
    assert (await ask(authorities, pki, leaf)).hold

    pki.pages = pages
    clock.advance(hours=1)
    assert State.GOOD is (await ask(authorities, pki, leaf)).state


async def test_between_two_looks_nobody_is_asked(
    authorities: Authorities, pki: Pki, clock: Clock
) -> None:
    """An authority is asked once an hour, or well before a shorter answer ends."""
    leaf = pki.issue()
    await ask(authorities, pki, leaf)
    clock.advance(minutes=59)
    await ask(authorities, pki, leaf)
    assert [CRL] == pki.asked

    pki.life = timedelta(minutes=20)
    clock.advance(minutes=1)
    await ask(authorities, pki, leaf)
    clock.advance(minutes=10)
    await ask(authorities, pki, leaf)
    assert [CRL, CRL, CRL] == pki.asked


async def test_one_list_serves_every_certificate_of_its_issuer(
    authorities: Authorities, pki: Pki
) -> None:
    """Four hundred peers are one request, also if all come at once."""
    leaves = [pki.issue(f"mx{n}.example") for n in range(5)]
    async with asyncio.TaskGroup() as group:
        for leaf in leaves:
            group.create_task(ask(authorities, pki, leaf))

    assert [CRL] == pki.asked


async def test_one_question_is_asked_once_however_many_wait(
    authorities: Authorities, pki: Pki
) -> None:
    """Ten connections of one peer are one OCSP request."""
    leaf = pki.issue(asking=BY_OCSP)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(authorities, pki, leaf)) for _ in range(10)]

    assert [OCSP] == pki.asked
    assert {State.GOOD} == {task.result().state for task in tasks}


@pytest.mark.parametrize("page", [SILENT, FORBIDDEN, CHALLENGE, b"rubbish", b"0\x00"])
async def test_a_silent_authority_leaves_its_last_word_standing(
    authorities: Authorities, pki: Pki, clock: Clock, page: bytes
) -> None:
    """Down, 403, a page in HTML: the answer of before counts to its end; the grace comes after."""
    leaf = pki.issue()
    before = await ask(authorities, pki, leaf)
    pki.pages[CRL] = page
    clock.advance(hours=30)

    assert before.until == (await ask(authorities, pki, leaf)).until
    never_seen = await ask(authorities, pki, pki.issue("mx.neuf.example"))
    assert (State.GOOD, before.until) == (never_seen.state, never_seen.until)


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (SILENT, "unreachable"),
        (FORBIDDEN, "http-error"),
        (CHALLENGE, "a-page"),
        (b"rubbish", "not-der"),
        (b"0\x00", "not-a-crl"),
    ],
)
async def test_without_any_word_a_certificate_is_unknown(
    authorities: Authorities,
    pki: Pki,
    told: list[tuple[str, object]],
    page: bytes,
    why: str,
) -> None:
    """Never good by silence; and the log says what came instead of an answer."""
    pki.pages[CRL] = page
    found = await ask(authorities, pki, pki.issue())

    assert (State.UNKNOWN, why) == (found.state, found.why)
    assert [("revocation.unanswered", why)] == told
    assert {fingerprint(pki.anchors[0])} == found.anchors


async def test_who_fails_is_left_alone_for_longer_and_longer(
    authorities: Authorities, pki: Pki, clock: Clock
) -> None:
    """30 s, 1 min, 2 min ... 30 min: a host that limits its rate is not made angrier."""
    pki.pages[CRL] = FORBIDDEN
    leaf, moments = pki.issue(), []
    began = clock()
    for _ in range(4 * 3600 // 30):
        before = len(pki.asked)
        await ask(authorities, pki, leaf)
        if len(pki.asked) > before:
            moments.append((clock() - began).total_seconds())
        clock.advance(seconds=30)

    pauses = [later - sooner for sooner, later in pairwise(moments)]
    assert [30, 60, 120, 240, 480, 960] == pauses[:6]
    assert {1800} == set(pauses[6:])

    pki.pages[CRL] = pki.register.crl(clock())
    clock.advance(minutes=30)
    assert State.GOOD is (await ask(authorities, pki, leaf)).state


async def test_one_that_the_responder_does_not_know_does_not_silence_it_for_others(
    authorities: Authorities, pki: Pki, clock: Clock
) -> None:
    """An error about one certificate is about one certificate."""
    strange, known = pki.issue(asking=BY_OCSP), pki.issue("x.example", asking=BY_OCSP)
    about_known = pki.register.answer(
        chains(known.der, pki.others, pki.anchors, clock()).found[0].links[0].request(), clock()
    )
    pki.pages[OCSP] = about_known

    assert State.UNKNOWN is (await ask(authorities, pki, strange)).state
    assert State.GOOD is (await ask(authorities, pki, known)).state
    assert State.UNKNOWN is (await ask(authorities, pki, strange)).state
    assert [OCSP, OCSP] == pki.asked


async def test_a_responder_that_fails_gives_way_to_the_list(
    authorities: Authorities, pki: Pki
) -> None:
    """Both are named for this."""
    pki.pages[OCSP] = SILENT

    assert Source.CRL is (await ask(authorities, pki, pki.issue(asking=BY_BOTH))).source


@pytest.mark.parametrize("instead", ["forged", "older"])
async def test_a_list_that_is_not_signed_or_older_replaces_nothing(
    authorities: Authorities, pki: Pki, clock: Clock, instead: str
) -> None:
    """Whoever sits on the way can be silent, and no more than that."""
    leaf = pki.issue()
    yesterday = pki.register.crl(clock() - timedelta(hours=20))
    other = Pki.make(clock)  # the same names
    pki.register.revoke(leaf, clock())
    fresh = pki.issue("mx.x.example")
    assert State.GOOD is (await ask(authorities, pki, fresh)).state
    pki.pages[CRL] = other.register.crl(clock()) if instead == "forged" else yesterday
    clock.advance(hours=2)

    assert State.REVOKED is (await ask(authorities, pki, leaf)).state
    assert State.GOOD is (await ask(authorities, pki, fresh)).state


async def test_a_list_that_ran_out_counts_for_the_grace_and_is_fetched_gently(
    authorities: Authorities, pki: Pki, clock: Clock, told: list[tuple[str, object]]
) -> None:
    """An authority that forgot to sign anew is told of, and not asked every second."""
    old = clock() - timedelta(days=1, hours=1)
    pki.pages[CRL] = pki.register.crl(old)
    found = await ask(authorities, pki, pki.issue())

    assert (State.GOOD, clock() - timedelta(hours=1)) == (found.state, found.until)
    assert [("revocation.unanswered", "ran-out")] == told


async def test_an_ocsp_answer_given_after_its_end_is_none(
    authorities: Authorities, pki: Pki, clock: Clock
) -> None:
    """It was made for somebody else, before: a responder signs anew, an attacker cannot."""
    pki.pages[OCSP] = lambda asked: pki.register.answer(asked, clock() - timedelta(days=2))
    found = await ask(authorities, pki, pki.issue(asking=BY_OCSP))

    assert (State.UNKNOWN, "ran-out") == (found.state, found.why)


async def test_an_unchanged_list_is_not_fetched_twice(
    authorities: Authorities, pki: Pki, clock: Clock
) -> None:
    """The authority's host says that it is the same, and that is all that travels."""
    pki.etag, der = '"7"', pki.register.crl(clock(), timedelta(days=7))
    pki.pages[CRL] = der
    leaf = pki.issue()
    before = await ask(authorities, pki, leaf)
    clock.advance(hours=2)

    assert before.until == (await ask(authorities, pki, leaf)).until
    assert [CRL, CRL] == pki.asked


@pytest.mark.parametrize(
    ("revocation", "state", "why"),
    [
        (Revocation.REQUIRED, State.UNKNOWN, "names-nobody"),
        (Revocation.WHEN_NAMED, State.GOOD, "names-nobody"),
        (Revocation.OFF, State.GOOD, "not-asked"),
    ],
)
async def test_a_certificate_that_names_nobody_follows_the_setting(
    pki: Pki, shelf: Memory, clock: Clock, revocation: Revocation, state: State, why: str
) -> None:
    """The operator says whether silence by design is consent."""
    authorities = Authorities(pki, shelf, clock, Manners(revocation=revocation))
    found = await ask(authorities, pki, pki.issue(asking=Asking()))

    assert (state, why) == (found.state, found.why)
    assert [] == pki.asked


async def test_one_that_names_only_ldap_cannot_be_asked(authorities: Authorities, pki: Pki) -> None:
    """It names somebody, so silence is not by design."""
    found = await ask(authorities, pki, pki.issue(asking=Asking(crl=("ldap://x/cn=y",))))

    assert (State.UNKNOWN, "names-nobody-by-http") == (found.state, found.why)


async def test_no_way_to_an_anchor_is_said_so(authorities: Authorities, pki: Pki) -> None:
    """Nobody is asked about a stranger's certificate: whom it names, a stranger wrote."""
    stranger = Pki.make(pki.clock).issue()
    found = await ask(authorities, pki, stranger)

    assert (State.UNKNOWN, "no-path", frozenset()) == (found.state, found.why, found.anchors)
    assert [] == pki.asked


async def test_what_was_said_outlives_a_restart(
    authorities: Authorities, pki: Pki, shelf: Memory, clock: Clock
) -> None:
    """Also the list, which may know certificates that come later."""
    good, bad = pki.issue(), pki.issue("mx.bad.example")
    pki.register.revoke(bad, clock())
    before = [await ask(authorities, pki, leaf) for leaf in (good, bad)]
    pki.pages[CRL] = SILENT
    pki.register.revoked.clear()

    again = Authorities(pki, shelf, clock, Manners())
    await again.restore()
    clock.advance(hours=2)
    after = [await ask(again, pki, leaf) for leaf in (good, bad)]
    assert [(one.state, one.until) for one in before] == [(one.state, one.until) for one in after]
    later = await ask(again, pki, pki.issue("mx.neuf.example"))
    assert State.GOOD is later.state


async def test_what_ran_out_long_ago_is_forgotten_and_the_revoked_never(
    authorities: Authorities, pki: Pki, shelf: Memory, clock: Clock
) -> None:
    """The shelf does not grow for ever, and no bytes on it stop a start."""
    good, bad = pki.issue(), pki.issue("mx.bad.example")
    pki.register.revoke(bad, clock())
    for leaf in (good, bad):
        await ask(authorities, pki, leaf)
    shelf.kept["answer junk"] = b"junk"
    clock.advance(days=40)
    again = Authorities(pki, shelf, clock, Manners())
    await again.restore()

    assert 1 == len(shelf.kept)
    assert State.REVOKED is (await ask(again, pki, bad)).state


async def test_what_is_held_can_be_read_without_asking(
    authorities: Authorities, pki: Pki, clock: Clock
) -> None:
    """Whoever verifies a list's signer in a thread has no time to ask."""
    leaf = pki.issue()
    (key, _) = (
        link.key for link in chains(leaf.der, pki.others, pki.anchors, clock()).found[0].links
    )
    assert State.UNKNOWN is authorities.held([key]).state
    await ask(authorities, pki, leaf)
    assert State.GOOD is authorities.held([key]).state
    assert "<Authorities 1 answers, 0 silent>" == repr(authorities)


async def test_a_delegated_register_answers_too(
    authorities: Authorities, pki: Pki, clock: Clock
) -> None:
    """A responder that the authority certified (RFC 6960 §4.2.2.2)."""
    responder = pki.authority.issue("ocsp", days=900, responder=True)
    register = Register(pki.authority.issuing, responder)
    pki.pages[OCSP] = lambda asked: register.answer(asked, clock())

    assert Source.OCSP is (await ask(authorities, pki, pki.issue(asking=BY_OCSP))).source
