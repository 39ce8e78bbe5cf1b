"""Who we are, where things lie, and our certificate."""

from pathlib import Path
from typing import Annotated, Self

from annotated_types import MinLen
from pydantic import Field, field_validator, model_validator

from gateway.settings.section import Section, address, domain


class Site(Section):
    """Who we are."""

    name: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    host: str
    domains: Annotated[tuple[str, ...], MinLen(1)]
    postmaster: str = ""

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        return domain(value)

    @field_validator("domains")
    @classmethod
    def _domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(domain(each) for each in value)

    @field_validator("postmaster")
    @classmethod
    def _postmaster(cls, value: str) -> str:
        return address(value) if value else value

    @model_validator(mode="after")
    def _filled(self) -> Self:
        if not self.postmaster:
            object.__setattr__(self, "postmaster", f"postmaster@{self.domains[0]}")
        return self


class Paths(Section):
    """Where things lie. The key ring must be outside the data folder."""

    data: Path
    keys: Path
    passphrase_file: Path | None = None

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.keys.resolve().is_relative_to(self.data.resolve()):
            raise ValueError(
                "keys must lie outside data: a copy of the data must not hold its keys"
            )
        return self

    @property
    def journal_head(self) -> Path:
        """Where the journal's signed head lies: beside the keys, outside the data."""
        return self.keys.with_name(f"{self.keys.stem}.journal-head")


class Tls(Section):
    """Our certificate (with its chain), its key, and the only anchors we believe."""

    certificate: Path
    key: Path
    anchors: Path
