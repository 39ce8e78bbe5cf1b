"""A peer's lane: its back-off, its connections, how much is in hand for it."""

from dataclasses import replace
from datetime import timedelta

import msgspec

from gateway.relay.delivery import Delivery, Schedule, State, delivery_id
from gateway.relay.lanes import AtHand, Attempt, Lane, Letter, Pause
from gateway.relay.message import Copy, Message, Summary
from gateway.relay.routes import Hosts
from imap.index import index_of
from smtp import reply
from smtp.address import parse
from smtp.envelope import Mail, MessageId, Recipient, Ret
from smtp.message.header import Header
from tests.world.clock import START as NOW
from tests.world.peers import Open, Peer

SCHEDULE = Schedule.of((60, 300, 900, 1800), 0, 86400, 900)
MINUTE = timedelta(minutes=1)


def lane(width: int = 2) -> Lane:
    return Lane(Hosts((("mx.chu.example", 25),)), width)


def attempt(*, critical: bool = False) -> Attempt:
    summary = Summary(critical=critical)
    made = Message(MessageId("0" * 26), NOW, 1, "relay", Mail(None), summary)
    row = Delivery(delivery_id(made.id, 1), State.SENDING, NOW, NOW)
    return Attempt(made, "chu.example", (Copy(made, Recipient(parse("a@chu.example")), row),))


def test_a_report_gives_back_what_is_at_hand() -> None:
    """The whole if it is; its header, if no more is wanted; else it must be opened."""
    block = b"Subject: Bilan\r\n\r\n"
    seen = Letter(Header.skim(block), index_of(block))
    full = msgspec.structs.replace(attempt().message, mail=Mail(None, ret=Ret.FULL))

    assert attempt().returned is None
    assert block == replace(attempt(), at_hand=AtHand(letter=seen)).returned
    assert b"all" == replace(attempt(), at_hand=AtHand(b"all", seen)).returned
    assert replace(attempt(), message=full, at_hand=AtHand(letter=seen)).returned is None
    assert b"all" == replace(attempt(), message=full, at_hand=AtHand(b"all")).returned


def test_what_is_at_hand_is_counted() -> None:
    """Nobody fills our memory with the headers and structures of messages instead of messages."""
    block = b"Subject: Bilan\r\n\r\n"
    seen = Letter(Header.skim(block), index_of(block))

    assert 0 == AtHand().octets
    assert len(block) == AtHand(block).octets
    assert len(block) + len(seen.index.bodystructure) < AtHand(block, seen).octets
    many = b"Received: by a server of many\r\n" * 900 + b"\r\n"
    long = Letter(Header.skim(many), index_of(many))
    assert 2 * len(many) < AtHand(letter=long).octets


def test_a_new_lane_is_open_and_worth_forgetting() -> None:
    """Nothing is remembered of a peer with which all is well."""
    fresh = lane()
    assert not fresh.closed(NOW)
    assert fresh.deserted
    assert fresh.take() is None
    assert "open" in repr(fresh)


def test_each_failure_closes_it_a_little_longer_up_to_a_quarter_of_an_hour() -> None:
    """A peer that is back must not be found out hours later."""
    dead = lane()
    now = NOW
    for minutes in (1, 5, 15, 15):
        dead.failed(reply.LOCAL_ERROR, SCHEDULE, now, 0.5)
        assert now + minutes * MINUTE == dead.opens
        assert dead.closed(now)
        now += minutes * MINUTE
        assert not dead.closed(now)
    assert "backed off" in repr(dead)
    assert not dead.deserted


def test_it_says_until_when_and_why_nobody_knocks() -> None:
    """So that what comes meanwhile need not be taken up at all."""
    dead = lane()
    assert dead.pause(NOW) is None
    dead.failed(reply.LOCAL_ERROR, SCHEDULE, NOW, 0.5)
    assert Pause(NOW + MINUTE, reply.LOCAL_ERROR) == dead.pause(NOW)
    assert dead.pause(NOW + MINUTE) is None


def test_what_waits_is_handed_over_together() -> None:
    """In its order, and nothing stays behind."""
    dead = lane()
    waiting = [attempt() for _ in range(3)]
    dead.waiting.extend(waiting)
    assert waiting == dead.drained()
    assert [] == dead.drained()


def test_several_who_knocked_at_once_are_one_failure() -> None:
    """What was under way when it failed says nothing new."""
    dead = lane()
    for _ in range(3):
        dead.failed(reply.LOCAL_ERROR, SCHEDULE, NOW, 0.5)
    assert (1, reply.LOCAL_ERROR) == (dead.failures, dead.said)


def test_a_peer_that_answers_is_as_new() -> None:
    """One success ends the back-off; it is said once."""
    dead = lane()
    dead.failed(reply.LOCAL_ERROR, SCHEDULE, NOW, 0.5)
    assert dead.reached()
    assert not dead.reached()
    assert not dead.closed(NOW)


def test_a_peer_in_doubt_is_probed_by_one_alone() -> None:
    """As many at work as connections are allowed; one while it is in doubt."""
    busy = lane()
    busy.waiting.extend(attempt() for _ in range(32))
    assert busy.wants_worker
    assert busy.full
    busy.workers = 1
    assert busy.wants_worker
    doubtful = lane()
    doubtful.waiting.extend(attempt() for _ in range(2))
    doubtful.workers = doubtful.failures = 1
    assert not doubtful.wants_worker
    assert doubtful.keeps_worker
    crowded = lane()
    crowded.workers, crowded.failures = 2, 1
    assert not crowded.keeps_worker
    assert busy.take() is not None
    assert not busy.full


def test_the_warmest_connection_that_is_fit_is_used_again() -> None:
    """The one used last; not one that hung up, nor one that may not have this mail."""
    peer = Peer(b"der")
    cold, warm, gone = Open(peer, idle_since=1), Open(peer, idle_since=2), Open(peer, usable=False)
    used = lane()
    used.idle = [cold, warm, gone]
    assert used.reusable(lambda _: False) is None
    assert warm is used.reusable(lambda _: True)
    assert cold is used.reusable(lambda _: True)
    assert used.reusable(lambda _: True) is None


def test_connections_that_nobody_used_for_a_while_are_let_go() -> None:
    """And those that the peer closed."""
    peer = Peer(b"der")
    old, new, gone = Open(peer, idle_since=1), Open(peer, idle_since=9), Open(peer, 9, usable=False)
    used = lane()
    used.idle = [old, new, gone]
    assert [old, gone] == used.tired(5)
    assert [new] == used.idle


def test_what_is_urgent_goes_before_all_that_is_not() -> None:
    """In the order of its own coming; and nobody waits for a peer that is backed off."""
    busy, usual = lane(), attempt()
    first, second = attempt(critical=True), attempt(critical=True)
    for one in (usual, first, second):
        busy.put(one)
    assert [first, second, usual] == [busy.take(), busy.take(), busy.take()]
    busy.failed(reply.LOCAL_ERROR, SCHEDULE, NOW, 0.5)
    busy.put(usual)
    assert busy.closed(NOW)
    busy.put(first)
    assert not busy.closed(NOW)
