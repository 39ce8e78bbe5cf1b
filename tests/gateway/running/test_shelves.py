"""Directories are kept over restarts, sealed, one in the place of the other."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.running.shelves import Shelves
from trust.directories import Kept
from vault.blobs import Folder
from vault.database import Database
from vault.keys import KeyRing
from vault.store import Vault

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PACKED = b"Dr canary, not to be shown. " * 40_000


@pytest.fixture
async def shelves(tmp_path: Path) -> AsyncIterator[Shelves]:
    database = Database.open(tmp_path / "sceau.db")
    ring = KeyRing.create(tmp_path / "ring.json", NOW)
    vault = Vault(database, ring, Folder(tmp_path / "blobs"), inline_limit=1000, reserve=0)
    yield Shelves(database, vault)
    await vault.close()
    await database.close()


async def test_kept_and_had_again(shelves: Shelves, tmp_path: Path) -> None:
    """The very octets come back; at rest they are sealed."""
    assert await shelves.load("annuaire") is None
    await shelves.save("annuaire", Kept(NOW, PACKED))

    found = await shelves.load("annuaire")
    assert found is not None
    assert (NOW, PACKED) == (found.taken, bytes(found.packed))
    assert not any(b"canary" in octets for octets in _at_rest(tmp_path))


def _at_rest(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def test_one_in_the_place_of_the_other(shelves: Shelves) -> None:
    """The directory before is erased; others are left alone."""
    await shelves.save("annuaire", Kept(NOW, PACKED))
    await shelves.save("other", Kept(NOW, b"another"))
    later = NOW + timedelta(days=1)
    await shelves.save("annuaire", Kept(later, memoryview(b"newer")))

    found, other = await shelves.load("annuaire"), await shelves.load("other")
    assert found is not None
    assert other is not None
    assert (later, b"newer", b"another") == (
        found.taken, bytes(found.packed), bytes(other.packed)
    )  # fmt: skip
    assert [(2,)] == shelves.database.read("SELECT count(*) FROM body")
    assert 1 == await shelves.vault.clear()
