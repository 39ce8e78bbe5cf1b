"""What the sizes of a whole country cost, apart from a gateway: one process, JSON on stdout.

``python -m tests.bench.scaling ADDRESSES DOMAINS ROUNDS``
"""

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Iterator
from itertools import cycle, islice, repeat
from statistics import median
from time import perf_counter, process_time

import msgspec

from gateway.demo import national as demo
from smtp.address import Address
from smtp.envelope import Peer
from tests.bench import processes
from tests.trust import national
from tests.trust.simulator import NOW, ListAuthority, dn, gateway
from trust.addresses import Addresses, Kind, Listed
from trust.calm import calmly
from trust.decision import Action, decide
from trust.members import Claims, Member
from trust.signatures.quorum import verify
from trust.sources import Edition, TrustList
from trust.verification import Offer

_ASKED = 100_000


class Scaling(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; times in seconds (of the CPU, but for the last two), the rounds' median."""

    addresses: int
    domains: int
    build: float  # of the value that holds the addresses
    octets: int  # of that value
    resident: int  # of the process, with a list of so many addresses in force
    decision: float  # between two listed addresses of closed members, neither asked for before
    again: float  # the same decision, asked again at once: everything is in the caches
    find: float
    pace: float  # one look-up in a small dict, in a loop: how fast the machine is just now
    signed: float  # a national list of 6,494 entries: verified and read, in a thread
    pause: float  # the loop's longest meanwhile


def entries(count: int, domains: int) -> Iterator[Listed]:
    """Yield addresses, in as many domains."""
    for number in range(count):
        address = f"prenom.nom{number}@d{number % domains}.mssante.example"
        yield Listed(Address(address), Kind.PER, f"rpps:{10**10 + number}")


def _typical(rounds: int, work: Callable[[], object]) -> float:
    """Return the CPU's time: one thread, nothing to wait for, and a machine shared with others."""
    found = []
    for _ in range(rounds):
        began = process_time()
        work()
        found.append(process_time() - began)
    return median(found)


def _paced() -> None:
    small = {number: number for number in range(1000)}
    for number in islice(cycle(range(1000)), _ASKED):
        small.get(number)


def _listed(addresses: Addresses, domains: int) -> TrustList:
    """A verified list of closed members with these addresses, signed as small, read as large."""
    identity = dn(gateway("d0.mssante.example"))
    members = tuple(
        Member(f"d{number}.mssante.example", (identity,), open=False) for number in range(domains)
    )
    authority = ListAuthority()
    authority.add(members[0])
    content, envelopes = authority.publish()
    verified = verify(content, envelopes, authority.quorum)
    claims = Claims(None, NOW, NOW + authority.life, None, members, addresses)
    return TrustList.of([Edition("list", verified, lambda *_: claims, NOW)])


def measure(count: int, domains: int, rounds: int) -> Scaling:
    """Measure everything."""
    made: list[Addresses] = []

    def build() -> None:
        made[:] = [Addresses.of(entries(count, domains))]

    build_time = _typical(rounds, build)
    listed = _listed(made[0], domains)
    gc.collect()
    resident = processes.resident(os.getpid())
    peer = Peer(ip="", certificate=gateway("d0.mssante.example").der)
    step = max(1, count // _ASKED) * 7919
    spread = [
        Address(f"prenom.nom{at}@d{at % domains}.mssante.example")
        for at in islice((number * step % count for number in cycle(range(count))), _ASKED)
    ]
    pairs = list(zip(spread, reversed(spread), strict=True))
    assert decide(*pairs[0], peer, listed, NOW).action is Action.ALLOW

    def decisions() -> None:
        for sender, recipient in pairs:
            decide(sender, recipient, peer, listed, NOW)

    def again() -> None:
        for sender, recipient in repeat(pairs[0], _ASKED):
            decide(sender, recipient, peer, listed, NOW)

    def finds() -> None:
        for address in spread:
            made[0].find(address)

    signed, pause = asyncio.run(_signed(rounds))
    return Scaling(
        addresses=count,
        domains=domains,
        build=build_time,
        octets=len(made[0].packed),
        resident=resident,
        decision=_typical(rounds, decisions) / _ASKED,
        again=_typical(rounds, again) / _ASKED,
        find=_typical(rounds, finds) / _ASKED,
        pace=_typical(rounds, _paced) / _ASKED,
        signed=signed,
        pause=pause,
    )


async def _signed(rounds: int) -> tuple[float, float]:
    """Verify and read a national list beside a loop that is looked at."""
    whole = national.document(*demo.entries())
    format_, content = national.white_list(), national.signed(whole)
    longest, times = 0.0, []

    def read() -> Claims:
        return format_.read(format_.verify(Offer(content), NOW), NOW)

    async def tick() -> None:
        nonlocal longest
        while True:
            began = perf_counter()
            await asyncio.sleep(0.002)
            longest = max(longest, perf_counter() - began - 0.002)

    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(tick())
        for _ in range(rounds):
            began = perf_counter()
            await calmly(read)
            times.append(perf_counter() - began)
        ticking.cancel()
    return median(times), longest


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)  # as the gateway does
    found = measure(*map(int, sys.argv[1:4]))
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
