"""Ways in for software that sends by itself: folders that are watched, uploads by HTTPS."""

from pathlib import Path
from typing import Annotated, Literal, Self

from annotated_types import Ge
from pydantic import AfterValidator, Field, model_validator

from gateway.settings.section import MiB, Octets, Port, Seconds, Section, address

ImapFolder = Annotated[str, Field(pattern=r"^[^\x00-\x1f%*\x7f]{1,100}$")]


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
    morning: Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9])?$")] = ""
    largest: Octets = 50 * MiB


class Outbox(Section):
    """A folder on an IMAP server of the house: what is put into it is sent in a mailbox's name."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    mailbox: Annotated[str, AfterValidator(address)]
    host: Annotated[str, Field(min_length=1)]
    port: Port = 993
    certificate: Path | None = None
    anchors: Path | None = None
    credentials_file: Path
    folder: ImapFolder = "Outbox"
    sent: ImapFolder = "Sent"
    errors: ImapFolder = "Error"
    idle: Annotated[float, Ge(1)] = 120
    timeout: Annotated[float, Ge(1)] = 60
    again: Seconds = 60
    largest: Octets = 50 * MiB

    @property
    def at(self) -> int:
        """The port, as every server of the house has one."""
        return self.port

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse a server that would be believed unproven, and folders that are one."""
        if bool(self.certificate) == bool(self.anchors):
            raise ValueError(f"{self.name}: it needs certificate (that very one) or anchors")
        if len({self.folder, self.sent, self.errors}) < 3:
            raise ValueError(f"{self.name}: folder, sent and errors must be three folders")
        return self


class CriticalResults(Section):
    """A mailbox's critical results: how long they may take, and who is told if they do not arrive."""

    mailbox: Annotated[str, AfterValidator(address)]
    person: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{0,200}$")] = ""
    mail: tuple[Annotated[str, AfterValidator(address)], ...] = ()
    within: Annotated[float, Ge(60)] = 600
    importance: bool = False


class Labs(Section):
    """Laboratories that send by themselves."""

    window_days: Annotated[int, Ge(1)] = 90
    largest: Octets = 50 * MiB  # of one upload by HTTPS
    critical_within: Annotated[float, Ge(60)] = 600
    critical_from: Literal["all", "agreed"] = "all"
    critical: tuple[CriticalResults, ...] = ()
    ambiguous: Literal["hold", "refuse"] = "hold"
    once: tuple[Annotated[str, AfterValidator(address)], ...] = ()
    folder: tuple[WatchedFolder, ...] = ()
    outbox: tuple[Outbox, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [*(each.name for each in self.folder), *(each.name for each in self.outbox)]
        paths = [each.path for each in self.folder]
        if len(set(names)) != len(names) or len(set(paths)) != len(paths):
            raise ValueError("two watched folders or outboxes have one name, or one path")
        agreed = [each.mailbox for each in self.critical]
        if len(set(agreed)) != len(agreed):
            raise ValueError("two [[labs.critical]] are about one mailbox")
        return self
