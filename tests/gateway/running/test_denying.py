"""An operator denies somebody on a gateway that runs: on the very connections that are open."""

import asyncio
import smtplib
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.app import clock
from gateway.demo.pki import Authority, Issued
from tests.world.lists import Lists
from tests.world.running import DOORS, Running, running, until
from tests.world.site import Site
from trust.identity import Certificate

APP, DR = "bio@labo.example", "dr@chu.example"


@dataclass(slots=True)
class Scene:
    """A running hospital, and a laboratory that is played by hand."""

    chu: Running
    labo: Issued
    folder: Path

    @contextmanager
    def relayed(self) -> Iterator[smtplib.SMTP]:
        context = ssl.create_default_context(cafile=str(self.chu.site.folder / "anchors.pem"))
        context.check_hostname = False
        context.load_cert_chain(*self.labo.write(self.folder, "labo"))
        with smtplib.SMTP("127.0.0.1", self.chu.ports["relay"], timeout=10) as line:
            line.starttls(context=context)
            line.ehlo()
            yield line


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with playing(tmp_path) as made:
        yield made


@asynccontextmanager
async def playing(folder: Path) -> AsyncIterator[Scene]:
    authority = Authority.make(clock().replace(microsecond=0))
    lists = Lists.make(authority)
    labo = authority.issue("mx.labo.example", organisation="labo.example")
    site = Site.make(folder / "chu", "chu.example", authority, lists, DOORS)
    async with running(site) as chu:
        lists.add("labo.example", labo, [("127.0.0.1", 1)])
        lists.add("chu.example", site.issued, [("127.0.0.1", chu.ports["relay"])])
        offer = lists.offer(clock().replace(microsecond=0))
        assert (await chu.rooms.keeper.offer("list", offer)).good
        yield Scene(chu, labo, folder)


def asks(line: smtplib.SMTP) -> tuple[int, str]:
    """Ask whether a message may come; 421 if the connection is ended."""
    try:
        code, text = line.mail(APP)
        if code == 250:
            code, text = line.rcpt(DR)
    except smtplib.SMTPServerDisconnected:
        return 421, ""
    return code, text.decode()


@pytest.mark.parametrize("what", ["certificate", "operator", "domain"])
async def test_an_open_connection_ends_within_a_second(scene: Scene, what: str) -> None:
    """And a new one hears why; until it is lifted."""
    shown = Certificate.parse(scene.labo.der)
    whats = {
        "certificate": shown.fingerprint,
        "operator": scene.labo.certificate.subject.rfc4514_string(),
        "domain": "labo.example",
    }
    await scene.chu.user(DR)
    loop = asyncio.get_running_loop()

    def play() -> tuple[tuple[int, str], tuple[int, str], tuple[int, str], float]:
        def ask(verb: str, **arguments: str) -> None:
            asyncio.run_coroutine_threadsafe(scene.chu.ask(verb, **arguments), loop).result(10)

        with scene.relayed() as line:
            first = asks(line)
            line.rset()
            began = time.monotonic()
            ask("trust.deny", what=whats[what], reason="clé volée")
            second = asks(line)
            took = time.monotonic() - began
        with scene.relayed() as line:
            third = asks(line)
        ask("trust.allow", what=whats[what])
        with scene.relayed() as line:
            assert 250 == asks(line)[0]
        return first, second, third, took

    first, second, third, took = await asyncio.to_thread(play)
    assert 250 == first[0]
    assert second[0] in {421, 550}
    assert (550, True) == (third[0], "has blocked" in third[1])
    assert took < 1


async def test_a_log_in_that_is_open(scene: Scene) -> None:
    """A mailbox of ours that is denied says nothing more, however long it was logged in."""
    password = await scene.chu.user(DR)
    loop = asyncio.get_running_loop()

    def play() -> tuple[int, int]:
        context = ssl.create_default_context(cafile=str(scene.chu.site.folder / "anchors.pem"))
        context.check_hostname = False
        port = scene.chu.ports["submission"]
        with smtplib.SMTP_SSL("127.0.0.1", port, timeout=10, context=context) as line:
            line.login(DR, password)
            asking = scene.chu.ask("trust.deny", what=DR, reason="compte volé")
            asyncio.run_coroutine_threadsafe(asking, loop).result(10)
            try:
                ended, _ = line.mail(DR)
            except smtplib.SMTPServerDisconnected:
                ended = 421
        with smtplib.SMTP_SSL("127.0.0.1", port, timeout=10, context=context) as line:
            line.login(DR, password)
            line.mail(DR)
            refused, _ = line.rcpt(APP)
        return ended, refused

    assert (421, 550) == await asyncio.to_thread(play)


async def test_what_is_queued_is_answered_to_its_sender(scene: Scene) -> None:
    """At once, not at the next attempt."""
    password = await scene.chu.user(DR)
    message = f"From: <{DR}>\r\nTo: <{APP}>\r\nSubject: x\r\n\r\nBonjour\r\n".encode()
    said, _ = await scene.chu.submit(DR, password, [APP], message)
    assert said.startswith("250")
    await until(scene.chu.states, {"deferred"})
    await scene.chu.ask("trust.deny", what="labo.example", reason="fermé")
    await until(scene.chu.states, {"refused", "delivered"})
    (report,) = await scene.chu.inbox(DR)
    assert "Message not delivered" in report["subject"]
