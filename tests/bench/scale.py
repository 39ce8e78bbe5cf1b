"""A whole country's addresses: what they cost, and whether mail notices when they are replaced.

A list that names so many, and in another gateway a directory of them, is dropped while mail flows
through and the loop is watched. Beside them Postfix's own way: an lmdb map of as many addresses.
"""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import monotonic
from typing import NamedTuple
from urllib.request import urlopen

import msgspec

from tests.bench import cell, processes, watched
from tests.bench.scaling import Scaling, entries
from tests.bench.systems import SENDER, Ground, SceauRelay
from tests.interop.site import Settings, Site
from tests.trust import extraction
from trust.addresses import NONE, Addresses

ADDRESSES, DOMAINS, ROUNDS = 1_000_000, 10_000, 3
_ASKED = 100_000
_PATIENCE = 180.0
_LIGHT = 4  # connections that load the gateway meanwhile: mail flows, and a core is left


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """A list, or a directory, taken in while mail flows."""

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
    listed: Swap
    directory: Swap
    lmdb: Lmdb


def measure(ground: Ground, addresses: int, domains: int, rounds: int) -> Scale:
    """Measure all of it."""
    return Scale(
        apart=_apart(addresses, domains, rounds),
        lmdb=_lmdb(ground.folder / "lmdb", addresses, domains, rounds),
        listed=_lists(ground, addresses, domains, rounds),
        directory=_directories(ground, addresses, domains, rounds),
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


class Offer(NamedTuple):
    """Something to take in: how it is put there, and what the metrics say once it is in use."""

    put: Callable[[], None]
    metric: str
    value: int


def _directories(ground: Ground, addresses: int, domains: int, rounds: int) -> Swap:
    """Replace a directory several times; the first one is only the ground of the others."""
    rows = list(extraction.crowd(addresses, domains))
    whole = extraction.zipped(extraction.text(*rows)), addresses
    less = extraction.zipped(extraction.text(*rows[:-1])), addresses - 1
    del rows
    dropped = ground.folder / "annuaire.zip"
    for number in range(domains):
        ground.federation.add(f"dom{number}.mssante.example", ground.client)

    def offers() -> Iterator[Offer]:
        for content, count in cycle((less, whole)):
            put = partial(_drop, dropped, content)
            yield Offer(put, "sceau_directory_addresses", count)

    directory = {"name": "annuaire", "file": str(dropped)}
    site = _site(ground, "labo-directory", {"[trust.directory]": directory})
    return _swapped(ground, site, offers(), rounds)


def _lists(ground: Ground, addresses: int, domains: int, rounds: int) -> Swap:
    """Replace a list of closed members and all their addresses; each version is a new one."""
    dropped, federation = ground.folder / "dropped" / "list.json", ground.federation
    dropped.parent.mkdir()
    crowd = Addresses.of(entries(addresses, domains))

    def offers() -> Iterator[Offer]:
        federation.addresses = crowd
        for domain in crowd.domains:
            federation.add(domain, ground.client)
            federation.members[domain] = replace(federation.members[domain], open=False)
        while True:
            listed, *signatures = federation.publish()
            parts = [(dropped.with_name(each.name), each) for each in (*signatures, listed)]
            put = partial(_drop_all, [(there, here.read_bytes()) for there, here in parts])
            yield Offer(put, "sceau_trust_list_version", federation.version)

    site = _site(ground, "labo-list", {"trust": {"list": str(dropped), "approvals": 0}})
    try:
        return _swapped(ground, site, offers(), rounds)
    finally:
        federation.addresses = NONE
        for domain in crowd.domains & federation.members.keys():
            del federation.members[domain]


def _swapped(ground: Ground, site: Site, offers: Iterator[Offer], rounds: int) -> Swap:
    with _running(ground, site) as (system, pauses):
        _taken(system, next(offers))
        found = [_one(system, pauses, offer) for offer in islice(offers, rounds)]
    return Swap(
        **{name: median(getattr(each, name) for each in found) for name in Swap.__struct_fields__}
    )


def _one(system: SceauRelay, pauses: Path, offer: Offer) -> Swap:
    """Let it be taken in under load; then load the gateway as long with nothing else."""
    spec = msgspec.structs.replace(system.load(5 << 10), connections=_LIGHT)
    with ThreadPoolExecutor(1) as threads:
        loaded = threads.submit(cell.load, msgspec.structs.replace(spec, seconds=20.0))
        watched.ask(system.pid, pauses)
        seconds = _taken(system, offer)
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


def _drop(place: Path, content: bytes) -> None:
    draft = place.with_suffix(".draft")
    draft.write_bytes(content)
    draft.rename(place)


def _drop_all(parts: Sequence[tuple[Path, bytes]]) -> None:
    for place, content in parts:
        _drop(place, content)


def _taken(system: SceauRelay, offer: Offer) -> float:
    """Put it there; return how long it took until it was in use and kept."""
    offer.put()
    began = monotonic()
    os.kill(system.pid, signal.SIGHUP)
    while _metric(system.site, offer.metric) != offer.value:
        if monotonic() - began > _PATIENCE:
            raise cell.CellError(f"{offer.metric} did not become {offer.value}")
        select.select([], [], [], 0.1)
    took = monotonic() - began
    while len(processes.tree(system.pid)) > 1:  # the process that read it
        select.select([], [], [], 0.1)
    return took


def _metric(site: Site, name: str) -> int:
    with urlopen(f"http://127.0.0.1:{site.ports['status']}/metrics", timeout=10) as answer:
        found = re.search(rb"^%s\{.*\} (\S+)" % name.encode(), answer.read(), re.MULTILINE)
    return int(float(found[1])) if found else 0


def _site(ground: Ground, name: str, settings: Settings) -> Site:
    return Site(ground.federation, name, SENDER.rpartition("@")[2], settings)


@contextmanager
def _running(ground: Ground, site: Site) -> Iterator[tuple[SceauRelay, Path]]:
    """Run a gateway that somebody sends through, its loop watched."""
    pauses = ground.folder / f"{site.name}-pauses"
    site.wrapper = (sys.executable, "-m", "tests.bench.watched", str(pauses))
    site.found(ground.federation.publish())
    site.sceau("mailbox", "add", SENDER, "--kind", "APP")
    site.sceau("mailbox", "certificate", SENDER, str(ground.client.crt))
    with site:
        yield SceauRelay(ground, site), pauses
