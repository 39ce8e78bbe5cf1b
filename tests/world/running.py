"""Gateways that really run, in the test's own loop, and a clinician's mail client."""

import asyncio
import io
import smtplib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from gateway.app import clock, opened
from gateway.observe.logs import open_log
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from gateway.running.serving import Gateway
from gateway.running.supervisor import Supervisor
from tests.world.site import Site

DOORS = "".join(
    f"\n[listen.{name}]\nport = 0\n"
    for name in (
        "submission",
        "submission_starttls",
        "submission_certificate",
        "relay",
        "status",
    )
)


@dataclass(slots=True)
class Running:
    """One gateway, its rooms, the ports it listens at, and everything it logged."""

    site: Site
    gateway: Gateway
    rooms: Rooms
    log: io.StringIO
    ports: dict[str, int] = field(default_factory=dict)

    async def ask(self, verb: str, **arguments: Any) -> Any:
        """Ask as an operator would."""
        rooms = self.gateway.rooms
        return msgspec.to_builtins(await perform(rooms, "operator:test", verb, arguments))

    async def user(self, address: str) -> str:
        """Make a mailbox; return its password."""
        await self.ask("mailbox.add", address=address)
        made = await self.ask("mailbox.password", address=address)
        return str(made["password"])

    async def submit(
        self, sender: str, password: str, to: Sequence[str], message: bytes
    ) -> tuple[str, dict[str, tuple[int, bytes]]]:
        """Send as a mail client does; return the last reply and who was refused."""
        return await asyncio.to_thread(self._submit, sender, password, to, message)

    def _submit(
        self, sender: str, password: str, to: Sequence[str], message: bytes
    ) -> tuple[str, dict[str, tuple[int, bytes]]]:
        context = ssl.create_default_context(cafile=str(self.site.folder / "anchors.pem"))
        context.check_hostname = False
        port = self.ports["submission"]
        with smtplib.SMTP_SSL("127.0.0.1", port, timeout=10, context=context) as line:
            line.login(sender, password)
            line.mail(sender)
            refused = {}
            for address in to:
                code, text = line.rcpt(address)
                if code >= 400:
                    refused[address] = (code, text)
            if len(refused) == len(to):
                return "", refused
            code, text = line.data(message)
            return f"{code} {text.decode()}", refused

    async def states(self) -> set[str]:
        """Return the states that the deliveries are in."""
        return {row["state"] for row in await self.ask("spool.list", everything=True)}

    async def inbox(self, address: str) -> list[dict[str, Any]]:
        """Return what lies in a mailbox."""
        found: list[dict[str, Any]] = await self.ask("mailbox.show", address=address, content=True)
        return found


@asynccontextmanager
async def running(
    site: Site, bound: Callable[[float], None] = lambda _seconds: None
) -> AsyncIterator[Running]:
    """Run a gateway for as long as the block lasts; ``bound`` hears how long its stop may take."""
    stream = io.StringIO()
    log = open_log(stream, "debug")
    ready = asyncio.Event()
    async with opened(site.settings, log, clock) as rooms:
        found: Running

        def announce(ports: Any) -> None:
            found.ports = dict(ports)
            ready.set()

        gateway = Gateway(rooms, log, Supervisor({}), announce, bound)
        found = Running(site, gateway, rooms, stream)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(gateway.run())
            waiting = group.create_task(ready.wait())
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            try:
                await asyncio.wait({task}, timeout=0)
                if task.done():
                    await task
                yield found
            finally:
                gateway.stop("test")


async def until(ask: Callable[[], Awaitable[object]], expected: object) -> None:
    """Ask until the answer is as expected: real sockets lie in between."""
    found: object = None
    try:
        async with asyncio.timeout(10):
            while (found := await ask()) != expected:  # noqa: ASYNC110 - nobody rings a bell here
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"expected {expected}, at last there was {found}") from None


def written(folder: Path) -> bytes:
    """Return every octet below a folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
