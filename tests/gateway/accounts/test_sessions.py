"""Who is in by a browser, and until when."""

from datetime import timedelta

from gateway.accounts.sessions import Sessions
from tests.world.clock import START

IDLE, LONGEST = timedelta(minutes=15), timedelta(hours=10)


def sessions() -> Sessions:
    return Sessions(IDLE, LONGEST)


def test_a_session_is_known_by_its_name_alone() -> None:
    """And the name is nowhere in memory."""
    made = sessions()
    name = made.begin("k", "f", START)
    found = made.of(name, START)
    assert found is not None
    assert ("k", "f", START) == (found.owner, found.factor, found.since)
    assert name not in repr(made._open)
    assert made.of(name + "x", START) is None
    assert made.of(found.key, START) is None


def test_it_ends_when_nothing_happens() -> None:
    """Each request keeps it alive for as long again."""
    made = sessions()
    name = made.begin("k", "f", START)
    almost = IDLE - timedelta(seconds=1)
    assert made.of(name, START + almost) is not None
    assert made.of(name, START + 2 * almost) is not None
    assert made.of(name, START + 2 * almost + IDLE) is None


def test_it_ends_at_the_latest_after_so_long() -> None:
    """However busy, and whatever was shown again."""
    made, now = sessions(), START
    name = made.begin("k", "f", START)
    while now < START + LONGEST:
        found = made.of(name, now)
        assert found is not None
        name = made.proved(found.key, "f", now) or ""
        now += timedelta(minutes=10)
    assert made.of(name, now) is None


def test_a_factor_shown_again_renames_it() -> None:
    """The name before opens nothing; a session that ended is not brought back."""
    made = sessions()
    name = made.begin("k", "f", START)
    found = made.of(name, START)
    assert found is not None
    later = START + timedelta(minutes=5)
    renamed = made.proved(found.key, "g", later)
    assert renamed is not None
    after = made.of(renamed, later)
    assert after is not None
    assert ("g", later, START) == (after.factor, after.since, after.began)
    assert made.of(name, later) is None
    assert made.proved(found.key, "g", later) is None


def test_somebody_ends_them() -> None:
    """One person's, and nobody else's."""
    made = sessions()
    names = [made.begin(owner, "f", START) for owner in ("k", "k", "other")]
    made.end(lambda session: session.owner == "k")
    assert [False, False, True] == [made.of(name, START) is not None for name in names]


def test_a_person_has_so_many() -> None:
    """The oldest makes room, and the dead are swept."""
    made = sessions()
    names = [made.begin("k", "f", START + timedelta(seconds=n)) for n in range(21)]
    assert made.of(names[0], START + timedelta(seconds=30)) is None
    assert made.of(names[-1], START + timedelta(seconds=30)) is not None
    assert 20 == len(made)
    made.begin("other", "f", START + timedelta(days=1))
    assert 1 == len(made)


def test_a_page_that_asks_by_itself_keeps_nothing_alive() -> None:
    """What refreshes itself is shown as long as the session lasts, and no longer."""
    made = sessions()
    name = made.begin("k", "f", START)
    almost = IDLE - timedelta(seconds=1)
    assert made.of(name, START + almost, idly=True) is not None
    assert made.of(name, START + IDLE, idly=True) is None
