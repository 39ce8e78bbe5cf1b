"""A health document as its header tells it: what it is, about whom, by whom, for whom.

One value both ways: ``cda.read`` makes it, ``cda_writer.write`` writes it. What identifies people
is kept out of what these values print (R-G6).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

from gateway.documents import ins
from gateway.documents.errors import DocumentError
from gateway.documents.ins import Ins, Register, Traits

PEOPLE = "1.2.250.1.71.4.2.1"  # who numbers professionals (RPPS, ADELI), with a digit in front
STRUCTURES = "1.2.250.1.71.4.2.2"  # and establishments (FINESS, SIRET); R-D6
LOINC = "2.16.840.1.113883.6.1"


class Code(NamedTuple):
    """A term of a vocabulary."""

    code: str
    system: str = ""
    display: str = ""


NORMAL = Code("N", "2.16.840.1.113883.5.25", "Normal")
UNSAID = Code("")
NO_TRAITS = Traits()


class Identifier(NamedTuple):
    """Something's number, and whose number it is."""

    root: str
    extension: str = ""

    @property
    def whole(self) -> str:
        """Both in one word, as the metadata of archives write a document's."""
        return f"{self.root}^{self.extension}" if self.extension else self.root


@dataclass(frozen=True, slots=True)
class Organisation:
    """A laboratory, a hospital, a practice."""

    name: str
    id: Identifier | None = None


@dataclass(frozen=True, slots=True)
class Professional:
    """Who wrote a document, or answers for it; software has a name and no number."""

    family: str
    given: str = ""
    id: Identifier | None = None
    prefix: str = ""
    suffix: str = ""
    profession: Code | None = None
    organisation: Organisation | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """Whom a document is about."""

    identifiers: tuple[Identifier, ...] = field(default=(), repr=False)
    traits: Traits = NO_TRAITS

    @property
    def claimed(self) -> Identifier | None:
        """The number that is said to be their INS, whatever it is worth."""
        registers = {each.value for each in Register}
        return next((each for each in self.identifiers if each.root in registers), None)

    @property
    def ins(self) -> Ins | None:
        """Their INS, if its form and its key are right."""
        if (claimed := self.claimed) is None:
            return None
        try:
            return ins.parse(claimed.extension, claimed.root)
        except DocumentError:
            return None

    @property
    def qualified(self) -> bool:
        """Whether number and traits are complete (R-H4)."""
        return ins.qualified(self.ins, self.traits)


@dataclass(frozen=True, slots=True)
class Document:
    """A document's header, and its PDF if it carries one."""

    id: Identifier
    code: Code
    title: str = field(repr=False)
    at: str  # YYYYMMDDhhmmss+zzzz, or as much of it as was told
    patients: tuple[Patient, ...]  # at least one, and almost always just one
    set_id: Identifier | None = None  # that of all its versions
    version: int = 1
    confidentiality: Code = NORMAL
    language: str = "fr-FR"
    authors: tuple[Professional, ...] = ()
    custodian: Organisation | None = None
    responsible: Professional | None = None
    recipients: tuple[str, ...] = field(default=(), repr=False)  # mail addresses, as they stand
    replaces: tuple[Identifier, ...] = ()
    performed: str = ""  # when what it tells of was done
    facility: Code | None = None  # what kind of establishment
    practice: Code | None = None  # and in which setting
    structured: bool = False  # its body is for software; else it is a file
    pdf: bytes | None = field(default=None, repr=False)

    @property
    def patient(self) -> Patient:
        """Whom it is about: the first, where there are several."""
        return self.patients[0]


def timestamp(at: datetime) -> str:
    """Write a time as health documents do, with its offset."""
    return f"{at:%Y%m%d%H%M%S%z}"


def universal(written: str) -> str:
    """Return a document's time in UTC and without offset, as metadata of archives want it.

    Fewer digits stay fewer; ``""`` for what is no time.
    """
    digits, sign, offset = _parted(written)
    if not (digits.isascii() and digits.isdigit() and len(digits) in {4, 6, 8, 10, 12, 14}):
        return ""
    if len(digits) < 12 or not sign:
        return digits
    try:
        zone = timezone(int(sign + "1") * timedelta(hours=int(offset[:2]), minutes=int(offset[2:])))
        local = datetime.strptime(digits.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=zone)
        return f"{local.astimezone(UTC):%Y%m%d%H%M%S}"[: len(digits)]
    except (ValueError, OverflowError):
        return ""


def _parted(written: str) -> Sequence[str]:
    """Split a time into its digits, the sign of its offset and the offset."""
    sign = "+" if "+" in written else "-"
    digits, found, offset = written.partition(sign)
    return digits.partition(".")[0], found, offset
