"""The spool's statements against a real database."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.relay import spool as spools
from gateway.relay.delivery import Delivery, DeliveryId, Event, State, delivery_id, step
from gateway.relay.message import Copy, Message, Summary
from gateway.relay.spool import Spool
from smtp import reply
from smtp.address import Address, parse
from smtp.envelope import Mail, Notify, Recipient, Ret, new_message_id
from tests.world.clock import START as NOW
from vault.database import Conflict, Database
from vault.keys import KeyRing

DR = parse("dr.martin@labo.example")
TO = (parse("accueil@chu.example"), parse("urgences@clinique.example"))
LEASE = timedelta(minutes=15)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database.open(tmp_path / "gateway.db")
    yield opened
    await opened.close()


@pytest.fixture
def spool(database: Database, tmp_path: Path) -> Spool:
    return Spool(database, KeyRing.create(tmp_path / "ring", NOW))


def message(**changes: object) -> Message:
    mail = Mail(DR, ret=Ret.HDRS, **changes)  # type: ignore[arg-type]
    summary = Summary(DR, "Dr Martin", "Résultat", "today", "<1@labo.example>")
    return Message(new_message_id(NOW), NOW, 5000, "submission", mail, summary)


def copies(of: Message, *, due: float = 0, to: tuple[Address, ...] = TO) -> list[Copy]:
    return [
        Copy(
            of,
            Recipient(address, frozenset({Notify.SUCCESS}), f"rfc822;{address}"),
            Delivery(
                delivery_id(of.id, number),
                State.QUEUED,
                changed=NOW,
                expires=NOW + timedelta(days=1),
                due=NOW + timedelta(seconds=due),
            ),
        )
        for number, address in enumerate(to, 1)
    ]


async def enter(database: Database, spool: Spool, **changes: object) -> list[Copy]:
    made = copies(message(**changes))
    await database.commit(spool.entering(made[0].message, made))
    return made


async def claim(database: Database, spool: Spool, **how: object) -> list[Copy]:
    now = how.pop("now", NOW)
    limit, busy = how.pop("limit", 10), how.pop("busy", ())
    (rows,) = await database.commit([spool.claiming(now, LEASE, limit, busy)])  # type: ignore[arg-type]
    return spool.claimed(rows)


async def test_what_enters_comes_out_as_it_was(database: Database, spool: Spool) -> None:
    """The envelope and the summary survive sealing, every field."""
    made = await enter(database, spool, envid="lot 7", smtputf8=True)
    assert made == spool.copies(made[0].message.id)


async def test_nothing_of_people_lies_in_clear(
    database: Database, spool: Spool, tmp_path: Path
) -> None:
    """A stolen copy shows domains and times, no local part and no subject."""
    await enter(database, spool)
    await database.close()
    kept = (tmp_path / "gateway.db").read_bytes()
    assert b"labo.example" in kept
    for secret in (b"dr.martin", b"accueil", b"sultat", b"<1@"):
        assert secret not in kept


async def test_a_claim_counts_and_leases_before_anything_is_tried(
    database: Database, spool: Spool
) -> None:
    """The row says what a crash in the next moment must find."""
    await enter(database, spool)
    for copy in await claim(database, spool):
        row = spool.find(copy.delivery.id)
        assert row is not None
        assert copy.delivery == row.delivery
        assert (State.SENDING, 1, NOW + LEASE) == (
            row.delivery.state,
            row.delivery.attempts,
            row.delivery.due,
        )
    assert [] == await claim(database, spool)


async def test_a_claim_takes_what_is_due_and_leaves_busy_domains(
    database: Database, spool: Spool
) -> None:
    """One peer's backlog takes no other's turn."""
    await enter(database, spool)
    assert [] == await claim(database, spool, now=NOW - timedelta(seconds=1))
    taken = await claim(database, spool, busy=["chu.example"])
    assert [TO[1]] == [copy.recipient.address for copy in taken]
    assert 1 == len(await claim(database, spool, limit=1))


async def test_an_expired_claim_is_taken_again_and_counted_as_lost(
    database: Database, spool: Spool
) -> None:
    """A worker that died gives its messages back when its lease ends."""
    await enter(database, spool)
    await claim(database, spool)
    again = await claim(database, spool, now=NOW + LEASE)
    assert [(2, 1), (2, 1)] == [(c.delivery.attempts, c.delivery.lost) for c in again]


async def test_a_restart_takes_its_claims_back_at_once(database: Database, spool: Spool) -> None:
    """SENDING, LOST, QUEUED: the process that held the claims is gone."""
    await enter(database, spool)
    await claim(database, spool)
    await database.commit([spool.recovering(NOW)])
    assert 2 == len(await claim(database, spool))


async def test_a_recorded_step_is_what_the_row_says(database: Database, spool: Spool) -> None:
    """State, due time and the last reply are kept, the reply sealed."""
    await enter(database, spool)
    copy = (await claim(database, spool))[0]
    due = NOW + timedelta(minutes=5)
    after = step(copy.delivery, Event.PUT_OFF, NOW, reply.LOCAL_ERROR, due=due)
    await database.commit([spool.recording(copy.delivery, after)])
    row = spool.find(copy.delivery.id)
    assert row is not None
    assert after == row.delivery
    assert due == min(due, spool.next_due() or due)


async def test_a_step_from_a_state_that_is_past_is_a_conflict(
    database: Database, spool: Spool
) -> None:
    """Two who move one delivery cannot both have moved it."""
    (first, _) = await enter(database, spool)
    claimed = (await claim(database, spool))[0]
    cancelled = step(first.delivery, Event.CANCEL, NOW)
    with pytest.raises(Conflict):
        await database.commit([spool.recording(first.delivery, cancelled)])
    stored = step(claimed.delivery, Event.STORED, NOW)
    await database.commit([spool.recording(claimed.delivery, stored)])
    with pytest.raises(Conflict):
        await database.commit([spool.recording(claimed.delivery, stored)])


async def test_what_was_put_off_can_be_woken(database: Database, spool: Spool) -> None:
    """A peer that is back, or a list that is renewed, makes its mail due now."""
    await enter(database, spool)
    for copy in await claim(database, spool):
        later = NOW + timedelta(hours=1)
        after = step(copy.delivery, Event.PUT_OFF, NOW, reply.LOCAL_ERROR, due=later)
        await database.commit([spool.recording(copy.delivery, after)])
    await database.commit([spool.waking(NOW, "chu.example")])
    assert [TO[0]] == [copy.recipient.address for copy in await claim(database, spool)]
    await database.commit([spool.waking(NOW)])
    assert [TO[1]] == [copy.recipient.address for copy in await claim(database, spool)]


async def test_a_transfer_is_taken_once(database: Database, spool: Spool) -> None:
    """Another Sceau that lost our 250 and sends again is not stored twice."""
    mark = spool.transfer("labo.example", "01ABC", TO[0])
    assert not spool.seen(mark)
    await database.commit([spool.seeing(mark, DeliveryId("01K.1"), NOW)])
    assert spool.seen(mark)
    assert not spool.seen(spool.transfer("labo.example", "01ABC", TO[1]))
    with pytest.raises(Conflict):
        await database.commit([spool.seeing(mark, DeliveryId("01K.1"), NOW)])


async def test_a_report_finds_what_its_reader_sent(database: Database, spool: Spool) -> None:
    """By ENVID or Message-ID, and only among the messages of that sender."""
    made = await enter(database, spool)
    sent = made[0].message
    assert made == spool.sent_by(DR, envid=sent.id)
    assert made == spool.sent_by(DR, message_id="<1@labo.example>", envid="other")
    assert [] == spool.sent_by(TO[0], envid=sent.id)
    assert [] == spool.sent_by(DR)


async def test_a_report_is_about_what_both_its_names_fit(database: Database, spool: Spool) -> None:
    """Some software gives every message the same ENVID, and then its Message-ID tells which."""
    made = []
    for number in range(3):
        summary = Summary(DR, message_id=f"<{number}@labo.example>")
        made += copies(replace(message(envid="same"), summary=summary), to=TO[:1])
        await database.commit(spool.entering(made[-1].message, made[-1:]))
    assert [made[1]] == spool.sent_by(DR, envid="same", message_id="<1@labo.example>")
    either = spool.sent_by(DR, envid="same", message_id="<another@labo.example>")
    assert {copy.delivery.id for copy in made} == {copy.delivery.id for copy in either}
    assert [made[2]] == spool.sent_by(DR, envid="none", message_id="<2@labo.example>")


async def test_a_message_is_found_by_whatever_name_a_person_has(
    database: Database, spool: Spool
) -> None:
    """Its id, the reference read out on the telephone, its Message-ID."""
    sent = (await enter(database, spool))[0].message
    for name in (sent.id, sent.reference.lower(), "<1@labo.example>"):
        assert [sent.id] == spool.named(name)
    assert [] == spool.named("nothing")


async def test_what_ended_long_ago_is_forgotten(database: Database, spool: Spool) -> None:
    """Retention removes rows that are final, and no other (R-I2)."""
    await enter(database, spool)
    first, second = await claim(database, spool)
    for copy, event in ((first, Event.STORED), (second, Event.PUT_OFF)):
        after = step(copy.delivery, event, NOW, due=NOW)
        await database.commit([spool.recording(copy.delivery, after)])
    later = NOW + timedelta(days=91)
    mark = spool.transfer("labo.example", "01ABC", TO[0])
    await database.commit([spool.seeing(mark, DeliveryId("01K.1"), NOW)])
    assert 0 == await spool.forget(NOW, timedelta(days=90))
    assert 2 == len(spool.copies(first.message.id))
    assert 2 == await spool.forget(later, timedelta(days=90))
    assert not spool.seen(mark)
    assert [second.delivery.id] == [c.delivery.id for c in spool.copies(first.message.id)]
    assert [second.delivery.id] == [c.delivery.id for c in await spool.standing()]


async def test_how_deliveries_stand_is_read_a_page_at_a_time(
    database: Database, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest, oldest first; or those that follow; opened a few at a time."""
    monkeypatch.setattr(spools, "_PAGE", 2)
    for _ in range(4):
        await enter(database, spool)
    every = [c.delivery.id for c in await spool.standing()]

    async def ids(**how: Any) -> list[str]:
        return [c.delivery.id for c in await spool.standing(**how)]

    assert sorted(every) == every
    assert every[-3:] == await ids(limit=3)
    assert every[3:5] == await ids(after=every[2], limit=2)
    assert [] == await ids(states={State.DEFERRED})
    assert every == await ids(states=State)
    assert [] == await ids(domain="nobody.example")
