"""Blobs: there whole or not at all, and every error in our words."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from vault.blobs import Folder
from vault.errors import StorageFull, VaultError


def failing(number: int) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


def _files(folder: Path) -> list[Path]:
    return list((folder / "blobs").iterdir())


def test_a_blob_has_no_name_before_it_is_kept(blobs: Folder) -> None:
    """Half a blob cannot be taken for a whole one."""
    draft = blobs.draft("b")
    draft.write(b"sea")
    assert ["b.part"] == list(blobs.names())
    draft.write(b"led")
    draft.keep()
    assert ["b"] == list(blobs.names())
    with blobs.open("b") as blob:
        assert b"ale" == blob.read(2, 5)
        assert b"led" == blob.read(3, 100)


def test_blobs_are_private(blobs: Folder, tmp_path: Path) -> None:
    """Neither the folder nor a blob is for anybody else."""
    draft = blobs.draft("b")
    draft.keep()
    assert 0o700 == (tmp_path / "blobs").stat().st_mode & 0o777
    assert 0o600 == (tmp_path / "blobs" / "b").stat().st_mode & 0o777


def test_a_discarded_blob_leaves_nothing(blobs: Folder) -> None:
    """Before or after it was kept, once or twice."""
    half, whole = blobs.draft("half"), blobs.draft("whole")
    whole.keep()
    for draft in (half, whole, half, whole):
        draft.discard()
    assert [] == list(blobs.names())


def test_discarding_closes_no_other_file(blobs: Folder, tmp_path: Path) -> None:
    """A descriptor's number may be somebody else's by the time of the second close."""
    draft = blobs.draft("b")
    draft.keep()
    with (tmp_path / "other").open("wb") as other:
        draft.discard()
        other.write(b"still open")


def test_removing_twice_is_removing(blobs: Folder) -> None:
    """A crash between removing and noting it removes again."""
    blobs.draft("b").keep()
    blobs.remove("b")
    blobs.remove("b")
    assert [] == list(blobs.names())


def test_a_name_is_taken_once(blobs: Folder) -> None:
    """Two bodies never share a blob."""
    blobs.draft("b").write(b"one")
    with pytest.raises(VaultError, match="exists"):
        blobs.draft("b")


def test_the_file_of_a_removed_blob_is_filled_by_the_next(blobs: Folder, tmp_path: Path) -> None:
    """To fill a file is cheaper than to make one; of what it held nothing is left."""
    before, after = tmp_path / "blobs" / "before", tmp_path / "blobs" / "after"
    draft = blobs.draft("before")
    draft.write(b"longer than the next")
    draft.keep()
    node = before.stat().st_ino
    blobs.remove("before")
    assert ([], [0]) == (list(blobs.names()), [one.stat().st_size for one in _files(tmp_path)])
    draft = blobs.draft("after")
    draft.write(b"shorter")
    draft.keep()
    assert (b"shorter", node) == (after.read_bytes(), after.stat().st_ino)
    assert ["after"] == list(blobs.names())


def test_who_reads_a_removed_blob_reads_it_to_its_end(blobs: Folder, tmp_path: Path) -> None:
    """Its file is emptied by nobody."""
    draft = blobs.draft("b")
    draft.write(b"sealed")
    draft.keep()
    with blobs.open("b") as blob:
        blobs.remove("b")
        blobs.draft("c").write(b"other!")
        assert b"sealed" == blob.read(0, 6)
    assert ["c.part"] == [each.name for each in _files(tmp_path)]


def test_few_files_are_kept_for_the_next(
    blobs: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that was full once does not stay full of names."""
    monkeypatch.setattr("vault.blobs._SPARES", 2)
    for name in "abc":
        blobs.draft(name).keep()
    for name in "abc":
        blobs.remove(name)
    assert {"a.spare", "b.spare"} == {each.name for each in _files(tmp_path)}


def test_what_another_run_kept_is_filled_too(blobs: Folder, tmp_path: Path) -> None:
    """To this run it is a blob that nobody holds; removed, it is a spare file of its own."""
    blobs.draft("b").keep()
    blobs.remove("b")
    again = Folder(tmp_path / "blobs")
    (left,) = again.names()
    again.remove(left)
    again.draft("c").keep()
    assert ["c"] == [each.name for each in (tmp_path / "blobs").iterdir()]


def test_a_name_does_not_grow_from_run_to_run(blobs: Folder, tmp_path: Path) -> None:
    """What was kept by sixty runs before this one is still a file that can be named."""
    blobs.draft("b").keep()
    blobs.remove("b")
    for _ in range(60):
        again = Folder(tmp_path / "blobs")
        for name in again.names():
            again.remove(name)
    assert ["b.spare"] == [each.name for each in _files(tmp_path)]


def test_a_kept_file_that_cannot_be_opened_leaves_nothing(
    blobs: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nobody who would discard it; a rename that fails leaves it where it was."""
    blobs.draft("b").keep()
    blobs.remove("b")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", failing(errno.EIO))
        with pytest.raises(VaultError, match="Input/output"):
            blobs.draft("c")
    monkeypatch.setattr(os, "open", failing(errno.EMFILE))
    with pytest.raises(VaultError, match="Too many"):
        blobs.draft("c")
    assert [] == _files(tmp_path)


def test_a_kept_file_may_be_gone(blobs: Folder, tmp_path: Path) -> None:
    """Whoever tidies the folder by hand stops nothing."""
    blobs.draft("b").keep()
    blobs.remove("b")
    (tmp_path / "blobs" / "b.spare").unlink()
    blobs.draft("c").keep()
    assert ["c"] == list(blobs.names())


@pytest.mark.parametrize("call", ["write", "fdatasync", "fsync"])
@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, StorageFull), (errno.EIO, VaultError)])
def test_a_failing_disk_while_writing(
    blobs: Folder, monkeypatch: pytest.MonkeyPatch, call: str, number: int, kind: type
) -> None:
    """Whichever call fails, the blob is not kept and says why."""
    draft = blobs.draft("b")

    def attempt() -> None:
        draft.write(b"sealed")
        draft.keep()

    monkeypatch.setattr(os, call, failing(number))
    with pytest.raises(VaultError) as raised:
        attempt()
    monkeypatch.undo()
    assert kind is type(raised.value)
    draft.discard()
    assert [] == list(blobs.names())


def test_a_failing_disk_while_reading(blobs: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A blob that cannot be read or removed is an error in our words."""
    blobs.draft("b").keep()
    monkeypatch.setattr(os, "pread", failing(errno.EIO))
    monkeypatch.setattr(Path, "unlink", failing(errno.EIO))
    monkeypatch.setattr(Path, "rename", failing(errno.EIO))
    with blobs.open("b") as blob, pytest.raises(VaultError, match="Input/output"):
        blob.read(0, 1)
    with pytest.raises(VaultError, match="Input/output"):
        blobs.remove("b")
    monkeypatch.setattr(os, "open", failing(errno.EMFILE))
    with pytest.raises(VaultError, match="Too many"):
        blobs.open("b")


def test_what_is_in_memory_is_read_without_waiting(blobs: Folder) -> None:
    """What was just written is at hand, whole, or not at all."""
    draft = blobs.draft("b")
    draft.write(b"sealed")
    draft.keep()
    with blobs.open("b") as blob:
        assert b"ale" == bytes(blob.at_hand(2, 5) or b"")
        assert blob.at_hand(3, 7) is None


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EOPNOTSUPP, errno.EIO])
def test_what_is_not_in_memory_is_for_a_thread(
    blobs: Folder, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Where reading would wait, or fails, the loop goes on; a thread meets the error."""
    blobs.draft("b").keep()
    monkeypatch.setattr(os, "preadv", failing(number))
    with blobs.open("b") as blob:
        assert blob.at_hand(0, 1) is None
    blob.close()
