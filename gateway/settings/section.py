"""What every section of the settings is made of: frozen, and no key it does not know."""

from typing import Annotated

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from smtp.address import AddressError, parse, parse_domain

MiB = 1 << 20

Seconds = Annotated[float, Ge(0)]
Octets = Annotated[int, Ge(0)]
Port = Annotated[int, Ge(0), Le(65535)]


class Section(BaseModel):
    """One table of the TOML file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def domain(value: str) -> str:
    """Return a domain as we write it; a validator's ``ValueError`` otherwise."""
    try:
        return parse_domain(value)
    except AddressError as error:
        raise ValueError(str(error)) from None


def address(value: str) -> str:
    """Return an address as we write it; a validator's ``ValueError`` otherwise."""
    try:
        return parse(value)
    except AddressError as error:
        raise ValueError(str(error)) from None
