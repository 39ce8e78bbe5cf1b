"""The list that may be believed: what every ranked source says, verified, combined into one value.

An ``Edition`` is one verified version of one source; it reads the very bytes that were verified, so
it can hold no others. A ``TrustList`` is made of editions, in order of rank, and of nothing else: an
unverified list is not a type. A domain's identities, hosts and status come from the first edition
that names it and never from a union, or a lesser source could add a key to a greater one's domain.
Directories say more about addresses and grant nothing. R-C1, R-C2, R-C6.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import InitVar, dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from smtp.address import Address, domain_of
from trust.addresses import Listed
from trust.identity import Certificate, Mark
from trust.members import Claims, Member, Status
from trust.overlay import Overlay
from trust.pace import unhurried
from trust.signatures.verified import Verified

Reader = Callable[[Verified, datetime], Claims]  # one a format; raises ``ListError``
Pins = Callable[[Address], frozenset[str] | None]  # of a list's addresses: ``Addresses.pins``


class Directory(Protocol):
    """Who says more about addresses than lists do: kind, holder, whether one may be shown."""

    def find(self, address: Address) -> Listed | None:
        """Return what is known of an address."""


@dataclass(frozen=True, slots=True, eq=False)
class Edition:
    """One verified version of one source."""

    source: str
    verified: InitVar[Verified]
    read: InitVar[Reader]
    arrived: datetime  # formats that say neither date nor expiry count from here

    claims: Claims = field(init=False, repr=False)
    digest: str = field(init=False)  # SHA-256 of the bytes that were verified
    signers: frozenset[str] = field(init=False, repr=False)
    members: Mapping[str, Member] = field(init=False, repr=False)  # by domain

    def __post_init__(self, verified: Verified, read: Reader) -> None:
        if not isinstance(verified, Verified):
            raise TypeError("an Edition is made from Verified bytes")
        claims = read(verified, self.arrived)
        values = {
            "claims": claims,
            "digest": hashlib.sha256(verified.content).hexdigest(),
            "signers": verified.signers,
            "members": {
                member.domain: member.said_by(self.source) for member in unhurried(claims.members)
            },
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def stale(self, now: datetime) -> bool:
        """Whether it is too old to vouch for anybody."""
        return now >= self.claims.stale_after


@dataclass(frozen=True, slots=True, eq=False)
class TrustList:
    """What is believed: ``of`` makes it, ``under`` lays our own denials over it."""

    editions: tuple[Edition, ...]  # in order of rank
    ours: frozenset[str] = field(default=frozenset(), repr=False)  # the domains we serve
    directories: tuple[Directory, ...] = field(default=(), repr=False)
    revoked: frozenset[str] = field(default=frozenset(), repr=False)
    overlay: Overlay = field(default=Overlay(), repr=False)
    # The sources below one whose last version cannot be read for now; None: all can.
    eclipsed: frozenset[str] | None = None
    members: Mapping[str, Member] = field(init=False, repr=False)  # by domain
    fresh_until: datetime = field(init=False, repr=False)  # no source is stale before
    settled: bool = field(init=False, repr=False)  # no member is suspended or revoked
    _speakers: Mapping[Mark, Sequence[Member]] = field(init=False, repr=False)
    _by_source: Mapping[str, Edition] = field(init=False, repr=False)
    _pins: Mapping[str, Pins] = field(init=False, repr=False)  # by source

    def __post_init__(self) -> None:
        by_source = {edition.source: edition for edition in self.editions}
        if not by_source or len(by_source) != len(self.editions):
            raise ValueError("a list is made of editions, one a source")
        members: dict[str, Member] = {}
        for edition in reversed(self.editions):
            members.update(edition.members)
        for domain in self.revoked & members.keys():
            member = members[domain]
            members[domain] = member.said_by(member.source, Status.REVOKED)
        active = Status.ACTIVE
        speakers: dict[Mark, list[Member]] = {}
        for member in unhurried(members.values()):
            for mark in member.marks:
                speakers.setdefault(mark, []).append(member)
        for name, value in (
            ("members", members),
            ("fresh_until", self._fresh_until()),
            ("settled", all(one.status is active for one in members.values())),
            ("_speakers", speakers),
            ("_by_source", by_source),
            ("_pins", {each.source: each.claims.addresses.pins for each in self.editions}),
        ):
            object.__setattr__(self, name, value)

    def _fresh_until(self) -> datetime:
        if self.eclipsed is not None:
            return datetime.min.replace(tzinfo=UTC)
        return min(each.claims.stale_after for each in self.editions)

    @classmethod
    def of(
        cls,
        editions: Iterable[Edition],
        *,
        ours: frozenset[str] = frozenset(),
        directories: Iterable[Directory] = (),
        revoked: frozenset[str] = frozenset(),
        overlay: Overlay | None = None,
        eclipsed: frozenset[str] | None = None,
    ) -> "TrustList":
        """Combine editions, the highest in rank first.

        ``revoked`` are members that a later edition, not yet in force, revokes: that never waits.
        ``eclipsed`` are the sources of lower rank than one that was in force and cannot be read:
        whatever they name, it may have named too, and otherwise.
        """
        made = tuple(editions), ours, tuple(directories), revoked, overlay or Overlay(), eclipsed
        return cls(*made)

    def under(self, overlay: Overlay) -> "TrustList":
        """Return the same list under another overlay; everything else is shared."""
        made = copy(self)
        object.__setattr__(made, "overlay", overlay)
        return made

    def beside(self, directories: Iterable[Directory]) -> "TrustList":
        """Return the same list beside other directories; everything else is shared."""
        made = copy(self)
        object.__setattr__(made, "directories", tuple(directories))
        return made

    def pieces(self, after: "TrustList") -> list[object]:
        """Return the list, last, and before it what goes with it and is not of the one after it."""
        gone = [each for each in self.editions if all(each is not one for one in after.editions)]
        said = [each.claims for each in gone]
        return [
            *(each.addresses.packed for each in said),
            *(member for each in said for member in each.members),
            *(member for each in gone for member in each.members.values()),
            *gone,
            self,
        ]

    def member(self, domain: str) -> Member | None:
        """Return the member of that name (lower-case A-labels)."""
        return self.members.get(domain)

    def edition(self, source: str) -> Edition | None:
        """Return what a source says, if it is in force."""
        return self._by_source.get(source)

    def listed(self, address: Address) -> Listed | None:
        """Return what the list that speaks for the domain says of an address.

        An open member's may well be on no list.
        """
        if (member := self.members.get(domain_of(address))) is None:
            return None
        return self._by_source[member.source].claims.addresses.find(address)

    def pins(self, address: Address, member: Member) -> frozenset[str] | None:
        """Return the keys an address of a member may come with; None: its list does not name it.

        No pins: any key. This is what each message asks, and costs half of ``listed``.
        """
        return self._pins[member.source](address)

    def find(self, address: Address) -> Listed | None:
        """Return what is known of an address, by the list or else by a directory.

        Who says that it may not be shown is believed, whoever says the rest.
        """
        answers = (self.listed(address), *(each.find(address) for each in self.directories))
        known = [found for found in answers if found is not None]
        if not known or known[0].hidden or not any(found.hidden for found in known):
            return known[0] if known else None
        return replace(known[0], hidden=True)

    @property
    def anchors(self) -> tuple[bytes, ...]:
        """The anchors that editions name members by (DER); they entitle to nothing else."""
        return tuple(sorted({der for each in self.editions for der in each.claims.anchors}))

    def represented(self, certificate: Certificate) -> tuple[Member, ...]:
        """Return the members whom this certificate may speak for, by domain."""
        found = {
            member.domain: member
            for mark in certificate.marks
            for member in self._speakers.get(mark, ())
        }
        return tuple(found[domain] for domain in sorted(found))

    def stale(self, now: datetime) -> bool:
        """Whether every source is too old to vouch for anybody."""
        return all(edition.stale(now) for edition in self.editions)

    def silent(self, now: datetime) -> bool:
        """Whether nobody can say now that a domain is on no list."""
        return self.eclipsed is not None or self.stale(now)

    def stale_for(self, member: Member, now: datetime) -> bool:
        """Whether the source that speaks for this member cannot vouch for it now: too old, or eclipsed."""
        if self.eclipsed and member.source in self.eclipsed:
            return True
        return now >= self._by_source[member.source].claims.stale_after
