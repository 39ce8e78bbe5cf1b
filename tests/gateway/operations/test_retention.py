"""What the journal keeps and forgets about people, as operators ask for it."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from gateway.operations import words
from gateway.operations.error import OperationError
from gateway.operations.legal import Kind
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from gateway.running import housekeeping
from smtp.address import Address, parse
from tests.gateway.operations.conftest import Ask, spooled
from tests.world.clock import START, Clock
from vault.database import Statement

INS = "279033512151805"
PATIENT = f"{INS}@patient.mssante.fr"
SHORT = f"{INS[:13]}@patient.mssante.fr"
DOCTOR = parse("dr@chu.example")


@pytest.fixture
async def told(rooms: Rooms, clock: Clock) -> Rooms:
    """Two years of letters, one every half year, to a patient under both spellings."""
    start = clock()
    for n, whom in enumerate([PATIENT, SHORT, "other@chu.example", PATIENT]):
        at = start + timedelta(days=183 * n)
        entry = rooms.journal.entry(
            at, "delivery.relayed", "gateway", message=f"M{n}", who=DOCTOR, whom=Address(whom), n=n
        )
        await rooms.database.commit([entry])
    clock.advance(days=183 * 3 + 1)
    await rooms.journal.sign_head(clock())
    return rooms


async def second(rooms: Rooms, verb: str, **arguments: Any) -> Any:
    """Ask as another operator than ``ask`` does."""
    return msgspec.to_builtins(await perform(rooms, "operator:bruno", verb, arguments))


async def events(rooms: Rooms) -> list[str]:
    return [entry.event for entry in await rooms.journal.page(0)]


@pytest.mark.parametrize("who", [INS, INS[:13], "2 79 03 35 121 518 05"])
async def test_a_person_is_found_by_their_number(told: Rooms, ask: Ask, who: str) -> None:
    """However the citizen's address is spelt; by its keyed form alone."""
    found = await ask("journal.access", address=who)
    assert [PATIENT, SHORT] == found["addresses"]
    assert [0, 1, 3] == [row["detail"]["n"] for row in found["rows"]]
    assert (3, 3, None, False) == (
        found["total"],
        found["messages"],
        found["next"],
        found["held"],
    )


async def test_access_comes_in_pages(told: Rooms, ask: Ask) -> None:
    """However much there is; and that somebody looked is in the journal, under that person."""
    first = await ask("journal.access", address=PATIENT, limit=1)
    rest = await ask("journal.access", address=PATIENT, after=first["next"])
    told_of = [row["event"] for row in first["rows"] + rest["rows"]]
    assert ["delivery.relayed"] * 2 + ["operation.journal.access"] * 2 == told_of


async def test_access_names_what_the_spool_still_has(rooms: Rooms, ask: Ask) -> None:
    """The journal is not all that is kept of a person."""
    copy = await spooled(rooms)
    found = await ask("journal.access", address="dr@chu.example")
    assert [copy.message.reference] == found["kept"]


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("279033512151806", "its key does not go with it"),
        ("12", "neither a mail address nor an INS"),
        ("Durand", "neither a mail address nor an INS"),
        ("9790335121518", "neither a mail address nor an INS"),
    ],
)
async def test_what_names_nobody(rooms: Rooms, ask: Ask, who: str, words: str) -> None:
    """A number whose key is wrong is a typing error, not a person without a trace."""
    with pytest.raises(OperationError, match=words):
        await ask("journal.access", address=who)


async def test_erasure_takes_two_and_leaves_what_must_be_kept(told: Rooms, ask: Ask) -> None:
    """Old rows say nothing of the person any more; young ones stay; the chain is whole."""
    why = "demande du patient du 3 mars"
    first = await ask("journal.erase", address=INS, reason=why)
    assert ("waiting", 0, 2, 1) == tuple(
        first[each] for each in ("status", "erased", "due", "kept")
    )
    assert "waiting" == (await ask("journal.erase", address=INS, reason=why))["status"]
    done = await second(told, "journal.erase", address=INS, reason=why)
    assert ("done", 2, 1) == tuple(done[each] for each in ("status", "erased", "kept"))
    assert words.told(START + timedelta(days=183 * 4)) == done["until"]

    left = await ask("journal.access", address=INS)
    assert [3] == [row["detail"].get("n") for row in left["rows"] if "n" in row["detail"]]
    assert 2 == (await ask("journal.verify"))["erased"]
    assert "journal.erased" in await events(told)
    assert "nothing" == (await ask("journal.erase", address=INS, reason=why))["status"]


async def test_a_hold_forbids_erasure(told: Rooms, ask: Ask) -> None:
    """Of the person, of a message, of everything; until two lift it."""
    held = await ask("journal.hold", what=PATIENT, reason="expertise")
    assert {"kind": "address", "what": PATIENT.lower()} == {
        name: held[name] for name in ("kind", "what")
    }
    with pytest.raises(OperationError, match="a legal hold names this person"):
        await ask("journal.erase", address=INS, reason="demande")
    with pytest.raises(OperationError, match="held already"):
        await ask("journal.hold", what=PATIENT, reason="encore")
    assert (await ask("journal.access", address=INS))["held"]

    assert "waiting" == (await ask("journal.unhold", number=1, reason="clos"))["status"]
    assert "done" == (await second(told, "journal.unhold", number=1, reason="clos"))["status"]
    (row,) = await ask("journal.holds")
    assert ("operator:anne", "operator:bruno") == (row["by"], row["lifted_by"])
    with pytest.raises(OperationError, match="no hold 1 stands"):
        await ask("journal.unhold", number=1, reason="clos")
    assert "waiting" == (await ask("journal.erase", address=INS, reason="demande"))["status"]


async def test_rows_of_a_held_message_are_not_erased(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """What names a message keeps its whole story, whoever is in it."""
    copy = await spooled(rooms)
    await ask("journal.hold", what=copy.message.reference, reason="plainte")
    clock.advance(days=400)
    await rooms.journal.sign_head(clock())
    answer = await ask("journal.erase", address="dr@chu.example", reason="demande")
    assert ("nothing", True) == (answer["status"], answer["kept"] > 0)
    assert rooms.legal.held(message=copy.message.id)
    assert not rooms.legal.held(message="other")


async def test_a_message_that_the_spool_forgot_is_held_by_its_id(told: Rooms, ask: Ask) -> None:
    """The journal remembers longer than the spool, and a court asks late."""
    assert "message" == (await ask("journal.hold", what="m2", reason="plainte"))["kind"]
    assert told.legal.held(message="M2")


async def test_what_cannot_be_held(ask: Ask) -> None:
    """A message that is not here, and a hold without a reason."""
    with pytest.raises(OperationError, match="names no message here"):
        await ask("journal.hold", what="AAAA-BBBB", reason="x")
    with pytest.raises(OperationError, match="no reason was given"):
        await ask("journal.hold", what="everything", reason=" ")


async def test_what_is_old_is_purged(told: Rooms, ask: Ask, clock: Clock) -> None:
    """By the setting, with its entry; what is held stays."""
    clock.advance(days=1095 - 183)
    await ask("journal.hold", what=SHORT, reason="expertise")
    await told.journal.sign_head(clock())
    await housekeeping.forget(told)

    numbers = [entry.seq for entry in await told.journal.page(0)]
    assert 2 == numbers[0]
    verdict = await ask("journal.verify")
    assert (1, 1) == (verdict["purged"], verdict["erased"])


async def test_everything_held_is_everything(told: Rooms, ask: Ask, clock: Clock) -> None:
    """A hold on everything stops the purge, and lifting it lets it go on."""
    await ask("journal.hold", what="everything", reason="enquête")
    clock.advance(days=2000)
    await told.journal.sign_head(clock())
    await housekeeping.forget(told)
    assert 0 == (await ask("journal.verify"))["purged"]
    (hold,) = told.legal.standing()
    assert (Kind.EVERYTHING, "") == (hold.kind, hold.what)


@pytest.mark.parametrize(
    "crime",
    [
        "UPDATE legal_hold SET facts = x'00' WHERE id = 2",
        "DELETE FROM legal_hold WHERE id = 1",
        "DELETE FROM legal_hold WHERE id = 2",
        "DELETE FROM legal_hold",
    ],
)
async def test_a_spoilt_hold_stops_all_forgetting(
    told: Rooms, ask: Ask, clock: Clock, crime: str
) -> None:
    """Who can write to the database alone cannot have the journal forget."""
    await ask("journal.hold", what=PATIENT, reason="expertise")
    await ask("journal.hold", what="other@chu.example", reason="expertise")
    await told.database.commit([Statement(crime)])
    clock.advance(days=2000)
    await told.journal.sign_head(clock())
    await housekeeping.forget(told)
    await told.notes.write()

    assert 0 == (await ask("journal.verify"))["purged"]
    assert "hold.tampered" in await events(told)
    for verb in ("journal.holds", "journal.unhold", "journal.erase"):
        arguments: dict[str, Any] = {"number": 1, "reason": "x"} if verb.endswith("unhold") else {}
        if verb.endswith("erase"):
            arguments = {"address": INS, "reason": "x"}
        with pytest.raises(OperationError, match="legal hold"):
            await ask(verb, **arguments)


async def test_what_the_siem_was_not_told_is_not_purged(
    told: Rooms, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A SIEM that is down for years loses nothing."""
    siem = told.settings.siem.model_copy(update={"host": "siem.example"})
    settings = told.settings.model_copy(update={"siem": siem})
    object.__setattr__(told, "settings", settings)
    clock.advance(days=2000)
    await told.journal.sign_head(clock())
    await housekeeping.forget(told)
    assert 1 == (await told.journal.page(0))[0].seq

    await told.database.commit([Statement("INSERT INTO siem (id, seq) VALUES (1, 2)")])
    await housekeeping.forget(told)
    assert 3 == (await told.journal.page(0))[0].seq


async def test_a_days_head_is_in_the_journal(told: Rooms, clock: Clock) -> None:
    """So whoever is told of the journal has it, outside this house."""
    clock.advance(days=1)
    await told.database.commit([told.journal.entry(clock(), "x", "gateway")])
    await housekeeping.sign_journal(told)
    entry = (await told.journal.page(0))[-1]
    assert "journal.day" == entry.event
    assert str(entry.detail["digest"]).startswith("sceau journal head v1\nseq 4\n")
