"""Who a mailbox belongs to: the national identifiers of people and structures, with check digits.

Written ``scheme:number``: ``rpps:10001234567``. The directories write a national identifier with a
digit in front that says which kind the number is (CI-SIS: PS_IdNat, Struct_IdNat). R-D6.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

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
        _judge(self.scheme, self.number)

    def __str__(self) -> str:
        return f"{self.scheme}:{self.number}"

    @property
    def national(self) -> str:
        """How the directories write it: with the digit of its kind in front."""
        return _DIGIT[self.scheme] + self.number


def _luhn(number: str) -> bool:
    """Whether the last digit is right: of every other digit before it, twice it counts."""
    digits = number.encode()
    return (sum(digits[-1::-2].translate(_ONCE)) + sum(digits[-2::-2].translate(_TWICE))) % 10 == 0


_ONCE = bytes(max(0, each - ord("0")) % 10 for each in range(256))
_TWICE = bytes(sum(divmod(2 * each, 10)) for each in _ONCE)


def _establishment(number: str) -> bool:
    """Corsica's letter has no agreed value: of its numbers only the form can be checked."""
    return not number.isdigit() or _luhn(number)


def _business(number: str) -> bool:
    """La Poste has a rule of its own for its 16,000 establishments: the digits' sum."""
    return _luhn(number) or (number.startswith("356000000") and sum(map(int, number)) % 5 == 0)


def _practice(number: str) -> bool:
    return _luhn(number[:11])


def _unchecked(_: str) -> bool:
    return True


_DEPARTMENT = "(?:[0-9]{2}|2[AB])"
# The form of each scheme's numbers, and what their check digit says.
_RULES: dict[Scheme, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    Scheme.RPPS: (re.compile("[0-9]{11}"), _luhn),
    Scheme.ADELI: (re.compile(f"{_DEPARTMENT}[0-9]{{7}}"), _unchecked),  # has no check digit
    Scheme.FINESS: (re.compile(f"{_DEPARTMENT}[0-9]{{7}}"), _establishment),
    Scheme.SIRET: (re.compile("[0-9]{14}"), _business),
    Scheme.SIREN: (re.compile("[0-9]{9}"), _luhn),
    Scheme.CABINET: (re.compile("[0-9]{14}"), _practice),
}


def _judge(scheme: Scheme, number: str) -> None:
    form, check = _RULES[scheme]
    if not form.fullmatch(number):
        raise HolderError(f"that is no {scheme.name} number: it has another form")
    if not check(number):
        raise HolderError(f"that is no {scheme.name} number: its check digit is wrong")


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


def person(national: str) -> str:
    """Return a person's national identifier as we write it; "": no register we know made it.

    Some are a structure's own numbers for its people: they say nothing to others.
    """
    return _of(national, _PERSON)


def structure(national: str) -> str:
    """Return a structure's national identifier as we write it; "": no register we know made it."""
    return _of(national, _STRUCTURE)


def _of(national: str, schemes: dict[str, Scheme]) -> str:
    if (scheme := schemes.get(national[:1])) is None:
        return ""
    _judge(scheme, number := national[1:])
    return f"{scheme}:{number}"
