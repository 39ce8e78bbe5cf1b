"""A peer's certificate has run out on a Sunday: mail waits, nobody's comes back, two may let it flow."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.app import clock
from gateway.demo.pki import Asking, Authority, Issued
from gateway.demo.revocation import Register
from gateway.operations.perform import perform
from tests.world.lists import Lists
from tests.world.running import DOORS, Running, running, until
from tests.world.site import Site
from tests.world.web import answer, serving

LABO, CHU = "bio@labo.example", "dr@chu.example"
SETTINGS = DOORS + (
    '[certificates]\nbridge = true\ninside = ["127.0.0.1"]\nwait = 3\n'
    "[relay]\nretry = [0.2]\ndelay_notice_after = 0\n"
)


@dataclass
class Sunday:
    """A laboratory, and a hospital whose certificate is what a test wants."""

    labo: Running
    chu: Running
    lists: Lists
    register: Register
    theirs: Issued
    password: str

    async def send(self, number: int) -> None:
        message = (
            f"From: <{LABO}>\r\nTo: <{CHU}>\r\nSubject: Bilan\r\n"
            f"Date: Sun, 22 Nov 2026 09:30:00 +0100\r\nMessage-ID: <{number}@labo.example>\r\n\r\n"
            "ok\r\n"
        ).encode()
        said, refused = await self.labo.submit(LABO, self.password, [CHU], message)
        assert ("250", {}) == (said[:3], refused)

    async def reasons(self) -> list[dict[str, Any]]:
        await self.labo.rooms.notes.write()
        lines = [json.loads(line) for line in self.labo.log.getvalue().splitlines()]
        return [line for line in lines if line["event"] == "peer.wrong_certificate"]

    async def by(self, who: str, verb: str, **arguments: Any) -> Any:
        return await perform(self.labo.gateway.rooms, f"operator:{who}", verb, arguments)


@pytest.fixture
async def sunday(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Sunday]:
    now = clock().replace(microsecond=0)
    authority = Authority.make(now - timedelta(days=100), "Sante")
    register, lists = Register(authority.issuing), Lists.make(authority)
    days: int = getattr(request, "param", 30)
    async with serving() as web:
        web.pages["/aci.crl"] = lambda _: answer(register.crl(clock()))
        asking = Asking(crl=(web.url("/aci.crl"),))
        theirs = authority.issue(
            "mx.chu.example", starts=now - timedelta(days=40), days=days, asking=asking
        )
        sites = [
            Site.make(tmp_path / name, f"{name}.example", authority, lists, SETTINGS)
            for name in ("labo", "chu")
        ]
        theirs.write(sites[1].folder, "gateway")
        async with running(sites[0]) as labo, running(sites[1]) as chu:
            lists.add("labo.example", sites[0].issued, [("127.0.0.1", labo.ports["relay"])])
            lists.add("chu.example", theirs, [("127.0.0.1", chu.ports["relay"])])
            offer = lists.offer(now)
            for one in (labo, chu):
                assert (await one.rooms.keeper.offer("list", offer)).good
            await chu.user(CHU)
            yield Sunday(labo, chu, lists, register, theirs, await labo.user(LABO))


@pytest.mark.parametrize("sunday", [50], indirect=True)
async def test_on_any_other_day_mail_flows(sunday: Sunday) -> None:
    """Their certificate is asked about on the way, and the message with it is not late."""
    await sunday.send(1)
    await until(sunday.labo.states, {"delivered"})
    rows = await sunday.labo.ask("certificates.list")
    assert {"chu.example": "good"} == {
        row["domains"][0]: row["state"] for row in rows if row["kind"] == "next-hop"
    }


@pytest.mark.parametrize("sunday", [50], indirect=True)
async def test_a_next_hop_that_is_revoked_gets_nothing(sunday: Sunday) -> None:
    """It waits, for a new certificate will come; and operators are told at once."""
    sunday.register.revoke(sunday.theirs, clock())
    await sunday.send(1)

    async def said() -> set[str]:
        return {str(line["reason"]) for line in await sunday.reasons()}

    await until(said, {"next-hop-certificate-revoked"})
    assert [] == await sunday.chu.inbox(CHU)


async def test_it_waits_and_both_sides_are_told(sunday: Sunday) -> None:
    """The sender reads why, in words; operators read whose certificate it is."""
    await sunday.send(1)

    async def notices() -> int:
        return len(await sunday.labo.inbox(LABO))

    await until(notices, 1)
    (notice,) = await sunday.labo.inbox(LABO)
    words = " ".join(base64.b64decode(notice["content"]).decode().split())
    assert "outside its dates" in words
    first = (await sunday.reasons())[0]
    assert ("next-hop-expired", "chu.example") == (first["reason"], first["domain"])
    assert {"deferred"} <= await sunday.labo.states()
    assert [] == await sunday.chu.inbox(CHU)


async def test_two_operators_let_it_flow(sunday: Sunday) -> None:
    """Held meanwhile so that nothing expires; the bridge carries it; loudly; and it ends."""
    await sunday.send(1)
    await sunday.by("anne", "spool.hold", domain="chu.example")

    watch = sunday.labo.rooms.watch
    await watch.met(sunday.theirs.der, (sunday.register.authority.der,), "next-hop")
    await sunday.by("anne", "trust.bridge", domain="chu.example", hours=1.0)
    await sunday.by("bob", "trust.bridge", domain="chu.example")

    async def arrived() -> int:
        return len(await sunday.chu.inbox(CHU))

    await until(arrived, 1)
    await sunday.labo.rooms.notes.write()
    used = [line for line in sunday.labo.log.getvalue().splitlines() if '"bridge.used"' in line]
    assert all(json.loads(line)["level"] == "warning" for line in used)
    assert used

    await sunday.by("anne", "trust.unbridge", domain="chu.example")
    before = len(await sunday.reasons())
    await sunday.send(2)

    async def stopped() -> bool:
        return len(await sunday.reasons()) > before

    await until(stopped, True)
    assert 1 == await arrived()
