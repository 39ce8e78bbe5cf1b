"""A whole country's addresses: what they cost, and whether mail notices when they are replaced.

A directory of so many addresses is dropped beside a running gateway, while mail flows through it and
its loop is watched. Beside it Postfix's own way: an lmdb map of as many addresses.
"""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import monotonic
from urllib.request import urlopen

import msgspec

from tests.bench import cell, processes, watched
from tests.bench.scaling import Scaling
from tests.bench.systems import SENDER, Ground, SceauRelay
from tests.interop.site import Site
from tests.trust import extraction

ADDRESSES, DOMAINS, ROUNDS = 1_000_000, 10_000, 3
_ASKED = 100_000
_PATIENCE = 180.0
_LIGHT = 4  # connections that load the gateway meanwhile: mail flows, and a core is left


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """A directory taken in while mail flows."""

    seconds: float  # from the file's appearance until the gateway answers from it
    pause: float  # the loop's longest meanwhile
    own: float  # the most that the process itself worked in one, its threads included
    usual: float  # the loop's longest with the same mail and nothing else
    rate: float  # messages a second meanwhile
    resident: int  # octets of the gateway's tree afterwards


class Lmdb(msgspec.Struct, frozen=True, kw_only=True):
    """Postfix's map of the same addresses."""

    build: float
    octets: int
    find: float


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, the median of the rounds."""

    apart: Scaling
    swap: Swap
    lmdb: Lmdb


def measure(ground: Ground, addresses: int, domains: int, rounds: int) -> Scale:
    """Measure all of it."""
    return Scale(
        apart=_apart(addresses, domains, rounds),
        lmdb=_lmdb(ground.folder / "lmdb", addresses, domains, rounds),
        swap=_swapped(ground, addresses, domains, rounds),
    )


def _apart(addresses: int, domains: int, rounds: int) -> Scaling:
    words = [sys.executable, "-m", "tests.bench.scaling", *map(str, (addresses, domains, rounds))]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=Scaling)


def _lmdb(folder: Path, addresses: int, domains: int, rounds: int) -> Lmdb:
    """Build the map as an operator would, and ask it many times in one process."""
    folder.mkdir()
    source = folder / "access"
    names = [f"prenom.nom{n}@d{n % domains}.mssante.example" for n in range(addresses)]
    source.write_text("".join(f"{name} OK\n" for name in names), "ascii")
    configuration = folder / "main.cf"
    configuration.write_text("compatibility_level = 3.6\nlmdb_map_size = 1073741824\n", "ascii")
    table = f"lmdb:{source}"
    builds, finds = [], []
    asked = "\n".join(names[n * 7919 % addresses] for n in range(_ASKED)).encode()
    for _ in range(rounds):
        source.with_suffix(".lmdb").unlink(missing_ok=True)
        builds.append(_timed(["postmap", "-c", str(folder), table]))
        finds.append(_timed(["postmap", "-c", str(folder), "-q", "-", table], asked) / _ASKED)
    return Lmdb(
        build=median(builds),
        octets=source.with_suffix(".lmdb").stat().st_blocks * 512,
        find=median(finds),
    )


def _timed(words: Sequence[str], given: bytes = b"") -> float:
    began = monotonic()
    subprocess.run(words, input=given, stdout=subprocess.DEVNULL, check=True)
    return monotonic() - began


def _swapped(ground: Ground, addresses: int, domains: int, rounds: int) -> Swap:
    """Replace a directory several times; the first one is only the ground of the others."""
    rows = list(extraction.crowd(addresses, domains))
    whole = extraction.zipped(extraction.text(*rows))
    less = extraction.zipped(extraction.text(*rows[:-1]))
    del rows
    found = []
    with _gateway(ground, domains) as (system, pauses, dropped):
        _replace(system, dropped, less, addresses - 1)
        for number in range(rounds):
            content, count = ((whole, addresses), (less, addresses - 1))[number % 2]
            found.append(_one(system, pauses, dropped, content, count))
    return Swap(
        **{name: median(getattr(each, name) for each in found) for name in Swap.__struct_fields__}
    )


def _one(system: SceauRelay, pauses: Path, dropped: Path, content: bytes, count: int) -> Swap:
    """Replace the directory under load; then load it as long with nothing else."""
    spec = msgspec.structs.replace(system.load(5 << 10), connections=_LIGHT)
    with ThreadPoolExecutor(1) as threads:
        loaded = threads.submit(cell.load, msgspec.structs.replace(spec, seconds=20.0))
        watched.ask(system.pid, pauses)
        seconds = _replace(system, dropped, content, count)
        pause = watched.ask(system.pid, pauses)
        sent = loaded.result()
        watched.ask(system.pid, pauses)
        cell.load(msgspec.structs.replace(spec, seconds=10.0))
        usual = watched.ask(system.pid, pauses)
    return Swap(
        seconds=seconds,
        pause=pause.whole,
        own=pause.own,
        usual=usual.whole,
        rate=sent.accepted / (sent.last - sent.first),
        resident=processes.resident(system.pid),
    )


def _replace(system: SceauRelay, dropped: Path, content: bytes, count: int) -> float:
    """Drop another directory; return how long it took until it was in use and kept."""
    draft = dropped.with_suffix(".draft")
    draft.write_bytes(content)
    draft.rename(dropped)
    began = monotonic()
    os.kill(system.pid, signal.SIGHUP)
    while _addresses(system.site) != count:
        if monotonic() - began > _PATIENCE:
            raise cell.CellError("the directory was not taken in")
        select.select([], [], [], 0.1)
    took = monotonic() - began
    while len(processes.tree(system.pid)) > 1:  # the process that read it
        select.select([], [], [], 0.1)
    return took


def _addresses(site: Site) -> int:
    with urlopen(f"http://127.0.0.1:{site.ports['status']}/metrics", timeout=10) as answer:
        found = re.search(rb"^sceau_directory_addresses\{.*\} (\S+)", answer.read(), re.MULTILINE)
    return int(float(found[1])) if found else 0


@contextmanager
def _gateway(ground: Ground, domains: int) -> Iterator[tuple[SceauRelay, Path, Path]]:
    """Run a gateway that believes so many domains, with a place for a directory."""
    folder = ground.folder / "labo-scale"
    dropped, pauses = ground.folder / "annuaire.zip", ground.folder / "pauses"
    directory = {"name": "annuaire", "file": str(dropped)}
    site = Site(
        ground.federation, folder.name, SENDER.rpartition("@")[2], {"[trust.directory]": directory}
    )
    for number in range(domains):
        ground.federation.add(f"dom{number}.mssante.example", ground.client)
    site.wrapper = (sys.executable, "-m", "tests.bench.watched", str(pauses))
    site.found(ground.federation.publish())
    site.sceau("mailbox", "add", SENDER, "--kind", "APP")
    site.sceau("mailbox", "certificate", SENDER, str(ground.client.crt))
    with site:
        yield SceauRelay(ground, site), pauses, dropped
