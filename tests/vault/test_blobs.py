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


def test_a_blob_has_no_name_before_it_is_kept(blobs: Folder) -> None:
    """Half a blob cannot be taken for a whole one."""
    draft = blobs.draft("b")
    draft.write(b"sea")
    assert ["b.part"] == list(blobs.names())
    draft.write(b"led")
    draft.keep()
    assert ["b"] == list(blobs.names())
    assert b"ale" == blobs.read("b", 2, 5)
    assert b"led" == blobs.read("b", 3, 100)


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
    with pytest.raises(VaultError, match="Input/output"):
        blobs.read("b", 0, 1)
    with pytest.raises(VaultError, match="Input/output"):
        blobs.remove("b")
