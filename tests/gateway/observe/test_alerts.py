"""What is wrong is told once, told again, and told to be over; never in a flood."""

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.observe.alerts import (
    NOTHING,
    SETTLED,
    Alert,
    Condition,
    Level,
    Turn,
    Watched,
    judge,
    payload,
    signature,
    subject,
    text,
)

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
STALE = Condition("list-stale", Level.ALARM, "It is too old.", "Get a new one.", "nationale")
FULL = Condition("disk-full", Level.WARNING, "The disk fills.")


class Watch:
    """Who remembers from one look to the next."""

    def __init__(self) -> None:
        self.watched: Watched = NOTHING
        self.now = NOW

    def sees(self, *conditions: Condition, after: timedelta = timedelta()) -> list[tuple[str, str]]:
        self.now += after
        judged = judge(self.watched, conditions, self.now, DAY)
        self.watched = judged.watched
        return [(alert.turn, alert.condition.key) for alert in judged.alerts]


def test_once_and_no_more_until_a_day_has_passed() -> None:
    """A stale list at night is one mail, not one a minute."""
    watch = Watch()
    assert [("raised", "list-stale/nationale")] == watch.sees(STALE)
    assert [] == watch.sees(STALE, after=MINUTE)
    assert [("again", "list-stale/nationale")] == watch.sees(STALE, after=DAY)
    assert [] == watch.sees(STALE, after=MINUTE)


def test_each_rise_is_told() -> None:
    """Sixty days, thirty, seven: each once; that it is better needs no mail."""
    watch = Watch()
    notice, warning = (
        Condition("certificate-expires", level, "Soon.") for level in (Level.NOTICE, Level.WARNING)
    )
    assert [("raised", "certificate-expires")] == watch.sees(notice)
    assert [("worse", "certificate-expires")] == watch.sees(warning, after=MINUTE)
    assert [] == watch.sees(notice, after=MINUTE)
    assert [] == watch.sees(warning, after=MINUTE)


def test_that_it_is_over_is_told_when_it_stays_so() -> None:
    """What comes and goes within minutes is one condition."""
    watch = Watch()
    watch.sees(STALE)
    assert [] == watch.sees(after=MINUTE)
    assert [] == watch.sees(STALE, after=MINUTE)
    assert [] == watch.sees(after=MINUTE)
    assert [] == watch.sees(after=SETTLED - MINUTE)
    assert [("ended", "list-stale/nationale")] == watch.sees(after=MINUTE)
    assert [] == watch.sees(after=MINUTE)
    assert [("raised", "list-stale/nationale")] == watch.sees(STALE, after=MINUTE)


def test_what_happened_is_never_over() -> None:
    """A forged list is told once a day, however often it comes; nobody is told that it is over."""
    watch, forged = Watch(), Condition("forged", Level.ALARM, "Forged.", lasts=False)
    assert [("raised", "forged")] == watch.sees(forged)
    assert [] == watch.sees(after=MINUTE)
    assert [] == watch.sees(forged, after=SETTLED)
    assert [] == watch.sees(after=DAY)
    assert [("raised", "forged")] == watch.sees(forged, after=MINUTE)


def test_the_gravest_comes_first() -> None:
    """Whoever reads one line reads the right one."""
    assert ["list-stale/nationale", "disk-full"] == [key for _, key in Watch().sees(FULL, STALE)]


def raised(condition: Condition) -> Alert:
    (alert,) = judge(NOTHING, [condition], NOW, DAY).alerts
    return alert


def test_words_for_a_mail() -> None:
    """What happened, what to do, since when, and which gateway."""
    alert = raised(STALE)
    assert subject(alert, "chu") == "[chu] alarm: list stale"
    assert text(alert, "chu", "mx.chu.example").splitlines() == [
        "It is too old.",
        "",
        "What to do: Get a new one.",
        "",
        "Since 2026-11-22 03:00 UTC; told at 2026-11-22 03:00 UTC.",
        "From the gateway chu (mx.chu.example); docs/operating-trust.md says more.",
    ]


@pytest.mark.parametrize(
    ("turn", "head"),
    [(Turn.WORSE, "worse: "), (Turn.AGAIN, "still: "), (Turn.ENDED, "over: ")],
)
def test_each_turn_is_seen_in_the_subject(turn: Turn, head: str) -> None:
    """A telephone shows one line."""
    alert = Alert("0", turn, NOW, NOW, STALE)
    assert f"[chu] alarm: {head}list stale" == subject(alert, "chu")
    cure = "What to do" in text(alert, "chu", "mx")
    assert cure == (turn is not Turn.ENDED)
    assert ("This is over:" in text(alert, "chu", "mx")) == (turn is Turn.ENDED)


def test_a_webhook_is_an_event_that_can_be_told_apart() -> None:
    """The same news has the same id; a later one of the same condition has another."""
    document = json.loads(payload(raised(STALE), "chu"))
    assert {
        "specversion": "1.0",
        "id": raised(STALE).id,
        "source": "sceau/chu",
        "type": "sante.sceau.alert.raised",
        "subject": "list-stale/nationale",
        "time": "2026-11-22T03:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "name": "list-stale",
            "about": "nationale",
            "level": "alarm",
            "sentence": "It is too old.",
            "cure": "Get a new one.",
            "since": "2026-11-22T03:00:00Z",
        },
    } == document
    (later,) = judge(NOTHING, [STALE], NOW + DAY, DAY).alerts
    assert later.id != document["id"]


def test_a_webhook_is_signed_with_its_time() -> None:
    """A receiver computes the same from the shared secret, and sees an old copy for what it is."""
    found = signature(b"secret", b"{}", NOW)
    seconds = int(NOW.timestamp())
    proof = hmac.new(b"secret", f"{seconds}.".encode() + b"{}", hashlib.sha256).hexdigest()
    assert f"t={seconds},v1={proof}" == found


_SEEN = st.lists(st.tuples(st.sets(st.sampled_from([STALE, FULL])), st.integers(0, 2000)))


@given(_SEEN)
def test_raised_and_ended_alternate(story: Iterable[tuple[set[Condition], int]]) -> None:
    """Whatever happens: nothing ends that was not raised, nothing is raised twice."""
    watch, open_ = Watch(), set[str]()
    for conditions, minutes in story:
        for turn, key in watch.sees(*conditions, after=minutes * MINUTE):
            if turn == "raised":
                assert key not in open_
                open_.add(key)
            else:
                assert key in open_
            if turn == "ended":
                open_.remove(key)
    assert open_ == set(watch.watched)
