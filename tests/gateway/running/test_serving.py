"""Two gateways that really run: the whole road, and what happens to it when things change."""

import asyncio
import json
import smtplib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.app import clock
from gateway.demo.pki import Authority
from gateway.observe.notes import Notes
from gateway.operations.error import OperationError
from gateway.running import serving
from tests.world.lists import Lists
from tests.world.running import DOORS, Running, running, until, written
from tests.world.site import Site
from trust.bridges import LONGEST, Bridge, Bridges
from trust.identity import Certificate
from trust.members import Status
from trust.overlay import Denials, Overlay

_LABO, _CHU = "bio@labo.example", "dr.canari@chu.example"


def _message(to: str, subject: str = "Bilan canari") -> bytes:
    return (
        f"From: <{_LABO}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n"
        f"Date: Mon, 02 Mar 2026 09:30:00 +0100\r\nMessage-ID: <1@labo.example>\r\n\r\n"
        "Potassium canari 4,1\r\n"
    ).encode()


@dataclass(slots=True)
class World:
    labo: Running
    chu: Running
    lists: Lists

    async def publish(self) -> None:
        """Put a new version in force on both sides."""
        offer = self.lists.offer(clock().replace(microsecond=0))
        for gateway in (self.labo, self.chu):
            arrival = await gateway.rooms.keeper.offer("list", offer)
            assert arrival.good, arrival


@asynccontextmanager
async def _world(folder: Path, labo: str = "", chu: str = "") -> AsyncIterator[World]:
    authority = Authority.make(clock().replace(microsecond=0))
    lists = Lists.make(authority)
    sites = [
        Site.make(folder / name, f"{name}.example", authority, lists, DOORS + more)
        for name, more in (("labo", labo), ("chu", chu))
    ]
    async with running(sites[0]) as one, running(sites[1]) as two:
        for gateway in (one, two):
            place = [("127.0.0.1", gateway.ports["relay"])]
            lists.add(gateway.site.domain, gateway.site.issued, place)
        world = World(one, two, lists)
        await world.publish()
        yield world


async def test_the_whole_road(tmp_path: Path) -> None:
    """Submitted over TLS, relayed over mutual TLS, in the far mailbox octet for octet; told."""
    async with _world(tmp_path) as world:
        password = await world.labo.user(_LABO)
        await world.chu.user(_CHU)
        said, refused = await world.labo.submit(_LABO, password, [_CHU], _message(_CHU))
        await until(world.labo.states, {"delivered"})
        (entry,) = await world.chu.inbox(_CHU)
        story = await world.labo.ask("trace", what="<1@labo.example>")
        by_reference = await world.labo.ask("trace", what=story[0]["reference"])
        far = await world.chu.ask("trace", what="<1@labo.example>")
        receipts = await world.labo.ask("receipts.tail")
        await world.chu.ask("mailbox.list")
        lies = written(tmp_path / "labo" / "data") + written(tmp_path / "chu" / "data")
        logs = world.labo.log.getvalue() + world.chu.log.getvalue()

    assert said.startswith("250 2.")
    assert {} == refused
    assert story[0]["reference"] in said
    assert "Bilan canari" == entry["subject"]
    # Their report may overtake our own note of their 250.
    events = [line["event"] for line in story if line["event"] != "delivery.relayed"]
    assert ["message.accepted", "delivery.delivered"] == events
    assert by_reference == story
    assert {"message.accepted", "delivery.delivered"} <= {line["event"] for line in far}
    assert {"accepted", "delivered"} <= {receipt["type"] for receipt in receipts}
    assert b"canari" not in lies
    assert "canari" not in logs


async def test_a_result_put_into_a_watched_folder_arrives_and_is_answered(tmp_path: Path) -> None:
    """The folder of the settings is a door like the others: sealed, relayed, answered beside."""
    folder = tmp_path / "envoi"
    folder.mkdir()
    labs = f'[[labs.folder]]\nname = "nuit"\npath = "{folder}"\nmailbox = "{_LABO}"\nsettle = 0\n'
    async with _world(tmp_path, labs + "poll = 0.1\n") as world:
        await world.labo.user(_LABO)
        await world.chu.user(_CHU)
        (folder / "a.eml").write_bytes(_message(_CHU))

        async def answered() -> set[str]:
            return {each.name for each in folder.iterdir() if each.is_file()}

        await until(answered, {"a.eml.accepted.json", "a.eml.delivered.json"})
        (entry,) = await world.chu.inbox(_CHU)
        lies = written(tmp_path / "labo" / "data")

    assert "Bilan canari" == entry["subject"]
    assert b"canari" not in lies


async def test_an_outsider_is_refused_in_words_and_the_refusal_traced(tmp_path: Path) -> None:
    """One refusal a recipient, before any content; the others get their mail."""
    async with _world(tmp_path) as world:
        password = await world.labo.user(_LABO)
        await world.chu.user(_CHU)
        to = ["x@webmail.example", _CHU]
        said, refused = await world.labo.submit(_LABO, password, to, _message(_CHU))
        story = await world.labo.ask("trace", what="x@webmail.example")

    assert said.startswith("250 2.")
    assert ["x@webmail.example"] == list(refused)
    assert refused["x@webmail.example"][0] == 550
    assert "recipient.refused" in {line["event"] for line in story}


async def test_a_failed_log_in_is_traced(tmp_path: Path) -> None:
    """Whose mailbox somebody tried, from where."""
    async with _world(tmp_path) as world:
        await world.labo.user(_LABO)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            await world.labo.submit(_LABO, "wrong", [_CHU], b"")
        await world.labo.rooms.notes.write()
        story = await world.labo.ask("trace", what=_LABO)

    assert 1 == sum(line["event"] == "login.failed" for line in story)


async def test_a_member_removed_while_mail_waits_gets_none_of_it(tmp_path: Path) -> None:
    """A change of the list takes effect on queued mail (R-C7)."""
    async with _world(tmp_path) as world:
        password = await world.labo.user(_LABO)
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            world.lists.add(
                "chu.example", world.chu.site.issued, [("127.0.0.1", nobody.getsockname()[1])]
            )
        await world.publish()
        await world.labo.submit(_LABO, password, [_CHU], _message(_CHU))
        await until(world.labo.states, {"deferred"})
        world.lists.remove("chu.example")
        await world.publish()
        await until(world.labo.states, {"refused", "delivered"})
        (bounce,) = await world.labo.inbox(_LABO)

    assert "labo.example" in bounce["from"]


async def test_the_ports_are_written_down(tmp_path: Path) -> None:
    """Port 0 is useful only if somebody says which port it became."""
    async with _world(tmp_path) as world:
        found = json.loads((world.labo.site.data / "ports.json").read_text())
        ready = [json.loads(x) for x in world.labo.log.getvalue().splitlines() if "ready" in x]

    assert world.labo.ports == found
    assert [found] == [line["ports"] for line in ready]
    assert {"submission", "relay", "status"} < found.keys()


async def test_without_a_list_mail_waits_and_readiness_says_why(tmp_path: Path) -> None:
    """A gateway that answers 'later' loses nothing."""
    authority = Authority.make(clock())
    site = Site.make(tmp_path / "labo", "labo.example", authority, Lists.make(authority), DOORS)
    async with running(site) as labo:
        await labo.user(_LABO)
        _, body = await _get(labo.ports["status"], "/readyz")
        _, metrics = await _get(labo.ports["status"], "/metrics")

    assert "no trust list is in force" in body
    assert 'sceau_trust_list_version{source="list"} 0.0' in metrics


async def _get(port: int, path: str) -> tuple[str, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return head, body


async def test_a_port_that_is_taken_is_said_so(tmp_path: Path) -> None:
    """With the listener's name and the cure."""
    authority = Authority.make(clock())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        section = f"[listen.relay]\nport = {taken.getsockname()[1]}\n"
        site = Site.make(tmp_path / "a", "a.example", authority, Lists.make(authority), section)
        with pytest.raises(BaseExceptionGroup) as caught:
            async with running(site):
                pass

    assert caught.group_contains(OperationError, match="listener relay cannot bind")


async def test_a_log_in_ends_when_its_mailbox_or_its_member_does(tmp_path: Path) -> None:
    """A suspension or a changed list takes effect on open connections (R-C7)."""
    async with _world(tmp_path) as world:
        one, two = await _session(world.labo, _LABO), await _session(world.labo, "b@labo.example")
        await world.labo.ask("mailbox.suspend", address=_LABO)
        first = await asyncio.to_thread(one.getreply)
        world.lists.change("labo.example", status=Status.REVOKED)
        await world.publish()
        second = await asyncio.to_thread(two.getreply)
        one.close()
        two.close()

    assert [(421, b"4.7.1"), (421, b"4.7.1")] == [
        (code, text[:5]) for code, text in (first, second)
    ]


async def _session(gateway: Running, who: str) -> smtplib.SMTP_SSL:
    password = await gateway.user(who)

    def opened() -> smtplib.SMTP_SSL:
        context = ssl.create_default_context(cafile=str(gateway.site.folder / "anchors.pem"))
        context.check_hostname = False
        port = gateway.ports["submission"]
        line = smtplib.SMTP_SSL("127.0.0.1", port, timeout=10, context=context)
        line.login(who, password)
        return line

    return await asyncio.to_thread(opened)


async def test_how_long_a_stop_may_take_is_counted_from_its_first_word(tmp_path: Path) -> None:
    """What messages in hand are given and fifteen seconds; asking again does not begin anew."""
    bounds: list[float] = []
    site = Site.make(
        tmp_path / "a", "a.example", *_alone(), DOORS + "\n[limits]\nstop_within = 5\n"
    )
    async with running(site, bounds.append) as gateway:
        gateway.gateway.stop("first")
        gateway.gateway.stop("second")

    assert [20.0] == bounds


async def test_a_loop_that_swallows_its_cancellation_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As libraries do that wait with ``wait_for``: it would have gone on for ever."""
    monkeypatch.setattr(serving, "_GOODBYE", 0.01)
    swallowed: list[str] = []

    async def stubborn(_notes: Notes) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if swallowed:
                    raise
                swallowed.append("once")

    monkeypatch.setattr(Notes, "run", stubborn)
    async with running(Site.make(tmp_path / "a", "a.example", *_alone(), DOORS)):
        pass

    assert ["once"] == swallowed


def _alone() -> tuple[Authority, Lists]:
    authority = Authority.make(clock().replace(microsecond=0))
    return authority, Lists.make(authority)


async def test_stopping_finishes_the_message_in_hand_and_refuses_new_ones(tmp_path: Path) -> None:
    """A restart costs nobody a message (RFC 5321 §3.8)."""
    async with _world(tmp_path) as world:
        await world.chu.user(_CHU)
        busy, idle = await _session(world.labo, _LABO), await _session(world.labo, "b@labo.example")

        def begin() -> None:
            busy.mail(_LABO)
            busy.rcpt(_CHU)
            busy.docmd("DATA")
            busy.send(_message(_CHU))

        def end() -> tuple[int, bytes]:
            busy.send(b".\r\n")
            return busy.getreply()

        await asyncio.to_thread(begin)
        world.labo.gateway.stop("test")
        goodbye = await asyncio.to_thread(idle.getreply)
        accepted = await asyncio.to_thread(end)
        farewell = await asyncio.to_thread(busy.getreply)
        for line in (busy, idle):
            line.close()

    assert (421, 250, 421) == (goodbye[0], accepted[0], farewell[0])


async def test_every_gauge_is_asked_of_the_running_gateway(tmp_path: Path) -> None:
    """What the metrics show is how things stand now."""
    async with _world(tmp_path) as world:
        line = await _session(world.labo, _LABO)
        _, page = await _get(world.labo.ports["status"], "/metrics")
        line.close()

    found = dict(x.rsplit(" ", 1) for x in page.splitlines() if x.startswith("sceau_"))
    assert "1.0" == found['sceau_sessions_open{listener="submission"}']
    assert "1.0" == found['sceau_trust_list_version{source="list"}']
    assert float(found['sceau_trust_list_stale_in_seconds{source="list"}']) > 86400
    assert float(found["sceau_certificate_expires_in_seconds"]) > 86400
    assert float(found["sceau_disk_free_octets"]) > 0


async def test_a_renewed_certificate_is_taken_without_a_restart(tmp_path: Path) -> None:
    """SIGHUP: new connections see the new certificate; a bad one changes nothing."""
    async with _world(tmp_path) as world:
        site, port = world.labo.site, world.labo.ports["submission"]
        before = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
        Authority.make(clock()).issue("mx.labo.example").write(site.folder, "gateway")
        await world.labo.gateway.reload()
        after = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
        (site.folder / "gateway.crt").write_text("no certificate")
        await world.labo.gateway.reload()
        kept = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))

    assert before != after
    assert after == kept
    assert "reload.failed" in world.labo.log.getvalue()


async def test_what_tls_cannot_load_now_it_loads_at_the_next_change(tmp_path: Path) -> None:
    """A certificate half renewed keeps nobody in whom a change sends away, and no bridge open."""
    async with _world(tmp_path) as world:
        rooms, site = world.labo.rooms, world.labo.site
        now, over = clock(), Certificate.parse(site.issued.der)
        whole = (site.folder / "gateway.crt").read_bytes()
        line = await _session(world.labo, _LABO)
        bridge = Bridge(
            "chu.example", over.spki_sha256, over.subject, now, now + LONGEST, "anne", "bruno"
        )
        any_date = []
        for octets, bridges, denied in (
            (whole, (bridge,), frozenset[str]()),
            (b"half", (), frozenset({"labo.example"})),
            (whole, (), frozenset({"labo.example", "x.example"})),
        ):
            (site.folder / "gateway.crt").write_bytes(octets)
            overlay = Overlay(Denials(denied), bridges=Bridges(bridges))
            rooms.keeper.overlaid(replace(overlay, certificates=rooms.keeper.overlay.certificates))
            doors = {door.listener: door.context for door in world.labo.gateway._doors.open_ones}
            any_date.append(bool(doors["relay"].verify_flags & 0x200000))
            assert not doors["submission_certificate"].verify_flags & 0x200000
        said = await asyncio.to_thread(line.getreply)
        line.close()

    assert [True, True, False] == any_date
    assert 421 == said[0]
    assert "reload.failed" in world.labo.log.getvalue()
