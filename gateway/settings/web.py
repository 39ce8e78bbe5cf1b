"""What is offered by HTTPS."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le

from gateway.settings.section import Section


class Publish(Section):
    """The folder that ``sceau trust publish`` writes; without one nothing is published."""

    folder: Path | None = None


class Lookup(Section):
    """Looking addresses up."""

    per_minute: Annotated[int, Ge(1)] = 60  # of one mailbox; as many may come at once
    page: Annotated[int, Ge(1), Le(100)] = 20
    most: Annotated[int, Ge(1), Le(1000)] = 100  # results of one question, all its pages
