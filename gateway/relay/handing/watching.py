"""Whether a message on another IMAP server was opened there: asked again and again, a little.

Only of messages whose sender wants to know and whose reader lets us tell, one connection a mailbox
and round. What is found is noted as if it lay with us; ``gateway.relay.readings`` tells.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from gateway.relay.desk import Desk
from gateway.relay.handing.account import Refused
from gateway.relay.handing.deposit import Deposits
from gateway.relay.handing.lines import Lines
from gateway.relay.message import Copy
from smtp.address import Address
from vault.errors import VaultError


@dataclass(frozen=True, slots=True)
class Watching:
    """One a gateway; ``run`` is a task of its group."""

    desk: Desk
    lines: Lines
    ring: Callable[[], None]  # something was opened

    @property
    def every(self) -> float | None:
        """Seconds between two rounds; None: there is no server that could be asked."""
        found = [line.deposits.server.poll for line in self.lines.values() if line.deposits]
        return min(found, default=None)

    async def run(self) -> None:
        """Look for ever."""
        every = self.every
        while True:
            await asyncio.sleep(3600 if every is None else every)
            if every is not None:
                await self.round()

    async def round(self) -> int:
        """Look once into each mailbox that has something to look for; return what was opened."""
        waiting: dict[tuple[str, Address], list[Copy]] = {}
        books = self.desk.books
        for origin in books.mailboxes.origins.watched():
            copy = books.spool.find(origin)
            server = copy and self.desk.servers.holding(copy.recipient.address)
            if copy is not None and server:
                waiting.setdefault((server, copy.recipient.address), []).append(copy)
        opened = 0
        for (server, who), copies in waiting.items():
            line = self.lines.get(server)
            if line is None or line.deposits is None:
                continue
            try:
                opened += await self._look(line.deposits, who, copies)
            except VaultError:
                raise  # the machine's fault: it is looked at later
            except Refused:
                continue  # the server is away; the next round asks again
            except Exception as error:  # noqa: BLE001 - one mailbox stops no other
                self.desk.on_event("watching.crashed", {"exception": error})
        if opened:
            self.ring()
        return opened

    async def _look(self, deposits: Deposits, who: Address, copies: list[Copy]) -> int:
        books, seen = self.desk.books, []
        async with deposits.within(who) as account:
            if await account.select(deposits.server.folder):
                seen = [copy for copy in copies if await account.seen(copy.message.id)]
        now = self.desk.clock()
        await books.database.commit(
            [books.mailboxes.origins.opened(copy.delivery.id, now) for copy in seen]
        )
        return len(seen)
