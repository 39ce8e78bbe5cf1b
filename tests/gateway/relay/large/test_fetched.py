"""What was fetched is looked into like what came whole, before anybody reads it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.relay.delivery import State, holder
from gateway.relay.inspecting import Inspecting, Pace
from gateway.relay.inspections import Inspections
from gateway.relay.message import Copy
from gateway.relay.screening import Screening
from quarantine.policy import Action, Finding, Policy, Rule
from quarantine.scanner import Scanned
from tests.world.lending import Lenders, large_letter
from tests.world.world import Gateway


@dataclass
class _Scanner:
    """It finds something in each body that is as long as the whole."""

    gateway: Gateway
    least: int
    seen: list[int] = field(default_factory=list)

    async def scan(self, copies: Sequence[Copy]) -> Scanned:
        body = await self.gateway.rest.vault.read(holder(copies[0].delivery.id))
        self.seen.append(len(body))
        return Scanned("Eicar" if len(body) > self.least else "")

    async def look(self, _copies: Sequence[Copy]) -> tuple[Finding, ...]:
        return ()

    def close(self) -> None:
        """Nothing is under way."""


async def test_a_virus_in_what_was_fetched_is_found(lenders: Lenders) -> None:
    """A stub is clean, what it stands for need not be: it is scanned whole, and held."""
    chu, content = lenders.chu, large_letter()
    rows = Inspections(chu.rest.database, chu.rest.ring)
    policy = Policy((Rule(frozenset({"malware"}), Action.HOLD),), scanner=True)
    object.__setattr__(chu.desk, "screening", Screening(policy, rows))
    scanner = _Scanner(chu, len(content))
    inspecting = Inspecting(chu.desk, chu.notices, scanner, Pace(), chu.courier.ring)

    said = await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], content)
    assert said.positive, said
    await lenders.settle()
    assert [State.INSPECTING] == chu.states()
    assert [State.RELAYED] == lenders.labo.states()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(inspecting.run())
        await inspecting.rested.wait()
        await inspecting.stop(5)
    await lenders.settle()

    assert 1 == len(scanner.seen)
    assert State.HELD in chu.states()
    assert [] == await chu.inbox("accueil")
    assert "delivered" not in lenders.labo.receipts()
