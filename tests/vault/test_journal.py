"""The journal: entries share their transaction's fate, tell their story, and cannot be rewritten."""

import base64
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smtp.address import parse
from vault import witness
from vault.chain import Head, Verdict
from vault.database import Database, Statement
from vault.errors import Conflict, VaultError
from vault.journal import Entry, Journal
from vault.keys import KeyRing
from vault.signed import Mark

NOW = datetime(2026, 11, 22, 8, 0, 0, 250000, tzinfo=UTC)
DR, LAB = parse("dr.canary@chu.example"), parse("Labo.Canary@labo.example")

SIGNED = ("-in", "text", "-sigfile", "signature")


async def write(database: Database, journal: Journal, count: int = 5) -> None:
    for n in range(count):
        at = NOW + timedelta(seconds=n)
        entry = journal.entry(at, "message.accepted", "gateway", message=f"M{n}", who=LAB, n=n)
        await database.commit([entry])


async def test_an_entry_tells_what_it_was_told(database: Database, journal: Journal) -> None:
    """Everything that goes in comes out, by message."""
    await database.commit(
        [
            journal.entry(
                NOW,
                "message.refused",
                "peer:ab",
                message="M1",
                who=LAB,
                whom=DR,
                reason="not-listed",
            ),
            journal.entry(NOW, "gateway.started", "gateway"),
        ]
    )

    told = [Entry(1, NOW, "message.refused", "peer:ab", "M1", LAB, DR, {"reason": "not-listed"})]
    assert told == await journal.by_message("M1")
    started = Entry(2, NOW, "gateway.started", "gateway", None, None, None, {})
    assert [*told, started] == await journal.page(0)
    assert [started] == await journal.page(1)


async def test_an_address_finds_its_entries(database: Database, journal: Journal) -> None:
    """As sender or as recipient, however it is spelt, the latest, oldest first."""
    for n, (who, whom) in enumerate([(LAB, DR), (DR, LAB), (None, None), (LAB, None)]):
        at = NOW + timedelta(seconds=n)
        await database.commit([journal.entry(at, "x", "gateway", who=who, whom=whom)])

    assert [1, 2, 4] == [e.seq for e in await journal.by_address(parse("labo.canary@LABO.example"))]
    assert [2, 4] == [e.seq for e in await journal.by_address(LAB, limit=2)]
    assert [3, 4] == [e.seq for e in await journal.since(NOW + timedelta(seconds=2))]


async def test_an_entry_shares_its_transactions_fate(database: Database, journal: Journal) -> None:
    """What did not happen is not told, and the chain goes on without a gap."""
    await write(database, journal, 2)
    with pytest.raises(Conflict):
        await database.commit(
            [journal.entry(NOW, "x", "gateway"), Statement("DELETE FROM seen", expect=1)]
        )
    await write(database, journal, 2)
    await journal.sign_head(NOW)

    assert [1, 2, 3, 4] == [entry.seq for entry in await journal.page(0)]
    assert Verdict(4, 4) == await journal.verify()


async def test_nothing_lies_in_clear(database: Database, journal: Journal, tmp_path: Path) -> None:
    """A person cannot be found in a copy of the journal."""
    await database.commit([journal.entry(NOW, "x", "gateway", who=LAB, whom=DR, reply="canary")])
    await journal.sign_head(NOW)
    for name in ("sceau.db", "sceau.db-wal", "journal.head"):
        assert b"canary" not in (tmp_path / name).read_bytes().lower()


async def test_a_damaged_entry_leaves_a_hole(database: Database, journal: Journal) -> None:
    """One row that does not open does not hide the others."""
    await write(database, journal, 3)
    database._writer.connection.execute("UPDATE journal SET detail = x'00' WHERE seq = 2")
    details = [entry.detail for entry in await journal.page(0)]
    assert [{"n": 0}, {"damaged": True}, {"n": 2}] == details


@pytest.mark.parametrize(
    ("crime", "problem"),
    [
        ("UPDATE journal SET event = 'message.refused' WHERE seq = 2", "row 2 is not the one"),
        ("UPDATE journal SET at = at + 1 WHERE seq = 2", "row 2 is not the one"),
        ("UPDATE journal SET who = NULL WHERE seq = 2", "row 2 is not the one"),
        ("UPDATE journal SET proof = x'00' WHERE seq = 2", "row 2 is not the one"),
        ("UPDATE journal SET detail = NULL WHERE seq = 2", "row 2 was erased, and nobody signed"),
        ("UPDATE journal SET detail = x'00' WHERE seq = 5", "row 5 is not the one"),
        ("DELETE FROM journal WHERE seq = 3", "row 3 is missing"),
        ("DELETE FROM journal WHERE seq = 1", "row 1 is missing"),
        ("DELETE FROM journal WHERE seq > 3", "rows 4 to 5 were cut off"),
        ("DELETE FROM journal", "rows 1 to 5 were cut off"),
        ("UPDATE journal SET seq = 9 WHERE seq = 5", "row 5 is missing"),
        (
            "INSERT INTO journal (seq, at, event, actor, detail, proof, hash) SELECT 6, at, event, actor, detail, proof, hash FROM journal WHERE seq = 5",
            "row 6 is not the one",
        ),
    ],
)
async def test_what_was_done_to_the_rows_is_found(
    database: Database, journal: Journal, crime: str, problem: str
) -> None:
    """Changed, removed, cut off, moved, inserted: the verdict names the place."""
    await write(database, journal)
    await journal.sign_head(NOW)
    assert Verdict(5, 5) == await journal.verify()
    database._writer.connection.execute(crime)
    assert (await journal.verify()).problem.startswith(problem)


async def test_text_that_is_no_text_is_found(database: Database, journal: Journal) -> None:
    """Whatever somebody writes into a row, the check itself does not fail."""
    await write(database, journal)
    await journal.sign_head(NOW)
    database._writer.connection.execute(
        "UPDATE journal SET event = CAST(x'ff' AS TEXT) WHERE seq = 2"
    )
    assert "row 2 is not the one that was written" == (await journal.verify()).problem


async def test_rows_after_the_head_are_chained(database: Database, journal: Journal) -> None:
    """The verdict says up to where the head vouches."""
    await write(database, journal, 2)
    await journal.sign_head(NOW)
    await write(database, journal, 3)
    assert Verdict(5, 2) == await journal.verify()


async def test_a_head_is_signed_once(
    database: Database, journal: Journal, ring: KeyRing, tmp_path: Path
) -> None:
    """While nothing happens the file stays as it is; then it goes on."""
    await journal.sign_head(NOW)
    assert Mark(Head(0, b""), NOW) == witness.read(tmp_path / "journal.head", ring.public_key)
    await write(database, journal)
    await journal.sign_head(NOW)
    before = (tmp_path / "journal.head").stat().st_mtime_ns
    await journal.sign_head(NOW + timedelta(hours=1))
    assert before == (tmp_path / "journal.head").stat().st_mtime_ns
    assert 0o600 == (tmp_path / "journal.head").stat().st_mode & 0o777


async def test_without_a_head_nothing_is_vouched_for(journal: Journal) -> None:
    """A head that was taken away is a problem, not a fresh start."""
    assert "no signed head" in (await journal.verify()).problem


def _cut(text: bytes) -> bytes:
    return text[: len(text) // 2]


def _older(text: bytes) -> bytes:
    return text.replace(b"seq 5", b"seq 4")


def _other(text: bytes) -> bytes:
    return text.replace(b"sceau", b"Sceau")


def _noise(text: bytes) -> bytes:
    return b"\xff\n" + text


@pytest.mark.parametrize("forge", [_cut, _older, _other, _noise, bytes.upper, lambda _: b""])
async def test_a_head_that_nobody_signed(
    database: Database, journal: Journal, tmp_path: Path, forge: Callable[[bytes], bytes]
) -> None:
    """Any bytes are a signed head or a problem."""
    await write(database, journal)
    await journal.sign_head(NOW)
    head = tmp_path / "journal.head"
    head.write_bytes(forge(head.read_bytes()))
    assert "is not a head of this journal" in (await journal.verify()).problem


async def test_an_auditor_needs_three_things(
    database: Database, journal: Journal, ring: KeyRing, tmp_path: Path
) -> None:
    """The database file, the head, the public key: no ring, no gateway; openssl agrees."""
    await write(database, journal)
    await journal.sign_head(NOW)
    await database.close()
    (tmp_path / "ring.json").unlink()

    verdict = witness.check(database.path, tmp_path / "journal.head", ring.public_key)

    assert verdict == Verdict(5, 5)
    assert verdict.good
    text, _, signature = (tmp_path / "journal.head").read_bytes().rstrip().rpartition(b"\n")
    (tmp_path / "text").write_bytes(text + b"\n")
    (tmp_path / "signature").write_bytes(base64.b64decode(signature))
    (tmp_path / "key.pem").write_bytes(ring.public_pem)
    said = subprocess.run(  # noqa: ASYNC221 - nothing else runs here
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", *SIGNED],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Signature Verified Successfully\n" == said.stdout


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    """An auditor with the wrong file is told so."""
    (tmp_path / "db").write_bytes(b"no database" * 1000)
    with pytest.raises(VaultError, match="not a database"):
        witness.check(tmp_path / "db", tmp_path / "head", bytes(32))


async def test_the_chain_survives_a_restart(
    database: Database, journal: Journal, ring: KeyRing, tmp_path: Path
) -> None:
    """The next run goes on where the last one ended, crash or not."""
    await write(database, journal, 2)
    with closing(sqlite3.connect(database.path)) as other:
        assert 2 == other.execute("SELECT count(*) FROM journal").fetchone()[0]
    await database.close()
    again = Database.open(database.path)
    later = Journal(again, ring, tmp_path / "journal.head")
    await write(again, later, 2)
    await later.sign_head(NOW)
    assert Verdict(4, 4) == await later.verify()
    await again.close()


@pytest.mark.parametrize(
    "crime", ["DELETE FROM journal WHERE seq > 3", "UPDATE journal SET hash = x'00'"]
)
async def test_a_cut_journal_is_not_signed_anew(
    database: Database, journal: Journal, ring: KeyRing, tmp_path: Path, crime: str
) -> None:
    """A start over rows that were cut off says so, instead of covering it up."""
    await write(database, journal)
    await journal.sign_head(NOW)
    database._writer.connection.execute(crime)
    later, head = Journal(database, ring, tmp_path / "journal.head"), tmp_path / "journal.head"
    signed = head.read_bytes()
    with pytest.raises(VaultError, match="does not lead to its head"):
        await later.sign_head(NOW)
    assert signed == head.read_bytes()

    head.unlink()  # as the operator does who restored a backup
    await later.sign_head(NOW)


@pytest.mark.parametrize("rows", [0, 5])
async def test_a_later_run_signs_on(
    database: Database, journal: Journal, ring: KeyRing, tmp_path: Path, rows: int
) -> None:
    """After a restart the head goes on from where it was; an empty journal has one too."""
    await write(database, journal, rows)
    await journal.sign_head(NOW)
    later = Journal(database, ring, tmp_path / "journal.head")
    await later.sign_head(NOW + timedelta(hours=1))
    assert Verdict(rows, rows) == await later.verify()


async def test_a_head_that_cannot_be_written(
    database: Database, ring: KeyRing, tmp_path: Path
) -> None:
    """The reason is said in our words."""
    journal = Journal(database, ring, tmp_path / "nowhere" / "journal.head")
    with pytest.raises(VaultError, match="No such file"):
        await journal.sign_head(NOW)


async def test_each_day_leaves_its_head(
    database: Database, journal: Journal, ring: KeyRing, tmp_path: Path
) -> None:
    """The head that a day ended with is put by, once, and counts when the journal is checked."""
    await write(database, journal, 2)
    assert None is await journal.sign_head(NOW)
    signed = (tmp_path / "journal.head").read_bytes()
    await write(database, journal, 1)

    assert signed == await journal.sign_head(NOW + timedelta(days=1))
    day = tmp_path / "journal.heads" / "2026-11-22.head"
    assert signed == day.read_bytes()
    await write(database, journal, 1)
    assert None is await journal.sign_head(NOW + timedelta(days=1, hours=1))
    assert Verdict(4, 4) == await journal.verify()
    day.write_bytes(signed.replace(b"seq 2", b"seq 1"))
    assert "2026-11-22.head is not a head" in (await journal.verify()).problem


async def test_a_day_is_put_by_once(
    database: Database, journal: Journal, ring: KeyRing, tmp_path: Path
) -> None:
    """What was put by is not written over, and a disk that does not take it is said."""
    await write(database, journal, 1)
    await journal.sign_head(NOW)
    folder = tmp_path / "journal.heads"
    folder.mkdir()
    (folder / "2026-11-22.head").write_text("kept")
    await write(database, journal, 1)
    assert None is await journal.sign_head(NOW + timedelta(days=1))
    assert "kept" == (folder / "2026-11-22.head").read_text()

    (folder / "2026-11-22.head").unlink()
    folder.rmdir()
    folder.write_text("no folder")
    await write(database, journal, 1)
    with pytest.raises(VaultError, match="disk failed"):
        await journal.sign_head(NOW + timedelta(days=2))
