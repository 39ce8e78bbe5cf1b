"""How a certificate stands is looked up, not asked for; good runs out, revoked never does."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust.revocation import (
    GRACE,
    UNCHECKED,
    UNSEEN,
    Source,
    Standing,
    Standings,
    State,
    combined,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LEAF, OTHER = "a" * 64, "b" * 64
ANCHORS = frozenset({"c" * 64})
GOOD = Standing(State.GOOD, NOW, NOW + timedelta(hours=1), Source.CRL, ANCHORS)
REVOKED = Standing(State.REVOKED, NOW, source=Source.OCSP, why="key-compromise")
HELD = Standing(State.REVOKED, NOW, source=Source.CRL, hold=True)

standings = st.sampled_from([GOOD, REVOKED, HELD, UNSEEN, UNCHECKED])


def test_where_nobody_asks_a_certificate_stands_as_tls_judged_it() -> None:
    """Without revocation in the settings no certificate waits for an answer that nobody fetches."""
    assert UNCHECKED == Standings().of(LEAF, NOW)


def test_a_certificate_that_was_never_seen_is_unknown() -> None:
    """Fail closed: no answer is not a good answer."""
    assert UNSEEN == Standings({OTHER: GOOD}, asked=True).of(LEAF, NOW)


@pytest.mark.parametrize(
    ("after", "state"),
    [
        (timedelta(), State.GOOD),
        (timedelta(hours=1), State.GOOD),
        (timedelta(hours=1) + GRACE - timedelta(seconds=1), State.GOOD),
        (timedelta(hours=1) + GRACE, State.UNKNOWN),
        (timedelta(days=1000), State.UNKNOWN),
    ],
)
def test_a_good_answer_outlives_its_date_by_the_grace_and_no_longer(
    after: timedelta, state: State
) -> None:
    """Four hours of an authority's silence are borne; after that nobody vouches."""
    found = Standings({LEAF: GOOD}, asked=True).of(LEAF, NOW + after)

    assert state is found.state
    assert ANCHORS == found.anchors
    assert ("stale" if state is State.UNKNOWN else "") == found.why


def test_the_grace_is_the_operators() -> None:
    """A site may give no grace at all."""
    strict = Standings({LEAF: GOOD}, asked=True, grace=timedelta())

    assert State.UNKNOWN is strict.of(LEAF, NOW + timedelta(hours=1)).state


def test_a_good_answer_without_an_end_does_not_run_out() -> None:
    """A certificate that names nobody to ask is good for as long as its chain is."""
    forever = Standing(State.GOOD, NOW)

    assert forever == Standings({LEAF: forever}, asked=True).of(LEAF, NOW + timedelta(days=9000))


@given(then=standings, days=st.integers(0, 10_000))
def test_who_was_revoked_stays_revoked(then: Standing, days: int) -> None:
    """No later answer and no time gives back what an authority took away."""
    found = Standings({LEAF: REVOKED}, asked=True).learned({LEAF: then, OTHER: GOOD})

    assert REVOKED == found.of(LEAF, NOW + timedelta(days=days))


@pytest.mark.parametrize("before", [HELD, GOOD, UNSEEN])
@pytest.mark.parametrize("later", [GOOD, REVOKED, UNSEEN])
def test_all_else_gives_way_to_what_is_learned_later(before: Standing, later: Standing) -> None:
    """A hold may end (RFC 5280 §5.3.1), an answer may come, a revocation counts at once."""
    found = Standings({LEAF: before}, asked=True).learned({LEAF: later})

    assert later == found.of(LEAF, NOW)


def test_standings_are_values() -> None:
    """Whoever holds one sees it unchanged, whatever is learned meanwhile."""
    source = {LEAF: GOOD}
    before = Standings(source, asked=True)
    source[LEAF] = REVOKED
    after = before.learned({LEAF: REVOKED})

    assert GOOD == before.of(LEAF, NOW)
    assert REVOKED == after.of(LEAF, NOW)
    assert after.asked
    with pytest.raises(TypeError):
        before.known[LEAF] = REVOKED  # type: ignore[index]


def test_a_certificate_can_be_forgotten() -> None:
    """What nobody shows any more does not fill memory for ever."""
    found = Standings({LEAF: GOOD, OTHER: GOOD}, asked=True).without(frozenset({LEAF}))

    assert {OTHER: GOOD} == dict(found.known)


def test_a_chain_stands_as_its_weakest_link() -> None:
    """Revoked anywhere is revoked, unknown anywhere unknown; good is good to the first end."""
    short = Standing(State.GOOD, NOW, NOW + timedelta(minutes=1), Source.OCSP)
    forever = Standing(State.GOOD, NOW)

    assert NOW + timedelta(minutes=1) == combined([GOOD, short, forever]).until
    assert GOOD.source == combined([GOOD, short]).source
    assert forever == combined([forever, forever])
    assert REVOKED == combined([REVOKED, UNSEEN])
    assert UNSEEN == combined([UNSEEN, GOOD])
    assert "authority-key-compromise" == combined([UNSEEN, GOOD, REVOKED]).why
    assert (State.UNKNOWN, "authority-unseen") == (
        combined([GOOD, UNSEEN]).state,
        combined([GOOD, UNSEEN]).why,
    )
