"""Answers for who is away."""

from datetime import timedelta

import pytest

from gateway.accounts.absences import Absence
from gateway.relay.away import answerable
from smtp.address import parse
from smtp.message.header import Header
from tests.world.clock import START
from tests.world.world import World, letter
from vault.database import Statement

DR, ROY = "anne@labo.example", "roy@chu.example"
LEAVE = Absence("Je reviens le 2 janvier.", START, START + timedelta(days=20))


def header(*lines: str, to: str = ROY) -> Header:
    return Header.parse("".join(f"{one}\r\n" for one in (f"To: {to}", *lines, "")).encode())


@pytest.mark.parametrize(
    ("lines", "sender"),
    [
        (("Auto-Submitted: auto-replied",), DR),
        (("Auto-Submitted: auto-generated; x=1",), DR),
        (("Precedence: bulk",), DR),
        (("List-Id: <x.example>",), DR),
        ((), "MAILER-DAEMON@labo.example"),
        ((), "owner-liste@labo.example"),
        ((), "liste-request@labo.example"),
        ((), "no-reply@labo.example"),
        (("Cc: @",), DR),
    ],
)
def test_no_machine_is_answered(lines: tuple[str, ...], sender: str) -> None:
    """Nor a list, nor what is itself an answer, nor a header nobody can read (RFC 3834 §2)."""
    assert not answerable(header(*lines), parse(sender), parse(ROY))


def test_only_who_was_named_answers() -> None:
    """A blind copy, or mail to an organisation's other name, says nothing of who is away."""
    assert answerable(header("Auto-Submitted: no"), parse(DR), parse("ROY@chu.example"))
    assert answerable(header(f"Cc: Roy <{ROY}>", to=DR), parse(DR), parse(ROY))
    assert not answerable(header(to=DR), parse(DR), parse(ROY))


async def test_a_correspondent_is_told_once_a_week(world: World) -> None:
    """In the owner's words, threaded, and never answered by a machine at the other end."""
    sender, away = await world.labo.add("anne"), await world.chu.add("roy")
    await world.chu.books.absences.begin(away, LEAVE)
    await world.labo.books.absences.begin(sender, LEAVE)
    for _ in range(2):
        await world.labo.submit(DR, [ROY], letter(DR, [ROY]))
        await world.settle()

    (answer,) = await world.labo.inbox("anne")
    assert b"Subject: Auto: Compte rendu\r\n" in answer
    assert b"In-Reply-To: <1@test.example>\r\n" in answer
    assert b"Auto-Submitted: auto-replied\r\n" in answer
    assert b"2 janvier" in answer
    assert 2 == len(await world.chu.inbox("roy"))

    await world.later(days=7, seconds=1)
    await world.publish()
    await world.labo.submit(DR, [ROY], letter(DR, [ROY]))
    await world.settle()
    assert 2 == len(await world.labo.inbox("anne"))


async def test_a_damaged_absence_keeps_no_mail_away(world: World) -> None:
    """What another hand changed answers nobody; the message lies in its mailbox, once."""
    away = await world.chu.add("roy")
    await world.labo.add("anne")
    await world.chu.books.absences.begin(away, LEAVE)
    await world.chu.rest.commit([Statement("UPDATE absence SET facts = X'00'")])
    await world.labo.submit(DR, [ROY], letter(DR, [ROY]))
    await world.settle()

    assert 1 == len(await world.chu.inbox("roy"))
    assert "notice.crashed" in [event for event, _ in world.chu.events]


@pytest.mark.parametrize("days", [-30, 30])
async def test_who_is_back_or_not_yet_gone_does_not_answer(world: World, days: int) -> None:
    """An absence has its dates."""
    await world.labo.add("anne")
    away = await world.chu.add("roy")
    begin = START + timedelta(days=days)
    leave = Absence("Absent.", begin, begin + timedelta(days=20))
    await world.chu.books.absences.begin(away, leave)
    await world.labo.submit(DR, [ROY])
    await world.settle()

    assert [] == await world.labo.inbox("anne")


async def test_who_ended_an_absence_does_not_answer(world: World) -> None:
    """And who begins another one tells everybody anew."""
    await world.labo.add("anne")
    away = await world.chu.add("roy")
    absences = world.chu.books.absences
    await absences.begin(away, LEAVE)
    await absences.end(away)
    await world.labo.submit(DR, [ROY])
    await world.settle()
    assert [] == await world.labo.inbox("anne")
    assert None is absences.of(away)


async def test_colleagues_are_answered_too(world: World) -> None:
    """Also where the message never left the house; one's own mail is not answered."""
    away = await world.chu.add("roy")
    await world.chu.add("ines")
    await world.chu.books.absences.begin(away, LEAVE)
    await world.chu.submit("ines@chu.example", [ROY])
    await world.chu.submit(ROY, [ROY])
    await world.settle()

    assert 1 == len(await world.chu.inbox("ines"))
    assert 2 == len(await world.chu.inbox("roy"))


async def test_nobody_outside_the_list_is_answered(world: World) -> None:
    """A correspondent who is no member any more when the message is filed hears nothing."""
    await world.labo.add("anne")
    away = await world.chu.add("roy")
    await world.chu.books.absences.begin(away, LEAVE)
    await world.labo.submit(DR, [ROY])
    await world.settle()
    before = len(world.chu.copies())
    world.lists.remove("labo.example")
    await world.publish()
    await world.labo.submit(DR, [ROY])
    await world.settle()
    assert before == len(world.chu.copies())
