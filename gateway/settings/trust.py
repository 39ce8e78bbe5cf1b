"""Whom we believe about who may write to whom: sources in order of rank, and what needs approval."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from annotated_types import Ge, Le
from pydantic import AfterValidator, Field, model_validator

from gateway.settings.directories import DirectorySource
from gateway.settings.section import MiB, Octets, Seconds, Section, domain
from trust.signatures.signers import Dates

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
_Share = Annotated[float, Ge(0), Le(1)]
_Domain = Annotated[str, AfterValidator(domain)]


class Signer(Section):
    """Who signs a list, by name: several in turn make a roll-over."""

    subject: str
    issuer: str
    policy: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Source(Section):
    """One source of trust; its rank is its place in the file."""

    name: _Name
    format: Literal["native", "mssante", "direct"] = "native"
    file: Path | None = None
    url: str | None = None
    url_anchors: Path | None = None
    signatures: tuple[str, ...] = ()
    poll: Seconds | None = None
    limit: Annotated[Octets, Ge(1)] = 256 * MiB
    loss: _Share = 0.5
    signers: tuple[Path, ...] = ()
    openpgp: tuple[Path, ...] = ()
    threshold: Annotated[int, Ge(1)] = 1
    signer: tuple[Signer, ...] = ()
    anchors: Path | None = None
    dates: Dates = Dates.OF_LIST
    revocation: bool = True
    max_age: Annotated[float, Ge(3600)] = 7 * _DAY
    domains: tuple[_Domain, ...] = ()
    unsigned: bool = False

    @property
    def every(self) -> float:
        """Seconds between two looks: a path costs nothing, somebody else's host does."""
        return self.poll if self.poll is not None else _HOUR if self.url else _MINUTE

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse what could never bring a list into force, or would bring one nobody vouches for."""
        if self.file and self.url:
            raise ValueError(f"{self.name}: either file or url")
        if self.url and not self.url.startswith("https://"):
            raise ValueError(f"{self.name}: url must begin with https://")
        if self.url and not self.url_anchors:
            raise ValueError(f"{self.name}: url needs url_anchors, the authority of that host")
        if self.unsigned and self.format != "direct":
            raise ValueError(f"{self.name}: only a Direct bundle may be unsigned")
        if self.format == "native":
            if not self.signers and not self.openpgp:
                raise ValueError(f"{self.name}: a native list needs signers, or openpgp keys")
        elif not self.unsigned and not (self.signer and self.anchors):
            raise ValueError(f"{self.name}: needs a signer, and the anchors of its certificate")
        if (self.format == "direct") != bool(self.domains):
            raise ValueError(f"{self.name}: a Direct bundle, and no other, is for domains")
        return self


class Trust(Section):
    """The sources; ``list``, ``signers`` and ``threshold`` alone are short for one native source."""

    list: Path | None = None
    signers: tuple[Path, ...] = ()
    openpgp: tuple[Path, ...] = ()
    threshold: Annotated[int, Ge(1)] = 1
    poll: Seconds = 60
    approvals: Annotated[int, Ge(0), Le(2)] = 1
    keep_days: Annotated[int, Ge(1)] = 400
    keep_versions: Annotated[int, Ge(1)] = 30
    share: _Share = 0.05
    removals: _Share = 0.02
    source: tuple[Source, ...] = ()
    directory: tuple[DirectorySource, ...] = ()

    @property
    def sources(self) -> tuple[Source, ...]:
        """All sources in order of rank; the one that the short form names is the first."""
        if not self.signers and not self.openpgp:
            return self.source
        short = Source(
            name="list",
            file=self.list,
            signers=self.signers,
            openpgp=self.openpgp,
            threshold=self.threshold,
            poll=self.poll,
        )
        return (short, *self.source)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [source.name for source in self.sources]
        if len(set(names)) != len(names):
            raise ValueError("two sources have one name; the short form's is list")
        if len({each.name for each in self.directory}) != len(self.directory):
            raise ValueError("two directories have one name")
        return self
