"""The operators' console."""

from typing import Annotated

from annotated_types import Ge, Le
from pydantic import Field

from gateway.settings.section import Section


class ConsoleSettings(Section):
    """How operators come in by a browser, and how long they stay; ``[listen] console`` opens it."""

    origin: str = Field(default="", pattern=r"^(https://[a-z0-9.-]+(:[0-9]+)?)?$")  # browsers' view
    idle: Annotated[float, Ge(60)] = 900
    longest: Annotated[float, Ge(60)] = 36_000
    fresh: Annotated[float, Ge(30)] = 300  # how long a second factor counts for what matters
    passphrase: Annotated[int, Ge(8), Le(64)] = 14  # characters, at least
