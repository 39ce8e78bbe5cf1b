"""Bridges over an expired certificate: two operators let its mail flow for some hours, loudly.

It is Sunday and nobody renewed. A bridge is for one key and one name, for at most three days, and
only over the dates: whatever else is wrong with the certificate still counts. R-A5.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trust.errors import TrustError
from trust.identity import Certificate
from trust.names import Name

LONGEST = timedelta(hours=72)


class BridgeError(TrustError):
    """A bridge that nobody may build."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """Built by two operators for one domain, over the certificate that expired."""

    domain: str
    spki_sha256: str
    subject: Name = field(repr=False)
    begins: datetime
    ends: datetime
    asked_by: str
    confirmed_by: str

    def __post_init__(self) -> None:
        if self.asked_by == self.confirmed_by:
            raise BridgeError("a bridge needs two operators, and this is one")
        if not timedelta() < self.ends - self.begins <= LONGEST:
            raise BridgeError("a bridge stands for three days at most")

    def carries(self, certificate: Certificate, now: datetime) -> bool:
        """Whether this certificate may pass: the same key and name, expired, and in time."""
        same = self.spki_sha256 == certificate.spki_sha256 and self.subject == certificate.subject
        return same and certificate.not_after < now and self.begins <= now < self.ends


@dataclass(frozen=True, slots=True)
class Bridges:
    """The bridges that stand."""

    all: tuple[Bridge, ...] = ()

    @classmethod
    def of(cls, bridges: Iterable[Bridge]) -> "Bridges":
        """Return these bridges."""
        return cls(tuple(bridges))

    def over(self, certificate: Certificate, now: datetime) -> Bridge | None:
        """Return the bridge that carries this certificate now."""
        return next((one for one in self.all if one.carries(certificate, now)), None)
