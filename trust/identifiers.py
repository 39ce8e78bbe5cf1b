"""Who a mailbox belongs to: the national identifiers of people and structures, with check digits.

Written ``scheme:number``: ``rpps:10001234567``. The directories write a national identifier with a
digit in front that says which kind the number is (CI-SIS: PS_IdNat, Struct_IdNat). R-D6.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from stdnum import luhn

from trust.errors import HolderError


class Scheme(StrEnum):
    """Who numbered it."""

    RPPS = "rpps"  # a health professional
    ADELI = "adeli"  # the same, in the older register
    FINESS = "finess"  # an establishment
    SIRET = "siret"  # a business's establishment
    SIREN = "siren"  # a business
    CABINET = "cabinet"  # a practice: a professional's RPPS, and which of their practices

    @property
    def person(self) -> bool:
        """Whether it numbers people; otherwise structures."""
        return self in _PEOPLE


_PEOPLE = frozenset({Scheme.RPPS, Scheme.ADELI})
_DEPARTMENT = "(?:[0-9]{2}|2[AB])"
_FORM = {
    Scheme.RPPS: re.compile("[0-9]{11}"),
    Scheme.ADELI: re.compile(f"{_DEPARTMENT}[0-9]{{7}}"),  # has no check digit
    Scheme.FINESS: re.compile(f"{_DEPARTMENT}[0-9]{{7}}"),
    Scheme.SIRET: re.compile("[0-9]{14}"),
    Scheme.SIREN: re.compile("[0-9]{9}"),
    Scheme.CABINET: re.compile("[0-9]{14}"),
}
_POST = "356000000"  # La Poste's own rule for its 16,000 establishments: the digits' sum
_PERSON = {"0": Scheme.ADELI, "8": Scheme.RPPS}
_STRUCTURE = {
    "1": Scheme.FINESS,
    "2": Scheme.SIREN,
    "3": Scheme.SIRET,
    "4": Scheme.CABINET,
}
_DIGIT = {scheme: digit for digit, scheme in (*_PERSON.items(), *_STRUCTURE.items())}


@dataclass(frozen=True, slots=True)
class Identifier:
    """One holder's number, whose form and check digit are right."""

    scheme: Scheme
    number: str

    def __post_init__(self) -> None:
        if not _FORM[self.scheme].fullmatch(self.number):
            raise HolderError(f"that is no {self.scheme.name} number: it has another form")
        if not _checked(self.scheme, self.number):
            raise HolderError(f"that is no {self.scheme.name} number: its check digit is wrong")

    def __str__(self) -> str:
        return f"{self.scheme.value}:{self.number}"

    @property
    def national(self) -> str:
        """How the directories write it: with the digit of its kind in front."""
        return _DIGIT[self.scheme] + self.number


def _checked(scheme: Scheme, number: str) -> bool:
    match scheme:
        case Scheme.ADELI:
            return True
        case Scheme.FINESS:  # Corsica's letter has no agreed value: only its form can be checked
            return not number.isdigit() or luhn.is_valid(number)
        case Scheme.CABINET:
            return luhn.is_valid(number[:11])
        case Scheme.SIRET if number.startswith(_POST):
            return luhn.is_valid(number) or sum(map(int, number)) % 5 == 0
        case _:
            return luhn.is_valid(number)


def parse(text: str) -> Identifier:
    """Read ``scheme:number``; raise ``HolderError`` for anything else."""
    scheme, colon, number = text.partition(":")
    try:
        known = Scheme(scheme.lower())
    except ValueError:
        known = None
    if known is None or not colon:
        schemes = ", ".join(f"{each.value}:" for each in Scheme)
        raise HolderError(f"a holder is written with its scheme in front: {schemes}")
    return Identifier(known, number.replace(" ", "").upper())


def person(national: str) -> Identifier | None:
    """Read a person's national identifier; None: no register that we know numbered them.

    Some are a structure's own numbers for its people: they say nothing to others.
    """
    return _of(national, _PERSON)


def structure(national: str) -> Identifier | None:
    """Read a structure's national identifier; None: no register that we know numbered it."""
    return _of(national, _STRUCTURE)


def _of(national: str, schemes: dict[str, Scheme]) -> Identifier | None:
    scheme = schemes.get(national[:1])
    return None if scheme is None else Identifier(scheme, national[1:])
