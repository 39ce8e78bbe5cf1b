"""A watched folder, as the settings name it."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from gateway.settings.labs import WatchedFolder
from smtp.address import Address


@dataclass(frozen=True, slots=True)
class Watched:
    """One folder, and in whose name what lies in it is sent."""

    name: str
    path: Path
    mailbox: Address
    product: str = "SCEAU"
    poll: float = 1.0
    settle: timedelta = timedelta(seconds=2)
    patience: timedelta = timedelta(minutes=1)  # with a PDF whose companion has not come
    again: timedelta = timedelta(minutes=1)  # what could not be taken now is tried then
    unconfirmed: timedelta = timedelta(hours=1)
    largest: int = 50 << 20
    hold: bool = True  # a number that has several mailboxes waits for an operator

    @classmethod
    def of(cls, settings: WatchedFolder, *, hold: bool = True) -> Self:
        """Return the folder as the settings name it."""
        return cls(
            settings.name,
            settings.path,
            Address(settings.mailbox),
            settings.product,
            settings.poll,
            settle=timedelta(seconds=settings.settle),
            patience=timedelta(seconds=settings.patience),
            unconfirmed=timedelta(seconds=settings.unconfirmed_after),
            largest=settings.largest,
            hold=hold,
        )
