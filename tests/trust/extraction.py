"""Extractions of the Annuaire Santé as they are published, with nobody real in them."""

import io
import zipfile
from collections.abc import Iterator
from functools import cache

from stdnum import luhn

from trust.formats.annuaire import HEADER

_FIRST = [
    "JEANNE",
    "PIERRE",
    "AURÉLIE",
    "MOHAMED",
    "FRANÇOIS",
    "ZOÉ",
    "JEAN-MARIE",
    "NATHALIE",
    "LÉA",
    "HUGO",
    "INÈS",
    "PAUL",
    "CHLOÉ",
    "LOUIS",
    "EMMA",
    "JULES",
    "ALICE",
    "ARTHUR",
    "ROSE",
    "RAPHAËL",
]
_SYLLABLES = [
    "BAR",
    "BER",
    "CHE",
    "DU",
    "FON",
    "GAU",
    "LA",
    "LE",
    "MAR",
    "MER",
    "MO",
    "PE",
    "PI",
    "RO",
    "SAU",
    "TRE",
    "VAL",
    "VIL",
]
_TRADES = ("Médecin", "Infirmier", "Pharmacien", "Sage-Femme", "Masseur-Kinésithérapeute")
_SERVICES = ("", "", "", "CARDIOLOGIE", "BIOLOGIE MÉDICALE", "URGENCES", "SECRÉTARIAT")


def rpps(number: int) -> str:
    """Return an RPPS number with its check digit."""
    return _checked(f"1{number:09d}")


def finess(number: int) -> str:
    """Return a FINESS number with its check digit."""
    return _checked(f"54{number:06d}")


def _checked(digits: str) -> str:
    return digits + luhn.calc_check_digit(digits)


def row(**columns: str) -> str:
    """Return a line; columns by the first word or words of their names, joined by ``_``."""
    values = list(_BLANK)
    for begins, value in columns.items():
        values[_column(begins)] = value
    return "|".join(values)


@cache
def _column(begins: str) -> int:
    wanted = begins.replace("_", " ")
    return next(at for at, name in enumerate(HEADER) if name.lower().startswith(wanted))


_BLANK = ["PER", "dr@chu.example", *[""] * (len(HEADER) - 3), "France"]


def text(*rows: str) -> bytes:
    """Return an extraction of these rows."""
    return "".join(f"{line}\n" for line in ("|".join(HEADER), *rows)).encode()


def zipped(content: bytes, name: str = "Extraction_MSSante.txt") -> bytes:
    """Return it as it is published."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def crowd(count: int, domains: int) -> Iterator[str]:
    """Yield rows of the real file's shape: nine in ten a person's, many of few structures."""
    for number in range(count):
        domain = f"dom{number % domains}.mssante.example"
        structure = number % max(1, count // 12)
        place = {
            "type_identifiant_structure": "FINESS",
            "identification_structure": finess(structure),
            "raison_sociale": f"CENTRE HOSPITALIER {_surname(structure)}",
            "code_postal": "54000",
        }
        if number % 10 == 0:
            service = _SERVICES[3 + number % 4]
            address = f"{service.split()[0].lower().replace('é', 'e')}.{number}@{domain}"
            yield row(type_de="ORG", adresse=address, service=service, **place)
            continue
        first, last = _FIRST[number % len(_FIRST)], _surname(number // 7)
        yield row(
            adresse=f"{_plain(first)}.{last.lower()}{number // 90_000 or ''}.{number % 9}@{domain}",
            type_identifiant_pp="8",
            identifiant_pp=rpps(number),
            identification_nationale=f"8{rpps(number)}",
            civilité="DR",
            nom=last,
            prénom=first,
            libellé_profession=_TRADES[number % len(_TRADES)],
            service=_SERVICES[number % len(_SERVICES)],
            **place,
        )


def _surname(number: int) -> str:
    found = ""
    for _ in range(4):
        number, at = divmod(number, len(_SYLLABLES))
        found += _SYLLABLES[at]
    return found


_PLAIN = str.maketrans("ÉÈËÏÇ", "EEEIC")


def _plain(text: str) -> str:
    return text.translate(_PLAIN).lower()
