"""What a process asked of the kernel, in order: strace's output as values.

Only what durability depends on is traced: writing and syncing below the data folder, giving names,
and what is sent on sockets.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CALLS = (
    "openat,write,pwrite64,writev,pwritev,fsync,fdatasync,rename,renameat,renameat2,link,linkat,"
    "sendto,sendmsg,read,recvfrom,recvmsg"
)

_LINE = re.compile(r"(?P<pid>\d+) +(?P<at>\d+\.\d+) (?P<rest>.*)")
_CALL = re.compile(r"(?P<name>\w+)\((?P<words>.*)\) += (?P<result>-?\d+|\?)")
_UNFINISHED = re.compile(r"(?P<begun>.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(?P<rest>.*)")
_TARGET = re.compile(r"^\d+<(?P<path>(?:->|[^<>])*)>(?=,|$)")
_NAMES = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Call:
    """One system call: when it was begun and when it was done, counted in lines of the trace."""

    name: str
    target: str  # the file or socket that the first descriptor stands for
    names: tuple[str, ...]  # quoted words: paths of rename and open
    begun: int
    done: int
    at: float  # when it was begun, seconds since the epoch
    result: int

    @property
    def writes(self) -> bool:
        """Whether it changes a file or says something on a socket."""
        return self.name in {"write", "pwrite64", "writev", "pwritev", "sendto", "sendmsg"}

    @property
    def syncs(self) -> bool:
        """Whether it returns only when the disk has it."""
        return self.name in {"fsync", "fdatasync"} and self.result == 0


def command(output: Path) -> tuple[str, ...]:
    """Return the words that run a command traced; the command stays the process that is started."""
    return (
        "strace",
        "-D",
        "-f",
        "-ttt",
        "-yy",
        "-s",
        "64",
        "-e",
        f"trace={CALLS}",
        "-o",
        str(output),
    )


def inject(what: str, output: Path) -> tuple[str, ...]:
    """Return the words that run a command with a fault, such as ``fdatasync:signal=KILL:when=9``."""
    name = what.partition(":")[0]
    return (
        "strace",
        "-D",
        "-f",
        "-qq",
        "-e",
        f"trace={name}",
        "-e",
        f"inject={what}",
        "-o",
        str(output),
    )


def parse(text: str) -> list[Call]:
    """Return the calls in the order in which they were done."""
    return list(_calls(text))


def _calls(text: str) -> Iterator[Call]:
    pending: dict[str, tuple[int, float, str]] = {}
    for number, line in enumerate(text.splitlines()):
        match = _LINE.match(line)
        if match is None:
            continue
        pid, at, rest = match["pid"], float(match["at"]), match["rest"]
        if unfinished := _UNFINISHED.match(rest):
            pending[pid] = number, at, unfinished["begun"]
            continue
        begun = number
        if resumed := _RESUMED.match(rest):
            begun, at, start = pending.pop(pid, (number, at, ""))
            rest = start + resumed["rest"]
        if call := _CALL.match(rest):
            target = _TARGET.match(call["words"])
            result = -1 if call["result"] == "?" else int(call["result"])
            path = target["path"] if target else ""
            names = tuple(_NAMES.findall(call["words"]))
            yield Call(call["name"], path, names, begun, number, at, result)
