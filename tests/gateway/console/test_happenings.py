"""Every state, every mood and every receipt has its words, in both languages; the rest its slug."""

from gateway.console import happenings, indicators_words, journal_words, spool_words, trace_words
from gateway.console.trace import paced
from gateway.operations.indicators import INDICATORS, WHOLE
from gateway.operations.perform import VERBS
from gateway.receipts.receipt import Kind
from gateway.relay.delivery import State
from gateway.relay.message import Door
from quarantine.case import Event
from quarantine.reasons import REASONS as HELD_FOR
from trust.addresses import Kind as MailboxKind


def test_what_there_is_has_words() -> None:
    """Nothing that a page shows every day is shown as a slug."""
    for table, slugs in (
        ("state", list(State)),
        ("event", [f"receipt.{kind}" for kind in Kind]),
        ("event", [f"delivery.{state}" for state in State if state is not State.SENDING]),
        ("event", [f"case.{event.value}d" for event in Event if event is not Event.CANCEL]),
        ("reason", [*HELD_FOR, "reviewer-refused", "not-reviewed", "recalled"]),
        ("door", [*Door, "submission", "relay"]),
        ("event", [f"operation.{verb}" for verb in VERBS]),
    ):
        for slug in slugs:
            assert slug != happenings.naming(table, slug, "fr"), slug
            assert happenings.naming(table, slug, "en")
    assert "no-such-slug" == happenings.naming("reason", "no-such-slug", "fr")


def test_colours_say_the_same_everywhere() -> None:
    """Green is arrived, amber waits, red has ended badly."""
    assert ("well", "wait", "ill", "mute") == tuple(
        map(happenings.tone, ("delivered", "held", "failed", "queued"))
    )
    assert ("well", "wait", "ill", "mute") == tuple(
        map(happenings.mood, ("good", "waits", "bad", "told"))
    )


def test_each_state_can_be_told_to_a_caller() -> None:
    """In a sentence, whatever the state."""
    assert {f"tell-{state}" for state in State} <= set(trace_words.WORDS)


def test_each_indicator_has_its_name() -> None:
    """A figure without a name is no figure."""
    kinds = {f"kind-{kind.value}" for kind in MailboxKind}
    assert {*INDICATORS, *WHOLE, *kinds} <= set(indicators_words.WORDS)


def test_no_word_is_missing_in_a_language() -> None:
    """Both, and not the same by mistake where a sentence is meant."""
    for words in (trace_words, spool_words, journal_words, indicators_words):
        for key, (french, english) in words.WORDS.items():
            assert french, key
            assert english, key


def test_a_reason_may_say_how_or_why_not() -> None:
    """By a password, or because of a wrong one."""
    assert "by a password" == happenings.because("login.accepted", "password", "en")
    assert "wrong password" == happenings.because("login.failed", "password", "en")
    assert "else" == happenings.because("login.failed", "else", "en")


def test_what_happens_again_is_one_step() -> None:
    """Forty tries without a change are told once; how long after the one before, where it was long."""
    first = {"kind": "journal", "event": "message.accepted", "at": "2026-11-22T08:00:00.000Z"}
    tried = [
        {"kind": "journal", "event": "delivery.deferred", "at": f"2026-11-22T08:0{n}:00.000Z"}
        for n in range(1, 5)
    ]

    one, again = paced([first, *tried])
    assert (None, 1) == (one["later"], one["times"])
    assert (60.0, 4, tried[-1]["at"]) == (again["later"], again["times"], again["until"])
    assert [] == paced([])
