"""The carrier's connections: how they end. What it carries is told in ``test_courier``."""

import asyncio
from dataclasses import dataclass
from typing import Any, cast

from gateway.relay.carrier import Carrier
from gateway.relay.lanes import Lane
from gateway.relay.routes import Ours
from gateway.settings.motion import Relay
from tests.world.peers import Open, Peer


@dataclass(slots=True)
class Lingering(Open):
    """A connection whose goodbye is over when all others have begun theirs."""

    others: asyncio.Barrier | None = None

    async def close(self) -> None:
        assert self.others is not None
        await self.others.wait()
        await Open.close(self)


async def test_connections_are_closed_all_at_once() -> None:
    """A peer that lingers costs its few seconds once, not once a connection: not when we stop, either."""
    nobody = cast("Any", None)
    carrier = Carrier(nobody, nobody, Relay(idle_after=1), nobody)
    for close in (carrier.close, carrier.rest):
        peer, others = Peer(b""), asyncio.Barrier(3)
        lanes = [
            Lane(
                Ours(),
                2,
                idle=[Lingering(peer, idle_since=-2.0, others=others) for _ in range(many)],
            )
            for many in (1, 2)
        ]
        async with asyncio.timeout(10):
            await close(lanes)

        assert (3, []) == (peer.closed, [link for lane in lanes for link in lane.idle])
