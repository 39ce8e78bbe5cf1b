"""The national health identity (INS): a number with its key, who gave it, and the traits beside it.

Form and key are all that can be checked here: whether a person is who the number says only the
teleservice INSi knows, so ``qualified`` means *complete and coherent*, never *verified*. Neither
value ever prints its digits or names: what holds one may be logged by mistake. R-H1 to R-H4, R-G6.
"""

import re
import unicodedata
from dataclasses import dataclass, fields
from enum import StrEnum

from gateway.documents.errors import DocumentError


class Register(StrEnum):
    """Who gave the number, by the object identifier that stands beside it (R-H2)."""

    NIR = "1.2.250.1.213.1.4.8"
    NIA = "1.2.250.1.213.1.4.9"  # while a NIR is not yet given
    TEST = "1.2.250.1.213.1.4.10"
    DEMONSTRATION = "1.2.250.1.213.1.4.11"

    @property
    def real(self) -> bool:
        """Whether its numbers are those of people."""
        return self in {Register.NIR, Register.NIA}


OLD = "1.2.250.1.213.1.4.2"  # the INS-C, computed from a card: given up, and no identity

# Sex, year, month (or a number beyond 12 where it is not known), department, commune, order.
_FORM = re.compile(r"([1-478])([0-9]{2})([0-9]{2})([0-9]{2}|2[AB])[0-9]{6}")
_SPACES = re.compile(r"[\s.\u00a0\u202f]+")
_CORSICA = {"2A": "19", "2B": "18"}
_MEN = frozenset("137")


@dataclass(frozen=True, slots=True, repr=False)
class Ins:
    """A number whose form and key are right."""

    matricule: str  # 13 characters
    register: Register = Register.NIR

    def __post_init__(self) -> None:
        if not _FORM.fullmatch(self.matricule):
            raise DocumentError("that is no INS: its 13 characters have another form")

    def __repr__(self) -> str:
        return f"Ins(…, {self.register.name})"

    @property
    def key(self) -> str:
        """The two digits that guard the others."""
        return key(self.matricule)

    @property
    def number(self) -> str:
        """The 15 digits, as addresses and documents bear them."""
        return self.matricule + self.key


def key(matricule: str) -> str:
    """Return what 13 well-formed characters have as their key (R-H3)."""
    department = matricule[5:7]
    digits = matricule[:5] + _CORSICA.get(department, department) + matricule[7:]
    return f"{97 - int(digits) % 97:02}"


def parse(text: str, register: str = Register.NIR) -> Ins:
    """Read 15 digits, with or without spaces; raise ``DocumentError`` and say what is wrong."""
    try:
        giver = Register(register)
    except ValueError:
        given_up = "; the INS-C was given up" if register == OLD else ""
        raise DocumentError(f"no register of INS numbers has that OID{given_up}") from None
    plain = _SPACES.sub("", text).upper()
    if len(plain) == 13:
        raise DocumentError("that is an INS without its key: 15 digits are needed, not 13")
    found = Ins(plain[:13], giver)
    if len(plain) != 15 or plain[13:] != found.key:
        raise DocumentError("that is no INS: its key does not go with it")
    return found


def of_address(local: str, digits: int = 15) -> str | None:
    """Return the matricule that a citizen's address bears; None: it is none (R-G1).

    Sources disagree whether 15 digits stand there or 13: ``digits`` is the house's choice.
    """
    plain = local.upper()
    if len(plain) != digits or not _FORM.fullmatch(plain[:13]):
        return None
    return plain[:13] if plain[13:] in {"", key(plain[:13])} else None


@dataclass(frozen=True, slots=True, repr=False)
class Traits:
    """Who somebody is on paper: the five strict traits of an identity (R-H1)."""

    name: str = ""  # at birth
    given: str = ""  # the first of the birth certificate
    born: str = ""  # YYYYMMDD
    sex: str = ""  # "M", "F"
    place: str = ""  # INSEE's code of the commune, or of the country

    def __repr__(self) -> str:
        return "Traits(…)"

    @property
    def missing(self) -> tuple[str, ...]:
        """Which are not told."""
        return tuple(each.name for each in fields(self) if not getattr(self, each.name))


def qualified(ins: Ins | None, traits: Traits) -> bool:
    """Whether an identity has all that a qualified one has (R-H4)."""
    return ins is not None and not traits.missing


def differences(one: Traits, other: Traits) -> tuple[str, ...]:
    """Return the traits that both tell and tell differently.

    Accents, case, hyphens and apostrophes are no difference; a first name is one of several.
    """
    return tuple(
        each.name
        for each in fields(one)
        if (left := getattr(one, each.name))
        and (right := getattr(other, each.name))
        and not _alike(each.name, left, right)
    )


def contradictions(ins: Ins, traits: Traits) -> tuple[str, ...]:
    """Return the traits that the number itself tells otherwise.

    A number outlives corrections of a person's sex or date, so this is a hint, no proof. A month
    beyond 12 in the number is none, and of the place of birth departments have since been parted.
    """
    sex, year, month = ins.matricule[0], ins.matricule[1:3], ins.matricule[3:5]
    found = []
    if traits.sex in {"M", "F"} and (sex in _MEN) != (traits.sex == "M"):
        found.append("sex")
    known = "01" <= month <= "12" and traits.born[4:6] not in {"", "00"}
    if traits.born and (traits.born[2:4] != year or (known and traits.born[4:6] != month)):
        found.append("born")
    return tuple(found)


def _alike(trait: str, one: str, other: str) -> bool:
    left, right = plain(one), plain(other)
    if trait == "given":
        left, right = left.split(" ")[0], right.split(" ")[0]
    return left == right


def plain(text: str) -> str:
    """Return a name as identities are compared: capitals, no accents, spaces for punctuation."""
    letters = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE"))
    kept = "".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c))
    return " ".join(kept.upper().split())
