"""The state INSPECTING: nothing leaves before the verdict, whatever happens meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.relay.delivery import Event, State, step
from gateway.relay.inspecting import Inspecting, Pace
from gateway.relay.inspections import Inspections
from gateway.relay.message import Copy
from gateway.relay.screening import Screening
from quarantine.case import Event as Decision
from quarantine.case import Ruling
from quarantine.policy import Action, Finding, Policy, Rule
from quarantine.rate import Rate
from quarantine.scanner import Scanned, Silent
from tests.world.world import Gateway, World
from trust.members import Status
from trust.overlay import Denials
from vault.database import Statement
from vault.errors import StorageFull, VaultError

DR, ACCUEIL = "dr@labo.example", "accueil@chu.example"
SECRETARY = "secretariat@labo.example"


@dataclass
class Eyes:
    """A look that a test plays: what it finds, and when it ends."""

    found: list[str] = field(default_factory=list)
    silent: str = ""
    malware: str = ""
    scanned: int = 0
    error: Exception | None = None
    open: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    looked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open.set()

    async def scan(self, copies: Sequence[Copy]) -> Scanned | Silent:
        self.scanned += 1
        return Silent(self.silent) if self.silent else Scanned(self.malware)

    async def look(self, copies: Sequence[Copy]) -> tuple[Finding, ...]:
        self.looked.append(copies[0].message.id)
        self.asked.set()
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return tuple(Finding(each, f"detail of {each}") for each in self.found)

    def close(self) -> None:
        self.open.set()


@dataclass
class Room:
    """The laboratory's gateway with somebody who looks."""

    world: World
    labo: Gateway
    eyes: Eyes
    inspecting: Inspecting
    rows: Inspections
    task: asyncio.Task[None] | None = None

    async def settle(self) -> None:
        """Wait until nothing is due, nor in hand, anywhere."""
        for _ in range(3):
            self.inspecting.rested.clear()
            self.rows.bell.set()
            await self.inspecting.rested.wait()
            await self.world.settle()

    async def later(self, **how_far: float) -> None:
        self.world.clock.advance(**how_far)
        await self.settle()

    def states(self, to: str = "") -> list[State]:
        return [
            copy.delivery.state
            for copy in self.labo.copies()
            if not copy.message.ours and to in copy.recipient.address
        ]


def rules(**actions: Action) -> tuple[Rule, ...]:
    return tuple(
        Rule(frozenset({reason.replace("_", "-")}), action) for reason, action in actions.items()
    )


@asynccontextmanager
async def watched(world: World, policy: Policy, **how: object) -> AsyncIterator[Room]:
    """Have the laboratory's gateway look into what it takes."""
    labo = world.labo
    rows = Inspections(labo.rest.database, labo.rest.ring)
    screening = Screening(policy, rows, **how)  # type: ignore[arg-type]
    object.__setattr__(labo.desk, "screening", screening)
    eyes = Eyes()
    pace = Pace(patience=timedelta(minutes=5))
    inspecting = Inspecting(labo.desk, labo.intake._notices, eyes, pace, labo.courier.ring)
    async with asyncio.TaskGroup() as tasks:
        room = Room(world, labo, eyes, inspecting, rows)
        room.task = tasks.create_task(inspecting.run())
        yield room
        await inspecting.stop(5)


async def test_nothing_leaves_before_the_verdict(world: World) -> None:
    """The sender has the 250, the scanner takes its time, and the message waits for it."""
    async with watched(world, Policy(scanner=True)) as room:
        room.eyes.open.clear()
        said = await room.labo.submit(DR, [ACCUEIL])
        assert 250 == said.code
        await room.eyes.asked.wait()
        await world.settle()
        assert [State.INSPECTING] == room.states()
        assert [] == await world.chu.inbox("accueil")
        room.eyes.open.set()
        await room.settle()
        assert 1 == len(await world.chu.inbox("accueil"))
        assert [] == room.labo.rest.database.read("SELECT * FROM inspection")


async def test_without_rule_and_scanner_nobody_looks(world: World) -> None:
    """A gateway that has no rule about contents pays nothing for it."""
    async with watched(world, Policy(rules(mailbox_rate=Action.HOLD))) as room:
        await room.labo.submit(DR, [ACCUEIL])
        await room.settle()
        assert ([], 1) == (room.eyes.looked, len(await world.chu.inbox("accueil")))


async def test_what_is_found_is_held_with_all_its_reasons(world: World) -> None:
    """One case, every reason, the gravest first; details only in the sealed row."""
    policy = Policy(rules(macros=Action.HOLD, script=Action.TAG))
    async with watched(world, policy) as room:
        room.eyes.found = ["script", "macros", "disguised"]
        await room.labo.submit(DR, [ACCUEIL])
        await room.settle()
        assert [State.HELD] == room.states()
        (one,) = [copy for copy in room.labo.copies() if not copy.message.ours]
        kept = room.rows.findings(one.message.id)
        assert ["script", "macros", "disguised"] == [each.reason for each in kept]
        assert "held" in room.labo.receipts()
        assert ("message.inspected", "") in await room.labo.story()


async def test_what_is_refused_ends_and_its_sender_is_told(world: World) -> None:
    """Nothing vanishes: who wrote it reads that it did not go, and why."""
    async with watched(world, Policy(rules(executable=Action.REFUSE))) as room:
        room.eyes.found = ["executable"]
        await room.labo.submit(DR, [ACCUEIL])
        await room.settle()
        assert [State.REFUSED] == room.states()
        (report,) = await room.labo.inbox("dr")
        assert b"An attachment is an executable program" in b" ".join(report.split())


async def test_a_tag_goes_with_the_message_wherever_it_goes(world: World) -> None:
    """A line on top, as a trace field is put there; every other octet is as it was."""
    await world.labo.add("secretariat")
    async with watched(world, Policy(rules(macros=Action.TAG))) as room:
        room.eyes.found = ["macros"]
        await room.labo.submit(DR, [ACCUEIL, SECRETARY])
        await room.settle()
        (there,) = await world.chu.inbox("accueil")
        (here,) = await world.labo.inbox("secretariat")
        line = b"X-Sceau-Tag: macros (mx.labo.example)\r\n"
        assert here.startswith(line)
        assert line in there
        assert b"\r\n\r\nBonjour.\r\n" in there


async def test_rules_for_some_recipients(world: World) -> None:
    """One message, two recipients, two fates."""
    await world.labo.add("secretariat")
    only = Rule(frozenset({"macros"}), Action.HOLD, recipients=frozenset({"chu.example"}))
    async with watched(world, Policy((only,))) as room:
        room.eyes.found = ["macros"]
        await room.labo.submit(DR, [ACCUEIL, SECRETARY])
        await room.settle()
        assert [State.HELD] == room.states(ACCUEIL)
        assert [State.DELIVERED] == room.states(SECRETARY)
        assert 1 == len(room.eyes.looked)


async def test_a_scanner_that_is_away_is_waited_for(world: World) -> None:
    """It is asked again and again for a while; that it gives no verdict is told, and its return."""
    async with watched(world, Policy(scanner=True)) as room:
        room.eyes.silent = "nobody answers"
        await room.labo.submit(DR, [ACCUEIL])
        await room.settle()
        await room.later(seconds=60)
        assert [State.INSPECTING] == room.states()
        assert "nobody answers" == room.rows.silent
        room.eyes.silent = ""
        await room.later(seconds=60)
        assert 1 == len(await world.chu.inbox("accueil"))
        told = [event for event, _ in room.labo.events if event.startswith("scanner.")]
        assert ["scanner.silent", "scanner.back"] == told


async def test_many_messages_wait_together(world: World) -> None:
    """One asks for all of them; when the scanner is back, or their time is up, each has its turn."""
    async with watched(world, Policy(scanner=True)) as room:
        room.eyes.silent = "nobody answers"
        room.inspecting._pace = Pace(at_once=1)
        spool, labo = room.labo.books.spool, room.labo
        for _ in range(20):
            assert 250 == (await labo.submit(DR, [ACCUEIL])).code
        await room.settle()
        room.eyes.scanned = 0
        await room.later(seconds=20)
        assert room.eyes.scanned < 5
        assert [State.INSPECTING] * 20 == room.states()
        await room.later(minutes=5)
        assert [State.HELD] * 20 == room.states()
        assert room.eyes.scanned < 10
        assert spool.next_due() is None


@pytest.mark.parametrize(
    ("action", "state"),
    [(None, State.HELD), (Action.PASS, State.RELAYED), (Action.REFUSE, State.REFUSED)],
)
async def test_a_scanner_that_stays_away(world: World, action: Action | None, state: State) -> None:
    """After that, the rules say what becomes of the message: held, if they say nothing."""
    written = rules(not_scanned=action) if action else ()
    async with watched(world, Policy(written, scanner=True)) as room:
        room.eyes.silent = "nobody answers"
        await room.labo.submit(DR, [ACCUEIL])
        await room.settle()
        await room.later(minutes=6)
        found = room.states()
        assert [state] == found or (state is State.RELAYED and [State.DELIVERED] == found)


async def test_a_restart_looks_again(world: World) -> None:
    """What was being looked into when the gateway stopped is looked into anew."""
    async with watched(world, Policy(scanner=True)) as room:
        room.eyes.open.clear()
        await room.labo.submit(DR, [ACCUEIL])
        await room.eyes.asked.wait()
    assert [(0,)] == world.labo.rest.database.read("SELECT lost FROM inspection")
    async with watched(world, Policy(scanner=True)) as room:
        await room.settle()
        assert 1 == len(await world.chu.inbox("accueil"))


async def test_a_crash_in_the_middle_of_a_look(world: World) -> None:
    """The claim of a process that is gone is taken back at the start, and counted as lost."""
    async with watched(world, Policy(scanner=True)) as room:
        room.eyes.open.clear()
        await room.labo.submit(DR, [ACCUEIL])
        await room.eyes.asked.wait()
        room.inspecting._put_off = never  # type: ignore[method-assign, assignment]
    assert [(1,)] == world.labo.rest.database.read("SELECT lost FROM inspection")
    async with watched(world, Policy(scanner=True)) as room:
        await room.settle()
        assert 1 == len(await world.chu.inbox("accueil"))


async def never(*_: object) -> None:
    """Do nothing: the process is gone."""


async def test_a_message_that_breaks_every_look(world: World) -> None:
    """Three times, and a person must see it; other messages go on meanwhile."""
    async with watched(world, Policy(rules(macros=Action.HOLD))) as room:
        room.eyes.error = RuntimeError("a parser's bug")
        await room.labo.submit(DR, [ACCUEIL])
        await room.settle()
        for _ in range(2):
            assert [State.INSPECTING] == room.states()
            await room.later(seconds=30)
        room.eyes.error = None
        await room.later(seconds=30)
        assert [State.HELD] == room.states()
        assert 3 == len(room.eyes.looked)
        await room.labo.submit(DR, [ACCUEIL])
        await room.settle()
        assert 1 == len(await world.chu.inbox("accueil"))
        assert 3 == [event for event, _ in room.labo.events].count("inspection.crashed")


async def test_a_released_message_is_not_looked_into_again(world: World) -> None:
    """What a person let go is not stopped by the same rule."""
    async with watched(world, Policy(rules(macros=Action.HOLD))) as room:
        room.eyes.found = ["macros"]
        await room.labo.submit(DR, [ACCUEIL])
        await room.settle()
        await release(room)
        await room.settle()
        assert 1 == len(await world.chu.inbox("accueil"))
        assert 1 == len(room.eyes.looked)


async def release(room: Room) -> None:
    (copy,) = [one for one in room.labo.copies() if one.delivery.state is State.HELD]
    after = step(copy.delivery, Event.RELEASED, room.world.clock())
    await room.labo.rest.commit([room.labo.books.spool.recording(copy.delivery, after)])
    room.labo.courier.ring()


async def test_taken_back_while_somebody_looks(world: World) -> None:
    """A copy that is cancelled meanwhile stays cancelled; the others have their verdict."""
    await world.labo.add("secretariat")
    async with watched(world, Policy(scanner=True)) as room:
        room.eyes.open.clear()
        await room.labo.submit(DR, [ACCUEIL, SECRETARY])
        await room.eyes.asked.wait()
        await cancel(room, ACCUEIL)
        room.eyes.open.set()
        await room.settle()
        assert [State.CANCELLED] == room.states(ACCUEIL)
        assert [State.DELIVERED] == room.states(SECRETARY)


async def test_all_taken_back_before_somebody_looks(world: World) -> None:
    """Nothing is left to be judged, and no row stays."""
    async with watched(world, Policy(scanner=True)) as room:
        room.eyes.open.clear()
        await room.labo.submit(DR, [ACCUEIL])
        await room.eyes.asked.wait()
        await cancel(room, ACCUEIL)
        room.eyes.open.set()
        await room.settle()
        assert [] == room.labo.rest.database.read("SELECT * FROM inspection")


async def cancel(room: Room, to: str) -> None:
    (copy,) = [one for one in room.labo.copies() if one.recipient.address == to]
    after = step(copy.delivery, Event.CANCEL, room.world.clock())
    await room.labo.rest.commit(room.labo.books.moving(copy, after))


async def test_a_suspended_sender_is_one_reason_among_others(world: World) -> None:
    """What the trust list holds is opened too, and waits once, with all that was found."""
    await world.labo.add("secretariat")
    async with watched(world, Policy(rules(macros=Action.TAG))) as room:
        room.eyes.found = ["macros"]
        await from_a_suspended_member(world)
        await room.settle()
        assert [State.HELD] == room.states()
        (one,) = [copy for copy in room.labo.copies() if not copy.message.ours]
        waived = room.labo.books.review.register.of_delivery(one.delivery.id)
        assert waived is not None
        assert ("sender-suspended", "macros") == waived.reasons


async def test_a_rule_lets_a_suspended_sender_pass(world: World) -> None:
    """An operator may write down that a suspension stops nothing, and at the door too."""
    await world.labo.add("secretariat")
    async with watched(world, Policy(rules(sender_suspended=Action.PASS))) as room:
        await from_a_suspended_member(world)
        await room.settle()
        assert [State.DELIVERED] == room.states()


async def from_a_suspended_member(world: World) -> None:
    member = world.lists.members["chu.example"]
    world.lists.members["chu.example"] = replace(member, status=Status.SUSPENDED)
    await world.publish()
    said = await world.labo.take(world.relay_peer(world.chu), ACCUEIL, [SECRETARY])
    assert 250 == said.code


async def test_malware(world: World) -> None:
    """What the scanner names is a reason like another, and held though no rule says so."""
    async with watched(world, Policy(scanner=True)) as room:
        room.eyes.malware = "Sceau.Test"
        await room.labo.submit(DR, [ACCUEIL])
        await room.settle()
        assert [State.HELD] == room.states()
        (one,) = [copy for copy in room.labo.copies() if not copy.message.ours]
        assert (Finding("malware", "Sceau.Test"),) == room.rows.findings(one.message.id)


async def test_so_many_at_once(world: World) -> None:
    """The others wait in their rows, not in memory."""
    async with watched(world, Policy(scanner=True)) as room:
        room.eyes.open.clear()
        for _ in range(6):
            await room.labo.submit(DR, [ACCUEIL])
        room.rows.bell.set()
        await room.eyes.asked.wait()
        assert "<Inspecting 4 in hand>" == repr(room.inspecting)
        room.eyes.open.set()
        await room.settle()
        assert 6 == len(await world.chu.inbox("accueil"))


async def test_a_look_that_outlasts_its_claim(world: World) -> None:
    """A clock that jumps, or a machine that slept, makes nobody look twice at once."""
    async with watched(world, Policy(scanner=True)) as room:
        room.eyes.open.clear()
        await room.labo.submit(DR, [ACCUEIL])
        await room.eyes.asked.wait()
        for _ in range(4):
            world.clock.advance(hours=1)
            await room.labo.submit(DR, [SECRETARY])
            room.rows.bell.set()
            await asyncio.sleep(0)
        room.eyes.open.set()
        await room.settle()
        assert len(room.eyes.looked) == len(set(room.eyes.looked))
        assert State.HELD not in room.states()


async def test_a_row_that_does_not_open(world: World) -> None:
    """One that was damaged stays where it is, and is told; the others go on."""
    async with watched(world, Policy(scanner=True)) as room:
        room.eyes.open.clear()
        await room.labo.submit(DR, [ACCUEIL])
        await room.eyes.asked.wait()
        room.inspecting._put_off = never  # type: ignore[method-assign, assignment]
    await world.labo.rest.commit([Statement("UPDATE inspection SET facts = X'00'")])
    async with watched(world, Policy(scanner=True)) as room:
        await room.labo.submit(DR, [ACCUEIL])
        await room.settle()
        assert 1 == len(await world.chu.inbox("accueil"))
        assert [State.DELIVERED, State.INSPECTING] == sorted(room.states())
        assert "inspection.crashed" in [event for event, _ in room.labo.events]


async def test_a_database_that_fails_for_a_while(world: World) -> None:
    """It is told, and tried again; nothing is lost or sent meanwhile."""
    async with watched(world, Policy(scanner=True)) as room:
        real = room.inspecting._round

        async def broken(_: asyncio.TaskGroup) -> int:
            raise VaultError("the database failed")

        room.inspecting._round = broken  # type: ignore[method-assign, assignment]
        await room.labo.submit(DR, [ACCUEIL])
        await room.settle()
        assert [State.INSPECTING] == room.states()
        room.inspecting._round = real  # type: ignore[method-assign]
        await room.settle()
        assert 1 == len(await world.chu.inbox("accueil"))


@pytest.mark.parametrize("times", [1, 3])
async def test_taken_back_while_the_verdict_is_written(world: World, times: int) -> None:
    """A copy that moves at that very moment has the verdict written anew, for those who are left."""
    await world.labo.add("secretariat")
    async with watched(world, Policy(rules(macros=Action.TAG))) as room:
        room.eyes.found = ["macros"]
        real, left = room.inspecting._meaning, [times]

        async def meanwhile(*args: Any) -> list[Statement]:
            statements: list[Statement] = await real(*args)
            if left[0]:
                left[0] -= 1
                if times == 1:
                    await cancel(room, ACCUEIL)
                statements.append(Statement("DELETE FROM message WHERE id = ''", expect=1))
            return statements

        room.inspecting._meaning = meanwhile  # type: ignore[method-assign, assignment]
        await room.labo.submit(DR, [ACCUEIL, SECRETARY])
        await room.settle()
        await room.later(minutes=1)
        assert [State.DELIVERED] == room.states(SECRETARY)
        assert [State.CANCELLED if times == 1 else State.DELIVERED] == room.states(ACCUEIL)


async def test_a_disk_that_is_full(world: World) -> None:
    """A message that cannot be sealed anew now waits, and that does not count against it."""
    await world.labo.add("secretariat")
    async with watched(world, Policy(rules(macros=Action.TAG))) as room:
        room.eyes.found = ["macros"]
        real, full = room.labo.rest.vault.put, [4]

        async def put(*args: Any, **how: Any) -> Any:
            if full[0]:
                full[0] -= 1
                raise StorageFull("the disk is down to its reserve")
            return await real(*args, **how)

        await room.labo.submit(DR, [SECRETARY])
        room.labo.rest.vault.put = put  # type: ignore[method-assign]
        await room.settle()
        for _ in range(4):
            assert [State.INSPECTING] == room.states()
            await room.later(seconds=20)
        assert [State.DELIVERED] == room.states()


@pytest.mark.parametrize("action", [Action.HOLD, Action.REFUSE, Action.TAG])
async def test_a_large_list_of_recipients(world: World, action: Action) -> None:
    """A rule about the envelope is asked at the door."""
    names = [f"m{number}" for number in range(4)]
    for name in names:
        await world.labo.add(name)
    async with watched(world, Policy(rules(many_recipients=action)), recipients=3) as room:
        said = await room.labo.submit(DR, [f"{name}@labo.example" for name in names])
        await room.settle()
        match action:
            case Action.REFUSE:
                assert (550, "5.7.1") == (said.code, said.enhanced)
                assert [] == room.states()
            case Action.HOLD:
                assert {State.HELD} == set(room.states())
            case _:
                assert {State.DELIVERED} == set(room.states())
                (first,) = await room.labo.inbox("m0")
                assert first.startswith(b"X-Sceau-Tag: many-recipients")


async def test_a_mailbox_over_its_rate(world: World) -> None:
    """What is far more than usual waits for a person, until the hour has passed."""
    await world.labo.add("secretariat")
    policy = Policy(rules(mailbox_rate=Action.HOLD))
    async with watched(world, policy, rate=Rate(2)) as room:
        for _ in range(3):
            await room.labo.submit(DR, [SECRETARY])
        await room.settle()
        assert [State.DELIVERED, State.DELIVERED, State.HELD] == sorted(room.states())
        await room.later(hours=1, seconds=1)
        await room.labo.submit(DR, [SECRETARY])
        await room.settle()
        assert 1 == room.states().count(State.HELD)


async def test_what_the_list_makes_wait_is_opened_first(world: World) -> None:
    """Its sender is told of the delay at once; then it waits for the list as it would have."""
    clinic = await world.play()
    async with watched(world, Policy(rules(macros=Action.HOLD))) as room:
        world.clock.advance(days=31)
        assert 250 == (await room.labo.submit(DR, ["a@clinique.example"])).code
        assert [State.INSPECTING] == room.states()
        assert "delayed" in room.labo.receipts()
        await room.settle()
        assert [State.DEFERRED] == room.states()
        await world.publish()
        await room.later(hours=2)
        assert (1, 1) == (len(clinic.heard), len(room.eyes.looked))


async def test_what_the_list_makes_wait_may_be_held(world: World) -> None:
    """A finding is not forgotten because the list was stale."""
    async with watched(world, Policy(rules(macros=Action.HOLD))) as room:
        world.clock.advance(days=31)
        room.eyes.found = ["macros"]
        await room.labo.submit(DR, [ACCUEIL])
        await room.settle()
        assert [State.HELD] == room.states()


@pytest.mark.parametrize(("lifted", "state"), [(True, State.DELIVERED), (False, State.REFUSED)])
async def test_released_but_still_denied(world: World, *, lifted: bool, state: State) -> None:
    """A person's word does not undo a denial: who wants it to go lifts that first."""
    await world.labo.add("secretariat")
    overlay = world.labo.keeper.overlay
    async with watched(world, Policy(rules(macros=Action.HOLD))) as room:
        room.eyes.open.clear()
        await room.labo.submit(DR, [SECRETARY])
        await room.eyes.asked.wait()
        denied = Denials(addresses=frozenset({DR}))
        room.labo.keeper.overlaid(replace(overlay, denied=denied))
        room.eyes.open.set()
        await room.settle()
        assert [State.HELD] == room.states()
        if lifted:
            room.labo.keeper.overlaid(overlay)
        books = room.labo.books
        (copy,) = [one for one in room.labo.copies() if one.delivery.state is State.HELD]
        case = books.review.register.of_delivery(copy.delivery.id)
        assert case is not None
        ruling = Ruling("operator:anne", world.clock(), "vu")
        after = step(copy.delivery, Event.RELEASED, world.clock())
        await books.review.decide(
            case, Decision.RELEASE, ruling, [books.spool.recording(copy.delivery, after)]
        )
        await room.settle()
        assert [state] == room.states()
