"""Lists outlive a restart, sealed, with a history that nobody rewrites without the key."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.running.versions import Versions
from tests.trust.simulator import NOW, ListAuthority, member
from trust.audit import audit
from trust.change import Policy
from trust.keeper import Keeper
from trust.trail import Entry, Step, flaw
from trust.verification import Offer
from vault.blobs import Folder
from vault.database import Database, Statement
from vault.keys import KeyRing
from vault.store import Vault

_NOW = datetime(2026, 11, 22, tzinfo=UTC)
_OFFER = Offer(b"canary one" * 100, (b"canary signature", b"two"))


def _entry(step: Step, digest: str = "aa" * 32, actor: str = "") -> Entry:
    return Entry(_NOW, "canary-source", step, digest, 7, _NOW, actor)


@pytest.fixture
async def versions(tmp_path: Path) -> AsyncIterator[Versions]:
    database = Database.open(tmp_path / "sceau.db")
    ring = KeyRing.create(tmp_path / "ring.json", _NOW)
    vault = Vault(database, ring, Folder(tmp_path / "blobs"), reserve=0)
    yield Versions(database, ring, vault)
    await vault.close()
    await database.close()


async def test_a_version_comes_back_as_it_was_offered(versions: Versions, tmp_path: Path) -> None:
    """A restart restores the very bytes, and they lie sealed."""
    assert () == await versions.history()
    entries = [_entry(Step.VERIFIED), _entry(Step.WAITING)]
    await versions.keep(entries, _OFFER)
    await versions.keep([_entry(Step.APPROVED, actor="operator:canary")])

    found = await versions.history()

    assert [*entries, _entry(Step.APPROVED, actor="operator:canary")] == [k.entry for k in found]
    assert flaw(found) is None
    assert _OFFER == await versions.offer("canary-source", "aa" * 32)
    assert await versions.offer("canary-source", "bb" * 32) is None
    await versions.database.close()
    for file in ("sceau.db", "sceau.db-wal"):
        path = tmp_path / file
        assert not path.exists() or b"canary one" not in path.read_bytes()
        assert not path.exists() or b"operator:canary" not in path.read_bytes()


async def test_a_version_is_erased_and_goes_on_being_named(versions: Versions) -> None:
    """Its content goes with the entry that says so; no other version's does."""
    other = "bb" * 32
    await versions.keep([_entry(Step.VERIFIED)], _OFFER)
    await versions.keep([_entry(Step.VERIFIED, other)], _OFFER)
    await versions.keep([_entry(Step.ERASED)])

    assert await versions.offer("canary-source", "aa" * 32) is None
    assert _OFFER == await versions.offer("canary-source", other)
    found = await versions.history()
    assert (3, None) == (len(found), flaw(found))


async def test_a_version_that_no_longer_opens_is_none(versions: Versions) -> None:
    """Nobody believes what was changed; its number still counts in the history."""
    await versions.keep([_entry(Step.VERIFIED)], _OFFER)
    await versions.database.commit(
        [Statement("UPDATE trust_edition SET signatures = x'00000001ff'")]
    )

    assert await versions.offer("canary-source", "aa" * 32) is None
    assert [_entry(Step.VERIFIED)] == [kept.entry for kept in await versions.history()]

    await versions.keep([_entry(Step.VERIFIED)], _OFFER)
    assert _OFFER == await versions.offer("canary-source", "aa" * 32)


async def test_a_large_version_comes_back_whole(versions: Versions) -> None:
    """A country's list goes to a blob, piece by piece, and comes back octet for octet."""
    offer = Offer(bytes(range(256)) * 20_000, (b"one",))
    await versions.keep([_entry(Step.VERIFIED)], offer)
    assert offer == await versions.offer("canary-source", "aa" * 32)

    await versions.database.commit([Statement("DELETE FROM wrap")])
    assert await versions.offer("canary-source", "aa" * 32) is None


@pytest.mark.parametrize(
    ("altered", "at"),
    [
        ("DELETE FROM trust_trail WHERE seq = 2", 2),
        ("UPDATE trust_trail SET entry = x'00000001ff' WHERE seq = 2", 2),
        ("UPDATE trust_trail SET hash = x'00' WHERE seq = 3", 3),
        ("UPDATE trust_trail SET entry = (SELECT entry FROM trust_trail WHERE seq = 3)", 1),
        (
            "INSERT INTO trust_trail SELECT 5, hash, entry FROM trust_trail WHERE seq = 2",
            5,
        ),
    ],
)
async def test_a_history_that_was_altered_shows_where(
    versions: Versions, altered: str, at: int
) -> None:
    """Whoever only writes to the database can neither approve a list nor hide one."""
    for step in (Step.VERIFIED, Step.WAITING, Step.REJECTED, Step.VERIFIED):
        await versions.keep([_entry(step)])
    await versions.database.commit([Statement(altered)])

    found = await versions.history()

    assert at == flaw(found)
    assert Step.APPROVED not in {kept.entry.step for kept in found if kept.entry}


async def test_a_keeper_starts_again_from_the_database(versions: Versions) -> None:
    """What is in force, what waits, and who agreed: all of it comes back from the disk."""
    authority = ListAuthority().add(member("chu.example"))

    def keeper() -> Keeper:
        return Keeper([authority.source], versions, lambda: NOW, policy=Policy(approvals=2))

    first = keeper()
    await first.offer("list", authority.offer())
    for number in range(30):
        authority.add(replace(member("chu.example"), domain=f"d{number}.example"))
    arrival = await first.offer("list", authority.offer())
    assert arrival.digest is not None
    await first.approve("operator:anne", arrival.digest)

    again = keeper()
    await again.restore()

    assert again.current is not None
    assert ["chu.example"] == list(again.current.members)
    assert [("operator:anne",)] == [each.approvals for each in again.pending]
    assert (await again.approve("operator:bruno", arrival.digest)).good
    found = await audit(again)
    assert (2, None, ()) == (found.versions, found.altered, found.doubts)
