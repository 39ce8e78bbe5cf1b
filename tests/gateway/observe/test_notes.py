"""What happens outside any transaction is told: once, counted, and kept until it is written."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.observe.logs import open_log
from gateway.observe.metrics import Metrics
from gateway.observe.notes import Notes
from smtp.address import Address
from tests.world.clock import Clock
from tests.world.rest import Rest
from vault.errors import StorageFull
from vault.journal import Journal


@dataclass(slots=True)
class Desk:
    rest: Rest
    journal: Journal
    log: io.StringIO
    metrics: Metrics
    notes: Notes
    clock: Clock

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@asynccontextmanager
async def _desk(folder: Path) -> AsyncIterator[Desk]:
    rest, clock, stream, metrics = Rest.open(folder), Clock(), io.StringIO(), Metrics()
    journal = Journal(rest.database, rest.ring, folder / "head")
    notes = Notes(rest.database, journal, clock, open_log(stream), metrics, pause=0)
    try:
        yield Desk(rest, journal, stream, metrics, notes, clock)
    finally:
        await rest.database.close()


async def test_an_event_is_journalled_with_its_address_and_logged_without(tmp_path: Path) -> None:
    """The journal is sealed, the log is not."""
    async with _desk(tmp_path) as desk:
        who = Address("dr.canari@labo.example")
        desk.notes.tell("login.failed", {"who": who, "ip": "192.0.2.7", "reason": "password"})
        await desk.notes.write()

        (entry,) = await desk.journal.by_address(who)
        assert ("login.failed", who, "gateway") == (entry.event, entry.who, entry.actor)
        assert {"ip": "192.0.2.7", "reason": "password"} == entry.detail
        (line,) = desk.lines()
        assert ("login.failed", "192.0.2.7", 1) == (line["event"], line["ip"], line["count"])
        assert "canari" not in desk.log.getvalue()


async def test_an_alarm_is_a_warning(tmp_path: Path) -> None:
    """Where only warnings are read, somebody else at a next hop is seen."""
    async with _desk(tmp_path) as desk:
        alarms = ("peer.wrong_certificate", "journal.unsigned", "mailbox.tampered")
        for event in (*alarms, "peer.unreachable"):
            desk.notes.tell(event, {"reason": "next-hop-not-entitled"})
        await desk.notes.write()

        levels = {line["event"]: line["level"] for line in desk.lines()}
        assert {
            "peer.wrong_certificate": "warning",
            "journal.unsigned": "warning",
            "mailbox.tampered": "warning",
            "peer.unreachable": "info",
        } == levels


async def test_the_same_event_again_and_again_is_one_entry(tmp_path: Path) -> None:
    """Nobody fills the disk by knocking, and no knock goes uncounted (R-I3)."""
    async with _desk(tmp_path) as desk:
        for _ in range(50):
            desk.notes.tell("tls.failed", {"ip": "192.0.2.7"})
        for number in range(2000):
            desk.notes.tell("tls.failed", {"ip": f"number {number}"})
        await desk.notes.write()

        entries = await desk.journal.page(0, 5000)
        assert 1001 == len(entries)
        assert 2050 == sum(int(str(entry.detail.get("times", 1))) for entry in entries)
        assert b'event="tls.failed"} 2050.0' in desk.metrics.page()


async def test_a_certificate_is_the_actor(tmp_path: Path) -> None:
    """Who knocked is known by its certificate where it showed one."""
    async with _desk(tmp_path) as desk:
        desk.notes.tell("peer.wrong", {"certificate": "ab12", "message": "01M", "port": 25})
        await desk.notes.write()

        (entry,) = await desk.journal.by_message("01M")
        assert ("peer:ab12", 25) == (entry.actor, entry.detail["port"])


async def test_a_crash_is_counted_and_its_text_withheld(tmp_path: Path) -> None:
    """An error's text quotes what it choked on."""
    async with _desk(tmp_path) as desk:
        desk.notes.tell("session.error", {"exception": ValueError("canary"), "error": "ValueError"})
        await desk.notes.write()

        assert ["loop.crashed", "session.error"] == [line["event"] for line in desk.lines()]
        assert "canary" not in desk.log.getvalue()
        (entry,) = await desk.journal.page(0)
        assert {"error": "ValueError"} == entry.detail


async def test_what_the_disk_does_not_take_is_kept(tmp_path: Path) -> None:
    """A full disk delays the audit; it does not shorten it."""
    async with _desk(tmp_path) as desk:
        desk.notes.tell("login.failed", {"ip": "192.0.2.7"})
        with pytest.MonkeyPatch.context() as full:
            full.setattr(desk.rest.database, "commit", _full)
            await desk.notes.write()
        await desk.notes.write()

        assert 1 == len(await desk.journal.page(0))
        assert "journal.failed" in [line["event"] for line in desk.lines()]


async def _full(_: object) -> None:
    raise StorageFull("the disk is full")
