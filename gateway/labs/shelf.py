"""A watched folder's files: claimed by a rename, read once they lie still, answered beside.

Whoever writes into the folder is another program with its own rights: links, pipes and files that
lie elsewhere too are not read, and every step is relative to folders held open, so that exchanging
one for a link leads nowhere. All of it blocks: callers are in a thread. R-I4.
"""

import os
import secrets
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from gateway.labs import names
from gateway.labs.names import CLAIMED, FAILED, MORNING, Answer, Offered

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW

_GLANCE = 64 << 10  # octets that say whether a file is urgent


class ShelfError(Exception):
    """A file cannot be taken; the message is for the laboratory, and names nothing."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that is ours now: nobody else will take it."""

    mark: str
    name: str

    @property
    def stored(self) -> str:
        """Its name among the claimed files."""
        return names.claim(self.mark, self.name)

    @property
    def companion(self) -> str:
        """The name of what is said of it, there too."""
        return f"{self.stored}.json"


class Beside(NamedTuple):
    """An answer about a file, and those of which it takes the place."""

    name: str
    which: Answer
    content: bytes
    instead: tuple[Answer, ...] = ()
    hl7: bytes = b""  # the same for who asks for it in HL7


@dataclass(frozen=True, slots=True)
class Shelf:
    """The folder, its claimed files and those that failed, held open."""

    folder: int
    claimed: int
    failed: int

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the folder; what we need in it is made where it is missing."""
        fds: list[int] = []
        try:
            fds.append(os.open(path, os.O_RDONLY | os.O_DIRECTORY))
            for name, mode in ((CLAIMED, 0o700), (FAILED, 0o770)):
                with suppress(FileExistsError):
                    os.mkdir(name, mode, dir_fd=fds[0])
                fds.append(os.open(name, _FOLDER, dir_fd=fds[0]))
            return cls(*fds)
        except BaseException:
            for fd in fds:
                os.close(fd)
            raise

    def close(self) -> None:
        """Hold them no longer."""
        for fd in (self.folder, self.claimed, self.failed):
            os.close(fd)

    def offered(self) -> list[Offered]:
        """Return the results that lie in the folder."""
        return list(names.offered(_listed(self.folder)))

    def stamp(self, offered: Offered) -> tuple[int, ...]:
        """Return what changes when a result is written to, or its companion."""
        told: list[int] = []
        for name in filter(None, offered):
            with suppress(FileNotFoundError):
                found = os.stat(name, dir_fd=self.folder, follow_symlinks=False)
                told += (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        return tuple(told)

    def claim(self, offered: Offered) -> Claim | None:
        """Take a result by a rename, its companion after it; None: somebody was quicker."""
        claim = Claim(secrets.token_hex(16), names.short(offered.name))
        try:
            os.rename(offered.name, claim.stored, src_dir_fd=self.folder, dst_dir_fd=self.claimed)
        except FileNotFoundError:
            return None
        self._follow(claim, offered.companion)
        return claim

    def _follow(self, claim: Claim, companion: str | None) -> None:
        if companion is None:
            return
        with suppress(FileNotFoundError):
            os.rename(companion, claim.companion, src_dir_fd=self.folder, dst_dir_fd=self.claimed)

    def claims(self) -> list[Claim]:
        """Return what was taken and not yet answered: after a crash there is some."""
        lying = set(_listed(self.claimed))
        found = [Claim(*each) for each in names.claims(lying)]
        for claim in found:
            if claim.companion not in lying:
                self._follow(claim, f"{claim.name}.json")
        return found

    def sweep(self) -> None:
        """Remove what a crash left: of a file that was let go of, or half an answer."""
        kept = {name for each in self.claims() for name in (each.stored, each.companion)}
        for left in set(_listed(self.claimed)) - kept:
            with suppress(OSError):
                os.unlink(left, dir_fd=self.claimed)

    def read(self, claim: Claim, largest: int) -> tuple[bytes, bytes | None]:
        """Return a claimed file and its companion; ``ShelfError`` for what is no plain file."""
        content = self._read(claim.stored, largest)
        assert content is not None
        return content, self.companion(claim, largest)

    def opened(self, claim: Claim, largest: int) -> int:
        """Return a claimed file, open to be read; close it. ``ShelfError`` for what is no plain file."""
        return self._plain(claim.stored, largest)

    def companion(self, claim: Claim, largest: int) -> bytes | None:
        """Return the companion of a claimed file, if it has one."""
        return self._read(claim.companion, largest, missing=True)

    def _read(self, name: str, largest: int, *, missing: bool = False) -> bytes | None:
        try:
            fd = self._plain(name, largest)
        except FileNotFoundError:
            if missing:
                return None
            raise
        with os.fdopen(fd, "rb") as file:
            return file.read(largest)

    def _plain(self, name: str, largest: int) -> int:
        try:
            fd = os.open(name, _READ, dir_fd=self.claimed)
        except FileNotFoundError:
            raise
        except OSError:
            raise ShelfError("the file is a link, or cannot be read") from None
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            os.close(fd)
            raise ShelfError("the file is no plain file of its own")
        if found.st_size > largest:
            os.close(fd)
            raise ShelfError("the file is larger than any that is sent")
        return fd

    def beside(self, claim: Claim) -> bytes | None:
        """Return the companion of a claimed file, if there is one that can be read."""
        try:
            return self._read(claim.companion, _GLANCE, missing=True)
        except (ShelfError, OSError):
            return None

    def glance(self, name: str) -> bytes:
        """Return how a file in the folder begins; nothing of what is no plain file."""
        return self._glance(name, self.folder)

    def begins(self, claim: Claim) -> bytes:
        """Return how a claimed file begins."""
        return self._glance(claim.stored, self.claimed)

    def _glance(self, name: str, folder: int) -> bytes:
        try:
            fd = os.open(name, _READ, dir_fd=folder)
        except OSError:
            return b""
        try:
            return os.read(fd, _GLANCE) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
        except OSError:
            return b""
        finally:
            os.close(fd)

    def size(self, claim: Claim) -> int:
        """Return how large a claimed file is; 0: it is not there."""
        try:
            return os.stat(claim.stored, dir_fd=self.claimed, follow_symlinks=False).st_size
        except FileNotFoundError:
            return 0

    def answer(
        self,
        name: str,
        which: Answer,
        content: bytes,
        instead: Iterable[Answer] = (),
        hl7: bytes = b"",
    ) -> None:
        """Write an answer beside a file, whole or not at all; those it takes the place of go."""
        self.answer_all([Beside(name, which, content, tuple(instead), hl7)])

    def answer_all(self, answers: Iterable[Beside]) -> None:
        """Write many: the folder itself is made durable once."""
        for name, which, content, instead, hl7 in answers:
            self._write(names.answer(name, which), content, self.folder)
            if hl7:
                self._write(names.acknowledgement(name, which), hl7, self.folder)
            for other in instead:
                for gone in (names.answer(name, other), names.acknowledgement(name, other)):
                    with suppress(FileNotFoundError):
                        os.unlink(gone, dir_fd=self.folder)
        os.fsync(self.folder)

    def tell_morning(self, name: str, content: bytes) -> None:
        """Write what is told in the morning, whole or not at all."""
        with suppress(FileExistsError):
            os.mkdir(MORNING, 0o770, dir_fd=self.folder)
        folder = os.open(MORNING, _FOLDER, dir_fd=self.folder)
        try:
            self._write(name, content, folder)
            os.fsync(folder)
        finally:
            os.close(folder)

    def _write(self, name: str, content: bytes, folder: int) -> None:
        draft = f"{secrets.token_hex(8)}.draft"
        fd = os.open(draft, _NEW, 0o640, dir_fd=self.claimed)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(fd)
            os.rename(draft, name, src_dir_fd=self.claimed, dst_dir_fd=folder)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=self.claimed)
            raise

    def done(self, claim: Claim) -> None:
        """Let go of a file that is sealed and on its way."""
        self._each(claim, lambda name: os.unlink(name, dir_fd=self.claimed))

    def set_aside(self, claim: Claim) -> None:
        """Keep a file that was not sent where a person finds it."""
        self._each(
            claim,
            lambda name: os.rename(name, name, src_dir_fd=self.claimed, dst_dir_fd=self.failed),
        )

    def _each(self, claim: Claim, act: Callable[[str], None]) -> None:
        # The file first: alone, what is said of it is nobody's, but a file alone would be a claim.
        for name in (claim.stored, claim.companion):
            with suppress(FileNotFoundError):
                act(name)  # not synced: what comes back after a power cut is known by its key


def _listed(folder: int) -> list[str]:
    return os.listdir(folder)
