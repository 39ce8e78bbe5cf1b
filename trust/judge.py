"""What an authority's answer says of a certificate: a CRL or an OCSP response, whoever brought it.

An answer comes over plain HTTP from anybody, so only its signature counts; pyhanko-certvalidator
checks it, its signer's right to give it and what it covers (RFC 5280 §6.3, RFC 6960 §3.2). Dates
are ours: one that ran out still says what it said, and how long that counts is the grace's business
(``trust.revocation``). Blocking work, for a thread. R-A5.
"""

import hashlib
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.x509 import ocsp
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.errors import RevokedError
from pyhanko_certvalidator.revinfo.validate_crl import verify_crl
from pyhanko_certvalidator.revinfo.validate_ocsp import verify_ocsp_response

from trust.chain import Chain, Link, context, run
from trust.errors import TrustError
from trust.revocation import Source, Standing, State

_SKEW = timedelta(minutes=5)
_UNSAID = timedelta(minutes=30)  # the life of an OCSP answer that names none


class AnswerError(TrustError):
    """No answer, whatever it looks like; the message is a word for logs."""


def by_crl(
    chain: Chain, link: Link, der: bytes, now: datetime, held: datetime | None = None
) -> Standing:
    """Judge by a CRL; raise ``AnswerError`` if it says nothing of this certificate.

    ``held`` is since when it was on hold: what was said before does not lift that.
    """
    try:
        crl = x509.load_der_x509_crl(der)
        begins, ends = crl.last_update_utc, crl.next_update_utc
        entry = crl.get_revoked_certificate_by_serial_number(link.serial)
    except Exception:  # noqa: BLE001 - a stranger's bytes: whatever the parser raises for them
        raise AnswerError("not-a-crl") from None
    at = None if entry is None else entry.revocation_date_utc
    _check_lifts(begins, at, held)
    moment, ends = _moment(begins, ends, at, now)
    around = _around(chain, moment, crls=(der,))
    certificate = asn1.Certificate.load(link.certificate)
    revoked = _verdict(verify_crl(certificate, chain.path, around, use_deltas=False))
    if revoked is not None:
        return _revoked(revoked, Source.CRL)
    return Standing(State.GOOD, now, ends, Source.CRL)


def unnamed(
    begins: datetime, ends: datetime, now: datetime, held: datetime | None = None
) -> Standing:
    """Judge by a CRL that was verified for certificates of this scope, and does not name this one."""
    _check_lifts(begins, None, held)
    _moment(begins, ends, None, now)
    return Standing(State.GOOD, now, ends, Source.CRL)


def by_ocsp(
    chain: Chain, link: Link, der: bytes, now: datetime, held: datetime | None = None
) -> Standing:
    """Judge by an OCSP answer, as by a CRL."""
    try:
        answer = ocsp.load_der_ocsp_response(der)
        if (said := answer.response_status) is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise AnswerError(f"ocsp-{said.name.lower().replace('_', '-')}")
        begins = answer.this_update_utc
        ends = answer.next_update_utc or begins + _UNSAID
        status, at = answer.certificate_status, answer.revocation_time_utc
    except AnswerError:
        raise
    except Exception:  # noqa: BLE001 - a stranger's bytes: whatever the parser raises for them
        raise AnswerError("not-an-ocsp-answer") from None
    if status is ocsp.OCSPCertStatus.UNKNOWN:
        raise AnswerError("ocsp-knows-it-not")
    _check_lifts(begins, at, held)
    moment, ends = _moment(begins, ends, at, now)
    around = _around(chain, moment, ocsps=(der,))
    certificate = asn1.Certificate.load(link.certificate)
    revoked = _verdict(verify_ocsp_response(certificate, chain.path, around))
    if revoked is not None:
        return _revoked(revoked, Source.OCSP)
    return Standing(State.GOOD, now, ends, Source.OCSP)


def scope(link: Link) -> bytes:
    """Return what a CRL's scope is compared with: what it verified for one, it does for the other."""
    certificate = x509.load_der_x509_certificate(link.certificate)
    kinds = (x509.BasicConstraints, x509.CRLDistributionPoints)
    parts = [one.value for one in certificate.extensions if isinstance(one.value, kinds)]
    octets = b"\0".join(part.public_bytes() for part in parts)
    return hashlib.sha256(octets).digest()


def _verdict(asking: Coroutine[Any, Any, None]) -> RevokedError | None:
    try:
        run(asking)
    except RevokedError as revoked:
        return revoked
    except Exception:  # noqa: BLE001 - its errors have no common base, and bad input raises others
        raise AnswerError("not-for-this-certificate-or-not-signed") from None
    return None


def _revoked(error: RevokedError, source: Source) -> Standing:
    reason = str(error.reason.native).replace("_", "-")
    hold = reason == "certificate-hold"
    return Standing(State.REVOKED, error.revocation_dt, source=source, why=reason, hold=hold)


def _check_lifts(begins: datetime, revoked: datetime | None, held: datetime | None) -> None:
    # Somebody on the way may bring an answer again that was true before, and has not run out.
    if revoked is None and held is not None and begins < held:
        raise AnswerError("older-than-the-hold")


def _moment(
    begins: datetime, ends: datetime | None, revoked: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    """Return when to judge an answer, and its end.

    One that ran out is judged at its end: how long it counts after that is the grace's business.
    One that revokes is judged after the revocation, even if that lies ahead: it counts at once.
    """
    if ends is None:
        raise AnswerError("without-an-end")
    if begins > now + _SKEW:
        raise AnswerError("from-the-future")
    moment = max(begins, min(now, ends))
    return (moment if revoked is None else max(moment, revoked + timedelta(seconds=1))), ends


def _around(
    chain: Chain, moment: datetime, *, crls: tuple[bytes, ...] = (), ocsps: tuple[bytes, ...] = ()
) -> ValidationContext:
    certificates = list(chain.path.iter_certs(include_root=True))
    return context(certificates[:1], certificates[1:], moment, crls=crls, ocsps=ocsps)
