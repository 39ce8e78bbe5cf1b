"""The demonstration's stage: everything made, described in ``demo.json``, and running."""

import base64
import json
import shutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from gateway.demo import clinic
from gateway.demo.clinic import Clinic
from gateway.demo.day import HOSPITAL, LABORATORY
from gateway.demo.desks import seated
from gateway.demo.house import house
from gateway.demo.lists import Registry
from gateway.demo.sites import (
    DOORS,
    NIGHT,
    OF_THE_HOUSE,
    RECEIPTS,
    Broker,
    DemoError,
    Site,
    User,
    add_user,
    command,
    describe,
    free_ports,
    running,
    wait_for,
    write_config,
)
from gateway.demo.space import (
    NUMBERS,
    OUTSIDERS,
    PATIENTS,
    PEER,
    PEOPLE,
    REVOKED,
    SUSPENDED,
    Pki,
    enlisted,
    extraction,
)

_DAY = timedelta(hours=24, minutes=2)
# What lies in the folder is sent at once; a peer that is dead is given up before the morning comes.
# So that the demonstration need not send forty megabytes to be too large for anybody.
_LARGE = "[large]\nabove = 2000000\n"
_DIRECTORY = """
[[trust.directory]]
name = "annuaire"
file = "../list/annuaire.txt"
"""
_NIGHT = """
[certificates]
inside = ["127.0.0.1"]

[[labs.folder]]
name = "nuit"
path = "{folder}"
mailbox = "resultats@{domain}"
poll = 0.2
settle = 0

[[labs.critical]]
mailbox = "resultats@{domain}"
person = "Dr Anne Garde, poste 4242"
mail = ["garde@{domain}"]
"""
_GIVEN_UP = 10  # seconds


def now() -> datetime:
    """Return the time: the demonstration stands outside the gateway and keeps its own clock."""
    return datetime.now(UTC)  # noqa: TID251 - see above


@dataclass(frozen=True, slots=True)
class Revoked:
    """A member whose certificate was taken back: where it listens, and where that is published."""

    crt: Path
    key: Path
    port: int
    web: int
    crl: bytes


@dataclass(slots=True)
class Stage:
    """Everything the story needs."""

    folder: Path
    labo: Site
    hopital: Site
    nuit: Site
    revoked: Revoked
    clinic: Clinic
    suspended: User
    partner: User
    registry: Registry
    description: dict[str, Any]
    examples: tuple[Path, ...]
    kept: list[bytes]  # what the hospital's radiology keeps on its own mailbox server

    @property
    def robot(self) -> User:
        """The laboratory's software: an application mailbox."""
        return self.labo.users[0]

    @property
    def biologist(self) -> User:
        """A person at the laboratory."""
        return self.labo.users[1]

    @property
    def doctor(self) -> User:
        """A doctor at the hospital."""
        return self.hopital.users[0]

    @property
    def desk(self) -> User:
        """The hospital's admission desk: an organisation's mailbox."""
        return self.hopital.users[1]

    @property
    def outsiders(self) -> list[str]:
        """Addresses on no list."""
        return list(self.description["outsiders"])

    def context(self, cert: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
        """Return what an ordinary client connects with; it trusts the demonstration's CA alone."""
        context = ssl.create_default_context(cafile=self.description["ca"])
        context.check_hostname = False
        if cert is not None:
            context.load_cert_chain(cert, key)
        return context


@contextmanager
def staged(
    folder: Path | None, port_base: int | None, screen: Console, *, day: bool = False
) -> Iterator[Stage]:
    """Make everything in ``folder`` (emptied first; a temporary one if none), and keep it running.

    With ``day`` both gateways have a day behind them when they start.
    """
    with ExitStack() as stack:
        root = _empty(folder) if folder else Path(stack.enter_context(_temporary()))
        ports = free_ports(3 * len(DOORS) + 6, port_base)
        sud = Clinic(ports.pop(), ports.pop())
        labo = _site(root, "labo", "labo.example", "Laboratory", ports)
        hopital = _site(root, "hopital", "chu-nord.example", "Hospital", ports)
        hopital.beside = (PATIENTS,)
        broker_port, peer_port, revoked_port, crl_port = ports[:2] + ports[-2:]
        nuit = _site(root, "nuit", NIGHT, "Night laboratory", ports[2:-2])

        screen.rule("A small authority, a signed trust list, two sites")
        began = now() - _DAY if day else now()
        sites = (labo, hopital, nuit)
        pki, signers = Pki.make(root / "pki", sites, began, f"http://127.0.0.1:{crl_port}/crl")
        broker = Broker.make(
            root / "broker", broker_port, pki.issued["broker"], [labo.name, hopital.name]
        )
        stack.enter_context(broker.serving())
        places = {
            PEER: ("peer", peer_port),
            REVOKED: ("revoked", revoked_port),
            clinic.DOMAIN: ("clinic", sud.port),
        }
        registry = enlisted(root / "list", pki, signers, sites, places)
        files = registry.publish(began)
        (root / "list" / "annuaire.txt").write_text(extraction(), "utf-8")
        signed = [f"../pki/signer{n}.crt" for n in range(1, 4)]
        for site in (labo, hopital):
            told = RECEIPTS.substitute(broker=broker_port, name=site.name)
            if site is labo:
                told += _DIRECTORY + _LARGE + sud.settings(site.folder, site.ports["web"])
            else:
                told += OF_THE_HOUSE.substitute(domain=site.domain)
            write_config(site, signed, told)
        nuit.watched.mkdir(parents=True)
        more = _NIGHT.format(folder=nuit.watched, domain=nuit.domain)
        write_config(nuit, signed, _DIRECTORY + more, _GIVEN_UP)
        for site in sites:
            site.sceau("keys", "create")
        passwords = _lived((labo, hopital), pki, files, began, screen) if day else {}
        for site in sites:
            _found(site, pki, root, files, passwords.get(site.name, {}))
            log = site.folder / "gateway.log"
            process = stack.enter_context(
                running([*command(), "serve", "--config", str(site.config)], log)
            )
            wait_for(site.ports["relay"], process, log)
            wait_for(site.ports["console"], process, log)
            screen.print(f"  {site.title}: {site.domain}, mailboxes: {len(site.users)}, running")

        suspended = User(f"dr.roux@{SUSPENDED}", "PER", "", *pki.paths("suspended"), "")
        partner = User(f"resultats@{PEER}", "APP", "", *pki.paths("peer"), "")
        context = ssl.create_default_context(cafile=str(pki.folder / "anchors.pem"))
        others = {
            "operators": [seated(site, context) for site in sites],
            "numbers": NUMBERS,
            "outsiders": list(OUTSIDERS),
            "peer": _credential(pki, "peer")
            | {"domain": PEER, "host": "127.0.0.1", "port": peer_port},
            "unlisted": _credential(pki, "unlisted"),
        }
        description = describe(sites, broker, pki.folder, others, now())
        _write_private(root / "demo.json", json.dumps(description, indent=2))
        kept = stack.enter_context(house(hopital.folder / "house.lmtp"))
        stack.enter_context(sud.open(pki.paths("clinic"), pki.paths("connect")))
        yield Stage(
            root,
            labo,
            hopital,
            nuit,
            Revoked(*pki.paths("revoked"), revoked_port, crl_port, pki.crl("revoked", now())),
            sud,
            suspended,
            partner,
            registry,
            description,
            _examples(),
            kept,
        )


def _found(
    site: Site, pki: Pki, root: Path, files: list[str], made: dict[str, dict[str, str]]
) -> None:
    """Do what an operator does before a site's first start: the list, the mailboxes."""
    if not made:
        site.sceau("trust", "import", *files)
    if "[[trust.directory]]" in site.config.read_text("utf-8"):
        site.sceau("directory", "refresh")
    for local, kind in PEOPLE[site.name]:
        address = f"{local}@{site.domain}"
        add_user(site, pki.authority, root / "users", address, kind, made.get(local))


def _lived(
    sites: tuple[Site, Site], pki: Pki, files: list[str], began: datetime, screen: Console
) -> dict[str, dict[str, dict[str, str]]]:
    """Let both gateways live a day, up to now; return who was made in each, by name."""
    people = {"labo": LABORATORY, "hopital": HOSPITAL}
    domains = {"peer": PEER, "suspended": SUSPENDED, "unlisted": "inconnu.example"}
    told = {
        "begins": began.isoformat(),
        "list": [base64.b64encode(Path(file).read_bytes()).decode() for file in files],
        "sites": [
            {
                "name": site.name,
                "domain": site.domain,
                "config": str(site.config),
                "people": people[site.name],
            }
            for site in sites
        ],
        "outside": {
            "pki": str(pki.folder),
            "domains": domains,
            "outsider": OUTSIDERS[0],
            "silent": f"accueil@{PEER}",
        },
    }
    with screen.status("a day of traffic, lived by both gateways in a moment"):
        done = subprocess.run(
            [sys.executable, "-m", "gateway.demo.past"],
            input=json.dumps(told),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise DemoError(f"the day could not be lived: {done.stderr.strip().splitlines()[-1:]}")
    lived = json.loads(done.stdout)
    ended = datetime.fromisoformat(lived["until"])
    screen.print(
        f"  a day behind them: {lived['moments']:,} things happened, the last at {ended:%H:%M} UTC"
    )
    return {name: {each["name"]: each for each in made} for name, made in lived["people"].items()}


def _site(root: Path, name: str, domain: str, title: str, ports: list[int]) -> Site:
    return Site(name, domain, title, root / name, {door: ports.pop(0) for door in DOORS})


def _credential(pki: Pki, name: str) -> dict[str, Any]:
    cert, key = pki.paths(name)
    return {"cert": str(cert), "key": str(key)}


def _empty(folder: Path) -> Path:
    """Empty a folder that an earlier demonstration made; refuse to touch any other."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / "demo.json").exists():
            raise DemoError(f"{folder} is not empty and no demonstration's; name another folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _write_private(folder / "demo.json", "{}")
    return folder.resolve()


@contextmanager
def _temporary() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="sceau-demo-") as folder:
        yield folder


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")


def _examples() -> tuple[Path, ...]:
    """The health agency's published documents, where they lie beside the project."""
    return tuple(sorted((Path(__file__).parents[3] / "shared/data/cda").glob("*.xml")))
