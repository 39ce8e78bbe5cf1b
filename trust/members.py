"""What a trust list says (``Claims``), and a list that may be believed (``TrustList``).

``Claims`` is what anyone can write: values that are sound each and together, and nothing more. It
cannot be asked about anybody. ``TrustList`` can, and is made only from ``Verified`` bytes, which it
reads itself: an unverified list is not a type. R-C1, R-C2.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from smtp.address import Address, AddressError, domain_of, key, parse, parse_domain
from trust.errors import ListError
from trust.identity import Certificate, Identity, Mark, pin
from trust.signatures import Verified

_MAX_VERSION = 2**53 - 1  # what every JSON reader can hold
_HOLDER = re.compile(r"[!-~]{0,64}")


class Kind(StrEnum):
    """What sort of mailbox an address is (R-D1)."""

    PER = "PER"  # a person's
    ORG = "ORG"  # an organisation's, read by several
    APP = "APP"  # software's
    CAB = "CAB"  # a practice's


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
    marks: frozenset[Mark] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check_domain(self.domain, "a member")
        if not self.identities:
            raise ListError(f"{self.domain} has no certificate identity: nobody could speak for it")
        ordered = sorted(self.identities, key=lambda identity: (identity.way, identity.text))
        object.__setattr__(self, "identities", tuple(ordered))
        object.__setattr__(self, "marks", frozenset(identity.mark for identity in ordered))
        if len(self.marks) != len(self.identities):
            raise ListError(f"{self.domain} names one certificate identity twice")
        if len(set(self.hosts)) != len(self.hosts):
            raise ListError(f"{self.domain} names one host twice")

    def entitles(self, certificate: Certificate) -> bool:
        """Whether the holder of this certificate may speak for the domain."""
        return not self.marks.isdisjoint(certificate.marks)


@dataclass(frozen=True, slots=True)
class Listed:
    """An address that the list names."""

    address: Address
    kind: Kind
    holder: str = ""  # who it belongs to: a national identifier, opaque to us
    pins: frozenset[str] = frozenset()  # SHA-256 of the public keys it may come with

    def __post_init__(self) -> None:
        _check_address(self.address)
        if not _HOLDER.fullmatch(self.holder):
            raise ListError("a holder is at most 64 visible ASCII characters")
        for text in self.pins:
            pin(text)


def _check_domain(text: str, what: str) -> None:
    try:
        sound = parse_domain(text) == text
    except AddressError as error:
        raise ListError(f"{what} is not named by a domain: {error}") from None
    if not sound:
        raise ListError(f"{what} must be written in lower-case A-labels: {text}")


def _check_address(text: str) -> None:
    try:
        sound = parse(text) == text
    except AddressError as error:
        raise ListError(f"a listed address is none: {error}") from None
    if not sound:
        raise ListError("a listed address must have its domain in lower case and be composed (NFC)")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a list says, whoever wrote it. Sound, but not to be believed: see ``TrustList``."""

    version: int
    issued: datetime
    stale_after: datetime
    previous: str | None  # SHA-256 of the version before this one
    members: tuple[Member, ...]
    addresses: tuple[Listed, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.version <= _MAX_VERSION:
            raise ListError("a version is a whole number from 1")
        for moment in (self.issued, self.stale_after):
            if moment.utcoffset() != timedelta(0) or moment.microsecond:
                raise ListError("times are in UTC and in whole seconds")
        if self.issued >= self.stale_after:
            raise ListError("the list would be stale before it is issued")
        if self.previous is not None:
            pin(self.previous)
        if (self.version == 1) != (self.previous is None):
            raise ListError("the first version has no previous one, and every other has")
        self._check_entries()

    def _check_entries(self) -> None:
        if not self.members:
            raise ListError("a list without members is no list")
        domains = {member.domain for member in self.members}
        if len(domains) != len(self.members):
            raise ListError("a domain is a member twice")
        if len({key(listed.address) for listed in self.addresses}) != len(self.addresses):
            raise ListError("an address is listed twice")
        for listed in self.addresses:
            if domain_of(listed.address) not in domains:
                raise ListError(f"an address is listed in {domain_of(listed.address)}, no member")


@dataclass(frozen=True, slots=True, eq=False)
class TrustList:
    """A verified list. It reads the very bytes that were verified, so it can hold no others."""

    verified: InitVar[Verified]
    read: InitVar[Callable[[bytes], Claims]]

    version: int = field(init=False)
    issued: datetime = field(init=False)
    stale_after: datetime = field(init=False)
    previous: str | None = field(init=False, repr=False)
    digest: str = field(init=False)  # SHA-256 of the list's bytes
    signers: frozenset[str] = field(init=False, repr=False)
    members: Mapping[str, Member] = field(init=False, repr=False)  # by domain
    addresses: Mapping[str, Listed] = field(init=False, repr=False)  # by address.key
    _speakers: Mapping[Mark, tuple[Member, ...]] = field(init=False, repr=False)

    def __post_init__(self, verified: Verified, read: Callable[[bytes], Claims]) -> None:
        if not isinstance(verified, Verified):
            raise TypeError("a TrustList is made from Verified bytes")
        claims = read(verified.content)
        speakers: dict[Mark, tuple[Member, ...]] = {}
        for member in claims.members:
            for mark in member.marks:
                speakers[mark] = (*speakers.get(mark, ()), member)
        values = {
            "version": claims.version,
            "issued": claims.issued,
            "stale_after": claims.stale_after,
            "previous": claims.previous,
            "digest": hashlib.sha256(verified.content).hexdigest(),
            "signers": verified.signers,
            "members": {member.domain: member for member in claims.members},
            "addresses": {key(listed.address): listed for listed in claims.addresses},
            "_speakers": speakers,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def member(self, domain: str) -> Member | None:
        """Return the member of that name (lower-case A-labels)."""
        return self.members.get(domain)

    def find(self, address: Address) -> Listed | None:
        """Return what the list says of an address; an open member's may well be on no list."""
        return self.addresses.get(key(address))

    def represented(self, certificate: Certificate) -> tuple[Member, ...]:
        """Return the members whom this certificate may speak for, by domain."""
        found = {
            member.domain: member
            for mark in certificate.marks
            for member in self._speakers.get(mark, ())
        }
        return tuple(found[domain] for domain in sorted(found))

    def stale(self, now: datetime) -> bool:
        """Whether the list is too old to vouch for anybody."""
        return now >= self.stale_after
