"""Who is told when something is wrong and nobody looks, and by which ways."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge
from pydantic import field_validator

from gateway.settings.section import Seconds, Section, address


class Alerts(Section):
    """Mail to operators, a webhook, a heartbeat whose silence alarms; each only if it is set."""

    mail: tuple[str, ...] = ()
    webhook: str = ""
    webhook_secret_file: Path | None = None
    heartbeat: str = ""
    heartbeat_every: Annotated[float, Ge(1)] = 300
    anchors: Path | None = None
    again_after: Annotated[float, Ge(60)] = 86400
    stale_before: Seconds = 86400
    stuck_after: Seconds = 7200
    broker_after: Seconds = 600
    door_after: Seconds = 600
    case_after: Seconds = 14400

    @field_validator("mail")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(address(each) for each in value)

    @field_validator("webhook", "heartbeat")
    @classmethod
    def _by_tls(cls, value: str) -> str:
        if value and not value.startswith("https://"):
            raise ValueError("it must be an https:// address")
        return value
