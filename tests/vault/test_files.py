"""Files that replace others: whole or not at all, and never readable by anybody else."""

import errno
import os
from pathlib import Path

import pytest

from vault import files
from vault.errors import StorageFull, VaultError, of_file


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """The new content takes the old one's name, private whatever the old one was."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o644)
    files.replace(path, b"new")
    assert b"new" == path.read_bytes()
    assert 0o600 == path.stat().st_mode & 0o777


def test_a_draft_that_a_crash_left_is_not_trusted(tmp_path: Path) -> None:
    """Its content and its permissions are not ours."""
    draft = tmp_path / ".file.new"
    draft.write_bytes(b"left over, and longer")
    draft.chmod(0o666)
    files.replace(tmp_path / "file", b"new")
    assert b"new" == (tmp_path / "file").read_bytes()
    assert 0o600 == (tmp_path / "file").stat().st_mode & 0o777


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fails, what was there is still there, and nothing beside it."""

    def failing(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    files.replace(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="Input/output"):
        files.replace(tmp_path / "file", b"new")
    assert b"old" == (tmp_path / "file").read_bytes()
    assert [tmp_path / "file"] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EFBIG, StorageFull),
        (errno.EIO, VaultError),
    ],
)
def test_errors_in_our_words(number: int, kind: type) -> None:
    """No room is told from a disk that fails; neither names a path."""
    error = of_file(OSError(number, os.strerror(number), "/secret/path"))
    assert kind is type(error)
    assert "secret" not in str(error)
