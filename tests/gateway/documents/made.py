"""Synthetic documents for the tests of this room: nobody in here exists."""

from datetime import UTC, datetime
from pathlib import Path

from gateway.documents import cda_writer, packing, xdm
from gateway.documents.document import (
    LOINC,
    PEOPLE,
    STRUCTURES,
    Code,
    Document,
    Identifier,
    Organisation,
    Patient,
    Professional,
)
from gateway.documents.ins import Traits
from smtp.address import Address
from smtp.message.header import Header
from smtp.message.mime import Part, PartIndex

AT = datetime(2026, 11, 22, 20, 30, 15, tzinfo=UTC)
LAB = Organisation("Laboratoire des Essais", Identifier(STRUCTURES, "1750000010"))
BIOLOGIST = Professional(
    "ESSAI",
    "Camille",
    Identifier(PEOPLE, "810001234565"),
    "MME",
    "DR",
    Code("G15_10/SM03", "1.2.250.1.213.1.1.4.5", "Médecin"),
    LAB,
)
TRAITS = Traits("DESMAUX", "NATHALIE", "19790301", "F", "51215")
NUMBER = Identifier("1.2.250.1.213.1.4.8", "279035121518989")
PATIENT = Patient((NUMBER, Identifier("1.2.3.4", "IPP-1")), TRAITS)
PDF = b"%PDF-1.4\n% an invented result\n%%EOF\n"
SENDER = xdm.Sender("Laboratoire des Essais", "0100000000", "1.2.250.1.213.1.1.9")
DOCTOR = Address("dr@chu.example")
EXAMPLES = Path(__file__).parents[4] / "shared" / "data" / "cda"  # beside a developer's clone


def document(**changes: object) -> Document:
    """Return a laboratory's result, complete in everything."""
    told: dict[str, object] = {
        "id": Identifier("1.2.250.1.213.1.1.9", "essai-1"),
        "code": Code("11502-2", LOINC, "CR d'examens biologiques"),
        "title": "Compte rendu d'examens biologiques",
        "at": "20261122213015+0100",
        "patients": (PATIENT,),
        "authors": (BIOLOGIST,),
        "custodian": LAB,
        "responsible": BIOLOGIST,
        "performed": "20261122080000+0100",
        "pdf": PDF,
    }
    return Document(**(told | changes))  # type: ignore[arg-type]


def parcel(made: Document | None = None, **changes: object) -> packing.Parcel:
    """Return a result ready to be packed."""
    about = made or document()
    told: dict[str, object] = {
        "content": cda_writer.write(about),
        "document": about,
        "sender": Address("labo@essais.example"),
        "recipients": (DOCTOR,),
        "at": AT,
        "message_id": "<1@essais.example>",
    }
    return packing.Parcel(**(told | changes))  # type: ignore[arg-type]


class Letter:
    """A mail as the quarantine looks into it."""

    def __init__(self, message: bytes, recipients: tuple[Address, ...] = (DOCTOR,)) -> None:
        index = PartIndex()
        index.feed(message)
        self.parts = index.finish()
        self.header = Header.skim(message[: message.find(b"\r\n\r\n") + 4])
        self.recipients = recipients
        self._message = message

    def content(self, part: Part) -> bytes:
        return packing.decoded(self._message, part)
