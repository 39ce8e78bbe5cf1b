"""A night at a laboratory: five hundred results by a watched folder, and in the morning an account of all.

A peer is dead, an address is wrong, a certificate was revoked, one result is critical. What arrived is
read in the far mailboxes, PDF by PDF, and compared by hash with what lay in the folder; the summary must
name everybody else, and nobody who has theirs.
"""

import email
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from email.policy import SMTP
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from gateway.demo import documents
from gateway.demo.revoking import published, revoked
from gateway.demo.sites import DemoError, Site
from gateway.demo.space import NUMBERS, PEER, REVOKED
from gateway.demo.stage import Stage, now

RESULTS = 500
# Of the hospital, made for this scene alone; whoever has a number is written to by it.
READERS = {"garde-medecine": "ORG", "garde-urgences": "ORG", "dr.renard": "PER"}
_ODD = {"a dead peer": 8, "a wrong address": 4, "a revoked certificate": 6}
_PATIENCE = 180.0
_CRITICAL = "zz-potassium.pdf"
_LOST = "zz-troponine.pdf"  # critical too, and nobody has that address


@dataclass(slots=True)
class Night:
    """What lay in the folder, and for whom."""

    site: Site
    hospital: Site
    hashes: dict[str, bytes] = field(default_factory=dict)  # of each PDF, by its file's name
    odd: dict[str, str] = field(default_factory=dict)  # of files that cannot arrive: why
    readers: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The watched folder."""
        return self.site.watched

    def put(self, name: str, to: str, **more: Any) -> None:
        """Leave a result as software does: what is said of it, then the file, by a rename."""
        pdf, told = companion(name, to)
        self.hashes[name] = sha256(pdf).digest()
        told |= more
        (self.folder / f"{name}.json").write_text(json.dumps(told), "utf-8")
        draft = self.folder / f"{name}.tmp"
        draft.write_bytes(pdf)
        draft.rename(self.folder / name)

    def answered(self) -> int:
        """Count the results that have their last answer."""
        last = (".delivered.json", ".failed.json")
        return sum(each.name.endswith(last) for each in self.folder.iterdir())

    def rank(self) -> int:
        """Return as the how-manieth of those that arrived the critical one did."""
        answers = (json.loads(each.read_bytes()) for each in self.folder.glob("*.delivered.json"))
        times = sorted((each["recipients"][0]["at"], each["file"]) for each in answers)
        return 1 + [name for _, name in times].index(_CRITICAL)


def evening(stage: Stage, screen: Console) -> Night:
    """Fill the folder; return once all have arrived that can. The others are still tried."""
    screen.rule(f"A night at the laboratory: {RESULTS} results")
    night = Night(stage.nuit, stage.hopital)
    for local, kind in READERS.items():
        address = f"{local}@{night.hospital.domain}"
        night.hospital.sceau("mailbox", "add", address, "--kind", kind)
        night.readers += (address,)
    crt, key = stage.revoked.crt, stage.revoked.key
    began = time.monotonic()
    with (
        published(stage.revoked.web, stage.revoked.crl),
        revoked(stage.revoked.port, crt, key) as it,
    ):
        _fill(night)
        screen.print(f"  put into {night.folder.name}/, each a PDF and what is said of it")
        _wait(night, RESULTS - _ODD["a dead peer"], screen)
        if it.offered:
            raise DemoError("a gateway whose certificate was revoked was offered a message")
    took = time.monotonic() - began
    screen.print(f"  {night.answered()} have their last answer after {took:.0f} s; nobody watched")
    return night


def morning(night: Night, began: datetime, screen: Console) -> dict[str, Any]:
    """Read the summary, and hold it against what lies in the far mailboxes; return the account."""
    screen.rule("In the morning: what must go another way")
    _wait(night, RESULTS, screen)
    told = night.site.sceau("lab", "morning", "--files", "--since", began.isoformat())
    screen.print("  $ sceau lab morning", markup=False)
    missing = {row["file"]: row for row in told["rows"]}
    named = {why: [each for each in missing if night.odd.get(each) == why] for why in _ODD}
    for why, names in named.items():
        words = missing[names[0]]["why"] if names else ""
        screen.print(f"    {len(names)} for {why}: {words}", markup=False, highlight=False)
    screen.print(f"  {told['words']}", markup=False)
    there = _arrived(night)
    due = Counter(octets for name, octets in night.hashes.items() if name not in night.odd)
    account, rank = told["account"], night.rank()
    delivered = (account["delivered"], account["another_way"]) == (there.total(), len(missing))
    accounted = there == due and missing.keys() == night.odd.keys() and delivered
    screen.print(
        f"  in the far mailboxes, by hash: {there.total()}, each once; {len(missing)} named above"
    )
    screen.print(f"  the critical one, put in last, arrived as number {rank}")
    called = _told(night)
    screen.print(
        f"  of one that did not arrive, the doctor on call was told: {called}", markup=False
    )
    return {
        "ok": accounted
        and bool(called)
        and account["results"] == RESULTS == there.total() + len(missing),
        "results": account["results"],
        "arrived": there.total(),
        "another_way": len(missing),
        "critical": rank,
        **{why[2:].replace(" ", "_"): len(names) for why, names in named.items()},
    }


def _fill(night: Night) -> None:
    """The odd ones first: they take the longest. The critical one last."""
    wrong = f"dr.durant@{night.hospital.domain}"
    nowhere = {"a dead peer": f"resultats@{PEER}", "a wrong address": wrong}
    nowhere["a revoked certificate"] = f"accueil@{REVOKED}"
    for why, count in _ODD.items():
        for number in range(count):
            lost = why == "a wrong address" and number == 0
            name = _LOST if lost else f"r{len(night.hashes):03}.pdf"
            night.odd[name] = why
            night.put(name, nowhere[why], critical=lost)
    numbers = {address: number for number, address in NUMBERS.items()}
    named = [numbers.get(address, address) for address in night.readers]
    while len(night.hashes) < RESULTS - 1:
        name = f"r{len(night.hashes):03}.pdf"
        night.put(name, named[len(night.hashes) % len(named)])
    night.put(_CRITICAL, named[0], critical=True)


def companion(name: str, to: str) -> tuple[bytes, dict[str, Any]]:
    """Return a PDF, and what software says of it."""
    patient = documents.PATIENTS[0]
    pdf = documents.pdf([f"Résultat {name}", f"{patient.name} {patient.given}"])
    return pdf, {"to": [to], "key": f"nuit-{name}", "document": _about(name)}


def _about(name: str) -> dict[str, Any]:
    patient = documents.PATIENTS[0]
    born = f"{patient.born[:4]}-{patient.born[4:6]}-{patient.born[6:]}"
    return {
        "id": f"nuit-{name}",
        "code": "11502-2",
        "title": "Compte rendu d'examens biologiques",
        "at": now().isoformat(timespec="seconds"),
        "patient": {
            "name": patient.name,
            "given": patient.given,
            "born": born,
            "sex": patient.sex,
            "ins": patient.ins,
            "oid": "1.2.250.1.213.1.4.10",
        },
        "author": {"family": "EXEMPLE", "given": "Camille", "holder": "rpps:10001234565"},
        "organisation": {"name": "Laboratoire de nuit", "holder": "finess:750000010"},
    }


def _wait(night: Night, results: int, screen: Console) -> None:
    deadline = time.monotonic() + _PATIENCE
    with Progress(console=screen, transient=True) as progress:
        bar = progress.add_task("last answers", total=results)
        while (found := night.answered()) < results:
            progress.update(bar, completed=found)
            if time.monotonic() > deadline:
                raise DemoError(f"of {results} results {found} have their last answer")
            time.sleep(0.2)


def _told(night: Night) -> str:
    """Return the subject of what whoever is on call was sent; "" if that is nothing."""
    for message in night.site.messages(f"garde@{night.site.domain}"):
        return str(email.message_from_bytes(message, policy=SMTP)["Subject"])
    return ""


def _arrived(night: Night) -> Counter[bytes]:
    """Return the hash of every PDF that lies in the far mailboxes, and how often."""
    found: Counter[bytes] = Counter()
    for address in night.readers:
        for message in night.hospital.messages(address):
            for part in email.message_from_bytes(message, policy=SMTP).walk():
                if part.get_content_type() == "application/pdf":
                    content = part.get_payload(decode=True)
                    assert isinstance(content, bytes)
                    found[sha256(content).digest()] += 1
    return found
