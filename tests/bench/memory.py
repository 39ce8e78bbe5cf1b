"""How much memory Sceau occupies: at rest, with idle sessions, with many large messages at once."""

import subprocess
import sys

import msgspec

from tests.bench import cell, processes
from tests.bench.systems import SceauRelay

MIB = 1 << 20


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Octets resident."""

    rest: int
    session: float  # for each idle TLS session
    sessions: int  # how many were held to find out
    peak: int  # the most, with ``large`` connections each sending 10 MB
    large: int


def measure(system: SceauRelay, *, sessions: int, large: int) -> Memory:
    """Measure a gateway that has just been started."""
    rest = processes.resident(system.pid)
    held = _held(system, sessions)
    spec = system.load(10 * MIB)
    processes.forget_peak(system.pid)
    cell.measure(
        system,
        msgspec.structs.replace(spec, connections=large, most=large, seconds=120.0),
        system.ground.sink,
    )
    return Memory(
        rest=rest,
        session=(held - rest) / sessions,
        sessions=sessions,
        peak=processes.peak(system.pid),
        large=large,
    )


def _held(system: SceauRelay, sessions: int) -> int:
    """Return what is resident while so many sessions are logged in and say nothing."""
    spec = msgspec.structs.replace(system.load(5 * 1024), connections=sessions, idle=True)
    words = [sys.executable, "-m", "tests.bench.generator", msgspec.json.encode(spec).decode()]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        if holder.stdout.readline() != b"ready\n":
            raise cell.CellError(f"{system.name} would not hold {sessions} sessions")
        held = processes.resident(system.pid)
        holder.communicate(b"")
    return held
