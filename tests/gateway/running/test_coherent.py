"""What documents contradict is tagged, held or refused as the settings say, seen from outside.

Each check is set alone, each time for one recipient: the others of the same message have it as if
nothing were wrong. The documents are the published examples where they lie beside this clone.
"""

import hashlib
import re
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from gateway.documents import cda, cda_writer, packing
from gateway.documents.document import Code
from gateway.documents.packing import Parcel
from smtp.address import Address
from tests.gateway.documents.made import AT, DOCTOR, EXAMPLES, SENDER, document
from tests.gateway.running.results import LABO, Space, space
from tests.world.running import until
from trust.addresses import Kind
from trust.directory.entry import Entry
from trust.directory.reading import Directory

TSH, SUMMARY, PRESCRIPTION = (
    "BIO-CR-BIO_2024.01_TSH_1.xml",
    "VSM_1.4_2022.01.xml",
    "eP-MED-DM_2024.01_PosoStruct.xml",
)
PATIENTS, PATIENT = "gens.example", "2790351215189"  # the example's, of 13 digits here
OTHER = "2770763220829"
FINESS = "finess:750000010"
ACTIONS = ("tag", "hold", "refuse")


def example(name: str) -> bytes:
    """Return a published document, or one like it."""
    path = EXAMPLES / name
    return path.read_bytes() if path.exists() else cda_writer.write(document())


def mail(
    content: bytes,
    change: Callable[[Parcel], Parcel] = lambda parcel: parcel,
    *,
    header: Sequence[tuple[bytes, bytes]] = (),
    also: bytes = b"",
) -> bytes:
    """Return a document as a mail, with something wrong about it."""
    about = Parcel(content, cda.read(content), Address(LABO), (DOCTOR,), AT, "<1@chu.example>")
    made = packing.pack(change(about), SENDER)
    for old, new in header:
        before, made = made, re.sub(old, new, made, count=1, flags=re.DOTALL)
        assert before != made, old
    if also:
        last = made.rstrip().rsplit(b"\r\n", 1)[1]
        part = last[:-2] + b"\r\nContent-Type: text/xml\r\n\r\n" + also + b"\r\n"
        made = made.replace(last, part + last)
    return made


def changed(old: bytes, new: bytes, name: str = TSH) -> bytes:
    """Return a document that says something else."""
    content = example(name)
    after = re.sub(old, new, content, count=1)
    assert content != after, old
    return after


def _other(parcel: Parcel) -> Parcel:
    """Let the archive's metadata speak of somebody else."""
    (patient,) = parcel.document.patients
    traits = replace(patient.traits, name="AUTRE")
    return replace(
        parcel, document=replace(parcel.document, patients=(replace(patient, traits=traits),))
    )


def _typed(parcel: Parcel) -> Parcel:
    return replace(parcel, document=replace(parcel.document, code=Code("18748-4", "x")))


_SUBJECT = rb"Subject: .*?\r\n(?=\S)"
_REGISTER = rb'(root=")1\.2\.250\.1\.213\.1\.4\.(?:10|8)"'
_TEST = rb'\g<1>1.2.250.1.213.1.4.10"'


class Wrong(NamedTuple):
    """What is wrong, and to which patient it goes as well."""

    make: Callable[[], bytes]
    patient: str = ""


CASES: dict[str, Wrong] = {
    "document-unreadable": Wrong(lambda: mail(example(TSH), also=example(SUMMARY)[:-100])),
    "document-missing": Wrong(
        lambda: (
            b"From: labo@chu.example\r\nMessage-ID: <1@chu.example>\r\nX-MSS-CODECDA: 11502-2\r\n\r\nVoici.\r\n"
        )
    ),
    "document-code-differs": Wrong(
        lambda: mail(example(TSH), header=[(rb"CODECDA: 11502-2", b"CODECDA: 18748-4")])
    ),
    "subject-differs": Wrong(
        lambda: mail(
            example(TSH),
            header=[(_SUBJECT, b"Subject: XDM/1.0/DDM+TSH AUTRE ANNE 01/02/1934\r\n")],
        )
    ),
    "several-patients": Wrong(
        lambda: mail(example(TSH), also=changed(b"279035121518989", b"277076322082910"))
    ),
    "patient-differs": Wrong(lambda: mail(example(TSH), _other)),
    "metadata-differs": Wrong(lambda: mail(example(TSH), _typed)),
    "pdf-missing": Wrong(
        lambda: mail(example(TSH), header=[(rb"JVBERi0[\w+/=\r\n]+", b"QUJD\r\n")])
    ),
    "ins-missing": Wrong(lambda: mail(changed(_REGISTER, rb'\g<1>1.2.3.4"'))),
    "ins-invalid": Wrong(lambda: mail(changed(b"279035121518989", b"279035121518988"))),
    "ins-not-qualified": Wrong(
        lambda: mail(
            changed(rb"(?s)<birthplace>.*?</birthplace>", b""),
            header=[(rb"X-MSS-INS: N", b"X-MSS-INS: O")],
        )
    ),
    "ins-not-declared": Wrong(
        lambda: mail(example(TSH), header=[(rb"X-MSS-INS: O", b"X-MSS-INS: N")])
    ),
    "ins-unlike-traits": Wrong(
        lambda: mail(changed(rb'(<administrativeGenderCode[^>]*code=")F', rb"\1M"))
    ),
    "test-identity": Wrong(lambda: mail(re.sub(_REGISTER, _TEST, example(TSH), count=1))),
    "professional-number-wrong": Wrong(
        lambda: mail(changed(rb'(root="1\.2\.250\.1\.71\.4\.2\.1" extension="8)\d+', rb"\g<1>1"))
    ),
    "recipient-not-patient": Wrong(lambda: mail(example(TSH)), OTHER),
    "visibility-forbidden": Wrong(
        lambda: mail(changed(rb'(<confidentialityCode[^>]*code=")N', rb"\1INVISIBLE_PATIENT")),
        PATIENT,
    ),
}


def _rules() -> str:
    return "".join(
        f'\n[[quarantine.rule]]\nreasons = ["{reason}"]\naction = "{action}"\n'
        f'recipients = ["{action}.{reason}@chu.example"]\n'
        for reason in CASES
        for action in ACTIONS
    )


_CITIZENS = f'\n[journal]\ncitizens = "{PATIENTS}"\n[citizens]\ndigits = 13\n'


async def test_each_check_can_be_tagged_held_or_refused(tmp_path: Path) -> None:
    """And where no rule names it, the message passes: a gateway passes on what it is given."""
    async with space(tmp_path, _rules() + _CITIZENS, also=[PATIENTS]) as desk:
        for reason, wrong in CASES.items():
            fated = [f"{action}.{reason}@chu.example" for action in ACTIONS]
            for address in fated:
                await desk.chu.ask("mailbox.add", address=address)
            patients = [f"{wrong.patient}@{PATIENTS}"] if wrong.patient else []
            sent = await handed(desk, wrong.make(), [*fated, DOCTOR, *patients])
            await until(partial(fates, desk, sent, fated), ["delivered", "held", "refused"])
            (tagged,) = await desk.chu.inbox(fated[0])
            first = b64decode(tagged["content"]).partition(b"\r\n")[0].decode()
            assert re.match(rf"X-Sceau-Tag: .*\b{reason}\b", first), (reason, first)
            (case,) = [
                each
                for each in (await desk.chu.ask("quarantine.list"))["cases"]
                if each["message"] == sent
            ]
            assert (fated[1], True) == (case["recipient"], reason in case["reasons"])
            others = "recipient-not-patient" in case["reasons"]
            assert others == (wrong.patient == OTHER), reason
        assert len(CASES) == len(await desk.chu.inbox(DOCTOR))
        told = await desk.chu.inbox(LABO)
        assert 2 * len(CASES) <= len(told)  # held, and refused


async def test_a_prescription_goes_to_the_pharmacy(tmp_path: Path) -> None:
    """Found by its national number, as its own mailbox; the document is the very one (R-E10)."""
    pharmacy = "officine@chu.example"
    async with space(tmp_path, _rules() + _CITIZENS) as desk:
        await desk.chu.ask("mailbox.add", address=pharmacy, kind="ORG", holder=FINESS)
        entry = Entry(Address(pharmacy), Kind.ORG, organisation=FINESS, structure="Officine")
        desk.chu.rooms.keeper.beside([Directory.of([entry])])
        content = example(PRESCRIPTION)
        order = {"to": [FINESS], "key": "ordonnance-1", "label": "Ordonnance"}
        answer = await desk.form(order, content, "application/xml")
        assert 201 == answer.status_code, answer.text
        (taken,) = (await desk.arrived(answer.json()["message"]))["recipients"]
        assert (pharmacy, "delivered") == (taken["address"], taken["state"])
        (there,) = await desk.chu.inbox(pharmacy)
    message = b64decode(there["content"])
    code = cda.read(content).code.code.encode()
    assert b"X-MSS-CODECDA: %s\r\n" % code in message
    assert not message.startswith(b"X-Sceau-Tag")
    (archive,) = packing.archives(message)
    assert [content] == [each.content for each in archive.documents]


async def test_every_published_document_comes_back_identical(tmp_path: Path) -> None:
    """In by HTTPS, out to people and to a program's folder: each octet as it was (R-E1)."""
    contents = {path.read_bytes() for path in EXAMPLES.glob("*.xml")} or {example(TSH)}
    out = tmp_path / "recu"
    out.mkdir()
    program = f'[[mailboxes.server]]\nname = "dossiers"\nkind = "folder"\npath = "{out}"\n'
    async with space(tmp_path, f'\n{program}mailboxes = ["dossiers@chu.example"]\n') as desk:
        await desk.chu.ask("mailbox.add", address="dossiers@chu.example", kind="APP")
        for number, content in enumerate(contents):
            order = {"to": [DOCTOR, "dossiers@chu.example"], "key": f"exemple-{number}"}
            answer = await desk.form(order, content, "application/xml")
            assert 201 == answer.status_code, answer.text
            await desk.arrived(answer.json()["message"])
        mails = [b64decode(each["content"]) for each in await desk.chu.inbox(DOCTOR)]
        filed = {each.read_bytes() for each in out.glob("*/document-1.xml")}
    read = {
        one.content for mail in mails for each in packing.archives(mail) for one in each.documents
    }
    assert contents == read == filed


async def handed(desk: Space, content: bytes, to: Sequence[str]) -> str:
    """Hand a mail in, as one of its own; return our number of it."""
    name = hashlib.sha256(content + repr(to).encode()).hexdigest().encode()
    answer = await desk.client.post(
        "/v1/messages",
        content=content.replace(b"<1@", b"<%s@" % name[:20]),
        headers={"Content-Type": "message/rfc822"},
        params={"to": list(to)},
    )
    assert 201 == answer.status_code, answer.text
    return str(answer.json()["message"])


async def fates(desk: Space, message: str, to: Sequence[str]) -> list[str]:
    """Return how each of some recipients' copies stands."""
    rows = await desk.chu.ask("spool.list", everything=True)
    found = {row["recipient"]: row["state"] for row in rows if row["message"] == message}
    return [found.get(each, "") for each in to]
