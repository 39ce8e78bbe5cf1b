"""MSSanté's white list: signed XML that binds each domain to its operators' certificate names.

The document is verified first (one strict shape of XML-DSig, a pinned signer) and read from the
canonical bytes that were signed. It has a date and neither number nor expiry: versions follow each
other by date, and the operator says how old one may get. Members are open and have no hosts. A
domain has one entry for each operator's name. People's names and telephones in it are not taken
over. Modelled on what is publicly known of the real file. R-C2, R-C3, R-C5, R-C8.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from lxml import etree

from smtp.address import AddressError, parse_domain
from trust.errors import IdentityError, ListError
from trust.identity import Identity, Mark, Way
from trust.members import Claims, Member
from trust.signatures import xmldsig
from trust.signatures.signers import Signers
from trust.signatures.verified import Verified
from trust.verification import Offer

NAMESPACE = "https://listeblanche.mssante.fr/schema"
LIMIT = 32 << 20  # octets: nine times the real list
_REMARKS = 20

_ROOT = f"{{{NAMESPACE}}}ListeBlancheMSSante"
_PARTS = [f"{{{NAMESPACE}}}{name}" for name in ("DateDeGeneration", "ListeDomaines")]
_ENTRY = f"{{{NAMESPACE}}}Domaine"
_DOMAIN = f"{{{NAMESPACE}}}Nom"
_OPERATOR = f"{{{NAMESPACE}}}DNCertificatOperateur"
_CHILDREN = {_DOMAIN, _OPERATOR} | {
    f"{{{NAMESPACE}}}{name}"
    for name in ("Description", "ResponsableContact", "SupportContact", "DateMAJ")
}
# Where a document's schema lies may be written on it; nothing else is.
_ATTRIBUTE = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


@dataclass(frozen=True, slots=True)
class WhiteList:
    """How one operator takes the list: from which signers, and how old it may get."""

    signers: Signers
    max_age: timedelta

    def verify(self, offer: Offer, now: datetime) -> Verified:
        """Return the canonical bytes that a pinned signer signed, or raise ``TrustError``."""
        # (2) The one strict form, (3) the signature over the very bytes that ``read`` parses.
        signed = xmldsig.opened(bytes(offer.content))
        dated = _generated(_parts(signed.content)[0])
        # (4) The signer, (5) its chain, (6) its revocation.
        return self.signers.vouch(signed, dated, now)

    def read(self, verified: Verified, arrived: datetime) -> Claims:
        """Return what the verified list claims; raise ``ListError`` if it is none."""
        del arrived  # it dates itself
        generated, entries = _parts(bytes(verified.content))
        issued = _generated(generated)
        members = _Members()
        for entry in entries:
            members.add(*_read(entry))
        try:
            stale_after = issued + self.max_age
        except OverflowError:
            raise ListError("the list is dated at the end of time") from None
        return Claims(
            version=None,
            issued=issued,
            stale_after=stale_after,
            previous=None,
            members=tuple(members),
            remarks=tuple(members.remarks),
        )


@dataclass(slots=True)
class _Members:
    """The domains as entry after entry names them, each with all its operators."""

    operators: dict[str, dict[Mark, Identity]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    domains: dict[str, str] = field(default_factory=dict)  # as parsed, by what was written
    identities: dict[str, Identity] = field(default_factory=dict)  # few, and each is slow to read

    def add(self, domain: str, operator: str) -> None:
        """Take an entry; one that cannot be read grants nothing and takes nothing from others."""
        try:
            if domain not in self.domains:
                self.domains[domain] = parse_domain(domain)
            if operator not in self.identities:
                self.identities[operator] = Identity(Way.DN, operator)
        except (AddressError, IdentityError) as error:
            if len(self.remarks) < _REMARKS:
                self.remarks.append(f"the entry {domain[:80]!r} is left out: {error}")
            return
        identity = self.identities[operator]
        self.operators.setdefault(self.domains[domain], {}).setdefault(identity.mark, identity)

    def __iter__(self) -> Iterator[Member]:
        for domain, identities in sorted(self.operators.items()):
            yield Member(domain, tuple(identities.values()))


def _parts(content: bytes) -> tuple[etree._Element, etree._Element]:
    root = xmldsig.parse(content)
    if root.tag != _ROOT or [part.tag for part in root] != _PARTS:
        raise ListError("the document is not a list of this format")
    if set(root.keys()) - {_ATTRIBUTE}:
        raise ListError("the document has attributes that are none of its format")
    generated, entries = root
    return generated, entries


def _generated(element: etree._Element) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(element))
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise ListError("the list does not say when it was made") from None


def _read(entry: etree._Element) -> tuple[str, str]:
    """Return an entry's domain and operator; of its people nothing is looked at."""
    children = {child.tag: child for child in entry}
    if entry.tag != _ENTRY or len(entry) != len(_CHILDREN) or children.keys() != _CHILDREN:
        raise ListError("an entry of the list is not made as it must be")
    return _text(children[_DOMAIN]), _text(children[_OPERATOR])


def _text(element: etree._Element) -> str:
    if len(element) or element.keys():
        raise ListError("an element of the list is not made as it must be")
    return (element.text or "").strip()
