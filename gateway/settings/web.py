"""What is offered by HTTPS."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import field_validator

from gateway.settings.section import Port, Section, domain


class Publish(Section):
    """The folder that ``sceau trust publish`` writes; without one nothing is published."""

    folder: Path | None = None


class Lookup(Section):
    """Looking addresses up."""

    per_minute: Annotated[int, Ge(1)] = 60  # of one mailbox; as many may come at once
    page: Annotated[int, Ge(1), Le(100)] = 20
    most: Annotated[int, Ge(1), Le(1000)] = 100  # results of one question, all its pages


class Setup(Section):
    """What mail programs are told, as seen from outside; a port not given is the one we listen at."""

    host: str = ""  # default: the site's
    imap: Port | None = None
    imap_starttls: Port | None = None
    submission: Port | None = None
    submission_starttls: Port | None = None
    web: Port | None = None
    anchors: Path | None = None  # the authority that devices do not know yet

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        return domain(value) if value else value
