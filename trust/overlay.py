"""What this gateway adds to the lists it was given: whom it denies, and which changes wait.

A list is what others signed; the overlay is ours, laid over it without a copy (``TrustList.under``).
It takes away and never grants: what is denied here is denied, whatever any list says. R-C6, R-C7.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from smtp import address as addresses
from smtp.address import Address, domain_of
from trust.bridges import Bridges
from trust.identity import Certificate, Mark
from trust.revocation import Source, Standing, Standings, State


@dataclass(frozen=True, slots=True)
class Denials:
    """Whom an operator of ours has denied, in the forms in which they are compared."""

    domains: frozenset[str] = frozenset()
    operators: frozenset[Mark] = frozenset()  # an operator is known by its certificates' identity
    certificates: frozenset[str] = frozenset()  # SHA-256 of the DER
    addresses: frozenset[str] = frozenset()  # ``address.key``
    any: bool = field(init=False, repr=False)  # asked at every decision, and nearly always False

    def __post_init__(self) -> None:
        found = self.domains or self.operators or self.certificates or self.addresses
        object.__setattr__(self, "any", bool(found))

    def whom(self, address: Address) -> bool:
        """Whether an address is denied, itself or with its whole domain."""
        return domain_of(address) in self.domains or addresses.key(address) in self.addresses

    def operated(self, marks: Iterable[Mark]) -> bool:
        """Whether a domain with these identities could come by denied operators only."""
        return bool(self.operators) and self.operators.issuperset(marks)

    def shown(self, certificate: Certificate) -> bool:
        """Whether a certificate is denied: itself, or whoever it names."""
        return certificate.fingerprint in self.certificates or not self.operators.isdisjoint(
            certificate.marks
        )


class Doubt(StrEnum):
    """Why a certificate does not count now, whoever it belongs to."""

    REVOKED = "revoked"
    OUT_OF_DATE = "out-of-date"
    UNKNOWN = "unknown"  # nobody vouches for it


@dataclass(frozen=True, slots=True)
class Overlay:
    """All that is ours, swapped as one."""

    denied: Denials = Denials()
    waiting: frozenset[str] = frozenset()  # domains that a change awaiting approval adds or removes
    certificates: Standings = field(default_factory=Standings, repr=False)
    bridges: Bridges = field(default_factory=Bridges)

    def doubt(self, certificate: Certificate, now: datetime) -> Doubt | None:
        """Return what speaks against a certificate; None: nothing does."""
        return self.against(certificate, self.certificates.of(certificate.fingerprint, now), now)

    def against(self, certificate: Certificate, standing: Standing, now: datetime) -> Doubt | None:
        """Return the same of one whose standing is known.

        A bridge carries over the dates alone, and only one whose authority says that it is not
        revoked: not asked is not good enough there.
        """
        if (in_date := certificate.in_date(now)) and standing.state is State.GOOD:
            return None  # nearly always
        if standing.state is State.REVOKED:
            return Doubt.REVOKED
        if not in_date:
            vouched = standing.state is State.GOOD and standing.source is not Source.NONE
            carried = vouched and self.bridges.over(certificate, now) is not None
            return None if carried else Doubt.OUT_OF_DATE
        return Doubt.UNKNOWN
