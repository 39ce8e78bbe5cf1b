"""How much a mailbox of ours may hold, and which mailboxes lie on a server that was there before."""

from pathlib import Path
from typing import Annotated, Literal, Self

from annotated_types import Ge, MinLen
from pydantic import AfterValidator, Field, model_validator

from gateway.settings.section import MiB, Octets, Port, Seconds, Section, address, domain
from smtp.address import Address, domain_of, key

_PORTS = {"lmtp": 24, "smtp": 25, "imap": 993, "mllp": 2575}
_SOFTWARE = frozenset({"folder", "mllp"})
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


class MailboxServer(Section):
    """A mailbox server of the house, and whose mail it takes instead of us."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    kind: Literal["lmtp", "imap", "smtp", "folder", "mllp"]
    socket: Path | None = None
    path: Path | None = None
    host: str = ""
    port: Port | None = None
    certificate: Path | None = None
    anchors: Path | None = None
    credentials_file: Path | None = None
    folder: str = "INBOX"
    application: Annotated[str, Field(max_length=180)] = ""
    facility: Annotated[str, Field(max_length=180)] = ""
    acknowledgements: Literal["one", "two"] = "one"
    errors: Annotated[str, AfterValidator(address)] | None = None
    stores: bool = False
    poll: Annotated[float, Ge(1)] = 60
    timeout: Seconds = 300
    domains: tuple[Annotated[str, AfterValidator(domain)], ...] = ()
    mailboxes: tuple[Annotated[str, AfterValidator(address)], ...] = ()

    @property
    def at(self) -> int:
        """The port: what was given, else the usual one."""
        return _PORTS[self.kind] if self.port is None else self.port

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse what could never be reached, and what would be reached unproven."""
        if not self.domains and not self.mailboxes:
            raise ValueError(f"{self.name}: domains or mailboxes must name whose mail it takes")
        if (self.kind == "folder") != bool(self.path):
            raise ValueError(f"{self.name}: a folder, and nothing else, needs path")
        if self.kind in _SOFTWARE and self.domains:
            raise ValueError(f"{self.name}: software takes the mail of named mailboxes alone")
        hl7 = self.application or self.facility or self.acknowledgements != "one"
        if hl7 and self.kind != "mllp":
            raise ValueError(f"{self.name}: application, facility, acknowledgements: for mllp")
        if self.errors and self.kind not in _SOFTWARE:
            raise ValueError(f"{self.name}: errors is for software, by folder or mllp")
        if self.kind == "folder":
            return self._folder()
        if bool(self.socket) == bool(self.host):
            raise ValueError(f"{self.name}: either socket or host")
        if self.socket and self.kind != "lmtp":
            raise ValueError(f"{self.name}: only LMTP goes by a Unix socket")
        proven = bool(self.certificate) + bool(self.anchors)
        if self.host and proven != 1 and (proven or not self.beside):
            raise ValueError(f"{self.name}: a host needs certificate (that very one) or anchors")
        if (self.kind == "imap") != bool(self.credentials_file):
            raise ValueError(f"{self.name}: IMAP, and no other, needs credentials_file")
        if self.stores and self.kind != "smtp":
            raise ValueError(f"{self.name}: stores is for SMTP; the others always say so")
        return self

    @property
    def beside(self) -> bool:
        """Whether it is a program on this very machine, that may be spoken to without TLS."""
        return self.kind == "mllp" and self.host in _HERE

    def _folder(self) -> Self:
        if self.socket or self.host or self.credentials_file or self.stores:
            raise ValueError(f"{self.name}: a folder has path and mailboxes, and nothing else")
        return self


class Forward(Section):
    """Whose documents are copied to the mailbox of the software that files them."""

    mailboxes: Annotated[tuple[Annotated[str, AfterValidator(address)], ...], MinLen(1)]
    to: Annotated[str, AfterValidator(address)]
    when: Literal["xdm"] = "xdm"

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if key(Address(self.to)) in {key(Address(each)) for each in self.mailboxes}:
            raise ValueError(f"{self.to} cannot have copies of its own mail")
        return self


class MailboxesSettings(Section):
    """The room that each mailbox has, and the servers that hold mailboxes in our place."""

    quota: Octets | None = None  # None: as much as the disk has
    append_limit: Octets = 150 * MiB
    reports_folder: Annotated[str, Field(pattern=r"^[^/\x00-\x1f%*]{1,100}$")] = "Accusés"
    server: tuple[MailboxServer, ...] = ()
    forward: tuple[Forward, ...] = ()

    @property
    def forwards(self) -> dict[str, Address]:
        """Where the documents that arrive for a mailbox are copied to, by its address's key."""
        return {
            key(Address(whose)): Address(each.to)
            for each in self.forward
            for whose in each.mailboxes
        }

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [each.name for each in self.server]
        if len(set(names)) != len(names):
            raise ValueError("two mailbox servers have one name")
        taken = [who for each in self.server for who in (*each.domains, *each.mailboxes)]
        if len(set(taken)) != len(taken):
            raise ValueError("two mailbox servers are given the same mail")
        whose = [key(Address(one)) for each in self.forward for one in each.mailboxes]
        if len(set(whose)) != len(whose):
            raise ValueError("two forwards are of one mailbox's documents")
        for each in self.server:
            if each.errors and {each.errors, domain_of(Address(each.errors))} & set(taken):
                raise ValueError(f"{each.name}: errors must be a mailbox that lies with us")
        return self
