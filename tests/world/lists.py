"""A signer of trust lists: its lists are made, signed and verified as real ones are."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.demo.pki import Authority, Issued
from trust.addresses import Addresses, Listed
from trust.formats import native
from trust.identity import Identity, Way
from trust.members import Claims, Host, Member, Status
from trust.signatures import cms
from trust.signatures.quorum import Quorum, verify
from trust.sources import Edition, TrustList
from trust.verification import Demands, Offer
from trust.watch import Source


@dataclass(slots=True)
class Lists:
    """Keeps the members, and signs a new version whenever it is asked for one."""

    signer: Issued
    now: datetime
    fresh_for: timedelta = timedelta(days=30)
    members: dict[str, Member] = field(default_factory=dict)
    addresses: list[Listed] = field(default_factory=list)
    version: int = 0
    previous: str | None = None

    @classmethod
    def make(cls, authority: Authority) -> "Lists":
        return cls(authority.issue("Registre", signer=True), authority.now)

    @property
    def quorum(self) -> Quorum:
        return Quorum.of([self.signer.chain_pem], 1)

    def add(
        self,
        domain: str,
        certificate: Issued,
        hosts: Sequence[tuple[str, int]] = (),
        *,
        open: bool = True,  # noqa: A002
        status: Status = Status.ACTIVE,
    ) -> None:
        name = Identity(Way.DN, certificate.certificate.subject.rfc4514_string())
        places = tuple(Host(host, port) for host, port in hosts)
        self.members[domain] = Member(domain, (name,), places, open, status)

    def change(self, domain: str, **what: object) -> None:
        self.members[domain] = replace(self.members[domain], **what)  # type: ignore[arg-type]

    def remove(self, domain: str) -> None:
        del self.members[domain]

    def published(self, now: datetime | None = None) -> tuple[bytes, bytes]:
        """Sign a new version; return its bytes and the detached signature."""
        self.version += 1
        issued = now or self.now
        claims = Claims(
            version=self.version,
            issued=issued,
            stale_after=issued + self.fresh_for,
            previous=self.previous,
            members=tuple(self.members.values()),
            addresses=Addresses.of(self.addresses),
        )
        content = native.serialise(claims)
        self.previous = native.digest(content)
        return content, cms.sign(content, self.signer.certificate, self.signer.key)

    def offer(self, now: datetime | None = None) -> Offer:
        """Sign a new version, as it is offered to a keeper."""
        content, signed = self.published(now)
        return Offer(content, (signed,))

    @property
    def source(self) -> Source:
        """The source that a keeper takes these lists from."""
        return Source(Demands("list", native.Source(self.quorum), native.LIMIT))

    def current(self, now: datetime | None = None) -> TrustList:
        """Sign a new version and verify it: the only way to a ``TrustList``, in tests too."""
        content, signed = self.published(now)
        verified = verify(content, [signed], self.quorum)
        return TrustList.of([Edition("list", verified, native.parse, now or self.now)])
