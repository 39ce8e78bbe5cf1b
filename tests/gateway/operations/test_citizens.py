"""What operators note of citizens."""

from dataclasses import replace

import pytest

from gateway.documents import ins
from gateway.documents.coherence import Citizens
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.relay.exchanges import Exchange
from gateway.relay.threads import Pair, Written, wrote
from smtp.address import parse
from tests.gateway.operations.conftest import Ask
from tests.world.clock import START
from vault.database import Statement

NUMBER = "1850175075001"
WHOLE = f"{NUMBER}{ins.key(NUMBER)}"
PATIENTS = "patient.mssante.fr"
CITIZEN = f"{WHOLE}@{PATIENTS}"


async def test_an_objection_is_noted_and_withdrawn(rooms: Rooms, ask: Ask) -> None:
    """By address or number; who, when and why stay on the record (R-G5)."""
    made = await ask("citizen.oppose", address=WHOLE, reason="courrier du 2 mars")
    assert (CITIZEN, "operator:anne") == (made["address"], made["by"])
    found = await ask("citizen.show", address=NUMBER)
    assert found["objects"]
    with pytest.raises(OperationError, match="objects already"):
        await ask("citizen.oppose", address=CITIZEN, reason="encore")
    await ask("citizen.allow", address=CITIZEN, reason="par téléphone")
    found = await ask("citizen.show", address=CITIZEN)
    assert not found["objects"]
    (noted,) = found["objections"]
    assert ("courrier du 2 mars", "operator:anne") == (noted["reason"], noted["withdrawn_by"])
    with pytest.raises(OperationError, match="does not object"):
        await ask("citizen.allow", address=CITIZEN)


async def test_threads_are_shown(rooms: Rooms, ask: Ask) -> None:
    """With whom, how many open and closed."""
    pair = Pair(parse("dr@labo.example"), parse(CITIZEN), by_citizen=False)
    now = rooms.clock().timestamp()
    threads = wrote(wrote((), Written("a", at=now)), Written("b", closing=True, at=now))
    await rooms.database.commit([rooms.exchanges.moving(Exchange(pair), threads, START)])
    (row,) = (await ask("citizen.show", address=CITIZEN))["threads"]
    assert ("dr@labo.example", 1, 1) == (row["with"], row["open"], row["closed"])


async def test_the_house_says_of_how_many_digits(rooms: Rooms, ask: Ask) -> None:
    """However the number was typed, its address is as this house writes them (R-G1)."""
    rules = replace(rooms.exchanges.rules, citizens=Citizens(PATIENTS, 13))
    object.__setattr__(rooms.exchanges, "rules", rules)
    for typed in (WHOLE, NUMBER, CITIZEN, f"{NUMBER}@{PATIENTS}"):
        assert f"{NUMBER}@{PATIENTS}" == (await ask("citizen.show", address=typed))["address"]


async def test_who_asked_about_whom_is_written_down(rooms: Rooms, ask: Ask) -> None:
    """Under the patient, though a bare number was typed; the journal's readers see no number (R-G6)."""
    for typed in (WHOLE, NUMBER, f" {CITIZEN}"):
        await ask("citizen.show", address=typed)
    found = await rooms.journal.by_address(parse(CITIZEN))
    assert ["operation.citizen.show"] * 3 == [each.event for each in found]
    assert NUMBER not in str(await ask("journal.search"))


async def test_objections_are_listed_without_whose_they_are(rooms: Rooms, ask: Ask) -> None:
    """The newest first; a number is shown to who typed it (R-G6)."""
    assert {"objections": [], "pairs": 0} == await ask("citizen.list")
    for address, reason in ((CITIZEN, "courrier"), (f"2{NUMBER[1:]}@{PATIENTS}", "téléphone")):
        await ask("citizen.oppose", address=address, reason=reason)
    rows = (await ask("citizen.list"))["objections"]
    assert ["téléphone", "courrier"] == [each["reason"] for each in rows]
    assert {f"•••@{PATIENTS}"} == {each["address"] for each in rows}


@pytest.mark.parametrize("whom", ["dr@labo.example", "x@patient.mssante.fr", "12"])
async def test_only_citizens_are_noted(rooms: Rooms, ask: Ask, whom: str) -> None:
    """A slip would protect nobody."""
    with pytest.raises(OperationError, match="that is n"):
        await ask("citizen.oppose", address=whom, reason="courrier")


async def test_a_reason_is_given(rooms: Rooms, ask: Ask) -> None:
    """For whoever asks later."""
    with pytest.raises(OperationError, match="needs a reason"):
        await ask("citizen.oppose", address=CITIZEN, reason=" ")


async def test_an_altered_objection_cannot_be_withdrawn(rooms: Rooms, ask: Ask) -> None:
    """It stands, and that is said."""
    await ask("citizen.oppose", address=CITIZEN, reason="courrier")
    await rooms.database.commit([Statement("UPDATE opposition SET facts = x'00'", ())])
    with pytest.raises(OperationError, match="was altered"):
        await ask("citizen.allow", address=CITIZEN)
