"""Lists outlive a restart, sealed, and the highest version is the one that counts."""

from datetime import UTC, datetime
from pathlib import Path

from gateway.running.versions import Versions
from trust.keeper import Stored
from vault.database import Database, Statement
from vault.keys import KeyRing

_NOW = datetime(2026, 11, 22, tzinfo=UTC)


async def test_the_highest_version_comes_back_as_it_was_signed(tmp_path: Path) -> None:
    """A restart restores the very bytes, and no older list."""
    database = Database.open(tmp_path / "sceau.db")
    versions = Versions(database, KeyRing.create(tmp_path / "ring.json", _NOW))
    newer = Stored(2, "bb" * 32, _NOW, b"canary two", (b"one", b"two"))
    try:
        assert versions.load() is None
        await versions.save(newer)
        await versions.save(Stored(1, "aa" * 32, _NOW, b"canary one", (b"one",)))

        assert newer == versions.load()
    finally:
        await database.close()

    assert b"canary" not in (tmp_path / "sceau.db").read_bytes()


async def test_a_version_that_no_longer_opens_still_counts(tmp_path: Path) -> None:
    """Who damages the stored list must not thereby open the door to an older one."""
    database = Database.open(tmp_path / "sceau.db")
    versions = Versions(database, KeyRing.create(tmp_path / "ring.json", _NOW))
    try:
        await versions.save(Stored(2, "bb" * 32, _NOW, b"two", (b"one",)))
        await database.commit([Statement("UPDATE trust_version SET list = x'00000001ff'")])

        assert Stored(2, "bb" * 32, _NOW, b"", ()) == versions.load()
    finally:
        await database.close()
