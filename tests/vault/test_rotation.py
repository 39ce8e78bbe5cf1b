"""After a rotation: everything moves to the new key, in the background, and is still the same."""

import re
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from vault.database import Database, Statement
from vault.errors import KeyRingError
from vault.journal import Journal
from vault.keys import KeyRing
from vault.rotation import Rotation, Uses
from vault.store import Vault

# One row of each table that holds sealed values, and where each value belongs.
ROWS = """\
INSERT INTO message (id, reference, arrived, size, door, sender_domain, facts) VALUES ('M', 'R', 0, 1, 'relay', '', ?) -> message/M/facts
INSERT INTO delivery (id, message, domain, recipient, facts, state, expires, changed, said) VALUES ('M.1', 'M', 'd', x'00', ?, 'queued', 0, 0, ?) -> delivery/M.1/facts delivery/M.1/said
INSERT INTO inspection (message, facts) VALUES ('M', ?) -> inspection/M/facts
INSERT INTO link (id, token, message, domain, sender, reader, size, made, expires, facts) VALUES ('L', x'00', 'M', 'd', x'00', 0, 1, 0, 0, ?) -> link/L/M/d/0/facts
INSERT INTO fetch (message, due, size, facts) VALUES ('M', 0, 1, ?) -> fetch/M/facts
INSERT INTO offer (id, door, mark, digest, message, at, facts) VALUES ('F', 'nuit', x'00', x'00', 'M', 0, ?) -> offer/F/facts
INSERT INTO critical (id, due, sender, facts) VALUES ('F', 0, x'00', ?) -> critical/F/facts
INSERT INTO unsent (mark, sender, at, facts) VALUES (x'0a', x'00', 0, ?) -> unsent/0a/facts
INSERT INTO outbox (id, mailbox, message, type, at, payload) VALUES ('O', 'k', 'M', 'accepted', 0, ?) -> outbox/O/payload
INSERT INTO mailbox (id, key, domain, address, facts, kind, status, created) VALUES (7, 'k', 'd', x'00', ?, 'ORG', 'active', 0) -> mailbox/k/facts
INSERT INTO credential (id, mailbox, kind, secret, label, created) VALUES ('C', 7, 'password', 'argon', ?, 0) -> credential/C/7/password/argon/label
INSERT INTO folder (id, mailbox, key, name, uid_validity) VALUES (3, 7, x'AB0C', ?, 1) -> folder/3/k/ab0c/name
INSERT INTO subscription VALUES (1, 7, x'AB0C', ?) -> subscription/k/ab0c/name
INSERT INTO keyword VALUES (1, 7, 5, ?) -> keyword/k/5/name
INSERT INTO card (id, folder, facts, structure) VALUES (9, 3, ?, ?) -> card/9/3/facts card/9/3/structure
INSERT INTO factor VALUES ('F', 'k', 'totp', NULL, ?) -> factor/F/k/totp/facts
INSERT INTO invitation VALUES (x'AB', 'k', ?) -> invitation/ab/k/facts
INSERT INTO operator VALUES ('k2', 'anne', ?) -> operator/k2/anne/facts
INSERT INTO share VALUES (1, 7, 7, ?, 0) -> share/k/k/rights
INSERT INTO absence VALUES (7, ?) -> absence/k/facts
INSERT INTO proposal VALUES (x'AB', ?, 0) -> proposal/ab/facts
INSERT INTO hold (id, message, opened, expires, preserved) VALUES ('H', 'M', 0, 0, ?) -> hold/H/preserved
INSERT INTO held (id, hold, delivery, state, reasons, since, found, ruling) VALUES ('D', 'H', 'M.1', 'held', '', 0, ?, ?) -> held/D/found held/D/ruling
INSERT INTO remark (id, hold, facts) VALUES ('R', 'H', ?) -> remark/R/facts
INSERT INTO alarm VALUES (1, ?) -> alarm/1/facts
INSERT INTO thread VALUES (x'ab', x'cd', 3, 0.0, ?) -> thread/ab/3/facts
INSERT INTO opposition VALUES (1, x'cd', ?) -> opposition/1/facts
INSERT INTO denial VALUES (1, ?) -> denial/1/facts
INSERT INTO legal_hold VALUES (1, ?) -> legal_hold/1/facts
INSERT INTO certificate VALUES ('aa', 'peer', 1, 1, NULL, ?) -> certificate/aa/facts
INSERT INTO authority VALUES ('bb', ?) -> authority/bb/facts
INSERT INTO patience VALUES ('labo.example', ?) -> patience/labo.example/facts
INSERT INTO bridge VALUES ('labo.example', ?) -> bridge/labo.example/facts
INSERT INTO trust_edition VALUES ('ab', ?) -> trust_edition/ab/signatures
INSERT INTO trust_trail VALUES (1, x'00', ?) -> trust_trail/1/entry
"""
PLACES = re.findall(r"\w+/\S+", ROWS)
VALUES = len(PLACES)


async def body() -> AsyncIterator[bytes]:
    yield b"Subject: essai\r\n\r\nbonjour\r\n"


@pytest.fixture
async def rotated(
    vault: Vault, database: Database, ring: KeyRing, journal: Journal, now: datetime
) -> Rotation:
    """One of everything under key 1, and key 2 current."""
    for row in ROWS.splitlines():
        sql, places = row.split(" -> ")
        values = tuple(ring.seal(place.encode(), place) for place in places.split())
        await database.commit([Statement(sql, values, expect=1)])
    sealed = await vault.put(body())
    holders = [f"delivery/{n}" for n in range(5)]
    await database.commit(
        [*vault.holding(sealed, holders), journal.entry(now, "x", "gateway", message="M")]
    )
    ring.rotate(now)
    return Rotation(database, ring)


async def finish(rotation: Rotation, limit: int = 4) -> list[int]:
    moved = [await rotation.move(limit)]
    while moved[-1]:
        moved.append(await rotation.move(limit))
    return moved


def sealed_columns(database: Database) -> dict[tuple[str, str], int]:
    """Every BLOB column of the schema that its comment calls sealed, and how many values it has."""
    found = {}
    tables = database.read("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
    for table, sql in tables:
        for line in (sql or "").splitlines():
            name, *rest = line.split() or [""]
            if "-- sealed" in line and rest[0].startswith("BLOB"):
                ((count,),) = database.read(f"SELECT count({name}) FROM {table}")
                found[table, name] = count
    return found


async def test_everything_moves_in_steps(rotated: Rotation) -> None:
    """No step is larger than was asked for, and the last one finds nothing."""
    moved = await finish(rotated)
    assert max(moved) == 4
    assert 5 + VALUES == sum(moved)
    assert 0 == moved[-1]


async def test_everything_still_opens(
    rotated: Rotation, vault: Vault, database: Database, ring: KeyRing, now: datetime
) -> None:
    """The holders find the body, and each value is where it was; without the old key."""
    await finish(rotated)
    ring.retire(1)

    assert b"bonjour" in await vault.read("delivery/3")
    for place in PLACES:
        table, *_, column = place.split("/")
        ((value,),) = database.read(f"SELECT {column} FROM {table}")
        assert place.encode() == ring.open(value, place)


async def test_no_sealed_column_is_forgotten(rotated: Rotation, database: Database) -> None:
    """Whatever the schema calls sealed is in this test, and so in the rotation."""
    columns = sealed_columns(database)
    assert {(p.split("/")[0], p.split("/")[-1]) for p in PLACES} | {("journal", "detail")} == set(
        columns
    )
    assert {1} == set(columns.values())


async def test_uses_say_what_an_old_key_still_opens(rotated: Rotation) -> None:
    """The journal keeps its key: its chain covers the sealed bytes."""
    assert {1: Uses(5, VALUES, 1), 2: Uses()} == await rotated.uses()
    await finish(rotated)
    uses = await rotated.uses()
    assert {1: Uses(0, 0, 1), 2: Uses(5, VALUES, 0)} == uses


async def test_nothing_to_do_costs_nothing(
    database: Database, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one key, or once all has moved, no row is looked at."""
    monkeypatch.delattr(Database, "query")
    assert 0 == await Rotation(database, ring).move(100)


async def test_damage_does_not_stop_the_others(
    rotated: Rotation, vault: Vault, database: Database
) -> None:
    """What does not open stays as it is, and its key is said to be in use."""
    database._writer.connection.execute(
        "UPDATE wrap SET wrapped = x'00' WHERE holder = 'delivery/2'"
    )
    database._writer.connection.execute("UPDATE message SET facts = substr(facts, 1, 20)")
    await finish(rotated, limit=100)
    assert Uses(1, 1, 1) == (await rotated.uses())[1]
    assert b"bonjour" in await vault.read("delivery/3")


async def test_the_current_key_stays(rotated: Rotation, ring: KeyRing) -> None:
    """Whatever moved, the key that seals cannot be retired."""
    await finish(rotated)
    with pytest.raises(KeyRingError):
        ring.retire(2)
