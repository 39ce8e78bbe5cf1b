"""Which directories stand beside the lists: they say whose an address is, and grant nothing."""

from pathlib import Path
from typing import Annotated, Literal, Self

from annotated_types import Ge
from pydantic import Field, model_validator

from gateway.settings.section import Seconds, Section

_DAY = 86400


class DirectorySource(Section):
    """One directory; the order in the file is the order of belief."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    format: Literal["annuaire", "fhir"] = "annuaire"
    file: Path | None = None
    url: str | None = None
    url_anchors: Path | None = None
    api_key_file: Path | None = None
    poll: Seconds = 3600
    max_age: Annotated[float, Ge(3600)] = 12 * _DAY

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse what could never be fetched."""
        if bool(self.file) == bool(self.url):
            raise ValueError(f"{self.name}: either file or url")
        if self.url and not self.url.startswith("https://"):
            raise ValueError(f"{self.name}: url must begin with https://")
        if self.url and not self.url_anchors:
            raise ValueError(f"{self.name}: url needs url_anchors, the authority of that host")
        if self.format == "fhir" and not (self.url and self.api_key_file):
            raise ValueError(f"{self.name}: the FHIR API needs url and api_key_file")
        return self
