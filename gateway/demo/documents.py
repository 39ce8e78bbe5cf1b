"""Synthetic laboratory results: a CDA R2 level 1 document around a PDF, in an ordinary mail.

Nobody in here exists: the patients bear test identities (INS OID 1.2.250.1.213.1.4.10, R-H2) and
the figures are invented. The mail has the shape that R-E1 to R-E5 ask for.
"""

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from string import Template

from smtp.address import Address, domain_of


@dataclass(frozen=True, slots=True)
class Patient:
    """A test identity: birth name, first given name, sex, birth date and INS without its key."""

    name: str
    given: str
    sex: str
    born: str  # YYYYMMDD
    matricule: str  # 13 digits

    @property
    def ins(self) -> str:
        """The 15 digits: the matricule and its key (R-H3)."""
        return f"{self.matricule}{97 - int(self.matricule) % 97:02}"


@dataclass(frozen=True, slots=True)
class Result:
    """One laboratory result about one patient."""

    patient: Patient
    title: str
    lines: tuple[str, ...]
    at: datetime
    number: int


PATIENTS = (
    Patient("DESMAUX", "NATHALIE", "F", "19790301", "2790335121518"),
    Patient("MARTINEAU", "PAUL", "M", "19541117", "1541163220104"),
    Patient("LEGRÉ", "ZOÉ", "F", "20110722", "2110775056033"),
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
    """Return the result as an ordinary multipart mail: words, the CDA document, the PDF."""
    patient = found.patient
    built = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    built["Date"] = format_datetime(found.at)
    built["From"] = sender
    built["To"] = ", ".join(recipients)
    built["Subject"] = f"XDM/1.0/DDM+{found.title} {patient.name} {patient.given} {patient.born}"
    built["Message-ID"] = f"<{found.at:%Y%m%d%H%M%S}.{found.number}@{domain_of(sender)}>"
    built["X-MSS-CODECDA"] = "11502-2"
    built["X-MSS-INS"] = "O"
    built["X-MSS-NIL"] = "SCEAU-DEMO"
    built.set_content(
        "Bonjour,\n\nVeuillez trouver ci-joint un compte rendu de biologie médicale.\n\n"
        + "\n".join(found.lines)
        + "\n\nLe laboratoire\n"
    )
    document = pdf([found.title, f"{patient.name} {patient.given}", *found.lines])
    built.add_attachment(
        cda(found, document).encode(), maintype="text", subtype="xml", filename="CR-BIO.xml"
    )
    built.add_attachment(
        document,
        maintype="application",
        subtype="pdf",
        filename=f"{found.at:%Y%m%d}_CR-BIO_{patient.name}_{patient.given}_{found.number}.pdf",
    )
    return bytes(built)


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


def cda(found: Result, document: bytes) -> str:
    """Return a CDA R2 document of level 1: a header that names the patient, a body that is a PDF."""
    patient = found.patient
    return _CDA.substitute(
        number=found.number,
        title=escape(f"Compte rendu de biologie : {found.title}"),
        at=f"{found.at:%Y%m%d%H%M%S+0000}",
        ins=patient.ins,
        name=escape(patient.name),
        given=escape(patient.given),
        sex=patient.sex,
        born=patient.born,
        pdf=base64.b64encode(document).decode("ascii"),
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


_CDA = Template("""\
<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <realmCode code="FR"/>
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="2.16.840.1.113883.2.8.2.1"/>
  <templateId root="1.2.250.1.213.1.1.1.1"/>
  <templateId root="1.3.6.1.4.1.19376.1.2.20"/>
  <id root="1.2.250.1.213.1.1.9" extension="sceau-demo-$number"/>
  <code code="11502-2" displayName="CR d'examens biologiques" codeSystem="2.16.840.1.113883.6.1"/>
  <title>$title</title>
  <effectiveTime value="$at"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="fr-FR"/>
  <recordTarget>
    <patientRole>
      <id extension="$ins" root="1.2.250.1.213.1.4.10"/>
      <patient>
        <name><given>$given</given><family qualifier="BR">$name</family></name>
        <administrativeGenderCode code="$sex" codeSystem="2.16.840.1.113883.5.1"/>
        <birthTime value="$born"/>
      </patient>
    </patientRole>
  </recordTarget>
  <component>
    <nonXMLBody>
      <text mediaType="application/pdf" representation="B64">$pdf</text>
    </nonXMLBody>
  </component>
</ClinicalDocument>
""")
