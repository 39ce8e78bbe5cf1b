"""The journal forgets what is old, keeps what is held, and proves itself all the while."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smtp.address import Address, parse
from tests.world.rest import stored
from vault import forgetting, witness
from vault.chain import Head, Verdict, content
from vault.database import Database
from vault.forgetting import Forgetting, Forgot, Kept
from vault.journal import Journal
from vault.keys import KeyRing

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PATIENT, DOCTOR = parse("1790335121518@patient.example"), parse("dr@chu.example")
NONE = Kept()


async def write(
    database: Database, journal: Journal, days: int, *, who: dict[int, Address] | None = None
) -> None:
    """Write a row a day, the last one of today, and sign the head."""
    for n in range(1, days + 1):
        at = NOW - DAY * (days - n)
        named = (who or {}).get(n, DOCTOR)
        entry = journal.entry(at, "message.accepted", "gateway", message=f"M{n}", who=named, n=n)
        await database.commit([entry])
    await journal.sign_head(NOW)


@pytest.fixture
def oblivion(
    database: Database, journal: Journal, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> Forgetting:
    monkeypatch.setattr(forgetting, "STEP", 3)
    return Forgetting(database, journal, ring)


async def forget(oblivion: Forgetting, *, days: int, kept: Kept = NONE, upto: int = 99) -> Forgot:
    """Forget all that is older than so many days."""
    purged = erased = 0
    while done := await oblivion.step(NOW - DAY * days, upto, kept, NOW):
        purged, erased = purged + done.purged, erased + done.erased
    return Forgot(purged, erased)


async def numbers(journal: Journal) -> list[int]:
    return [entry.seq for entry in await journal.page(0) if entry.event == "message.accepted"]


async def test_old_rows_go_and_the_rest_is_proven(
    database: Database, journal: Journal, oblivion: Forgetting, tmp_path: Path, ring: KeyRing
) -> None:
    """What was purged is signed, in steps, and the chain leads on from there."""
    await write(database, journal, 10)

    assert Forgot(purged=7) == await forget(oblivion, days=2)

    assert [8, 9, 10] == await numbers(journal)
    purges = [entry for entry in await journal.page(0) if entry.event == "journal.purged"]
    assert [(3, 3), (3, 6), (1, 7)] == [(e.detail["rows"], e.detail["upto"]) for e in purges]
    await journal.sign_head(NOW)
    assert Verdict(13, 13, purged=7) == await journal.verify()
    later = Journal(database, ring, tmp_path / "journal.head")
    await later.sign_head(NOW)
    assert (await later.verify()).good


@pytest.mark.parametrize(
    ("crime", "problem"),
    [
        ("DELETE FROM journal_purge", "row 1 is missing"),
        ("UPDATE journal_purge SET text = x'00'", "was not signed by the key ring"),
        ("DELETE FROM journal WHERE seq = 8", "row 8 is missing"),
        ("DELETE FROM journal WHERE seq > 8", "rows 9 to 13 were cut off"),
        ("UPDATE journal SET actor = 'nobody' WHERE seq = 8", "row 8 is not the one"),
    ],
)
async def test_nobody_else_can_purge(
    database: Database, journal: Journal, oblivion: Forgetting, crime: str, problem: str
) -> None:
    """Beside a purge that was signed, what was changed, removed or cut off is found as ever."""
    await write(database, journal, 10)
    await forget(oblivion, days=2)
    await journal.sign_head(NOW)
    database._writer.connection.execute(crime)
    assert problem in (await journal.verify()).problem


async def test_what_is_signed_or_still_to_be_told_stays(
    database: Database, journal: Journal, oblivion: Forgetting
) -> None:
    """The row of the head stays however old it is, and so do rows from a number on."""
    await write(database, journal, 10)
    assert Forgot(purged=4) == await forget(oblivion, days=-1, upto=5)
    assert Forgot(purged=5) == await forget(oblivion, days=-1)
    assert [10] == await numbers(journal)


async def test_what_is_held_stays_as_it_was_written(
    database: Database, journal: Journal, oblivion: Forgetting
) -> None:
    """Rows before it go, rows after it lose what they say, it stays; and goes when it is lifted."""
    await write(database, journal, 10, who={3: PATIENT, 6: PATIENT})
    key = journal.key(PATIENT)
    assert key is not None
    kept = Kept(frozenset({key}), await oblivion.messages([key]))
    assert {"M3", "M6"} == kept.messages

    assert Forgot(purged=2, erased=4) == await forget(oblivion, days=1, kept=kept)

    told = {e.seq: e.detail for e in await journal.page(0) if e.event == "message.accepted"}
    gone = {"erased": True}
    assert {3: {"n": 3}, 4: gone, 5: gone, 6: {"n": 6}, 7: gone, 8: gone} == {
        seq: detail for seq, detail in told.items() if seq < 9
    }
    await journal.sign_head(NOW)
    verdict = await journal.verify()
    assert (2, 4, "") == (verdict.purged, verdict.erased, verdict.problem)

    assert Forgot(purged=6) == await forget(oblivion, days=1)
    assert [(0,)] == database.read("SELECT count(*) FROM journal_erasure")
    assert [9, 10] == await numbers(journal)
    assert (await journal.verify()).good


async def test_a_hold_on_everything(
    database: Database, journal: Journal, oblivion: Forgetting
) -> None:
    """Nothing goes while all is held."""
    await write(database, journal, 10)
    assert not await forget(oblivion, days=1, kept=Kept(everything=True))
    assert list(range(1, 11)) == await numbers(journal)


async def test_an_erased_row_says_nothing_and_proves_itself(
    database: Database, journal: Journal, oblivion: Forgetting, tmp_path: Path
) -> None:
    """Nobody finds the person in it any more, not in the files either; the chain holds."""
    await write(database, journal, 5, who={2: PATIENT, 4: PATIENT})
    key = journal.key(PATIENT)
    assert key is not None
    rows = await oblivion.about(key)
    assert [2, 4] == [line.seq for line in rows]

    assert 2 == await oblivion.erase([2, 4], NOW, "request", "operator:anne")
    assert 0 == await oblivion.erase([2, 4], NOW, "request", "operator:anne")

    assert [] == await journal.by_address(PATIENT)
    await database.empty_log()
    assert key not in stored(tmp_path)
    await journal.sign_head(NOW)
    assert Verdict(6, 6, erased=2) == await journal.verify()
    (told,) = [e for e in await journal.page(0) if e.event == "journal.erased"]
    assert ("operator:anne", {"rows": 2, "reason": "request"}) == (told.actor, told.detail)


@pytest.mark.parametrize(
    ("crime", "problem"),
    [
        ("DELETE FROM journal_erasure", "row 2 was erased, and nobody signed that"),
        ("UPDATE journal_erasure SET text = x'00'", "was not signed by the key ring"),
        (
            "UPDATE journal SET who = NULL, whom = NULL, detail = NULL WHERE seq = 3",
            "row 3 was erased, and nobody signed that",
        ),
        ("UPDATE journal SET proof = x'00' WHERE seq = 2", "row 2 is not the one that was written"),
        ("UPDATE journal SET who = x'00' WHERE seq = 2", "row 2 is not the one that was written"),
    ],
)
async def test_nobody_else_can_erase(
    database: Database, journal: Journal, oblivion: Forgetting, crime: str, problem: str
) -> None:
    """An erasure that the key ring did not sign is found."""
    await write(database, journal, 5)
    await oblivion.erase([2], NOW, "request")
    await journal.sign_head(NOW)
    database._writer.connection.execute(crime)
    assert problem in (await journal.verify()).problem


async def test_an_erasure_fits_no_other_journal(
    database: Database, journal: Journal, oblivion: Forgetting, ring: KeyRing, tmp_path: Path
) -> None:
    """What was signed of one journal hides nothing in another of the same ring."""
    await write(database, journal, 5)
    await oblivion.erase([2], NOW, "request")
    ((text,),) = database.read("SELECT text FROM journal_erasure")
    other = Database.open(tmp_path / "other.db")
    new = Journal(other, ring, tmp_path / "other.head")
    await write(other, new, 5)
    run = other._writer.connection.execute
    (left,) = run("SELECT who, whom, detail, proof FROM journal WHERE seq = 2").fetchall()
    run(forgetting._ERASE, (content(*left), 2))
    run("INSERT INTO journal_erasure (last, text) VALUES (2, ?)", (text,))

    assert "row 2 is not the one that was signed" == (await new.verify()).problem
    await other.close()


async def test_a_purge_that_nobody_made(ring: KeyRing) -> None:
    """Without a text nothing was purged."""
    assert Head(0, b"") == witness.purged([], ring.public_key)


async def test_a_disk_that_fails_forgets_nothing(
    database: Database, journal: Journal, oblivion: Forgetting
) -> None:
    """A step is whole or not at all: the rows, what was signed of them, and the entry."""
    await write(database, journal, 10)
    run = database._writer.connection.execute
    run("CREATE TRIGGER no BEFORE INSERT ON journal_purge BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(Exception, match="no"):
        await forget(oblivion, days=2)
    assert list(range(1, 11)) == await numbers(journal)
    assert (await journal.verify()).good
