"""Where the sealed bytes of large bodies lie: a folder of files, each there whole or not at all.

A blob is written beside its place, synced, and only then given its name (file, then name, then
folder). The files of some that were removed are emptied and filled by the next ones: a disk takes
longer to make a file, and to take it away, than to fill it. Only sealed bytes come here. Everything in
this file may wait for the disk and is called from threads, but for ``Blob.at_hand``.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from vault import files
from vault.errors import VaultError, of_file

_DRAFT = ".part"  # after the name, so that a run recognises its own
_SPARE = ".spare"  # an empty file: what is left of a blob that was removed
_SPARES = 256  # so many are kept


class Draft:
    """A blob being written; it ends with ``keep`` or ``discard``, whatever happens."""

    __slots__ = ("_fd", "_path")

    def __init__(self, path: Path, *, spared: bool = False) -> None:
        self._path = path
        new = 0 if spared else os.O_CREAT | os.O_EXCL
        try:
            self._fd = os.open(_draft(path), os.O_WRONLY | new, 0o600)
        except OSError as error:
            if spared:
                _draft(path).unlink(missing_ok=True)
            raise of_file(error) from error

    def write(self, sealed: bytes) -> None:
        """Add bytes to the end."""
        view = memoryview(sealed)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            raise of_file(error) from error

    def keep(self) -> None:
        """Make the blob durable under its name; it is not there before this returns."""
        try:
            os.fdatasync(self._fd)
            _draft(self._path).rename(self._path)
            files.sync_folder(self._path.parent)
        except OSError as error:
            raise of_file(error) from error
        self._close()

    def discard(self) -> None:
        """Leave nothing behind, even if it was kept already."""
        self._close()
        for path in (_draft(self._path), self._path):
            path.unlink(missing_ok=True)

    def _close(self) -> None:
        fd, self._fd = self._fd, -1  # never twice: the number may be another file's by then
        if fd >= 0:
            os.close(fd)


class Blob:
    """A blob being read; ``close`` it."""

    __slots__ = ("_fd", "_readers", "name")

    def __init__(self, path: Path, readers: "set[Blob]") -> None:
        self.name, self._readers = path.name, readers
        readers.add(self)
        try:
            self._fd = os.open(path, os.O_RDONLY)
        except OSError as error:
            readers.discard(self)
            if isinstance(error, FileNotFoundError):
                raise VaultError(f"blob {path.name} is not in its folder") from None
            raise of_file(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, start: int, end: int) -> bytes:
        """Return a range of its bytes, fewer where it ends early."""
        try:
            return os.pread(self._fd, end - start, start)
        except OSError as error:
            raise of_file(error) from error

    def at_hand(self, start: int, end: int) -> bytearray | None:
        """Return a range that the system has in memory, without ever waiting for the disk."""
        sealed = bytearray(end - start)
        try:
            whole = os.preadv(self._fd, [sealed], start, os.RWF_NOWAIT) == len(sealed)
        except OSError:  # it would wait, or this disk cannot tell: ``read`` will
            return None
        return sealed if whole else None

    def close(self) -> None:
        """Let go of it; safe to call twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
            self._readers.discard(self)


class Folder:
    """Blobs as files in one folder of their own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._readers: set[Blob] = set()
        self._spares: list[Path] = []
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def draft(self, name: str) -> Draft:
        """Begin a blob."""
        path = self._path / name
        return Draft(path, spared=self._spared(_draft(path)))

    def _spared(self, path: Path) -> bool:
        """Move an empty file there, if one is kept."""
        try:
            spare = self._spares.pop(0)  # the oldest: those of an earlier run are used up, too
            spare.rename(path)
        except (IndexError, FileNotFoundError):
            return False
        except OSError as error:
            self._spares.append(spare)
            raise of_file(error) from error
        return True

    def open(self, name: str) -> Blob:
        """Open a blob to read it."""
        return Blob(self._path / name, self._readers)

    def remove(self, name: str) -> None:
        """Remove a blob, if it is there; who reads it at this moment reads it to its end."""
        path = self._path / name
        try:
            if len(self._spares) < _SPARES:
                self._spare(path)
            else:
                path.unlink()
        except FileNotFoundError:
            return
        except OSError as error:
            raise of_file(error) from error

    def _spare(self, path: Path) -> None:
        """Keep the file of a blob, emptied, for the next; not if somebody reads it."""
        spare = path.with_name(path.name.partition(".")[0] + _SPARE)
        path.rename(spare)
        # A reader is among them before it opens the file, which is gone from its name by now.
        if any(each.name == path.name for each in tuple(self._readers)):
            spare.unlink()
        else:
            os.truncate(spare, 0)
            self._spares.append(spare)

    def names(self) -> Iterator[str]:
        """Every file in the folder, those half-written too; not those that are kept for the next."""
        spares = {each.name for each in self._spares}
        with os.scandir(self._path) as found:
            yield from (one.name for one in found if one.name not in spares)

    def free(self) -> int:
        """How many octets the disk still has for us; 0 if it has no room for another file."""
        about = os.statvfs(self._path)
        if about.f_files and about.f_favail < 100:
            return 0
        return about.f_bavail * about.f_frsize


def _draft(path: Path) -> Path:
    return path.with_name(path.name + _DRAFT)
