"""Ways in for software that sends by itself: folders that are watched, uploads by HTTPS."""

from pathlib import Path
from typing import Annotated, Self

from annotated_types import Ge
from pydantic import AfterValidator, Field, model_validator

from gateway.settings.section import MiB, Octets, Seconds, Section, address


class WatchedFolder(Section):
    """A laboratory's folder, and the mailbox in whose name its results are sent."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    path: Path
    mailbox: Annotated[str, AfterValidator(address)]
    product: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,60}$")] = "SCEAU"
    poll: Annotated[float, Ge(0.1)] = 1
    settle: Seconds = 2
    patience: Seconds = 60
    unconfirmed_after: Seconds = 3600
    largest: Octets = 50 * MiB


class Labs(Section):
    """Laboratories that send by themselves."""

    window_days: Annotated[int, Ge(1)] = 90
    largest: Octets = 50 * MiB  # of one upload by HTTPS
    folder: tuple[WatchedFolder, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [each.name for each in self.folder]
        paths = [each.path for each in self.folder]
        if len(set(names)) != len(names) or len(set(paths)) != len(paths):
            raise ValueError("two watched folders have one name, or one path")
        return self
