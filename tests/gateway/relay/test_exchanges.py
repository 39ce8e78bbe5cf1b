"""Threads with citizens and their objections, at rest."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.documents import ins
from gateway.documents.coherence import Citizens
from gateway.relay.exchanges import Exchange, Exchanges
from gateway.relay.threads import Pair, Rules, Thread, Threads, Written, mark, wrote
from smtp.address import parse
from tests.world.clock import START
from vault.database import Database, Statement
from vault.errors import Conflict
from vault.keys import KeyRing
from vault.rotation import Rotation

NUMBER = "1850175075001"
DR = parse("dr@labo.example")
CITIZEN = parse(f"{NUMBER}{ins.key(NUMBER)}@patient.mssante.fr")
PAIR = Pair(DR, CITIZEN, by_citizen=False)
BEGUN: Threads = wrote((), Written(mark("<1@x.example>")))


@dataclass(slots=True)
class Kept:
    database: Database
    ring: KeyRing
    told: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def exchanges(self) -> Exchanges:
        return Exchanges(
            self.database, self.ring, Rules(Citizens()), lambda *said: self.told.append(said)
        )

    async def change(self, sql: str, *args: object) -> None:
        await self.database.commit([Statement(sql, args)])


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    ring = KeyRing.create(tmp_path / "ring.json", START)
    database = Database.open(tmp_path / "sceau.db")
    yield Kept(database, ring)
    await database.close()


async def test_a_pair_is_found_again(kept: Kept) -> None:
    """By either side, by any spelling; nothing of it can be read."""
    before = kept.exchanges.of(PAIR, START)
    assert Exchange(PAIR) == before
    await kept.database.commit([kept.exchanges.moving(before, BEGUN, START)])
    found = kept.exchanges.of(PAIR, START)
    assert (BEGUN, 1, START) == (found.threads, found.version, found.at)
    other = Pair(parse("DR@labo.example"), parse(f"{NUMBER}@patient.mssante.fr"), by_citizen=True)
    assert BEGUN == kept.exchanges.of(other, START).threads
    ((row,),) = kept.database.read("SELECT CAST(pair || citizen || facts AS BLOB) FROM thread")
    assert not any(
        secret in row for secret in (b"labo", NUMBER.encode(), BEGUN[0].messages[0].encode())
    )


async def test_two_who_move_it_at_once(kept: Kept) -> None:
    """One of them is told to look again; nobody's message is forgotten."""
    before = kept.exchanges.of(PAIR, START)
    await kept.database.commit([kept.exchanges.moving(before, BEGUN, START)])
    for stale in (before, Exchange(PAIR, version=7)):
        with pytest.raises(Conflict):
            await kept.database.commit([kept.exchanges.moving(stale, (), START)])
    await kept.database.commit([kept.exchanges.moving(kept.exchanges.of(PAIR, START), (), START)])
    assert () == kept.exchanges.of(PAIR, START).threads


async def test_a_changed_row_opens_no_thread(kept: Kept) -> None:
    """Who can write to the database cannot let a citizen in; an alarm tells of it."""
    await kept.database.commit([kept.exchanges.moving(Exchange(PAIR), BEGUN, START)])
    await kept.change("UPDATE thread SET version = 2")
    found = kept.exchanges.of(PAIR, START)
    assert ((), 2) == (found.threads, found.version)
    assert [] == kept.exchanges.with_citizen(CITIZEN, START)
    assert ["thread.tampered"] * 2 == [event for event, _ in kept.told]


async def test_a_citizens_threads(kept: Kept) -> None:
    """All their professionals, the last first."""
    later = Pair(parse("roy@chu.example"), CITIZEN, by_citizen=False)
    for pair, when in ((PAIR, 1), (later, 2)):
        at = START.replace(minute=when)
        await kept.database.commit([kept.exchanges.moving(Exchange(pair), BEGUN, at)])
    found = kept.exchanges.with_citizen(CITIZEN, START)
    assert [later, PAIR] == [each.pair for each in found]
    assert [] == kept.exchanges.with_citizen(parse("x@patient.mssante.fr"), START)


async def test_what_silence_ended_is_forgotten(kept: Kept) -> None:
    """Though its row is still there; then the row goes, too (R-G6)."""
    rules = Rules(Citizens(), silence=timedelta(days=365))
    exchanges = replace(kept.exchanges, rules=rules)
    begun = wrote((), Written(mark("<1@x.example>"), at=START.timestamp()))
    await kept.database.commit([exchanges.moving(Exchange(PAIR), begun, START)])
    soon, late = START + timedelta(days=364), START + timedelta(days=365)
    await kept.database.commit(exchanges.ending(soon))
    assert begun == exchanges.of(PAIR, soon).threads
    assert Exchange(PAIR, (), 1, START) == exchanges.of(PAIR, late)
    assert [] == exchanges.with_citizen(CITIZEN, late)
    assert [] == kept.exchanges.ending(late)
    await kept.database.commit(exchanges.ending(late))
    assert Exchange(PAIR) == exchanges.of(PAIR, late)


async def test_an_objection_from_first_to_last(kept: Kept) -> None:
    """By whichever form of the number; withdrawn it stays on the record."""
    assert not kept.exchanges.objects(CITIZEN)
    made = await kept.exchanges.object(CITIZEN, "demande écrite", "operator:anne", START)
    assert kept.exchanges.objects(parse(f"{NUMBER}@patient.mssante.fr"))
    assert [made] == kept.exchanges.objecting(CITIZEN)
    await kept.exchanges.withdraw([made], "operator:luc", START)
    assert not kept.exchanges.objects(CITIZEN)
    (ended,) = kept.exchanges.objecting()
    assert (START, "operator:luc") == (ended.withdrawn, ended.withdrawn_by)
    ((facts,),) = kept.database.read("SELECT facts FROM opposition")
    assert NUMBER.encode() not in facts


async def test_an_objection_that_was_spoilt_stands(kept: Kept) -> None:
    """And one that is missing is told of."""
    made = await kept.exchanges.object(CITIZEN, "demande", "operator:anne", START)
    await kept.exchanges.withdraw([made], "operator:anne", START)
    await kept.change("UPDATE opposition SET id = 2")
    assert kept.exchanges.objects(CITIZEN)
    assert [] == kept.exchanges.objecting()
    assert {"opposition.tampered"} == {event for event, _ in kept.told}


async def test_both_move_to_a_new_key(kept: Kept) -> None:
    """Rotation knows their places."""
    await kept.database.commit([kept.exchanges.moving(Exchange(PAIR), BEGUN, START)])
    await kept.exchanges.object(CITIZEN, "demande", "operator:anne", START)
    old = kept.ring.current
    rotation = Rotation(kept.database, kept.ring)
    kept.ring.rotate(START)
    assert 2 == await rotation.move(10)
    assert 0 == (await rotation.uses())[old].values
    assert (Thread((mark("<1@x.example>"),)),) == kept.exchanges.of(PAIR, START).threads
    assert 1 == len(kept.exchanges.objecting(CITIZEN))
