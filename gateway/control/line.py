"""What goes over the control socket: one JSON line asks, one JSON line answers.

The socket lies in the data folder. A socket's path may have 108 octets at most, and a data folder
may lie deeper than that, so both ends name it through an open descriptor of the folder.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

SOCKET = "control.sock"
LONGEST = 64 << 20  # a trust list travels in one line


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A verb such as ``spool.list`` and its arguments."""

    verb: str
    arguments: dict[str, Any] = {}


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of it: a result, or what happened and what to do."""

    result: Any = None
    error: str = ""
    hint: str = ""


@contextmanager
def address(folder: Path) -> Iterator[str]:
    """Give a name for the folder's socket that is short enough to bind and to connect to."""
    plain = str(folder / SOCKET)
    if len(os.fsencode(plain)) < 100:
        yield plain
        return
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{SOCKET}"
    finally:
        os.close(fd)


def listening(folder: Path) -> socket.socket:
    """Bind the folder's socket for its owner alone; one left by a crash gives way.

    Only the holder of the folder's lock may call this.
    """
    (folder / SOCKET).unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(sock.fileno(), 0o600)  # before bind: the file is never open to others
        with address(folder) as name:
            sock.bind(name)
        sock.listen(16)
    except BaseException:
        sock.close()
        raise
    return sock
