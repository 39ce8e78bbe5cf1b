"""The table of messages to be looked into."""

from datetime import timedelta

import pytest

from gateway.relay.inspections import Claim, Inspections
from quarantine.policy import Finding
from tests.world.clock import START
from tests.world.rest import Rest, stored
from vault.database import Statement
from vault.errors import Conflict

LEASE = timedelta(minutes=5)
FOUND = (Finding("macros", "2 Compte rendu DURAND.docx"),)


@pytest.fixture
async def rows(rest: Rest) -> Inspections:
    made = Inspections(rest.database, rest.ring)
    await rest.commit(
        [
            *(
                Statement(
                    "INSERT INTO message (id, reference, arrived, size, door, sender_domain, facts)"
                    " VALUES (?, 'R', 0, 1, 'relay', 'labo.example', X'00')",
                    (name,),
                )
                for name in "MN"
            ),
            made.entering("M", (), START),
        ]
    )
    return made


async def claim(rest: Rest, rows: Inspections, after: timedelta = timedelta()) -> list[Claim]:
    ((*found,),) = await rest.database.commit([rows.claiming(START + after, LEASE, 10)])
    return [rows.claimed(row) for row in found]


async def test_a_claim(rest: Rest, rows: Inspections) -> None:
    """Once, until it ends; each is counted as lost until it is known not to be."""
    (one,) = await claim(rest, rows)
    assert Claim("M", 0, None, ()) == one
    assert [] == await claim(rest, rows)
    (again,) = await claim(rest, rows, LEASE)
    assert 1 == again.lost
    assert rows.next_due() == START + 2 * LEASE


async def test_a_restart(rest: Rest, rows: Inspections) -> None:
    """What a process now gone had claimed is due at once."""
    await claim(rest, rows)
    await rest.commit([rows.recovering(START)])
    (one,) = await claim(rest, rows)
    assert 1 == one.lost


async def test_waiting(rest: Rest, rows: Inspections) -> None:
    """A look that waits is not lost; since when it waits is kept."""
    (one,) = await claim(rest, rows)
    await rest.commit([rows.waiting(Claim("M", one.lost, START, ()), START + LEASE)])
    assert [] == await claim(rest, rows)
    (again,) = await claim(rest, rows, LEASE)
    assert Claim("M", 0, START, ()) == again


async def test_a_verdict_is_kept(rest: Rest, rows: Inspections) -> None:
    """With the message, for who decides about it; and it is given once."""
    (one,) = await claim(rest, rows)
    await rest.commit([rows.judged(one, FOUND)])
    assert FOUND == rows.findings("M")
    assert rows.next_due() is None
    with pytest.raises(Conflict):
        await rest.commit([rows.judged(one, FOUND)])
    await rest.commit([rows.waiting(one, START)])
    assert [] == await claim(rest, rows)


async def test_nothing_found_leaves_nothing(rest: Rest, rows: Inspections) -> None:
    """A message that passed is a message like any other."""
    (one,) = await claim(rest, rows)
    await rest.commit([rows.judged(one, ())])
    assert () == rows.findings("M")
    with pytest.raises(Conflict):
        await rest.commit([rows.judged(one, ())])


async def test_what_was_known_at_the_door(rest: Rest, rows: Inspections) -> None:
    """It comes with the claim."""
    await rest.commit([rows.entering("N", FOUND, START - LEASE)])
    found = {one.message: one.findings for one in await claim(rest, rows)}
    assert {"M": (), "N": FOUND} == found


async def test_it_goes_with_its_message(rest: Rest, rows: Inspections) -> None:
    """Nothing of a message stays once it is forgotten."""
    await rest.commit([Statement("DELETE FROM message WHERE id = 'M'")])
    assert [] == rest.database.read("SELECT * FROM inspection")


async def test_a_file_s_name_is_sealed(rest: Rest, rows: Inspections) -> None:
    """A detail may name a patient: nobody reads it in a copy of the data folder."""
    (one,) = await claim(rest, rows)
    await rest.commit([rows.judged(one, FOUND)])
    assert b"DURAND" not in stored(rest.database.path.parent)
