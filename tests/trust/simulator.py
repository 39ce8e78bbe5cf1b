"""An authority with n signers, whose lists are drafted, signed and revised as real ones are.

Tests take no other way to a ``TrustList`` than production does: bytes, signatures, verification.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from gateway.demo.pki import Authority, Issued
from smtp.address import Address, parse
from trust.addresses import Addresses, Kind, Listed
from trust.formats import native
from trust.identity import Identity, Way
from trust.members import Claims, Host, Member, Status
from trust.signatures import cms
from trust.signatures.quorum import Quorum, verify
from trust.sources import Edition, TrustList
from trust.trail import FIRST, Entry, Kept, Step, link
from trust.verification import Demands, Offer
from trust.watch import Source

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIFE = timedelta(days=7)


@cache
def pki() -> Authority:
    """One certificate authority for the whole run: keys are slow to make."""
    return Authority.make(NOW, "Essai")


@cache
def issued(name: str, *, hosts: tuple[str, ...] = (), organisation: str = "") -> Issued:
    """A certificate of that authority, the same one whenever it is asked for."""
    return pki().issue(name, organisation=organisation, hosts=hosts)


@cache
def signer(number: int) -> Issued:
    return pki().issue(f"Signataire {number}", signer=True)


def dn(certificate: Issued) -> Identity:
    return Identity(Way.DN, certificate.certificate.subject.rfc4514_string())


def member(domain: str, *, open: bool = True, status: Status = Status.ACTIVE) -> Member:  # noqa: A002 - the word of the list
    """A member whose gateway is ``gw.<domain>`` with the certificate of that name."""
    host = f"gw.{domain}"
    return Member(domain, (dn(issued(host, hosts=(host,))),), (Host(host, 25),), open, status)


def gateway(domain: str) -> Issued:
    """The certificate that ``member`` names."""
    host = f"gw.{domain}"
    return issued(host, hosts=(host,))


def listed(address: str, *pins: str, kind: Kind = Kind.PER, holder: str = "") -> Listed:
    return Listed(parse(address), kind, holder, frozenset(pins))


@dataclass(slots=True)
class ListAuthority:
    """Writes version after version; ``threshold`` of its ``count`` signers must sign each."""

    count: int = 3
    threshold: int = 2
    members: dict[str, Member] = field(default_factory=dict)
    addresses: dict[Address, Listed] = field(default_factory=dict)
    now: datetime = NOW
    life: timedelta = LIFE
    version: int = 0
    first: int = 0  # the number of its first signer
    numbers: tuple[int, ...] = ()  # who signs; none: the first ones
    content: bytes = b""  # the last version published

    @property
    def quorum(self) -> Quorum:
        certificates = [
            signer(number).chain_pem for number in range(self.first, self.first + self.count)
        ]
        return Quorum.of(certificates, self.threshold)

    def add(self, *entries: Member | Listed) -> "ListAuthority":
        for entry in entries:
            if isinstance(entry, Member):
                self.members[entry.domain] = entry
            else:
                self.addresses[entry.address] = entry
        return self

    def claims(self) -> Claims:
        return Claims(
            self.version,
            self.now,
            self.now + self.life,
            native.digest(self.content) if self.content else None,
            tuple(self.members.values()),
            Addresses.of(self.addresses.values()),
        )

    def publish(self, **changed: object) -> tuple[bytes, list[bytes]]:
        """Sign the next version; ``changed`` puts something false or odd into its claims."""
        self.version += 1
        claims = replace(self.claims(), **changed)  # type: ignore[arg-type]
        self.content = native.serialise(claims)
        return self.content, self.sign(self.content)

    def offer(self, **changed: object) -> Offer:
        """Sign the next version, as it is offered to a keeper."""
        content, envelopes = self.publish(**changed)
        return Offer(content, tuple(envelopes))

    @property
    def demands(self) -> Demands:
        """What a gateway that believes this authority demands of its lists."""
        return Demands("list", native.Source(self.quorum), native.LIMIT)

    @property
    def source(self) -> Source:
        """This authority as a source that is brought by hand."""
        return Source(self.demands)

    def sign(self, content: bytes, *numbers: int) -> list[bytes]:
        chosen = numbers or self.numbers or range(self.first, self.first + self.threshold)
        return [cms.sign(content, signer(n).certificate, signer(n).key) for n in chosen]

    def edition(self, source: str = "list") -> Edition:
        """Publish a version and verify it."""
        content, envelopes = self.publish()
        verified = verify(content, envelopes, self.quorum)
        return Edition(source, verified, native.parse, self.now)

    def current(self) -> TrustList:
        """Publish a version, verify it, and believe it alone."""
        return TrustList.of([self.edition()])


def trust_list(*entries: Member | Listed) -> TrustList:
    """A verified first version with these entries."""
    return ListAuthority().add(*entries).current()


@dataclass
class MemoryStore:
    """Keeps versions and their history as the database would.

    ``broken`` fails as a full disk does, ``unreadable`` as a bad one.
    """

    offers: dict[tuple[str, str], Offer] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    broken: bool = False
    unreadable: bool = False
    dies: bool = False  # the process, once all is on the disk
    altered: bool = False  # somebody wrote into the history

    async def history(self) -> Sequence[Kept]:
        if self.unreadable:
            raise OSError("bad disk")
        before, found = FIRST, []
        for number, entry in enumerate(self.entries, 1):
            before = link(before, entry)
            found.append(Kept(number, bytes(32) if self.altered else before, entry))
        return found

    async def offer(self, source: str, digest: str) -> Offer | None:
        return self.offers.get((source, digest))

    async def keep(self, entries: Sequence[Entry], offer: Offer | None = None) -> None:
        if self.broken:
            raise OSError("disk full")
        self.entries += entries
        for each in entries:
            if each.step is Step.ERASED:
                del self.offers[each.source, each.digest]
        if offer is not None:
            self.offers[entries[0].source, entries[0].digest] = offer
        if self.dies:
            raise KeyboardInterrupt

    @property
    def steps(self) -> list[tuple[Step, int | None]]:
        return [(entry.step, entry.version) for entry in self.entries]
