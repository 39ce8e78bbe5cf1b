"""Synthetic laboratory results: a PDF wrapped as a CDA document, packed as laboratories send it.

Nobody in here exists: the patients bear test identities (INS OID 1.2.250.1.213.1.4.10, R-H2) and
the figures are invented.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from gateway.documents import cda_writer, packing, xdm
from gateway.documents.document import (
    LOINC,
    PEOPLE,
    STRUCTURES,
    Code,
    Document,
    Identifier,
    Organisation,
    Professional,
    timestamp,
)
from gateway.documents.document import Patient as Subject
from gateway.documents.ins import Ins, Register, Traits
from smtp.address import Address, domain_of


@dataclass(frozen=True, slots=True)
class Patient:
    """A test identity: birth name, first given name, sex, birth date and INS without its key."""

    name: str
    given: str
    sex: str
    born: str  # YYYYMMDD
    place: str  # INSEE's code
    matricule: str  # 13 digits

    @property
    def ins(self) -> str:
        """The 15 digits: the matricule and its key (R-H3)."""
        return Ins(self.matricule, Register.TEST).number


@dataclass(frozen=True, slots=True)
class Result:
    """One laboratory result about one patient."""

    patient: Patient
    title: str
    lines: tuple[str, ...]
    at: datetime
    number: int


PATIENTS = (
    Patient("DESMAUX", "NATHALIE", "F", "19790301", "35121", "2790335121518"),
    Patient("MARTINEAU", "PAUL", "M", "19541117", "63220", "1541163220104"),
    Patient("LEGRÉ", "ZOÉ", "F", "20110722", "75056", "2110775056033"),
)

_LABO = Organisation("Laboratoire de démonstration", Identifier(STRUCTURES, "1750000010"))
_BIOLOGIST = Professional(
    "EXEMPLE",
    "Camille",
    Identifier(PEOPLE, "810001234565"),
    suffix="DR",
    profession=Code("G15_10/SM03", "1.2.250.1.213.1.1.4.5", "Médecin - Biologie médicale (SM)"),
    organisation=_LABO,
)
_PDF_SPECIAL = re.compile(rb"[()\\\\]")

_PANELS = (
    ("TSH", ("TSH ultrasensible      2,41 mUI/L   (0,27 - 4,20)",)),
    (
        "Ionogramme",
        (
            "Sodium                 139 mmol/L   (136 - 145)",
            "Potassium              6,1 mmol/L   (3,5 - 5,1)  *",
        ),
    ),
    (
        "NFS",
        (
            "Hémoglobine            13,2 g/dL    (12,0 - 16,0)",
            "Leucocytes             7,4 G/L      (4,0 - 10,0)",
        ),
    ),
)


def result(number: int, at: datetime) -> Result:
    """Return the n-th synthetic result; the same n gives the same one."""
    title, lines = _PANELS[number % len(_PANELS)]
    return Result(PATIENTS[number // len(_PANELS) % len(PATIENTS)], title, lines, at, number)


def message(found: Result, sender: Address, recipients: tuple[Address, ...]) -> bytes:
    """Return the result as laboratories send it: words, IHE_XDM.zip, the PDF."""
    about = cda(found)
    told = "Bonjour,\n\nVeuillez trouver ci-joint un compte rendu de biologie médicale.\n\n"
    return packing.pack(
        packing.Parcel(
            content=cda_writer.write(about),
            document=about,
            sender=sender,
            recipients=recipients,
            at=found.at,
            message_id=f"<{found.at:%Y%m%d%H%M%S}.{found.number}@{domain_of(sender)}>",
            words=told + "\n".join(found.lines) + "\n\nLe laboratoire\n",
            label=found.title,
            record=str(found.number),
            product="SCEAU-DEMO",
        ),
        xdm.Sender(_LABO.name, sender),
    )


def enclose(document: bytes, name: str, at: datetime, sender: Address, to: Address) -> bytes:
    """Return a mail that carries a ready CDA document, byte for byte."""
    built = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    built["Date"] = format_datetime(at)
    built["From"] = sender
    built["To"] = to
    built["Subject"] = "XDM/1.0/DDM+Document de test"
    built["Message-ID"] = f"<{at:%Y%m%d%H%M%S}.{name}@{domain_of(sender)}>"
    built["X-MSS-NIL"] = "SCEAU-DEMO"
    built.set_content("Bonjour,\n\nVeuillez trouver ci-joint un document de santé.\n")
    built.add_attachment(document, maintype="application", subtype="xml", filename=name)
    return bytes(built)


def cda(found: Result) -> Document:
    """Return the result as a document: a header that names the patient, around a PDF."""
    patient = found.patient
    lines = [found.title, f"{patient.name} {patient.given}", *found.lines]
    return Document(
        id=Identifier("1.2.250.1.213.1.1.9", f"sceau-demo-{found.number}"),
        code=Code("11502-2", LOINC, "CR d'examens biologiques"),
        title=f"Compte rendu de biologie : {found.title}",
        at=timestamp(found.at),
        patients=(
            Subject(
                (Identifier(Register.TEST, patient.ins),),
                Traits(patient.name, patient.given, patient.born, patient.sex, patient.place),
            ),
        ),
        authors=(_BIOLOGIST,),
        custodian=_LABO,
        responsible=_BIOLOGIST,
        performed=timestamp(found.at),
        facility=Code("SA25", "1.2.250.1.71.4.2.4", "Laboratoire de biologie médicale"),
        practice=Code("AMBULATOIRE", "1.2.250.1.213.1.1.4.9", "Ambulatoire"),
        pdf=pdf(lines),
    )


def pdf(lines: list[str]) -> bytes:
    """Return one A4 page with these lines on it, as a small PDF 1.4 file."""
    text = b"".join(
        b"(" + _PDF_SPECIAL.sub(rb"\\\g<0>", line.encode("cp1252", "replace")) + b") Tj T*\n"
        for line in lines
    )
    stream = b"BT /F1 12 Tf 72 770 Td 18 TL\n" + text + b"ET\n"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%sendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    )
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return bytes(out) + end % (len(objects) + 1, table, len(objects) + 1, len(out))
