"""Citizens' addresses hold the number by which the state knows them: shown only after a reason. R-G6."""

import re
from typing import Any

_HIDDEN = "•••"
# Their local part is the number itself, or they are of a domain for patients. R-G1.
_CITIZEN = re.compile(
    r"\b[1-478]\d[\dAB]{11}(?:\d{2})?(?=@)|[^\s@<>\"'(),;:\[\]]+(?=@(?:[\w-]+\.)*patients?\.)",
    re.IGNORECASE,
)


def veiled(value: Any) -> Any:
    """Return a value without citizens' local parts, wherever in it they stand."""
    if isinstance(value, str):
        return _CITIZEN.sub(_HIDDEN, value) if "@" in value else value
    if isinstance(value, dict):
        return {name: veiled(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [veiled(item) for item in value]
    return value
