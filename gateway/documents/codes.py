"""Why software at the other end could not file a document: the numbers 900 to 906, and their words.

Written strictly, in subject and ``Disposition`` of the answer; read tolerantly, for the published
example itself strays from RFC 8098. R-F3 to R-F5.
"""

import re
import unicodedata
from enum import IntEnum


class Failure(IntEnum):
    """What went wrong, by the number that programs exchange."""

    VERSION = 900
    AUTHOR = 901
    PATIENT_UNKNOWN = 902
    NO_INS = 903
    INS_DIFFERS = 904
    INS_INCOMPLETE = 905
    OTHER = 906

    @property
    def french(self) -> str:
        """As the framework words it, for the sender's software and people."""
        return _FRENCH[self]

    @property
    def english(self) -> str:
        """The same for others."""
        return _ENGLISH[self]

    @property
    def slug(self) -> str:
        """Its stable name, in receipts and in the journal."""
        return self.name.lower().replace("_", "-")

    @property
    def plain(self) -> str:
        """Number and words in ASCII, as a field of a report holds them."""
        bare = unicodedata.normalize("NFKD", self.french).encode("ascii", "ignore").decode()
        return f"{self:d}^{bare}"


_FRENCH = {
    Failure.VERSION: "Version du document incorrecte lors d'une demande de remplacement/suppression",
    Failure.AUTHOR: "Auteur non autorisé à remplacer ou supprimer un document",
    Failure.PATIENT_UNKNOWN: "Identifiant patient inconnu",
    Failure.NO_INS: "INS non présent dans le document",
    Failure.INS_DIFFERS: "Incohérence entre l'INS et les traits d'identité",
    Failure.INS_INCOMPLETE: "INS incomplet",
    Failure.OTHER: "Autre erreur",
}
_ENGLISH = {
    Failure.VERSION: "Another version of the document is the newest",
    Failure.AUTHOR: "The author may not replace or delete this document",
    Failure.PATIENT_UNKNOWN: "The patient's number is not known here",
    Failure.NO_INS: "The document has no INS",
    Failure.INS_DIFFERS: "The INS and the traits of identity contradict each other",
    Failure.INS_INCOMPLETE: "The INS is not complete",
    Failure.OTHER: "Another error",
}

# What a finding about a document would be called by the software that cannot file it.
_OF_FINDINGS = {
    "ins-missing": Failure.NO_INS,
    "ins-invalid": Failure.INS_INCOMPLETE,
    "ins-not-qualified": Failure.INS_INCOMPLETE,
    "ins-unlike-traits": Failure.INS_DIFFERS,
    "patient-differs": Failure.INS_DIFFERS,
}
_FILED = "automatic-action/MDN-sent-automatically; processed"  # the ``Disposition`` of success
_SUBJECT = re.compile(r"\[KO\s[^\]]*\]\s*\[(\d{3})\]\s*(.*)", re.DOTALL)
_NUMBER = re.compile(r"\D{0,40}?(?<![0-9])([0-9]{3})(?![0-9])")
# Our own sentence (``gateway.relay.handing.oru.failed``), or a number as HL7 writes one.
_WITHIN = re.compile(r"could not file it: (90[0-6])\b|(?<![0-9])(90[0-6])\s*\^")
_DISPOSITION = re.compile(r"error\s*:\s*(\d{3})\b", re.IGNORECASE)


def of_finding(reason: str) -> Failure:
    """Return the number of a finding's reason; most have none of their own."""
    return _OF_FINDINGS.get(reason, Failure.OTHER)


def subject(failure: Failure, original: str) -> str:
    """Return the subject of the answer that says so (R-F3)."""
    return f"[KO Intégration système !][{failure:d}] {original}"


def disposition(failure: Failure | None) -> str:
    """Return what the answer's ``Disposition`` field says; None: it was filed (R-F3)."""
    return _FILED if failure is None else f"{_FILED}/Error: {failure.plain}"


def read(text: str) -> Failure | None:
    """Return which failure a subject or a ``Disposition`` tells of; None: none.

    A number that is not one of ours still tells that it failed.
    """
    found = _SUBJECT.match(text.strip()) or _DISPOSITION.search(text)
    if found is None:
        return None
    return _failure(found[1])


def _failure(number: str) -> Failure:
    try:
        return Failure(int(number))
    except ValueError:
        return Failure.OTHER


def numbered(text: str) -> Failure | None:
    """Return the failure that a text begins with the number of: ``902^...``; None: no number."""
    found = _NUMBER.match(text)
    return None if found is None else _failure(found[1])


def within(text: str) -> Failure | None:
    """Return the failure that the words of a refusal name: ours, or ``... 902^...``; None: none."""
    found = _WITHIN.search(text)
    return None if found is None else _failure(found[1] or found[2])


def original(text: str) -> str:
    """Return a subject without what says that it failed."""
    found = _SUBJECT.match(text.strip())
    return found[2] if found else text
