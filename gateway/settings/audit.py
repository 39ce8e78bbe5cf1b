"""How long the journal remembers, and who else is told of what it says."""

from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge
from pydantic import field_validator

from gateway.settings.section import Port, Seconds, Section, domain


class JournalSettings(Section):
    """Retention: what is older is purged; what is younger than the traces that must be is not erased."""

    keep_days: Annotated[int, Ge(1)] = 1095
    trace_days: Annotated[int, Ge(0)] = 183
    citizens: str = "patient.mssante.fr"

    @field_validator("citizens")
    @classmethod
    def _domain(cls, value: str) -> str:
        return domain(value)


class Siem(Section):
    """The house's security monitoring; without a host nobody is told."""

    host: str = ""
    port: Port = 6514
    format: Literal["syslog", "json"] = "syslog"
    anchors: Path | None = None
    client_certificate: bool = True
    behind_after: Seconds = 900
