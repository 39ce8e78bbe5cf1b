"""The demonstration's world on disk: an authority, a signed list, two sites, a broker.

Everything lies under one folder, and runs on loopback ports chosen beforehand, because the trust
list names them. The gateways are ordinary ``sceau serve`` processes, set up by the command line.
"""

import base64
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any

from gateway.demo.ending import started
from gateway.demo.pki import Authority, Issued

DOORS = (
    *("submission", "submission_starttls", "submission_certificate", "relay"),
    *("imap", "imap_starttls", "imap_certificate", "web", "status", "console", "web_certificate"),
)
NIGHT = "labo-nuit.example"  # a laboratory that works at night, by itself
_HTTP = {"status", "web", "console"}  # told as addresses
MOSQUITTO = "mosquitto", "/usr/sbin/mosquitto"


class DemoError(Exception):
    """The demonstration cannot go on; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class User:
    """A mailbox of the demonstration and what it logs in with."""

    address: str
    kind: str
    password: str
    cert: Path
    key: Path
    topic: str  # the mailbox's opaque key


@dataclass(slots=True)
class Site:
    """One gateway: its folder, its ports, its people."""

    name: str
    domain: str
    title: str
    folder: Path
    ports: dict[str, int]
    users: list[User] = field(default_factory=list)
    beside: tuple[str, ...] = ()  # other domains whose mailboxes it keeps

    @property
    def config(self) -> Path:
        """The gateway's configuration file."""
        return self.folder / "gateway.toml"

    @property
    def data(self) -> Path:
        """Where the gateway keeps everything at rest."""
        return self.folder / "data"

    @property
    def watched(self) -> Path:
        """The folder whose files it sends, if it watches one."""
        return self.folder / "envoi"

    def sceau(self, *words: str) -> Any:
        """Run one verb of the command line on this site; return what it prints as JSON."""
        code, said, wrong = _told(*words, "--json", "--config", str(self.config))
        if code:
            raise DemoError(f"sceau {' '.join(words)}: {wrong.strip()}")
        return json.loads(said) if said.strip() else None

    def says(self, *words: str) -> str:
        """Run one verb on this site; return what a person reads of it."""
        code, said, wrong = _told(*words, "--config", str(self.config))
        if code:
            raise DemoError(f"sceau {' '.join(words)}: {wrong.strip()}")
        return said

    def messages(self, address: str) -> list[bytes]:
        """Return what lies in a mailbox, as an operator may read it."""
        rows = self.sceau("mailbox", "show", address, "--content", "--limit", "10000")
        return [base64.b64decode(row["content"]) for row in rows]


def command() -> list[str]:
    """The command line of this very installation."""
    return [sys.executable, "-m", "gateway"]


def _told(*words: str) -> tuple[int, str, str]:
    """Run one verb; return its exit code and all that it says, to whom asked and to who watches."""
    pipe = subprocess.PIPE
    with started([*command(), *words], stdout=pipe, stderr=pipe, text=True) as verb:
        said, wrong = verb.communicate()
        return verb.returncode, said, wrong


def free_ports(count: int, base: int | None) -> list[int]:
    """Return ports to listen on: ``base`` and those after it, or free ones.

    Below those that the system gives to connections, which may take one before its listener does.
    """
    if base is not None:
        return list(range(base, base + count))
    with ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            each = held.enter_context(socket.socket())
            with suppress(OSError):
                each.bind(("127.0.0.1", 10_000 + secrets.randbelow(10_000)))
                ports.append(each.getsockname()[1])
        return ports


@contextmanager
def running(words: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for as long as the block lasts."""
    with (
        log.open("ab") as out,
        started(words, stdout=out, stderr=out, stdin=subprocess.DEVNULL) as process,
    ):
        yield process


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 20) -> None:
    """Wait until a server listens; raise ``DemoError`` with its last words if it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    last = log.read_text("utf-8", "replace").strip().splitlines()[-3:]
    raise DemoError(f"{Path(process.args[0]).name} did not start: " + " / ".join(last))  # type: ignore[index,arg-type]


@dataclass(frozen=True, slots=True)
class Broker:
    """A private mosquitto over TLS; each client knows a password and sees what its role needs."""

    folder: Path
    port: int
    passwords: dict[str, str]

    @classmethod
    def make(cls, folder: Path, port: int, certificate: Issued, sites: list[str]) -> "Broker":
        """Write the broker's configuration: gateways publish below their site, an observer reads."""
        folder.mkdir(parents=True)
        crt, key = certificate.write(folder, "broker")
        passwords = {name: secrets.token_urlsafe(16) for name in (*sites, "observer")}
        accounts = folder / "passwords"
        accounts.touch(mode=0o600)
        for name, password in passwords.items():
            _run("mosquitto_passwd", "-b", str(accounts), name, password)
        rules = [f"user {name}\ntopic write sceau/v1/receipts/{name}/#\n" for name in sites]
        rules.append("user observer\ntopic read sceau/v1/receipts/#\n")
        (folder / "acl").write_text("\n".join(rules))
        for readable in (folder / "acl", accounts):
            readable.chmod(0o600)
        (folder / "mosquitto.conf").write_text(
            _MOSQUITTO.substitute(
                port=port, folder=folder, crt=crt, key=key, user=_whoami(), accounts=accounts
            )
        )
        for name in sites:
            secret = folder / f"{name}.password"
            secret.touch(mode=0o600)
            secret.write_text(passwords[name])
        return cls(folder, port, passwords)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run the broker."""
        binary = next((found for name in MOSQUITTO if (found := shutil.which(name))), None)
        if binary is None:
            raise DemoError(
                "mosquitto is not installed; install it with: apt-get install mosquitto"
            )
        log = self.folder / "mosquitto.log"
        with running([binary, "-c", str(self.folder / "mosquitto.conf")], log) as process:
            wait_for(self.port, process, log)
            yield


def _whoami() -> str:
    return "root" if os.geteuid() == 0 else os.environ.get("USER", "mosquitto")


def _run(*words: str) -> None:
    try:
        subprocess.run(words, check=True, capture_output=True)
    except FileNotFoundError:
        raise DemoError(
            f"{words[0]} is missing; install it with: apt-get install mosquitto"
        ) from None
    except subprocess.CalledProcessError as error:
        raise DemoError(f"{words[0]} failed: {error.stderr.decode(errors='replace')}") from None


_MOSQUITTO = Template("""\
listener $port 127.0.0.1
cafile $folder/../pki/anchors.pem
certfile $crt
keyfile $key
allow_anonymous false
password_file $accounts
acl_file $folder/acl
persistence false
user $user
log_dest stderr
log_type error
""")

CONFIG = Template("""\
# Made by the demonstration; the annotated example is config/gateway.toml.

[site]
name = "$name"
host = "mx.$domain"
domains = $domains

[paths]
data = "data"
keys = "keys/ring.json"

[tls]
certificate = "../pki/$name.crt"
key = "../pki/$name.key"
anchors = "../pki/anchors.pem"

$doors
[trust]
signers = $signers
threshold = 2

[relay]
retry = [2, 5, 15, 60]
expire_after = $expire_after

[[quarantine.rule]]
reasons = ["executable", "script", "macros", "archive-*"]
action = "hold"
senders = ["documents@partenaire.example"]

$more""")

OF_THE_HOUSE = Template("""\
[[mailboxes.server]]
name = "house"
kind = "lmtp"
socket = "house.lmtp"
mailboxes = ["imagerie@$domain"]

[[mailboxes.forward]]
mailboxes = ["hopital-de-jour@$domain"]
to = "dossiers@$domain"

""")

RECEIPTS = Template("""\
[receipts]
host = "127.0.0.1"
port = $broker
anchors = "../pki/anchors.pem"
username = "$name"
password_file = "../broker/$name.password"
""")


def write_config(site: Site, signers: list[str], more: str, expire_after: int = 86_400) -> None:
    """Write the site's ``gateway.toml``; ``more`` are tables of its own."""
    site.folder.mkdir(parents=True, exist_ok=True)
    doors = "\n".join(f"[listen.{door}]\nport = {site.ports[door]}\n" for door in DOORS)
    site.config.write_text(
        CONFIG.substitute(
            name=site.name,
            domain=site.domain,
            domains=json.dumps([site.domain, *site.beside]),
            doors=doors,
            signers=json.dumps(signers),
            expire_after=expire_after,
            more=more,
        )
    )


def add_user(  # noqa: PLR0917 - what a mailbox is made of
    site: Site,
    pki: Authority,
    folder: Path,
    address: str,
    kind: str,
    made: dict[str, str] | None = None,
) -> User:
    """Make a mailbox with a password and a client certificate, by the command line.

    One that was made before, with its ``key`` and ``password``, is given the certificate alone.
    """
    if made is None:
        made = site.sceau("mailbox", "add", address, "--kind", kind)
        made |= {"password": site.sceau("mailbox", "password", address)["password"]}
    password = made["password"]
    name = address.replace("@", "_at_")
    crt, key = pki.issue(address, email=address).write(folder, name)
    site.sceau("mailbox", "certificate", address, str(crt))
    user = User(address, kind, password, crt, key, made["key"])
    site.users.append(user)
    return user


def describe(
    sites: Sequence[Site],
    broker: Broker,
    pki: Path,
    others: dict[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """Return what ``demo.json`` says, so that any outside tool can connect."""

    def place(site: Site, door: str) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": site.ports[door]}

    return {
        "started": now.isoformat(),
        "sites": [
            {
                "name": site.name,
                "domain": site.domain,
                "config": str(site.config),
                **{door: place(site, door) for door in DOORS if door not in _HTTP},
                "console": f"https://127.0.0.1:{site.ports['console']}/console",
                "web": f"https://127.0.0.1:{site.ports['web']}",
                "metrics": f"http://127.0.0.1:{site.ports['status']}/metrics",
                "folder": str(site.watched) if site.watched.is_dir() else None,
            }
            for site in sites
        ],
        "ca": str(pki / "anchors.pem"),
        "users": [
            {
                "address": user.address,
                "password": user.password,
                "cert": str(user.cert),
                "key": str(user.key),
                "site": site.name,
                "kind": user.kind,
                "topic": (
                    f"sceau/v1/receipts/{site.name}/{user.topic}"
                    if site.name in broker.passwords
                    else None
                ),
            }
            for site in sites
            for user in site.users
        ],
        "mqtt": {
            "host": "127.0.0.1",
            "port": broker.port,
            "ca": str(pki / "anchors.pem"),
            "username": "observer",
            "password": broker.passwords["observer"],
            "topic": "sceau/v1/receipts/#",
        },
        **others,
        "data": [str(site.data) for site in sites],
    }
