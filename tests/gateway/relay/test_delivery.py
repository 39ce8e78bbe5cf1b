"""The delivery table and the retry schedule."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.relay.delivery import (
    FINAL,
    TRANSITIONS,
    Delivery,
    Event,
    IllegalTransition,
    Schedule,
    State,
    delivery_id,
    holder,
    step,
)
from smtp import reply
from smtp.envelope import MessageId

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SCHEDULE = Schedule.of((60, 300, 900), 0.1, 86400, 900)
ID = delivery_id(MessageId("0" * 26), 1)


def delivery(state: State = State.QUEUED, **changes: object) -> Delivery:
    made = Delivery(ID, state, changed=NOW, expires=NOW + timedelta(days=1))
    return replace(made, **changes)


def test_a_copy_is_named_after_its_message_and_holds_its_body_by_that_name() -> None:
    """Operators and wraps speak of one copy by one name."""
    assert "00000000000000000000000000.1" == ID
    assert f"delivery/{ID}" == holder(ID)


@given(st.sampled_from(State), st.lists(st.sampled_from(Event), max_size=30))
def test_final_states_are_final(state: State, events: list[Event]) -> None:
    """Nothing moves a copy whose end was told to the sender, but what a peer reports after all."""
    now = delivery(state)
    for event in events:
        try:
            after = step(now, event, NOW, due=NOW)
        except IllegalTransition:
            continue
        assert now.state not in FINAL or event in {Event.CONFIRMED, Event.BOUNCED}
        now = after


@pytest.mark.parametrize("state", list(State))
def test_every_state_reaches_an_end(state: State) -> None:
    """No message stays for ever in a state that nothing leaves."""
    reached = {state}
    while more := {to for (at, _), to in TRANSITIONS.items() if at in reached} - reached:
        reached |= more
    assert reached & FINAL


def test_the_final_states_are_those_that_the_house_names() -> None:
    """Six ways to end; RELAYED is not one of them, for the peer's report may still come."""
    ends = {State.DELIVERED, State.FAILED, State.EXPIRED, State.REFUSED, State.CANCELLED}
    assert ends | {State.UNCONFIRMED} == FINAL


def test_an_attempt_is_counted_and_leased_before_it_is_made() -> None:
    """A crash in the middle finds the attempt counted and the next try in the row."""
    lease = NOW + 15 * MINUTE
    after = step(delivery(), Event.ATTEMPT, NOW, due=lease)
    assert (State.SENDING, 1, lease) == (after.state, after.attempts, after.due)


def test_a_lost_attempt_is_due_at_once() -> None:
    """Better twice than never: what a crash left SENDING goes again."""
    after = step(delivery(State.SENDING, attempts=3), Event.LOST, NOW)
    assert (State.QUEUED, NOW, 3) == (after.state, after.due, after.attempts)


@pytest.mark.parametrize("state", [State.SENDING, State.RELAYED, State.QUEUED, State.DEFERRED])
def test_a_report_settles_what_its_250_was_never_read_of(state: State) -> None:
    """A peer's report may overtake our own record, or outlive a lost connection."""
    assert State.DELIVERED is step(delivery(state), Event.CONFIRMED, NOW).state
    assert State.FAILED is step(delivery(state), Event.BOUNCED, NOW).state


@pytest.mark.parametrize(
    ("state", "event"), [(State.HELD, Event.RELEASED), (State.INSPECTING, Event.PASSED)]
)
def test_what_a_person_had_in_hand_has_not_aged(state: State, event: Event) -> None:
    """A message released after a week still has its whole day to be delivered."""
    later = NOW + timedelta(days=7)
    after = step(delivery(state), event, later)
    assert (State.QUEUED, later, later + timedelta(days=1)) == (
        after.state,
        after.due,
        after.expires,
    )


def test_the_last_reply_is_kept_until_a_newer_one_comes() -> None:
    """An expiry tells the sender what the peer said last."""
    put_off = step(delivery(State.SENDING), Event.PUT_OFF, NOW, reply.LOCAL_ERROR, due=NOW)
    assert reply.LOCAL_ERROR == step(put_off, Event.CANCEL, NOW).said
    assert reply.OK == step(put_off, Event.CANCEL, NOW, reply.OK).said


@pytest.mark.parametrize(("attempts", "minutes"), [(0, 1), (1, 1), (2, 5), (3, 15), (9, 15)])
def test_the_pauses_grow_and_the_last_one_stays(attempts: int, minutes: int) -> None:
    """One, five, fifteen minutes, then always the last."""
    assert minutes * MINUTE == SCHEDULE.pause(attempts, 0.5)


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 50))
def test_jitter_stays_within_its_share(chance: float, attempts: int) -> None:
    """Retries spread by a tenth, so that a thousand messages do not knock together."""
    plain = SCHEDULE.pause(attempts, 0.5)
    assert abs(SCHEDULE.pause(attempts, chance) - plain) <= plain * 0.1 + timedelta.resolution


def test_a_put_off_copy_waits_for_its_next_due_time() -> None:
    """4yz: later, by the schedule."""
    sending = delivery(State.SENDING, attempts=1)
    after = SCHEDULE.put_off(sending, NOW, NOW, reply.LOCAL_ERROR, chance=0.5)
    assert (State.DEFERRED, NOW + MINUTE) == (after.state, after.due)
    assert reply.LOCAL_ERROR == after.said


def test_a_dead_peer_is_waited_for() -> None:
    """While the peer is backed off nobody knocks, and no attempt is counted."""
    later = NOW + 7 * MINUTE
    sending = delivery(State.SENDING, attempts=3)
    after = SCHEDULE.put_off(sending, NOW, NOW, reply.LOCAL_ERROR, chance=0.5, not_before=later)
    assert (later, 2) == (after.due, after.attempts)


def test_the_courier_is_there_in_time_to_tell_of_the_delay() -> None:
    """After fifteen minutes the sender is told, though the next try would come later."""
    now = NOW + 6 * MINUTE
    sending = delivery(State.SENDING, attempts=3)
    after = SCHEDULE.put_off(sending, NOW, now, reply.LOCAL_ERROR, chance=0.5)
    assert NOW + 15 * MINUTE == after.due
    assert not SCHEDULE.late(after, NOW, now)
    assert SCHEDULE.late(after, NOW, NOW + 15 * MINUTE)


def test_the_sender_is_told_of_a_delay_once() -> None:
    """A second notice would say nothing new."""
    late = NOW + 20 * MINUTE
    sending = delivery(State.SENDING, attempts=3, warned=True)
    after = SCHEDULE.put_off(sending, NOW, late, reply.LOCAL_ERROR, chance=0.5)
    assert late + 15 * MINUTE == after.due
    assert not SCHEDULE.late(after, NOW, late)


def test_the_last_attempt_falls_on_the_expiry_and_then_it_ends() -> None:
    """A copy is never dropped without one last try."""
    sending = delivery(State.SENDING, attempts=3, warned=True)
    soon = sending.expires - MINUTE
    after = SCHEDULE.put_off(sending, NOW, soon, reply.LOCAL_ERROR, chance=0.5)
    assert sending.expires == after.due
    end = SCHEDULE.put_off(sending, NOW, sending.expires, reply.LOCAL_ERROR, chance=0.5)
    assert (State.EXPIRED, None) == (end.state, end.due)


def test_the_expiry_clock_stands_still_while_our_own_list_is_stale() -> None:
    """Nobody's result is lost because we did not renew our list."""
    sending = delivery(State.SENDING, attempts=2, warned=True)
    at = sending.expires
    after = SCHEDULE.put_off(sending, NOW, at, reply.LIST_STALE, chance=0.5, our_fault=True)
    assert State.DEFERRED is after.state
    assert (at + 5 * MINUTE, at + 5 * MINUTE) == (after.due, after.expires)
    long_after = at + timedelta(days=7)
    again = SCHEDULE.put_off(sending, NOW, long_after, reply.LIST_STALE, chance=0.5, our_fault=True)
    assert (long_after + 5 * MINUTE, again.due) == (again.due, again.expires)
