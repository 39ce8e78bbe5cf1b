"""Mail of our own that is claimed as it enters the spool."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.relay.claims import Claims
from gateway.relay.delivery import Delivery, State, delivery_id
from gateway.relay.lanes import AtHand
from gateway.relay.message import Copy, Door, Message, Summary
from gateway.relay.notices import Notices
from smtp.address import parse
from smtp.envelope import Mail, MessageId, Recipient
from smtp.reply import Reply
from tests.world.clock import START as NOW
from tests.world.world import World
from vault.database import Statement

LEASE = NOW + timedelta(minutes=10)
DR, DOWN = "dr@labo.example", "garde@clinique.example"
NO = Reply(550, "5.1.1", "No such person here")


@dataclass
class Courier:
    """Takes what it is given, for one domain alone."""

    open: str
    carried: list[tuple[Copy, AtHand]] = field(default_factory=list)

    def room(self, domains: Iterable[str]) -> datetime | None:
        return LEASE if set(domains) == {self.open} else None

    def carry(self, copies: Sequence[Copy], at_hand: AtHand) -> None:
        self.carried += ((copy, at_hand) for copy in copies)


def report(to: str) -> Copy:
    made = Message(MessageId("0" * 26), NOW, 1, Door.REPORT, Mail(None), Summary())
    row = Delivery(delivery_id(made.id, 1), State.QUEUED, NOW, NOW + timedelta(days=1), NOW)
    return Copy(made, Recipient(parse(to)), row)


def test_what_can_go_at_once_is_carried_once_it_is_committed() -> None:
    """It enters as an attempt that has begun, until its claim ends; its content stays at hand."""
    courier = Courier("chu.example")
    claims = Claims(courier)
    copy = claims.claimed(report("a@chu.example"), b"content")
    one = copy.delivery
    assert (State.SENDING, 1, LEASE, NOW) == (one.state, one.attempts, one.due, one.changed)
    assert ([], False) == (courier.carried, claims.waits)
    claims.hand_over()
    assert [(copy, AtHand(b"content"))] == courier.carried


def test_what_there_is_no_room_for_waits_in_its_row() -> None:
    """The courier finds it there, and must be told to look."""
    courier = Courier("chu.example")
    claims, queued = Claims(courier), report("a@labo.example")
    assert queued == claims.claimed(queued, b"content")
    claims.hand_over()
    assert ([], True) == (courier.carried, claims.waits)


async def test_a_report_goes_without_being_looked_for(world: World) -> None:
    """Nothing but the message itself and its report is attempted, and neither was ever queued."""
    await world.play(says=NO)
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert {State.FAILED, State.DELIVERED} == set(world.labo.states())
    (told,) = [copy for copy in world.labo.copies() if copy.message.ours]
    assert (1, 0) == (told.delivery.attempts, told.delivery.lost)
    (seen,) = await world.labo.inbox("dr")
    assert b"multipart/report" in seen


async def test_what_a_bug_cut_off_is_not_carried(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report was claimed, and what followed it broke: its row is not there, and nobody has it."""
    real, clinic = Notices.reporting, await world.play(says=NO, gate=asyncio.Event())
    await world.labo.submit(DR, [DOWN])

    async def reporting(*args: Any) -> list[Statement]:
        await real(*args)
        raise RuntimeError("a bug")

    monkeypatch.setattr(Notices, "reporting", reporting)
    assert clinic.gate is not None
    clinic.gate.set()
    await world.settle()
    assert [State.FAILED] == world.labo.states()
    assert [] == await world.labo.inbox("dr")
