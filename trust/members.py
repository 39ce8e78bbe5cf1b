"""What a trust list says: its members, and the ``Claims`` that one version of it makes.

``Claims`` is what anyone can write: values that are sound each and together, and nothing more. It
cannot be asked about anybody; ``trust.sources`` makes what can, from verified bytes. R-C1, R-C2.
"""

from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from smtp.address import AddressError, parse_domain
from trust.addresses import NONE, Addresses
from trust.errors import ListError
from trust.identity import Certificate, Identity, Mark, pin

_MAX_VERSION = 2**53 - 1  # what every JSON reader can hold


class Status(StrEnum):
    """How a member stands."""

    ACTIVE = "active"
    SUSPENDED = "suspended"  # for a time: nothing is lost, nothing moves
    REVOKED = "revoked"  # for good, and named so that everyone can say why


@dataclass(frozen=True, slots=True)
class Host:
    """Where a member's gateway listens; no port: the usual one."""

    name: str
    port: int | None = None

    def __post_init__(self) -> None:
        _check_domain(self.name, "a host")
        if self.port is not None and not 1 <= self.port <= 65535:
            raise ListError(f"{self.name} has no port {self.port}")


@dataclass(frozen=True, slots=True)
class Member:
    """A domain of the list, and who may speak for it."""

    domain: str
    identities: tuple[Identity, ...]  # kept in one order, whichever they come in
    hosts: tuple[Host, ...] = ()  # in order of preference; none: MX says where
    open: bool = True  # vouches for all its addresses; closed: only for those listed
    status: Status = Status.ACTIVE
    source: str = ""  # the source that speaks for it; none while it is only claimed
    marks: frozenset[Mark] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check_domain(self.domain, "a member")
        if not self.identities:
            raise ListError(f"{self.domain} has no certificate identity: nobody could speak for it")
        ordered = sorted(self.identities, key=lambda identity: (identity.way, identity.text))
        object.__setattr__(self, "identities", _shared(tuple(ordered)))
        marks = frozenset(identity.mark_for(self.domain) for identity in ordered)
        object.__setattr__(self, "marks", _shared_marks(marks))
        if len(self.marks) != len(self.identities):
            raise ListError(f"{self.domain} names one certificate identity twice")
        if len(set(self.hosts)) != len(self.hosts):
            raise ListError(f"{self.domain} names one host twice")

    def entitles(self, certificate: Certificate) -> bool:
        """Whether the holder of this certificate may speak for the domain."""
        return not self.marks.isdisjoint(certificate.marks)

    def said_by(self, source: str, status: Status | None = None) -> "Member":
        """Return the same member as this source's, in another status if one is given."""
        made = copy(self)  # what was checked once is not checked again
        object.__setattr__(made, "source", source)
        object.__setattr__(made, "status", status or self.status)
        return made


# A thousand domains are one operator's: what they have in common is kept once, and is at hand.
@lru_cache(maxsize=16_384)
def _shared(identities: tuple[Identity, ...]) -> tuple[Identity, ...]:
    return identities


@lru_cache(maxsize=16_384)
def _shared_marks(marks: frozenset[Mark]) -> frozenset[Mark]:
    return marks


def _check_domain(text: str, what: str) -> None:
    try:
        sound = parse_domain(text) == text
    except AddressError as error:
        raise ListError(f"{what} is not named by a domain: {error}") from None
    if not sound:
        raise ListError(f"{what} must be written in lower-case A-labels: {text}")


@dataclass(frozen=True, slots=True)
class Claims:
    """What one version of a list says, whoever wrote it: sound, but not to be believed."""

    version: int | None  # None: the format has none, and its versions follow each other by date
    issued: datetime
    stale_after: datetime
    previous: str | None  # SHA-256 of the version before this one, where the format names it
    members: tuple[Member, ...]
    addresses: Addresses = field(default_factory=lambda: NONE)
    anchors: tuple[bytes, ...] = field(
        default=(), repr=False
    )  # DER, where members are named by one
    remarks: tuple[str, ...] = ()  # for operators: entries that were left out, and so grant nothing

    def __post_init__(self) -> None:
        self._check_number()
        for moment in (self.issued, self.stale_after):
            if moment.utcoffset() != timedelta(0) or moment.microsecond:
                raise ListError("times are in UTC and in whole seconds")
        if self.issued >= self.stale_after:
            raise ListError("the list would be stale before it is issued")
        self._check_entries()

    def _check_number(self) -> None:
        if self.previous is not None:
            pin(self.previous)
        if self.version is None:
            if self.previous is not None:
                raise ListError("a list without a version follows no other")
            return
        if not 1 <= self.version <= _MAX_VERSION:
            raise ListError("a version is a whole number from 1")
        if (self.version == 1) != (self.previous is None):
            raise ListError("the first version has no previous one, and every other has")

    def _check_entries(self) -> None:
        if not self.members:
            raise ListError("a list without members is no list")
        domains = {member.domain for member in self.members}
        if len(domains) != len(self.members):
            raise ListError("a domain is a member twice")
        for domain in self.addresses.domains - domains:
            raise ListError(f"an address is listed in {domain}, no member")

    @property
    def name(self) -> str:
        """How people call this version: by its number, or else by its date."""
        if self.version is None:
            return f"the version of {self.issued:%F %T} UTC"
        return f"version {self.version}"
