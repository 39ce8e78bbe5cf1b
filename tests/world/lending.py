"""Two gateways of which each lends the other what is too large for it, over real mutual TLS."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.relay.large.collecting import Collecting
from gateway.relay.large.large import Large
from gateway.settings.large import LargeSettings
from gateway.web.door import WebDoor
from gateway.web.fetching import Fetching
from gateway.web.large import LargeOnes
from gateway.web.server import Patience, Site
from smtp import tls
from smtp.envelope import Peer
from smtp.send.client import Entitled
from tests.world.world import Gateway, World, letter
from trust.fetching import FetchError, FetchState

LIMIT = 100_000  # octets that a gateway here takes at once
PIECE = 64 * 1024
SETTINGS = LargeSettings(largest=2_000_000, part=20_000, piece=PIECE, quota=3_000_000, keep_days=2)
SIZE = 500_000


def large_letter(size: int = SIZE) -> bytes:
    """Write a message with one small and one large attachment."""
    head = letter(
        "dr@labo.example",
        ["accueil@chu.example"],
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="b"',
        body="",
    )
    lines = b"".join(b"%064d\r\n" % n for n in range(size // 66))
    return (
        head
        + b"--b\r\nContent-Type: text/plain\r\n\r\nVoici l'IRM.\r\n"
        + b"--b\r\nContent-Type: application/dicom; name=irm.dcm\r\n\r\n"
        + lines
        + b"\r\n--b--\r\n"
    )


@dataclass(slots=True)
class Lenders:
    """The world, with its web doors and what fetches."""

    world: World
    collecting: dict[str, Collecting] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)  # the next lines break after so many octets
    asked: list[int] = field(default_factory=list)  # from which octet on
    garbled: int = 0  # so many lines bring something else

    @property
    def labo(self) -> Gateway:
        return self.world.labo

    @property
    def chu(self) -> Gateway:
        return self.world.chu

    @property
    def lent(self) -> Large:
        assert self.labo.desk.large is not None
        return self.labo.desk.large

    @property
    def wanted(self) -> Large:
        assert self.chu.desk.large is not None
        return self.chu.desk.large

    async def settle(self) -> None:
        """Wait until nothing is due anywhere."""
        for _ in range(4):
            await self.world.settle()
            for one in self.collecting.values():
                one.large.fetches.bell.set()
                await one.rested.wait()
        await self.world.settle()

    async def draw(
        self, gateway: Gateway, url: str, start: int, size: int, entitled: Entitled
    ) -> AsyncGenerator[bytes, None]:
        """Fetch over a line that breaks when a test says so."""
        context = tls.client_context(
            gateway.folder / "gateway.crt",
            gateway.folder / "gateway.key",
            gateway.folder / "anchors.pem",
        )
        self.asked.append(start)
        left = self.cut_after.pop(0) if self.cut_after else None
        garbled, self.garbled = self.garbled > 0, max(0, self.garbled - 1)
        drawn = Fetching().draw(url, start, size, context=context, within=5, judge=entitled)
        async with aclosing(drawn):
            async for block in drawn:
                some = block if left is None else block[:left]
                yield b"x" * len(some) if garbled else some
                left = None if left is None else left - len(some)
                if left == 0:
                    raise FetchError(FetchState.UNREACHABLE, "cut by the test")


@asynccontextmanager
async def web_door(gateway: Gateway) -> AsyncIterator[int]:
    """Open a gateway's web listener for certificates; give its port."""
    site = Site(
        LargeOnes(gateway.desk).routes(), gateway.desk.on_event, lambda _, __: None, Patience()
    )
    folder = gateway.folder
    context = tls.server_context(
        folder / "gateway.crt",
        folder / "gateway.key",
        folder / "anchors.pem",
        client_certificates=True,
    )
    door = WebDoor("web_certificate", site, context, on_event=gateway.desk.on_event)
    port = door.open("127.0.0.1", 0)
    try:
        yield port
    finally:
        await door.stop()


@asynccontextmanager
async def lending(folder: Path) -> AsyncIterator[Lenders]:
    """Open the world."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(
            World.opened(folder, large=SETTINGS, max_size=LIMIT)
        )
        made = Lenders(world)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        running = []
        for gateway in world.gateways:
            large = gateway.desk.large
            assert large is not None
            large.port = await stack.enter_async_context(web_door(gateway))

            def draw(
                url: str, start: int, size: int, entitled: Entitled, gateway: Gateway = gateway
            ) -> AsyncGenerator[bytes, None]:
                return made.draw(gateway, url, start, size, entitled)

            one = Collecting(
                gateway.desk, large, gateway.notices, draw, gateway, gateway.courier.ring
            )
            made.collecting[gateway.domain] = one
            running.append(tasks.create_task(one.run()))
        yield made
        for task in running:
            task.cancel()


def peer(gateway: Gateway) -> Peer:
    """Return a gateway as the other one's listener sees it."""
    return Peer("192.0.2.9", tls="TLSv1.3", certificate=gateway.issued.der, listener="relay")
