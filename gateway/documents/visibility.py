"""From whom a document is kept: who may get it, and which requests contradict themselves.

A request says all its flags; the combinations that exist are a table, whatever is outside of it is
an error. A mail says less: only that no addressee is one from whom the document is kept. R-E9.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kept(StrEnum):
    """From whom, as the metadata of an archive write it."""

    PROFESSIONALS = "MASQUE_PS"
    PATIENT = "INVISIBLE_PATIENT"
    GUARDIANS = "INVISIBLE_REPRESENTANTS_LEGAUX"


# Other spellings of the same, met in messages between programs.
_SPELT = {"INVISIBLE_REP_LEGAUX": Kept.GUARDIANS} | {each.value: each for each in Kept}


def kept(codes: Iterable[str]) -> frozenset[Kept]:
    """Return from whom a document with these confidentiality codes is kept."""
    return frozenset(_SPELT[code] for each in codes if (code := each.strip().upper()) in _SPELT)


@dataclass(frozen=True, slots=True)
class Request:
    """What software asks to be done with a document, flag by flag."""

    professionals: bool  # DESTMSSANTEPS
    patient: bool  # DESTMSSANTEPAT
    kept: frozenset[Kept] = frozenset()
    record: bool = False  # DESTDMP: into the national record too
    secret: bool = False  # CONNEXION_SECRETE


def permitted(request: Request) -> bool:
    """Whether the table has such a request."""
    if request.secret:
        return False
    match request.professionals, request.patient:
        case True, True:
            return not request.kept
        case True, False:
            return request.kept == {Kept.PATIENT}
        case False, True:
            return Kept.PATIENT not in request.kept and not request.record
        case _:
            return False


def breached(found: frozenset[Kept], *, professionals: bool, citizens: bool) -> bool:
    """Whether a mail to these would show a document to somebody from whom it is kept.

    A citizen's mailbox is read by guardians too, but only the sender knows whose have any.
    """
    return (Kept.PROFESSIONALS in found and professionals) or (Kept.PATIENT in found and citizens)
