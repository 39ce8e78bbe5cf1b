"""Critical results: they overtake, and when one does not arrive a person is told by name, once."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.relay.critical import Care, Urgency
from gateway.relay.delivery import State
from gateway.relay.escalating import Escalating
from gateway.relay.notices import Notices
from smtp import reply
from smtp.address import Address, key
from smtp.envelope import Peer
from tests.gateway.relay.test_answers import bring, report
from tests.gateway.relay.test_concluding import later
from tests.world.world import World, letter, sending
from vault.database import Statement

DR, ACCUEIL, GARDE = "dr@labo.example", "accueil@chu.example", "garde@clinique.example"
ON_CALL, OUTSIDER = "dr.garde@labo.example", "qui@nulle-part.example"
MARK = "X-Sceau-Priority: critical"


def _agreed(world: World, **more: bool) -> Escalating:
    """Agree with the laboratory who is told; return who looks."""
    care = Care(timedelta(minutes=10), "Dr Garde", (Address(ON_CALL),), **more)
    desk = world.labo.desk
    object.__setattr__(desk, "urgency", Urgency(agreed={key(Address(DR)): care}))
    notices = Notices(desk)
    return Escalating(desk, notices, desk.criticals, "labo", world.labo.courier.ring)


def submission(login: str, door: str = "submission") -> Peer:
    return Peer("192.0.2.7", tls="TLSv1.3", login=Address(login), listener=door)


async def _result(world: World, *to: str, mark: str = MARK) -> None:
    await world.labo.submit(DR, to, letter(DR, to, mark, "Subject: Potassium de M. DESMAUX"))
    await world.settle()


async def _told(world: World) -> list[bytes]:
    """Return what the person on call reads."""
    await world.settle()
    inbox = await world.labo.inbox("dr.garde")
    return [base64.b64decode(each.partition(b"\r\n\r\n")[2]) for each in inbox]


async def test_what_arrives_is_let_go_of(world: World) -> None:
    """Everybody has it: nobody is told of anything, and nothing is watched any more."""
    escalating = _agreed(world)
    await _result(world, ACCUEIL)
    assert [State.DELIVERED] == world.labo.states()
    assert 0 == await escalating.round()
    assert 0 == escalating.criticals.open()
    assert [] == escalating.criticals.waiting()


async def test_what_has_not_arrived_in_time_is_told_to_a_person_once(world: World) -> None:
    """By mail, without the patient; by a receipt; in the journal; and it waits for an operator."""
    await world.labo.add("dr.garde")
    await world.play()
    escalating = _agreed(world)
    await _result(world, GARDE)
    world.clock.advance(minutes=9, seconds=59)
    assert 0 == await escalating.round()
    world.clock.advance(seconds=1)
    assert 1 == await escalating.round()
    assert 0 == await escalating.round()
    (mail,) = await _told(world)
    (one,) = escalating.criticals.waiting()
    assert one.facts.reference.encode() in mail
    assert GARDE.encode() in mail
    assert b"Dr Garde" in mail
    assert b"DESMAUX" not in mail
    assert "escalated" in world.labo.receipts()
    assert ("critical.escalated", "") in await world.labo.story()


async def test_its_time_is_ten_minutes_though_nobody_promised_any(world: World) -> None:
    """At the end of it the answers are final: what a peer did not confirm may have arrived."""
    await world.play()
    escalating = _agreed(world)
    await _result(world, GARDE)
    await later(world, minutes=10)
    assert State.UNCONFIRMED is world.labo.states()[0]
    assert 1 == await escalating.round()
    assert 0 == escalating.criticals.open()


async def test_a_failure_before_the_time_is_told_at_once(world: World) -> None:
    """And one that is reported after everything was well is told, too."""
    await world.labo.add("dr.garde")
    await world.play()
    escalating = _agreed(world)
    await _result(world, GARDE)
    copy = world.labo.copies()[0]
    await bring(world, report(copy.message.id))
    await escalating.round()
    assert 0 == escalating.criticals.open()
    await bring(world, report(copy.message.id, "failed", "5.1.1"))
    assert 1 == await escalating.round()
    assert 1 == len(await _told(world))


async def test_who_was_refused_at_the_door_is_told_at_once(world: World) -> None:
    """One recipient has it, the other is on no list: nobody waits ten minutes to hear that."""
    await world.labo.add("dr.garde")
    escalating = _agreed(world)
    await _result(world, ACCUEIL, OUTSIDER)
    assert 1 == await escalating.round()
    (mail,) = await _told(world)
    assert OUTSIDER.encode() in mail
    assert ACCUEIL.encode() not in mail


async def test_whom_nobody_gets_by_smtp_is_told_at_once(world: World) -> None:
    """Refused for all at RCPT there would be no header, so it is refused after it; once."""
    await world.labo.add("dr.garde")
    escalating = _agreed(world)
    said = await world.labo.submit(DR, [OUTSIDER], letter(DR, [OUTSIDER], MARK))
    assert reply.RECIPIENT_NOT_LISTED == said
    assert 1 == await escalating.round()
    assert 0 == await escalating.round()
    (mail,) = await _told(world)
    assert OUTSIDER.encode() in mail
    (one,) = escalating.criticals.waiting()
    assert one.facts.reference.encode() in mail


async def test_what_is_not_critical_is_refused_and_told_to_nobody_else(world: World) -> None:
    """The same recipient, without the mark; and at RCPT, where somebody was taken before."""
    await world.labo.add("dr.garde")
    escalating = _agreed(world)
    content = letter(DR, [OUTSIDER])
    assert reply.RECIPIENT_NOT_LISTED == await world.labo.submit(DR, [OUTSIDER], content)
    assert 0 == await escalating.round()
    assert [] == escalating.criticals.latest(9)
    refused = sending(world.labo, submission(DR), DR, [ACCUEIL, OUTSIDER]).draft.refused
    assert [OUTSIDER] == [one.recipient.address for one in refused]


@pytest.mark.parametrize("door", ["web", "folder", "api", "outbox"])
async def test_who_is_there_is_refused_early(world: World, door: str) -> None:
    """In a browser nothing leaves as long as one recipient is refused; software's doors know."""
    _agreed(world)
    refused = sending(world.labo, submission(DR, door), DR, [OUTSIDER]).draft.refused
    assert [OUTSIDER] == [one.recipient.address for one in refused]


async def test_who_is_refused_first_is_told_with_who_has_it(world: World) -> None:
    """The first RCPT waited for the header; another was taken: the person hears of the first."""
    await world.labo.add("dr.garde")
    escalating = _agreed(world)
    await _result(world, OUTSIDER, ACCUEIL)
    assert 1 == len(await world.chu.inbox("accueil"))
    assert 1 == await escalating.round()
    (mail,) = await _told(world)
    assert OUTSIDER.encode() in mail
    assert ACCUEIL.encode() not in mail


async def test_a_night_where_everything_fails_is_one_letter_a_minute(world: World) -> None:
    """With the count; each is told to its software, and waits for an operator, at once."""
    await world.labo.add("dr.garde")
    escalating = _agreed(world)
    for _ in range(60):
        await _result(world, ACCUEIL, OUTSIDER)
    assert [50, 10, 0] == [await escalating.round() for _ in range(3)]
    (mail,) = await _told(world)
    assert "60 résultats critiques".encode() in mail
    assert "… et 40 de plus".encode() in mail
    assert 60 == escalating.criticals.unattended()

    await _result(world, ACCUEIL, OUTSIDER)
    assert 1 == await escalating.round()
    assert 1 == len(await _told(world))
    world.clock.advance(minutes=1)
    assert 0 == await escalating.round()
    assert 0 == await escalating.round()
    _, second = await _told(world)
    assert "Un résultat critique".encode() in second


async def test_what_somebody_takes_care_of_meanwhile_is_in_no_letter(world: World) -> None:
    """Nor is a letter lost by a start: what is owed stands in its row."""
    await world.labo.add("dr.garde")
    escalating = _agreed(world)
    await _result(world, ACCUEIL, OUTSIDER)
    await escalating.round()
    world.clock.advance(seconds=1)
    for _ in range(2):
        await _result(world, ACCUEIL, OUTSIDER)
    assert 2 == await escalating.round()
    criticals = escalating.criticals
    one = criticals.waiting()[-1]
    taken = criticals.moving(
        one, replace(one, acknowledged=world.clock()), watched=False, owed=False
    )
    await world.labo.books.database.commit([taken])
    await _agreed(world).round()
    first, second = await _told(world)
    assert "Un résultat critique".encode() in second
    assert first != second


@pytest.mark.parametrize("change", ["facts = X'00'", "facts = X'00', owed = 1"])
async def test_a_row_that_another_hand_changed_stops_no_other(world: World, change: str) -> None:
    """Operators are told that it does not open; of the others the person reads, and they are listed."""
    await world.labo.add("dr.garde")
    escalating = _agreed(world)
    await _result(world, OUTSIDER, ACCUEIL)
    await world.labo.rest.commit([Statement(f"UPDATE critical SET {change}")])
    await _result(world, OUTSIDER, ACCUEIL)
    assert 1 == await escalating.round()
    (mail,) = await _told(world)
    (one,) = escalating.criticals.waiting()
    assert one.facts.reference.encode() in mail
    assert "critical.crashed" in [event for event, _ in world.labo.events]


async def test_no_person_reads_of_anothers_results(world: World) -> None:
    """A row that another hand filed under another sender is in none of its letters."""
    await world.labo.add("dr.garde")
    await world.labo.add("doctor")
    escalating = _agreed(world)
    await _result(world, OUTSIDER, ACCUEIL)
    theirs, to = "doctor@labo.example", [ACCUEIL, OUTSIDER]
    world.clock.advance(seconds=1)
    await world.labo.submit(theirs, to, letter(theirs, to, MARK))
    await world.settle()
    change = "UPDATE critical SET sender = (SELECT sender FROM critical ORDER BY id LIMIT 1)"
    await world.labo.rest.commit([Statement(change)])
    assert 2 == await escalating.round()
    (mail,) = await _told(world)
    own, other = (one.facts for one in escalating.criticals.latest(9)[::-1])
    assert (DR, theirs) == (own.sender, other.sender)
    assert own.reference.encode() in mail
    assert other.reference.encode() not in mail


async def test_a_clock_that_is_set_back_silences_nobody(world: World) -> None:
    """A letter a minute, by whatever clock."""
    await world.labo.add("dr.garde")
    escalating = _agreed(world)
    world.clock.advance(hours=2)
    await _result(world, OUTSIDER, ACCUEIL)
    await escalating.round()
    assert 1 == len(await _told(world))
    world.clock.advance(hours=-1)
    await _result(world, OUTSIDER, ACCUEIL)
    await escalating.round()
    assert 2 == len(await _told(world))


async def test_who_may_not_mark_one_is_told_so(world: World) -> None:
    """What it relies on does not exist for it: refused in words, and no operator is woken."""
    escalating = _agreed(world)
    object.__setattr__(world.labo.desk, "urgency", Urgency(everybody=False))
    assert reply.CRITICAL_NOT_AGREED == await world.labo.submit(
        DR, [ACCUEIL], letter(DR, [ACCUEIL], MARK)
    )
    assert 0 == await escalating.round()
    await world.settle()
    (notice,) = await world.labo.inbox("dr")
    assert b"personne n'est nomm" in notice
    await _result(world, ACCUEIL, mark="Importance: high")
    assert 1 == len(await world.chu.inbox("accueil"))


async def test_a_red_mark_counts_only_where_it_was_agreed(world: World) -> None:
    """Most who click on it mean less; and a peer's mark moves nothing here."""
    escalating = _agreed(world)
    await _result(world, ACCUEIL, mark="Importance: high")
    assert [] == escalating.criticals.latest(9)
    escalating = _agreed(world, importance=True)
    await _result(world, ACCUEIL, mark="X-Priority: 1 (Highest)")
    assert 1 == len(escalating.criticals.latest(9))
    assert [] == world.chu.desk.criticals.latest(9)


async def test_critical_results_overtake_what_is_due(world: World) -> None:
    """A night's backlog waits in its rows; the critical one is claimed before any of it."""
    _agreed(world)
    await world.labo.courier.stop(0)
    for _ in range(3):
        await world.labo.submit(DR, [ACCUEIL], letter(DR, [ACCUEIL]))
    world.clock.advance(minutes=1)
    await world.labo.submit(DR, [ACCUEIL], letter(DR, [ACCUEIL], MARK))
    spool, now = world.labo.books.spool, world.clock()
    assert spool.urgent(now)
    claim = spool.claiming_urgent(now, timedelta(minutes=1), 9)
    (rows,) = await world.labo.books.database.commit([claim])
    (copy,) = spool.claimed(rows)
    assert copy.message.summary.critical
    assert world.labo.copies()[-1].message.id == copy.message.id
