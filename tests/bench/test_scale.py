"""The scale part's own tools tell the truth."""

import asyncio
import subprocess
import sys
from pathlib import Path
from time import process_time

import msgspec

from tests.bench import scale, watched
from tests.bench.scaling import Scaling, entries
from trust.addresses import Addresses


def test_a_pause_is_seen(tmp_path: Path) -> None:
    """Whoever holds the loop for 50 ms is told of."""
    loop = watched.watched(asyncio.new_event_loop, tmp_path / "pauses")()

    def hold() -> None:
        until = process_time() + 0.05
        while process_time() < until:
            pass
        loop.call_later(0.01, loop.stop)

    watch = watched.Watch(loop, tmp_path / "told")
    loop.call_later(0.01, hold)
    loop.run_forever()
    watch._tell()
    loop.close()

    found = msgspec.json.decode((tmp_path / "told").read_bytes(), type=watched.Pause)
    assert 0.04 < found.own < 0.2
    assert 0.04 < found.whole


def test_apart() -> None:
    """Small sizes are measured as large ones are."""
    words = [sys.executable, "-m", "tests.bench.scaling", "300", "10", "1"]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    found = msgspec.json.decode(done.stdout, type=Scaling)

    assert (300, 10) == (found.addresses, found.domains)
    assert len(Addresses.of(entries(300, 10)).packed) == found.octets
    assert 0 < found.find < found.decision < 1


def test_the_map_beside(tmp_path: Path) -> None:
    """Postfix's map is built of as many addresses, and answers."""
    found = scale._lmdb(tmp_path / "lmdb", 300, 10, 1)

    assert found.octets > 0
    assert 0 < found.find < found.build
