"""What lies at the dropped path: a list, and beside it the signatures that say something of it.

Whoever can put a file there must not be able to keep a well-signed list out. So no file takes the
place of another: of those beside the list only such as add a signer go on, and what is no file, or
cannot be read, is passed over. R-C4.
"""

import errno
import glob
import mmap
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from trust.signatures.quorum import ENVELOPE_LIMIT
from trust.signatures.verified import Content

_SIGNED = frozenset({".p7s", ".asc", ".sig"})
LARGE = 1 << 20  # octets of a list that is mapped
_OCTETS = 64 << 20  # of signatures read at most: thousands of times what real ones have

# Which of the files beside a list add a signer, and a few of the others.
Sift = Callable[[Content, Iterable[bytes]], tuple[tuple[bytes, ...], tuple[bytes, ...]]]
Files = tuple[tuple[str, int, int, int], ...]  # name, inode, time, size of what was dropped


@dataclass(frozen=True, slots=True)
class Dropped:
    """A list as it was found, with what may be a quorum's signatures of it."""

    content: Content = field(repr=False)
    signatures: tuple[bytes, ...] = field(repr=False)
    useless: int = 0  # files beside it that add no signer


def files(dropped: Path) -> Files:
    """Return by what one sees that something has changed: its time is that of any change."""
    found = []
    for path in (dropped, *_beside(dropped)):
        try:
            seen = path.stat()
        except OSError:
            continue
        found.append((path.name, seen.st_ino, seen.st_ctime_ns, seen.st_size))
    return tuple(found)


def read(dropped: Path, limit: int, sift: Sift | None = None) -> Dropped:
    """Read the list and what was signed of it; raise ``OSError`` if the list cannot be read.

    Without ``sift`` the signature is inside the list, and nothing beside it counts.
    """
    with _opened(dropped) as file:
        size = os.fstat(file.fileno()).st_size
        content = _mapped(file, size) if LARGE < size <= limit else file.read(limit + 1)
    if len(content) > limit or sift is None:
        return Dropped(content, ())
    beside = _beside(dropped)
    useful, others = sift(content, _envelopes(beside))
    return Dropped(content, (*useful, *others), len(beside) - len(useful))


def _beside(dropped: Path) -> list[Path]:
    """Return the files that hold the signatures of a list, as its signers' programs name them.

    ``list.json.NAME.p7s``; of GnuPG ``list.json.sig`` and ``list.json.asc``, with a name or without.
    """
    found = dropped.parent.glob(f"{glob.escape(dropped.name)}.*")
    return sorted(path for path in found if path.suffix in _SIGNED)


def _envelopes(paths: list[Path]) -> Iterator[bytes]:
    """Yield what the files hold, the smallest first: a signature has 2,000 octets, junk any number.

    So whoever would crowd signatures out needs tens of thousands of files.
    """
    left = _OCTETS
    for size, path in sorted((_size(path), path) for path in paths):
        left -= min(size, ENVELOPE_LIMIT + 1)
        if left < 0:
            return
        with suppress(OSError), _opened(path) as file:
            yield file.read(ENVELOPE_LIMIT + 1)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    """Open a file for reading; wait for no pipe."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        yield file


def _mapped(file: BufferedReader, size: int) -> mmap.mmap:
    """Return a file's octets in memory of their own, which is given back in no time.

    A hundred MiB of ``bytes`` would be given back under Python's one lock: ten milliseconds in which
    nothing else happens. The file itself is not mapped: others may write to it after us.
    """
    made = mmap.mmap(-1, size)
    with memoryview(made) as room:
        if file.readinto(room) != size:
            raise OSError(errno.EAGAIN, "it was cut off while it was read")
    return made
