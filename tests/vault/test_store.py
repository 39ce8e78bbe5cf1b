"""Bodies at rest: what goes in comes out, for its holders alone, and is gone with the last."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vault.blobs import Blob, Draft, Folder
from vault.database import Database
from vault.errors import Conflict, Gone, SealError, StorageFull, VaultError
from vault.keys import KeyRing
from vault.seal import CHUNK, sealed_size
from vault.store import Sealed, Vault
from vault.stream import BATCH

SMALL, LARGE = b"small " * 50, os.urandom(3 * BATCH + 77)
SHARED = HealthCheck.function_scoped_fixture  # one vault for all examples is what we want
SIZES = [0, 1, 1000, 1001, CHUNK, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH + 77]


async def blocks(body: bytes, size: int = 16384) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def keep(vault: Vault, body: bytes, *holders: str) -> Sealed:
    sealed = await vault.put(blocks(body))
    await vault._database.commit(vault.holding(sealed, holders))
    return sealed


async def drop(vault: Vault, holder: str) -> None:
    await vault._database.commit(vault.dropping(holder))


def count(vault: Vault, table: str) -> int:
    return int(vault._database.read(f"SELECT count(*) FROM {table}")[0][0])


def names(blobs: Folder) -> list[str]:
    return sorted(blobs.names())


def in_all_files(folder: Path, needle: bytes) -> list[str]:
    return [p.name for p in folder.rglob("*") if p.is_file() and needle in p.read_bytes()]


@pytest.mark.parametrize("size", SIZES)
async def test_a_body_comes_out_as_it_went_in(vault: Vault, size: int) -> None:
    """Small ones from the database, large ones from a blob: the holder sees no difference."""
    body = LARGE[:size]
    sealed = await keep(vault, body, "delivery/1")

    assert (size <= 1000) == (sealed.inline is not None)
    assert size == sealed.size == vault.size("delivery/1")
    assert body == await vault.read("delivery/1")
    assert body == b"".join([piece async for piece in vault.stream("delivery/1")])


async def test_a_body_that_comes_at_once_is_written_at_once(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is handed over only when more has come: the last one with the end."""
    written: list[int] = []
    write = Draft.write

    def look(draft: Draft, sealed: bytes) -> None:
        written.append(len(sealed))
        write(draft, sealed)

    monkeypatch.setattr(Draft, "write", look)
    await vault.put(blocks(LARGE, len(LARGE)))
    await vault.put(blocks(LARGE[: 2 * BATCH], BATCH))

    assert [sealed_size(len(LARGE)), 2] == [written[0], len(written[1:])]
    assert sealed_size(2 * BATCH) == sum(written[1:])


@given(size=st.sampled_from(SIZES), data=st.data(), block=st.integers(1000, 2 * BATCH))
@settings(max_examples=40, deadline=None, suppress_health_check=[SHARED])
async def test_any_range_of_any_body(
    vault: Vault, size: int, data: st.DataObject, block: int
) -> None:
    """Read or streamed, cut as it may be on its way in, a range is that range."""
    start = data.draw(st.integers(0, size))
    end = data.draw(st.integers(start, size))
    body = LARGE[:size]
    sealed = await vault.put(blocks(body, block))
    holder = f"entry/{sealed.id}"
    await vault._database.commit(vault.holding(sealed, [holder]))

    assert body[start:end] == await vault.read(holder, start, end)
    assert body[start:end] == b"".join([piece async for piece in vault.stream(holder, start, end)])
    await drop(vault, holder)


async def test_a_stream_comes_in_bounded_pieces(vault: Vault) -> None:
    """A large body is never in memory as a whole."""
    await keep(vault, LARGE, "delivery/1")
    pieces = [len(piece) async for piece in vault.stream("delivery/1")]
    assert [BATCH, BATCH, BATCH, 77] == pieces


async def test_a_stream_may_be_left(vault: Vault) -> None:
    """Who stops reading leaves nothing open and nothing broken."""
    await keep(vault, LARGE, "delivery/1")
    stream = vault.stream("delivery/1")
    assert LARGE[:BATCH] == await anext(stream)
    await stream.aclose()
    assert LARGE == await vault.read("delivery/1")


async def test_a_body_that_is_no_longer_in_memory(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the disk must be waited for comes out the same, by way of a thread."""
    await keep(vault, LARGE, "delivery/1")
    monkeypatch.setattr(Blob, "at_hand", lambda *_: None)
    assert LARGE[5:] == b"".join([piece async for piece in vault.stream("delivery/1", 5)])


async def test_who_leaves_before_the_first_piece_leaves_nothing_open(
    vault: Vault, blobs: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A blob that is opened for somebody who is cancelled meanwhile is closed."""
    await keep(vault, LARGE, "delivery/1")
    opening, going = threading.Event(), threading.Event()
    opened: list[Blob] = []
    stock = blobs.open

    def slow(name: str) -> Blob:
        opening.set()
        going.wait()
        opened.append(stock(name))
        return opened[0]

    monkeypatch.setattr(blobs, "open", slow)
    task = asyncio.ensure_future(anext(vault.stream("delivery/1")))
    await asyncio.to_thread(opening.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    going.set()
    await vault.close()
    with pytest.raises(VaultError, match="Bad file"):
        opened[0].read(0, 1)


@pytest.mark.parametrize("body", [SMALL, LARGE])
async def test_nothing_lies_in_clear(vault: Vault, tmp_path: Path, body: bytes) -> None:
    """Not in the database, its log, a blob or a half-written one."""
    (tmp_path / "control").write_bytes(body)
    await keep(vault, body, "delivery/1")

    assert ["control"] == in_all_files(tmp_path, body[:300])
    assert ["control"] == in_all_files(tmp_path, body[-70:])


@pytest.mark.parametrize("body", [SMALL, LARGE])
async def test_the_last_holder_takes_the_body_away(
    vault: Vault, blobs: Folder, body: bytes
) -> None:
    """A body lives as long as anybody holds it, and then its key is nowhere."""
    await keep(vault, body, "delivery/1", "delivery/2")
    await vault._database.commit(vault.sharing("delivery/1", "entry/1"))

    for holder in ("delivery/1", "delivery/2"):
        await drop(vault, holder)
        with pytest.raises(Gone):
            await vault.read(holder)
        assert body == await vault.read("entry/1")
    await drop(vault, "entry/1")

    assert (0, 0) == (count(vault, "body"), count(vault, "wrap"))
    await vault.sweep()
    assert [] == names(blobs)
    assert 0 == count(vault, "doomed")


async def test_dropping_what_nobody_holds_changes_nothing(vault: Vault) -> None:
    """A crash between two steps may drop twice."""
    await keep(vault, SMALL, "delivery/1")
    await drop(vault, "delivery/9")
    await drop(vault, "delivery/1")
    await drop(vault, "delivery/1")


async def test_holding_and_dropping_in_one_transaction(vault: Vault) -> None:
    """A body may come to its mailbox in the transaction that makes it ours."""
    sealed = await vault.put(blocks(SMALL))
    await vault._database.commit(
        [*vault.holding(sealed, ["delivery/1", "entry/1"]), *vault.dropping("delivery/1")]
    )
    assert SMALL == await vault.read("entry/1")


async def test_nobody_shares_what_they_do_not_hold(vault: Vault) -> None:
    """Neither now nor, if it goes meanwhile, in the transaction."""
    with pytest.raises(Gone):
        vault.sharing("delivery/1", "entry/1")
    await keep(vault, SMALL, "delivery/1")
    sharing = vault.sharing("delivery/1", "entry/1")
    await drop(vault, "delivery/1")
    with pytest.raises(Conflict):
        await vault._database.commit(sharing)


async def test_a_body_has_a_holder(vault: Vault) -> None:
    """A body that nobody holds could never be erased."""
    sealed = await vault.put(blocks(SMALL))
    with pytest.raises(ValueError, match="holder"):
        vault.holding(sealed, [])


async def test_an_unknown_holder(vault: Vault) -> None:
    """Erased or never kept: the same answer to each question."""
    with pytest.raises(Gone):
        vault.size("delivery/1")
    with pytest.raises(Gone):
        await anext(vault.stream("delivery/1"))


async def test_a_wrap_moved_to_another_row_does_not_open(vault: Vault, database: Database) -> None:
    """Whoever can write the database cannot give one holder's body to another."""
    await keep(vault, SMALL, "delivery/1")
    database._writer.connection.execute("UPDATE wrap SET holder = 'delivery/2'")
    with pytest.raises(SealError):
        await vault.read("delivery/2")


@pytest.mark.parametrize("body", [SMALL, LARGE])
async def test_sealed_bytes_of_another_body_do_not_open(
    vault: Vault, blobs: Folder, database: Database, tmp_path: Path, body: bytes
) -> None:
    """Nor can they give out one body as another."""
    await keep(vault, body, "delivery/1")
    await keep(vault, body, "delivery/2")
    database._writer.connection.execute(
        "UPDATE body SET sealed = (SELECT sealed FROM body ORDER BY id)"
    )
    first, *rest = names(blobs) or [""]
    for name in rest:
        (tmp_path / "blobs" / name).write_bytes((tmp_path / "blobs" / first).read_bytes())
    with pytest.raises(SealError):
        await vault.read("delivery/2")


@pytest.mark.parametrize("length", [0, 31, 32, 70000])
async def test_a_cut_blob_does_not_open(vault: Vault, tmp_path: Path, length: int) -> None:
    """A blob that lost its end is an error, not a shorter message."""
    sealed = await keep(vault, LARGE, "delivery/1")
    os.truncate(tmp_path / "blobs" / sealed.id, length)
    with pytest.raises(SealError):
        await vault.read("delivery/1")


async def test_a_missing_blob_is_an_error(vault: Vault, tmp_path: Path) -> None:
    """It is not as if the body had been erased."""
    sealed = await keep(vault, LARGE, "delivery/1")
    (tmp_path / "blobs" / sealed.id).unlink()
    with pytest.raises(VaultError, match="not in its folder"):
        await vault.read("delivery/1")


@pytest.mark.parametrize("size", [0, 500, 2 * BATCH + 1])
async def test_a_body_that_breaks_off_leaves_nothing(
    vault: Vault, blobs: Folder, size: int
) -> None:
    """The connection is lost in mid-body: nothing is kept, and the reason is handed on."""

    async def breaking() -> AsyncIterator[bytes]:
        async for block in blocks(LARGE[:size]):
            yield block
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await vault.put(breaking())
    assert [] == names(blobs)


async def test_a_blob_that_cannot_be_begun(
    vault: Vault, blobs: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is said, and there is nothing to take away."""

    def failing(_: str) -> Draft:
        raise StorageFull("no room")

    monkeypatch.setattr(blobs, "draft", failing)
    with pytest.raises(StorageFull, match="no room"):
        await vault.put(blocks(LARGE))
    assert [] == names(blobs)


async def test_a_body_nobody_wants_after_all(vault: Vault, blobs: Folder) -> None:
    """Refused after its content came: the blob goes at once."""
    for body in (SMALL, LARGE):
        await vault.discard(await vault.put(blocks(body)))
    assert [] == names(blobs)


async def test_the_reserve(database: Database, ring: KeyRing, blobs: Folder) -> None:
    """Before the disk is full nothing is taken any more; our own reports a while longer."""
    free = blobs.free()
    low = Vault(database, ring, blobs, inline_limit=1000, reserve=free + (free >> 1))
    for body in (SMALL, LARGE):
        with pytest.raises(StorageFull):
            await low.put(blocks(body))
        await low.discard(await low.put(blocks(body), own=True))
    assert [] == names(blobs)
    await low.close()


async def test_the_reserve_is_met_in_mid_body(
    vault: Vault, blobs: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that would use the disk up is stopped, and leaves nothing."""
    vault._reserve = 1
    free = iter([100, 0])
    monkeypatch.setattr(blobs, "free", lambda: next(free))
    with pytest.raises(StorageFull):
        await vault.put(blocks(2 * LARGE))
    assert [] == names(blobs)


async def test_no_room_for_names(blobs: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk without inodes is as full as one without octets."""
    about = os.statvfs_result((4096, 4096, 9, 9, 9, 1000, 5, 5, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: about)
    assert 0 == blobs.free()


async def test_what_a_crash_left_is_swept(
    vault: Vault, database: Database, ring: KeyRing, blobs: Folder, tmp_path: Path
) -> None:
    """The next run removes half-written and unheld blobs, and no other's."""
    held = await keep(vault, LARGE, "delivery/1")
    orphan = await vault.put(blocks(LARGE))
    (tmp_path / "blobs" / f"{orphan.id[:-1]}f.part").write_bytes(b"sealed")

    assert 0 == await vault.sweep()  # this run knows what it is doing
    later = Vault(database, ring, blobs, inline_limit=1000, reserve=0)
    fresh = await later.put(blocks(LARGE))

    assert 2 == await later.sweep()
    assert sorted([held.id, fresh.id]) == names(blobs)
    assert LARGE == await later.read("delivery/1")
    await later.close()


async def test_what_was_erased_is_cleared_away(vault: Vault, blobs: Folder) -> None:
    """The blobs of what was delivered go at once, and those that somebody holds stay."""
    await keep(vault, LARGE, "delivery/1")
    held = await keep(vault, LARGE, "delivery/2")
    await drop(vault, "delivery/1")

    assert [1, 0] == [await vault.clear(), await vault.clear()]
    assert [held.id] == names(blobs)
    assert 0 == count(vault, "doomed")


async def test_nothing_secret_is_shown(vault: Vault) -> None:
    """A sealed body in a log line or a traceback shows its number and size."""
    sealed = await vault.put(blocks(SMALL))
    assert f"Sealed(id='{sealed.id}', size=300)" == repr(sealed)


@pytest.mark.parametrize("size", SIZES)
async def test_who_looks_at_a_body_sees_all_of_it(vault: Vault, size: int) -> None:
    """In order, whatever its length, and a large one not in the thread of the loop."""
    seen, threads, body = bytearray(), set[int](), LARGE[:size]

    def see(piece: bytes) -> None:
        seen.extend(piece)
        threads.add(threading.get_ident())

    sealed = await vault.put(blocks(body), seen=see)
    assert (body, size) == (bytes(seen), sealed.size)
    assert (sealed.inline is not None) is (threads == {threading.get_ident()})
