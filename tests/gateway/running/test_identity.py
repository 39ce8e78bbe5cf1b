"""A patient's identity goes through every door of software's, and is told by nothing but the document.

Not by a log, not even at debug level, not by a file's or a folder's name of ours, a topic, a receipt, a
metric, nor by an octet at rest. R-G6, R-H2.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from gateway.documents import cda_writer, packing
from gateway.documents.document import Identifier, Patient
from gateway.documents.ins import Traits
from tests.canary import Canary, Finding, search, search_folder
from tests.gateway.documents.made import PDF, SENDER, document, parcel
from tests.gateway.documents.test_order import ABOUT
from tests.gateway.relay.handing.test_mllp import Program
from tests.gateway.running.results import LABO, Space, space
from tests.world.running import until

INS, OTHER = "279035121518989", "277076322082910"
NAME, GIVEN = "KANARINOM-DUPRE", "KANARIE-NATHALIE"
CANARIES = [
    Canary("INS", INS[:13]),
    Canary("the other INS", OTHER[:13]),
    Canary("name", NAME),
    Canary("given name", GIVEN),
]
PATIENTS = "patient.mssante.fr"
CITIZEN, OPPOSED, WRONG = (f"{n}@{PATIENTS}" for n in (INS, OTHER, f"{INS[:13]}88"))
FILED, PROGRAM = "dossiers@chu.example", "logiciel@chu.example"
PATIENT = Patient(
    (Identifier("1.2.250.1.213.1.4.8", INS),), Traits(NAME, GIVEN, "19790301", "F", "51215")
)


def _settings(folder: Path, port: int) -> str:
    (folder / "recu").mkdir()
    (folder / "envoi").mkdir()
    return f"""
[log]
level = "debug"
[[labs.folder]]
name = "nuit"
path = "{folder}/envoi"
mailbox = "{LABO}"
poll = 0.1
settle = 0
[[mailboxes.server]]
name = "dossiers"
kind = "folder"
path = "{folder}/recu"
mailboxes = ["{FILED}"]
[[mailboxes.server]]
name = "dpi"
kind = "mllp"
host = "127.0.0.1"
port = {port}
mailboxes = ["{PROGRAM}"]
[[quarantine.rule]]
reasons = ["recipient-not-patient"]
action = "refuse"
[[quarantine.rule]]
reasons = ["pdf-missing"]
action = "hold"
"""


@pytest.fixture(scope="module")
def patients_document() -> bytes:
    return cda_writer.write(document(patients=(PATIENT,)))


async def test_no_identity_outside_the_document(tmp_path: Path, patients_document: bytes) -> None:
    """Taken, relayed, filed, handed over, refused, held; and at rest the same as anybody's."""
    program = Program()
    async with (
        program.listening() as port,
        space(tmp_path, _settings(tmp_path, port), also=[PATIENTS]) as desk,
    ):
        for address in (FILED, PROGRAM):
            await desk.chu.ask("mailbox.add", address=address, kind="APP")
        await desk.chu.ask("citizen.oppose", address=OPPOSED, reason=f"courrier de {NAME}")
        await desk.chu.ask("citizen.show", address=OPPOSED)
        everybody = [FILED, PROGRAM, CITIZEN, OPPOSED, WRONG]
        _folder(tmp_path / "envoi", patients_document, everybody)
        await _uploaded(desk, patients_document, everybody)
        await until(lambda: _filed(program, tmp_path / "recu"), (3, 3))
        await until(lambda: _answers(tmp_path / "envoi"), (2, 2))
        await desk.chu.ask("trace.find", what=OPPOSED)
        await desk.chu.rooms.notes.write()
        receipts = await desk.chu.ask("receipts.tail", limit=500)
        metrics = generate_latest(desk.chu.rooms.metrics.registry)
        log = desk.chu.log.getvalue().encode()
        assert (True, True) == (b"citizen-opposed" in metrics, b"folder.failed" in log)
        assert set() == search(log, CANARIES, "log")
        assert set() == search(metrics, CANARIES, "metrics")
        assert set() == search(json.dumps(receipts).encode(), CANARIES, "receipts")
        assert set() == search_folder(desk.chu.site.data, CANARIES)
        assert set() == _names(tmp_path / "recu")
        assert receipts
    assert {each.canary for each in search(patients_document, CANARIES)} == {
        "INS", "name", "given name"
    }  # fmt: skip


def _folder(path: Path, content: bytes, to: list[str]) -> None:
    """Offer what a laboratory's software offers, by names that tell whose it is."""
    mail = packing.pack(parcel(document(patients=(PATIENT,))), SENDER)
    mail = mail.replace(b"labo@essais.example", LABO.encode())
    for name, octets, more in (
        (f"{NAME}_{INS}.xml", content, {}),
        (f"{NAME}_{INS}.eml", mail, {}),
        (f"{NAME}_{INS}.pdf", b"not one", {"document": ABOUT}),
        (f"{INS}.pdf", PDF, {"document": {**ABOUT, "patient": {"name": NAME, "ins": "1"}}}),
    ):
        (path / f"{name}.json").write_text(json.dumps({"to": to, **more}))
        (path / f"{name}.tmp").write_bytes(octets)
        (path / f"{name}.tmp").rename(path / name)


async def _uploaded(desk: Space, content: bytes, to: list[str]) -> None:
    """Hand in the same by HTTPS, under a key that tells too much; and what cannot be taken."""
    order: dict[str, Any] = {"to": to, "key": f"resultat-{INS}", "label": NAME}
    answer = await desk.form(order, content, "application/xml")
    assert 201 == answer.status_code, answer.text
    await desk.form({**order, "to": [WRONG], "key": "2"}, content, "application/xml")
    await desk.form({**order, "to": [f"ins:{INS}"], "key": "3"}, content, "application/xml")
    await desk.form({**order, "key": "4"}, content[:-200], "application/xml")


async def _filed(program: Program, path: Path) -> tuple[int, int]:
    return len(program.filed), sum(not each.name.startswith(".") for each in _lying(path))


async def _answers(path: Path) -> tuple[int, int]:
    names = [each.name for each in _lying(path)]
    accepted = sum(name.endswith(".accepted.json") for name in names)
    return accepted, sum(name.endswith(".failed.json") for name in names)


def _lying(path: Path) -> list[Path]:
    return list(path.iterdir())


def _names(path: Path) -> set[Finding]:
    names = "\n".join(str(each.relative_to(path)) for each in path.rglob("*"))
    return search(names.encode(), CANARIES, "names")
