"""What software is told in the end: once, in time, and corrected where it was wrong."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.receipts.receipt import Kind
from gateway.relay.delivery import (
    TRANSITIONS,
    Delivery,
    Event,
    IllegalTransition,
    State,
    delivery_id,
    step,
)
from gateway.relay.ends import LAST, Terms, asked, concluded, kind
from smtp.envelope import MessageId
from smtp.message.header import Header
from smtp.reply import DEADLINE_UNREADABLE, OK, TOO_LATE, Reply
from tests.world.clock import START as NOW
from trust.addresses import Kind as Mailbox

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BEGINNINGS = (State.QUEUED, State.DEFERRED, State.INSPECTING, State.HELD, State.REFUSED)


def delivery(state: State) -> Delivery:
    return Delivery(delivery_id(MessageId("0" * 26), 1), state, NOW, NOW + HOUR, said=OK)


def told(state: State, events: list[Event]) -> tuple[list[Kind], State]:
    """Return the receipts of a copy's whole life, and where it stands then."""
    now = delivery(state)
    receipts = [kind(state, state)]
    for event in events:
        try:
            after = step(now, event, NOW, due=NOW)
        except IllegalTransition:
            continue
        receipts.append(kind(now.state, after.state))
        now = after
    return [each for each in receipts if each is not None], now.state


@given(st.sampled_from(BEGINNINGS), st.lists(st.sampled_from(Event), max_size=40))
def test_there_is_one_last_answer_and_at_most_one_correction(
    state: State, events: list[Event]
) -> None:
    """Whatever happens, in whatever order; and nothing is told after the last but a correction."""
    receipts, end = told(state, events)
    last = [n for n, each in enumerate(receipts) if each in LAST]
    assert len(last) <= 1
    assert receipts.count(Kind.CORRECTED) <= 1
    if last:
        assert [] == [each for each in receipts[last[0] + 1 :] if each is not Kind.CORRECTED]
    else:
        assert Kind.CORRECTED not in receipts
    if Kind.CORRECTED in receipts:
        assert State.FAILED is end


@given(st.sampled_from(BEGINNINGS), st.lists(st.sampled_from(Event), max_size=40))
def test_time_that_is_up_brings_the_last_answer(state: State, events: list[Event]) -> None:
    """From wherever it stands, unless an attempt has it at this very moment."""
    receipts, end = told(state, events)
    if end is State.SENDING:
        assert concluded(delivery(end), NOW) is None
        return
    after = concluded(delivery(end), NOW)
    if after is not None:
        now = kind(end, after.state)
        assert now is not None
        receipts.append(now)
    assert 1 == len([each for each in receipts if each in LAST])


@pytest.mark.parametrize("state", State)
def test_what_is_here_is_cancelled_and_what_left_may_have_arrived(state: State) -> None:
    """The one is certain, the other is not; what has ended stays."""
    after = concluded(delivery(state), NOW)
    if (state, Event.DEADLINE) not in TRANSITIONS:
        assert after is None
    elif state is State.RELAYED:
        assert after is not None
        assert (State.UNCONFIRMED, OK, None) == (after.state, after.said, after.due)
    else:
        assert after is not None
        assert (State.CANCELLED, TOO_LATE, None) == (after.state, after.said, after.due)


def test_a_late_success_is_told_to_nobody() -> None:
    """Who was told *unconfirmed* has acted on it."""
    assert kind(State.UNCONFIRMED, State.DELIVERED) is None
    assert Kind.DELIVERED is kind(State.RELAYED, State.DELIVERED)
    assert Kind.RELEASED is kind(State.HELD, State.QUEUED)


@pytest.mark.parametrize(
    ("mailbox", "own", "within"),
    [
        (Mailbox.APP, None, HOUR),
        (Mailbox.PER, None, None),
        (Mailbox.PER, 10 * MINUTE, 10 * MINUTE),
        (Mailbox.APP, 10 * MINUTE, 10 * MINUTE),
    ],
)
def test_software_is_promised_a_time_and_a_message_may_ask_for_another(
    mailbox: Mailbox, own: timedelta | None, within: timedelta | None
) -> None:
    """Its own time counts, from whichever mailbox it comes."""
    due = Terms(HOUR).deadline(mailbox, own, NOW)
    assert (None if within is None else NOW + within) == due


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (b"", None),
        (b"X-Sceau-Deadline: 600 \r\n", 10 * MINUTE),
        (b"X-Sceau-Deadline: 5\r\n", MINUTE),
        (b"X-Sceau-Deadline: -5\r\n", DEADLINE_UNREADABLE),
        (b"X-Sceau-Deadline: 99999999\r\n", DEADLINE_UNREADABLE),
        (b"X-Sceau-Deadline: 10 minutes\r\n", DEADLINE_UNREADABLE),
        (b"X-Sceau-Deadline:\r\n", DEADLINE_UNREADABLE),
        (b"X-Sceau-Deadline: 60\r\nX-Sceau-Deadline: 60\r\n", DEADLINE_UNREADABLE),
    ],
)
def test_what_cannot_be_read_is_not_taken_for_no_wish(
    fields: bytes, said: timedelta | Reply | None
) -> None:
    """A minute at least; what is not one number is refused."""
    assert said == asked(Header.parse(fields + b"\r\n"))


@given(st.binary(max_size=40))
def test_whatever_a_header_says_is_a_time_or_refused(value: bytes) -> None:
    """Never less than a minute, never a bug."""
    said = asked(Header.skim(b"X-Sceau-Deadline:" + value + b"\r\n\r\n"))
    assert said in {None, DEADLINE_UNREADABLE} or (isinstance(said, timedelta) and said >= MINUTE)
