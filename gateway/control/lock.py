"""One process at a time works in a data folder: the lock says which.

``serve`` holds it as long as it runs; a command takes it for as long as it lasts. The kernel drops
it with the process, so a crash leaves no lock behind.
"""

import fcntl
import os
from pathlib import Path


class Lock:
    """An advisory lock on ``<data>/lock``, whose content tells a person who holds it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._fd: int | None = None

    def take(self, holder: str) -> bool:
        """Take the lock if nobody has it; ``holder`` says who we are, in a few words."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        os.ftruncate(fd, 0)
        os.write(fd, f"{holder}, process {os.getpid()}\n".encode())
        self._fd = fd
        return True

    def release(self) -> None:
        """Let the next one in."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    @property
    def holder(self) -> str:
        """Who wrote itself into the lock last."""
        try:
            return self._path.read_text("utf-8").strip() or "another process"
        except OSError:
            return "another process"
