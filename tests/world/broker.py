"""A real mosquitto on a free port, under the very configuration that we ship as an example."""

import asyncio
import getpass
import re
import signal
import socket
import ssl
import subprocess
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import aiomqtt

from gateway.demo.pki import Authority
from gateway.receipts.mqtt import Broker

CONFIG = Path(__file__).parent.parent.parent / "config"
GATEWAY = "gateway-labo"  # the user of the example ACL that may publish


@dataclass(slots=True)
class Mosquitto:
    """A broker that a test starts and stops as often as it likes."""

    folder: Path
    port: int
    anchors: Path
    passwords: dict[str, str] = field(default_factory=dict)
    _process: Process | None = None

    @classmethod
    def make(cls, folder: Path, authority: Authority, users: tuple[str, ...]) -> Self:
        folder.mkdir()
        anchors = folder / "anchors.pem"
        anchors.write_bytes(authority.anchors_pem)
        authority.issue("broker", hosts=("localhost",)).write(folder, "broker")
        broker = cls(folder, _free_port(), anchors)
        for user in users:
            broker.add(user)
        broker.allow((CONFIG / "mosquitto.acl").read_text("utf-8"))
        text = (CONFIG / "mosquitto.conf").read_text("utf-8")
        text = text.replace("listener 8883", f"listener {broker.port} 127.0.0.1")
        text = re.sub("/etc/mosquitto/sceau|/var/lib/mosquitto", str(folder), text)
        text += (
            f"\nuser {getpass.getuser()}\nlog_dest stderr\nlog_type error\nlog_type information\n"
        )
        (folder / "mosquitto.conf").write_text(text)
        return broker

    def add(self, user: str) -> None:
        """Give a user a password."""
        self.passwords[user] = f"secret of {user}"
        file = self.folder / "passwords"
        file.touch(mode=0o600)
        subprocess.run(
            ["mosquitto_passwd", "-b", file, user, self.passwords[user]],
            check=True,
            capture_output=True,
        )

    def allow(self, rules: str) -> None:
        """Replace the ACL; it counts from the next start."""
        file = self.folder / "acl"
        file.touch(mode=0o600)
        file.write_text(rules)

    def stand_still(self) -> None:
        """Do nothing more; ``stop`` ends it all the same."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    async def start(self) -> None:
        """Return when it listens, which it says itself."""
        self._process = await asyncio.create_subprocess_exec(
            "/usr/sbin/mosquitto", "-c", self.folder / "mosquitto.conf", stderr=PIPE
        )
        assert self._process.stderr is not None
        async with asyncio.timeout(10):
            while b" running" not in (line := await self._process.stderr.readline()):
                assert line, "mosquitto did not start"

    async def stop(self) -> None:
        if self._process is not None:
            self._process.kill()  # a broker that has just started does not hear a SIGTERM
            await self._process.communicate()
            self._process = None

    def broker(self, user: str = GATEWAY) -> Broker:
        """Return the broker as a gateway's settings describe it."""
        secret = self.folder / f"{user}.password"
        secret.write_text(self.passwords[user] + "\n")
        return Broker("localhost", self.port, self.anchors, user, secret, f"client-{user}")

    @asynccontextmanager
    async def reader(self, user: str, session: str = "") -> AsyncIterator[aiomqtt.Client]:
        """Connect as software that reads; with a ``session`` name, one that lasts."""
        client = aiomqtt.Client(
            "localhost",
            self.port,
            username=user,
            password=self.passwords[user],
            identifier=session or None,
            clean_session=not session,
            tls_context=ssl.create_default_context(cafile=str(self.anchors)),
        )
        async with client:
            yield client
        if client._disconnected.done():
            client._disconnected.exception()  # a broker that was stopped meanwhile is no surprise


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
