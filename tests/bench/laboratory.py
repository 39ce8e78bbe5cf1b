"""A laboratory's night: thousands of results through a watched folder, to another gateway's mailboxes.

Each is a PDF and what is said of it, as software leaves them: packed as a CDA document and an XDM
archive, relayed, filed, confirmed, answered beside the file. Two real ``sceau serve``. What is counted
lies in the far mailboxes, read by IMAP; the clock stops at the last answer file.
"""

import email
import hashlib
import imaplib
import json
import os
import re
import select
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.policy import SMTP
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import msgspec

from tests.bench import processes
from tests.bench.cell import CellError
from tests.interop.site import Federation, Site

RESULTS, SIZE = 10_000, 200 << 10
_MAILBOXES = 4
_READ = 100  # every so many messages are read back whole
_PATIENCE = 120.0  # seconds without one more answer
_LOOK = 0.5  # seconds between two looks: tens of thousands of names are read at each
_ANSWERS = (".delivered.json", ".failed.json")
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)
_FOLDER = """
[[labs.folder]]
name = "nuit"
path = "{path}"
mailbox = "resultats@labo.example"
settle = 0
poll = 0.5
"""


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """What one of the two cost."""

    cpu: float  # seconds a result, its whole process tree
    rest: int  # octets resident before the first result,
    early: int  # with a tenth of them answered,
    late: int  # with all of them,
    peak: int  # and the most meanwhile


class Laboratory(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    results: int
    size: int
    rate: float  # results a second, from the first file to the last answer
    laboratory: Gateway
    hospital: Gateway


class Reader(NamedTuple):
    """A mailbox at the hospital, and what it is opened with."""

    address: str
    password: str


class Watched:
    """A gateway whose memory and CPU are looked at."""

    def __init__(self, site: Site) -> None:
        self._pid = site.pid
        self._cpu = processes.cpu(self._pid)
        self.rest = self.resident()
        self.early = 0
        processes.forget_peak(self._pid)

    def resident(self) -> int:
        return processes.resident(self._pid)

    def told(self, results: int) -> Gateway:
        late, peak = self.resident(), processes.peak(self._pid)
        used = processes.settled_cpu(self._pid) - self._cpu
        return Gateway(cpu=used / results, rest=self.rest, early=self.early, late=late, peak=peak)


def measure(folder: Path, results: int = RESULTS, size: int = SIZE) -> Laboratory:
    """Let the night pass; raise ``CellError`` unless each result lies in its mailbox, once."""
    with _sites(folder) as (labo, hopital, people):
        made, watched = folder / "made", folder / "envoi"
        pdfs = _write(made, results, size, [each.address for each in people])
        sides = Watched(labo), Watched(hopital)
        began = monotonic()
        _offer(made, watched)
        _answered(watched, results // 10)
        for side in sides:
            side.early = side.resident()
        _answered(watched, results)
        took = monotonic() - began
        ours, theirs = (side.told(results) for side in sides)
        _compare(hopital, people, watched, pdfs)
    return Laboratory(
        results=results, size=size, rate=results / took, laboratory=ours, hospital=theirs
    )


@contextmanager
def _sites(folder: Path) -> Iterator[tuple[Site, Site, list[Reader]]]:
    federation = Federation(folder / "federation")
    labo = Site(federation, "labo", "labo.example")
    hopital = Site(federation, "hopital", "chu-nord.example")
    listed, watched = federation.publish(), folder / "envoi"
    watched.mkdir()
    for site in (labo, hopital):
        site.found(listed)
    labo.sceau("mailbox", "add", "resultats@labo.example", "--kind", "APP")
    people = [_reader(hopital, f"dr.{number}@chu-nord.example") for number in range(_MAILBOXES)]
    with labo.config.open("a", encoding="utf-8") as config:
        config.write(_FOLDER.format(path=watched))
    with labo, hopital:
        yield labo, hopital, people


def _reader(site: Site, address: str) -> Reader:
    site.sceau("mailbox", "add", address)
    return Reader(address, site.sceau("mailbox", "password", address)["password"])


def _write(folder: Path, results: int, size: int, people: list[str]) -> dict[str, bytes]:
    """Write the files beside the folder; return the hash of each PDF by the number of its result."""
    folder.mkdir()
    noise, hashes = os.urandom(size), {}
    for number in range(results):
        pdf = (b"%%PDF-1.4\n%% %d\n" % number + noise)[:size]
        hashes[str(number)] = hashlib.sha256(pdf).digest()
        (folder / f"r{number}.pdf").write_bytes(pdf)
        told = {"to": [people[number % len(people)]], "document": _about(number)}
        (folder / f"r{number}.pdf.json").write_text(json.dumps(told), "ascii")
    return hashes


def _about(number: int) -> dict[str, object]:
    return {
        "id": str(number),
        "code": "11502-2",
        "title": "Compte rendu d'examens biologiques",
        "at": "2026-11-22T02:30:15+01:00",
        "patient": {
            "name": "DESMAUX",
            "given": "NATHALIE",
            "born": "1979-03-01",
            "sex": "F",
            "ins": "279035121518989",
            "oid": "1.2.250.1.213.1.4.8",
        },
        "author": {"family": "ESSAI", "holder": "rpps:10001234565"},
        "organisation": {"name": "Laboratoire des Essais", "holder": "finess:750000010"},
    }


def _offer(made: Path, watched: Path) -> None:
    """Move all of it into the folder, what is said of a file before the file."""
    for companion in sorted(made.glob("*.json")):
        companion.rename(watched / companion.name)
        companion.with_suffix("").rename(watched / companion.stem)


def _answered(watched: Path, results: int) -> None:
    """Wait until so many have their last answer."""
    before, patience = -1, monotonic() + _PATIENCE
    while (ends := _ends(watched))["delivered"] < results:
        if ends["delivered"] > before:
            before, patience = ends["delivered"], monotonic() + _PATIENCE
        if ends["failed"] or monotonic() > patience:
            raise CellError(
                f"of {results} results {before} were delivered, {ends['failed']} failed"
            )
        select.select([], [], [], _LOOK)


def _ends(folder: Path) -> Counter[str]:
    """Count the last answers there are, by what they say."""
    with os.scandir(folder) as found:
        return Counter(each.name.split(".")[-2] for each in found if each.name.endswith(_ANSWERS))


def _compare(hopital: Site, people: list[Reader], watched: Path, pdfs: dict[str, bytes]) -> None:
    """Hold what lies in the mailboxes against what was answered, and some of it against the files."""
    answers = [json.loads(each.read_bytes()) for each in watched.glob("*.delivered.json")]
    there: Counter[str] = Counter()
    for user in people:
        with _opened(hopital, user) as box:
            there.update(_ids(box))
            _read(box, pdfs)
    if Counter(each["message_id"] for each in answers) != there or set(there.values()) != {1}:
        raise CellError("what was answered is not what lies in the mailboxes")


@contextmanager
def _opened(site: Site, user: Reader) -> Iterator[imaplib.IMAP4_SSL]:
    trust = ssl.create_default_context(cafile=str(site.federation.anchors))
    trust.check_hostname = False
    with imaplib.IMAP4_SSL("127.0.0.1", site.ports["imap"], ssl_context=trust) as box:
        box.login(user.address, user.password)
        box.select("INBOX", readonly=True)
        yield box


def _ids(box: imaplib.IMAP4_SSL) -> list[str]:
    _, found = box.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
    whole = b"\n".join(each[1] for each in found if isinstance(each, tuple))
    return [each.decode() for each in _MESSAGE_ID.findall(whole)]


def _read(box: imaplib.IMAP4_SSL, pdfs: dict[str, bytes]) -> None:
    """Read some of a mailbox's messages as their reader does; the PDF is the one that lay there."""
    for number in range(1, len(box.search(None, "ALL")[1][0].split()) + 1, _READ):
        _, found = box.fetch(str(number), "(BODY.PEEK[])")
        assert isinstance(found[0], tuple)
        parts = list(email.message_from_bytes(found[0][1], policy=SMTP).walk())
        (pdf,) = (each for each in parts if each.get_content_type() == "application/pdf")
        content = pdf.get_payload(decode=True)
        assert isinstance(content, bytes)
        which = content.split(b"\n", 2)[1][2:].decode()
        if hashlib.sha256(content).digest() != pdfs[which]:
            raise CellError("a PDF came back other than it was sent")
