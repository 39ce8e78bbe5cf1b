"""A gateway as an operator would set it up: ``sceau serve`` in a process of its own.

``Federation`` is the authority and the signed list that several sites share; ``Site`` is one
gateway. Everything lies under one folder, everything is done by the command line, readiness is
what systemd would be told.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from gateway.demo.pki import Authority, Issued
from tests.interop.postfix import free_port
from trust.addresses import NONE, Addresses
from trust.formats import native
from trust.identity import Identity, Way
from trust.members import Claims, Host, Member
from trust.signatures import cms

DOORS = (
    *("submission", "submission_starttls", "submission_certificate", "relay"),
    *("imap", "imap_starttls", "imap_certificate", "web", "web_certificate", "status"),
)
_SHARED = {"max_connections_per_address": 1000}  # every client of these tests is at 127.0.0.1
_PATIENCE = 30.0

Settings = Mapping[str, Mapping[str, object]]


class SiteError(Exception):
    """The gateway did not do what it was asked; the message has its own words."""


def now() -> datetime:
    """Return the time: these tests stand outside the gateway, as any peer does."""
    return datetime.now(UTC)  # noqa: TID251 - see above


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate with its key, as files."""

    issued: Issued
    crt: Path
    key: Path


@dataclass(slots=True)
class Federation:
    """One authority, two signers, and the list they sign."""

    folder: Path
    authority: Authority = field(default_factory=lambda: Authority.make(now()))
    members: dict[str, Member] = field(default_factory=dict)
    version: int = 0
    digest: str | None = None
    signers: list[Credential] = field(default_factory=list)
    addresses: Addresses = NONE  # of closed members

    def __post_init__(self) -> None:
        self.pki.mkdir(parents=True)
        self.anchors.write_bytes(self.authority.anchors_pem)
        for number in (1, 2):
            self.signers.append(self.credential(f"signer{number}", signer=True))

    @property
    def pki(self) -> Path:
        """Where the certificates lie."""
        return self.folder / "pki"

    @property
    def anchors(self) -> Path:
        """The authority's root."""
        return self.pki / "anchors.pem"

    def credential(self, name: str, *hosts: str, **how: Any) -> Credential:
        """Issue a certificate and write it as ``pki/NAME.crt`` and ``.key``."""
        issued = self.authority.issue(name, hosts=hosts, **how)
        return Credential(issued, *issued.write(self.pki, name))

    def add(self, domain: str, credential: Credential, port: int | None = None) -> None:
        """Make a domain a member: this certificate speaks for it, its host listens there."""
        identity = Identity(Way.DN, credential.issued.certificate.subject.rfc4514_string())
        hosts = (Host("127.0.0.1", port),) if port else ()
        self.members[domain] = Member(domain, (identity,), hosts)

    def publish(self) -> list[Path]:
        """Write and sign the next version of the list; return its files, the list first."""
        self.version += 1
        issued = now().replace(microsecond=0)
        content = native.serialise(
            Claims(
                version=self.version,
                issued=issued,
                stale_after=issued + timedelta(days=7),
                previous=self.digest,
                members=tuple(self.members.values()),
                addresses=self.addresses,
            )
        )
        self.digest = native.digest(content)
        folder = self.folder / "list" / str(self.version)
        folder.mkdir(parents=True)
        files = [folder / "list.json"]
        files[0].write_bytes(content)
        for number, signer in enumerate(self.signers, 1):
            files.append(folder / f"list.json.{number}.p7s")
            issued_to = signer.issued
            files[-1].write_bytes(cms.sign(content, issued_to.certificate, issued_to.key))
        return files


@dataclass(frozen=True, slots=True)
class User:
    """A mailbox, and what it logs in with."""

    address: str
    password: str
    credential: Credential
    key: str  # the mailbox's opaque key


class Site:
    """One gateway in a folder of its own; a context manager that runs it."""

    def __init__(
        self, federation: Federation, name: str, domain: str, settings: Settings | None = None
    ) -> None:
        self.federation = federation
        self.name = name
        self.domain = domain
        self.folder = federation.folder / name
        self.ports = {door: free_port() for door in DOORS}
        names = f"mx.{domain}", f"autoconfig.{domain}"
        self.credential = federation.credential(f"mx.{domain}", *names)
        self.log = self.folder / "gateway.log"
        self.wrapper: tuple[str, ...] = ()  # a command that runs the gateway, such as strace
        self._settings = settings or {}
        self._process: subprocess.Popen[bytes] | None = None
        federation.add(domain, self.credential, self.ports["relay"])

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "gateway.toml"

    @property
    def data(self) -> Path:
        """Where the gateway keeps everything at rest."""
        return self.folder / "data"

    @property
    def pid(self) -> int:
        """The process that ``start`` started."""
        assert self._process is not None
        return self._process.pid

    def found(self, listed: list[Path]) -> None:
        """Do what an operator does before the first start."""
        self.folder.mkdir()
        self.config.write_text(_toml(self._tables()), "utf-8")
        self.sceau("keys", "create")
        self.adopt(listed)

    def adopt(self, listed: list[Path]) -> None:
        """Import a version of the list."""
        self.sceau("trust", "import", *map(str, listed))

    def user(self, local: str, kind: str = "PER") -> User:
        """Make a mailbox with a password and a certificate."""
        address = f"{local}@{self.domain}"
        made = self.sceau("mailbox", "add", address, "--kind", kind)
        password = self.sceau("mailbox", "password", address)["password"]
        credential = self.federation.credential(f"{local}.{self.domain}", email=address)
        self.sceau("mailbox", "certificate", address, str(credential.crt))
        return User(address, password, credential, made["key"])

    def sceau(self, *words: str) -> Any:
        """Run one verb of the command line on this site; return what it prints as JSON."""
        done = subprocess.run(
            [*COMMAND, *words, "--json", "--config", str(self.config)],
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        if done.returncode:
            raise SiteError(f"sceau {' '.join(words)}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._process is not None:
            self.stop()

    def start(self) -> None:
        """Run the gateway; return when it says that it is ready."""
        notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = self.folder / "notify"
        address.unlink(missing_ok=True)
        with notices, self.log.open("ab") as log:
            notices.bind(str(address))
            self._process = subprocess.Popen(
                [*self.wrapper, *COMMAND, "serve", "--config", str(self.config)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=os.environ | {"NOTIFY_SOCKET": str(address)},
            )
            self._await_ready(notices, self._process)

    def _await_ready(self, notices: socket.socket, process: subprocess.Popen[bytes]) -> None:
        watch = os.pidfd_open(process.pid)
        try:
            while select.select([notices.fileno(), watch], [], [], _PATIENCE)[0] == [
                notices.fileno()
            ]:
                if b"READY=1" in notices.recv(4096):
                    return
        finally:
            os.close(watch)
        if process.poll() is None:
            process.kill()
        process.wait()
        self._process = None
        raise SiteError(f"{self.name} did not start: {self.log.read_text('utf-8')[-2000:]}")

    def stop(self) -> int:
        """End the gateway politely; return its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the gateway as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        assert process is not None
        process.send_signal(how)
        try:
            return process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise SiteError(f"{self.name} did not stop when asked to") from None

    def _tables(self) -> dict[str, dict[str, object]]:
        signers = [str(signer.crt) for signer in self.federation.signers]
        tables: dict[str, dict[str, object]] = {
            "site": {"name": self.name, "host": f"mx.{self.domain}", "domains": [self.domain]},
            "paths": {"data": "data", "keys": "keys/ring.json"},
            "tls": {
                "certificate": str(self.credential.crt),
                "key": str(self.credential.key),
                "anchors": str(self.federation.anchors),
            },
            "trust": {"signers": signers, "threshold": len(signers)},
            **{f"listen.{door}": {"port": self.ports[door], **_SHARED} for door in DOORS},
        }
        for name, table in self._settings.items():
            tables[name] = tables.get(name, {}) | dict(table)
        return tables


COMMAND = (sys.executable, "-m", "gateway")


def _toml(tables: Mapping[str, Mapping[str, object]]) -> str:
    """Write tables of plain values, whose JSON is TOML too."""
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )
