"""Citizens' addresses hold the number by which the state knows them: shown only after a reason. R-G6.

So does the number alone, where its key says that it is one: people type it, and write it into reasons.
"""

import re
from functools import cache
from typing import Any

from gateway.documents.ins import of_address

_HIDDEN = "•••"
# From where it begins, and never given back: what somebody sends us costs one look at each letter.
_LOCAL = r"(?<![^\s@<>\"'(),;:\[\]])[^\s@<>\"'(),;:\[\]]++"
# Their local part is the number itself, or they are of a domain for patients. R-G1.
_CITIZEN = re.compile(
    rf"\b[1-478]\d[\dAB]{{11}}(?:\d{{2}})?(?=@)|{_LOCAL}(?=@(?:[\w-]+\.)*patients?\.)",
    re.IGNORECASE,
)


_NUMBER = re.compile(r"(?<![\w.-])[1-478]\d{4}[\dAB]{2}\d{8}(?![\w-])", re.IGNORECASE)


def veiled(value: Any, citizens: str = "") -> Any:
    """Return a value without citizens' local parts and numbers, wherever in it they stand.

    ``citizens`` is the domain that the house says is theirs, ``[journal] citizens``.
    """
    if isinstance(value, str):
        if "@" not in value:
            return _NUMBER.sub(_numbered, value)
        own = _of(citizens.lower()).sub(_HIDDEN, value) if citizens else value
        return _NUMBER.sub(_numbered, _CITIZEN.sub(_HIDDEN, own))
    if isinstance(value, dict):
        return {name: veiled(item, citizens) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [veiled(item, citizens) for item in value]
    return value


def hidden(address: str, domain: str = "") -> str:
    """Return an address as it may be told outside the vault: a citizen's without its number."""
    return str(veiled(address, domain))


def _numbered(found: re.Match[str]) -> str:
    return _HIDDEN if of_address(found[0], 15) else found[0]


@cache
def _of(domain: str) -> re.Pattern[str]:
    return re.compile(rf"{_LOCAL}(?=@{re.escape(domain)}(?!\.?[\w-]))", re.IGNORECASE)
