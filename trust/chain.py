"""The ways from a certificate up to our anchors, and whom each certificate on them says to ask.

Validation is pyhanko-certvalidator's (RFC 5280 §6), which never asks the network here. A path is sought from the leaf to our anchors alone, by
signatures and never by names: whoever writes our authority's name into its own certificate gets no
further than the first signature. All of this is blocking work, for a thread. R-A5.
"""

import hashlib
import logging
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.errors import ExpiredError, NotYetValidError
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import NO_REVOCATION, CertRevTrustPolicy
from pyhanko_certvalidator.validate import async_validate_path

# It logs whole paths, and with them other people's names; what is wrong we say ourselves.
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)

_POLICY = CertRevTrustPolicy(NO_REVOCATION, retroactive_revinfo=True)
_MANY = 12  # certificates beside the leaf, and paths among them: more is an attack on our time


@dataclass(frozen=True, slots=True)
class Link:
    """A certificate on a path, and the one that signed it (both DER)."""

    certificate: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    serial: int
    crls: tuple[str, ...]  # where its authority publishes its list, over plain HTTP
    ocsps: tuple[str, ...]  # where it may be asked about
    named: bool  # whether it names anything at all, LDAP and deltas included

    @property
    def key(self) -> str:
        """What identifies a certificate to its authority: never the serial number alone."""
        return f"{fingerprint(self.issuer)}/{self.serial:x}"

    def request(self) -> bytes:
        """Return the OCSP request (DER) that asks after it."""
        certificate, issuer = _load(self.certificate), _load(self.issuer)
        # RFC 5019 §2.1.1: what every responder understands; nothing rests on this hash.
        builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, SHA1())  # noqa: S303
        return builder.build().public_bytes(Encoding.DER)


@dataclass(frozen=True, slots=True)
class Chain:
    """A path that validates: from the leaf to just below an anchor."""

    links: tuple[Link, ...]
    anchor: str  # SHA-256 of the anchor's DER, in hex
    path: ValidationPath = field(repr=False, compare=False)

    @property
    def ders(self) -> tuple[bytes, ...]:
        """Its certificates, from the anchor to the leaf: all that ``rebuilt`` wants."""
        return _ders(self.path)


@dataclass(frozen=True, slots=True)
class Chains:
    """Every path that validates; if there is none, the first thing that was wrong, in a word."""

    found: tuple[Chain, ...] = ()
    why: str = ""

    @property
    def anchors(self) -> frozenset[str]:
        """The anchors that they lead to."""
        return frozenset(chain.anchor for chain in self.found)


def fingerprint(der: bytes) -> str:
    """Return a certificate's SHA-256 in hex."""
    return hashlib.sha256(der).hexdigest()


def chains(leaf: bytes, others: Iterable[bytes], anchors: Iterable[bytes], now: datetime) -> Chains:
    """Find the paths from a leaf to our anchors, through certificates that came with it or are known.

    A leaf outside its dates is judged at the last moment it was valid: whether its dates count is
    for others to say (``trust.bridges``). Those above it are judged as they are.
    """
    try:
        return _chains(leaf, tuple(others)[:_MANY], tuple(anchors), now)
    except Exception:  # noqa: BLE001 - bytes of strangers, in two parsers: whatever they raise
        return Chains(why="unreadable")


def _chains(
    leaf: bytes, others: tuple[bytes, ...], anchors: tuple[bytes, ...], now: datetime
) -> Chains:
    read = _load(leaf)
    moment = min(max(now, read.not_valid_before_utc), read.not_valid_after_utc)
    around = context(_readable(anchors), _readable(others), moment)
    found, why = [], ""
    for path in run(_paths(around, asn1.Certificate.load(leaf))):
        wrong = run(_wrong(around, path))
        why = why or wrong
        if not wrong:
            found.append(_chain(path))
    return Chains(tuple(found), "" if found else why or "no-path")


async def _paths(around: ValidationContext, leaf: asn1.Certificate) -> list[ValidationPath]:
    found: list[ValidationPath] = []
    walk = around.path_builder.async_build_paths_lazy(leaf)
    try:
        async for path in walk:
            found.append(path)
            if len(found) == _MANY:
                break
    except Exception:  # noqa: BLE001 - no path at all is an error there
        return found
    finally:
        await walk.cancel()  # type: ignore[no-untyped-call]  # as the library has it
    return [path for path in found if path.pkix_len]


async def _wrong(around: ValidationContext, path: ValidationPath) -> str:
    try:
        await async_validate_path(around, path)
    except ExpiredError:
        return "authority-expired"
    except NotYetValidError:
        return "authority-not-yet-valid"
    except Exception:  # noqa: BLE001 - its errors have no common base, and bad input raises others
        return "invalid-path"
    return ""


def rebuilt(ders: Sequence[bytes]) -> Chain:
    """Return a chain that was found valid, from its certificates; it is not validated again."""
    anchor, *others, leaf = (asn1.Certificate.load(der) for der in ders)
    return _chain(ValidationPath(CertTrustAnchor(anchor), others, leaf))


def _ders(path: ValidationPath) -> tuple[bytes, ...]:
    return tuple(certificate.dump() for certificate in path.iter_certs(include_root=True))


def _chain(path: ValidationPath) -> Chain:
    ders = _ders(path)
    links = [_link(der, issuer) for issuer, der in pairwise(ders)]
    return Chain(tuple(reversed(links)), fingerprint(ders[0]), path)


def _link(der: bytes, issuer: bytes) -> Link:
    certificate = _load(der)
    crls, ocsps, named = [], [], False
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.CRLDistributionPoints):
            named = True
            crls += [name.value for point in value for name in point.full_name or ()]
        elif isinstance(value, x509.AuthorityInformationAccess):
            method = AuthorityInformationAccessOID.OCSP
            asked = [one.access_location.value for one in value if one.access_method == method]
            named, ocsps = named or bool(asked), asked
    return Link(der, issuer, certificate.serial_number, _http(crls), _http(ocsps), named)


def _http(urls: Iterable[object]) -> tuple[str, ...]:
    # LDAP copies and delta lists of the health PKI are left aside: its full lists come by HTTP.
    return tuple(url for url in urls if isinstance(url, str) and url.startswith("http://"))[:3]


def context(
    anchors: Iterable[asn1.Certificate],
    others: Iterable[asn1.Certificate],
    moment: datetime,
    *,
    crls: Sequence[bytes] = (),
    ocsps: Sequence[bytes] = (),
) -> ValidationContext:
    """Return what pyhanko validates in: these anchors and answers, this moment, and no network."""
    return ValidationContext(
        trust_roots=list(anchors),
        other_certs=list(others),
        moment=moment.astimezone(UTC),
        revinfo_policy=_POLICY,
        crls=list(crls),
        ocsps=list(ocsps),
    )


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run to its end what never waits: nothing in it can fetch."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("a validation wants to wait")


def _readable(ders: Iterable[bytes]) -> Iterator[asn1.Certificate]:
    for der in ders:
        try:
            _load(der)
        except ValueError:  # one bad certificate beside a good chain is not the chain's fault
            continue
        yield asn1.Certificate.load(der)


def _load(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)
