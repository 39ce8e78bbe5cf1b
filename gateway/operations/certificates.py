"""``sceau certificates``, ``spool hold`` and ``resume``, ``trust bridge``: who has which, and emergencies.

A bridge is built by two: the first operator asks, and it stands when another asks for the same. It
is over one certificate that ran out, and only while its authority says that it is not revoked. R-A5.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from gateway.certificates.emergencies import Asked, Patience
from gateway.certificates.register import Met
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import told
from smtp.address import AddressError, parse_domain
from trust.bridges import LONGEST
from trust.errors import IdentityError
from trust.identity import Certificate
from trust.revocation import Source, State

_DAY = timedelta(days=1)


async def list_(rooms: Rooms, *, within: int | None = None) -> object:
    """Return the certificates that were met, and ours: how each stands, and when it ends."""
    now = rooms.clock()
    return [
        _row(rooms, met, now)
        for met in rooms.watch.all()
        if within is None or met.expires - now <= within * _DAY
    ]


def _row(rooms: Rooms, met: Met, now: datetime) -> dict[str, Any]:
    standing = rooms.keeper.overlay.certificates.of(met.fingerprint, now)
    certificate = Certificate.parse(met.certificate)
    return {
        "kind": met.role,
        "domains": list(rooms.watch.domains(met)),
        "subject": certificate.text,
        "expires": told(met.expires),
        "days": (met.expires - now) // _DAY,
        "state": standing.state.value,
        "source": standing.source.value,
        "until": told(standing.until),
        "why": standing.why,
        "seen": told(met.seen),
        "certificate": met.fingerprint,
        "bridged": rooms.keeper.overlay.bridges.over(certificate, now) is not None,
    }


async def hold(rooms: Rooms, *, domain: str, why: str = "") -> object:
    """Let mail for a domain not grow old until ``resume``."""
    name = _domain(domain)
    await rooms.emergencies.hold(Patience(name, rooms.clock(), rooms.actor, why))
    rooms.notes.tell("spool.held", {"domain": name, "kind": "patience"})
    return {"domain": name, "held": True}


async def resume(rooms: Rooms, *, domain: str) -> object:
    """Let mail for a domain grow old again, and try it now."""
    name = _domain(domain)
    if not await rooms.emergencies.resume(name):
        raise OperationError(f"mail for {name} was not held", "sceau spool holds lists whose is")
    rooms.notes.tell("spool.resumed", {"domain": name, "kind": "patience"})
    rooms.wake()
    return {"domain": name, "held": False}


async def holds(rooms: Rooms) -> object:
    """Return for whom mail does not grow old, since when, and who said so."""
    return [
        {"domain": one.domain, "since": told(one.since), "by": one.by, "why": one.why}
        for one in rooms.emergencies.holds()
    ]


async def bridge(
    rooms: Rooms,
    *,
    domain: str,
    hours: float = 24.0,
    octets: bytes | None = None,
    why: str = "",
) -> object:
    """Ask for a bridge over a domain's expired certificate, or confirm the one that was asked for."""
    if not rooms.settings.certificates.bridge:
        raise OperationError(
            "bridges are switched off here", "[certificates] bridge = true allows them"
        )
    name, now = _domain(domain), rooms.clock()
    asked = next((one for one in rooms.emergencies.asked(now) if one.domain == name), None)
    if asked is None:
        if not 0 < hours <= LONGEST / timedelta(hours=1):
            raise OperationError("a bridge stands for 72 hours at most", "ask for fewer")
        expired = _given(octets) if octets else _expired(rooms, name, now)
        _check(rooms, name, expired, now)
        asked = Asked(name, expired, hours, now, rooms.actor, why)
    elif asked.confirmed is not None:
        raise OperationError(
            f"a bridge for {name} stands until {told(asked.ends)}", "wait for its end, or remove it"
        )
    elif asked.by == rooms.actor:
        raise OperationError(
            f"{asked.by} asked for it: another operator must confirm", "two people, two log-ins"
        )
    else:
        _check(rooms, name, asked.certificate, now)
        asked = msgspec.structs.replace(asked, confirmed=now, confirmed_by=rooms.actor)
    await rooms.emergencies.ask(asked)
    _lay(rooms, now)
    event = "bridge.asked" if asked.confirmed is None else "bridge.built"
    print_ = Certificate.parse(asked.certificate).fingerprint
    rooms.notes.tell(event, {"domain": name, "certificate": print_, "until": asked.ends})
    return _told(asked)


async def unbridge(rooms: Rooms, *, domain: str) -> object:
    """Take a bridge, or the request for one, away at once; one operator is enough for that."""
    name = _domain(domain)
    await rooms.emergencies.remove(name)
    _lay(rooms, rooms.clock())
    rooms.notes.tell("bridge.removed", {"domain": name})
    return {"domain": name, "bridged": False}


async def bridges(rooms: Rooms) -> object:
    """Return the bridges that stand, and those that wait for a second operator."""
    return [_told(one) for one in rooms.emergencies.asked(rooms.clock())]


def _lay(rooms: Rooms, now: datetime) -> None:
    keeper = rooms.keeper
    keeper.overlaid(replace(keeper.overlay, bridges=rooms.emergencies.bridges(now)))


def _told(asked: Asked) -> dict[str, Any]:
    certificate = Certificate.parse(asked.certificate)
    return {
        "domain": asked.domain,
        "stands": asked.confirmed is not None,
        "asked_by": asked.by,
        "confirmed_by": asked.confirmed_by or None,
        "hours": asked.hours,
        "until": told(asked.ends),
        "certificate": certificate.fingerprint,
        "expired": told(certificate.not_after),
        "why": asked.why,
    }


def _domain(text: str) -> str:
    try:
        return parse_domain(text)
    except AddressError as error:
        raise OperationError(f"{text} is no domain: {error}", "check its spelling") from None


def _given(octets: bytes) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        return x509.load_pem_x509_certificate(octets).public_bytes(Encoding.DER)
    except ValueError:
        raise OperationError("that file holds no certificate", "give it as PEM") from None


def _expired(rooms: Rooms, domain: str, now: datetime) -> bytes:
    """Return the certificate of a member that ran out last, of those that it showed us."""
    found = [
        met for met in rooms.watch.all() if met.expires < now and domain in rooms.watch.domains(met)
    ]
    if not found:
        raise OperationError(
            f"no certificate of {domain} that we met has expired",
            "give the one that they show now: --certificate FILE",
        )
    return found[-1].certificate


def _check(rooms: Rooms, domain: str, der: bytes, now: datetime) -> None:
    """Refuse a bridge that would carry nobody, or the wrong one."""
    try:
        certificate = Certificate.parse(der)
    except IdentityError:
        raise OperationError("that certificate cannot be read", "give it as PEM") from None
    listed = rooms.keeper.current
    member = listed.member(domain) if listed is not None else None
    if member is None or not member.entitles(certificate):
        raise OperationError(
            f"{certificate.text} does not speak for {domain}", "see sceau trust show --domain"
        )
    if certificate.not_after >= now:
        raise OperationError("that certificate has not expired", "it needs no bridge")
    standing = rooms.keeper.overlay.certificates.of(certificate.fingerprint, now)
    if standing.state is State.REVOKED:
        raise OperationError("that certificate is revoked", "nothing carries a revoked one")
    if standing.state is State.UNKNOWN or standing.source is Source.NONE:
        raise OperationError(
            "its authority does not say that it is not revoked, so no bridge can carry it",
            "sceau certificates list says why; [certificates] says who is asked",
        )
