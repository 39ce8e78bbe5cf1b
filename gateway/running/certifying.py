"""The watch over certificates, made of what the settings say; and the anchors that lists add.

The anchors of ``[tls]`` are for every peer. Those that a list names (Direct) stand beside them in TLS
and in chains, and entitle nobody but whom their list names by them. R-A5.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.certificates.emergencies import Emergencies
from gateway.certificates.register import Register
from gateway.certificates.shelf import Answers
from gateway.certificates.watch import Watch
from gateway.operations.error import OperationError
from gateway.running import checks
from gateway.settings import Settings
from gateway.web.fetching import Fetching
from gateway.web.outside import Outside
from trust.authorities import Authorities, Manners
from trust.keeper import Keeper
from trust.sources import TrustList
from vault.database import Database
from vault.keys import KeyRing


def watch(  # noqa: PLR0917 - what it stands between
    settings: Settings,
    database: Database,
    ring: KeyRing,
    keeper: Keeper,
    clock: Callable[[], datetime],
    tell: Callable[..., None],
) -> Watch:
    """Return the watch of a gateway; ``bridged`` and ``run`` make it work."""
    said = settings.certificates
    manners = Manners(said.revocation, timedelta(seconds=said.refresh), said.timeout, said.limit)
    authorities = Authorities(
        Fetching(outside(settings)), Answers(database, ring), clock, manners, tell
    )
    beside: tuple[bytes, ...] = ()
    if said.intermediates is not None:
        beside = certificates(said.intermediates, "the intermediates")

    def anchors() -> tuple[bytes, ...]:
        return certificates(settings.tls.anchors, "the anchor file")

    return Watch(authorities, Register(database, ring), keeper, said, anchors, clock, tell, beside)


def outside(settings: Settings) -> Outside:
    """Return where authorities may be asked: whom certificates name, strangers may have named."""
    return Outside(frozenset(host.lower().rstrip(".") for host in settings.certificates.inside))


def named(listed: TrustList | None) -> tuple[bytes, ...]:
    """Return the anchors that the lists in force name members by (DER)."""
    return listed.anchors if listed is not None else ()


def certificates(path: Path, what: str) -> tuple[bytes, ...]:
    """Return the certificates of a PEM file as DER."""
    try:
        found = x509.load_pem_x509_certificates(checks.readable(path, what))
    except ValueError:
        raise OperationError(f"{what} {path} holds no certificate", "give it as PEM") from None
    return tuple(one.public_bytes(Encoding.DER) for one in found)


def own(settings: Settings, watching: Watch) -> None:
    """Let our own certificate be watched as every other is."""
    chain = certificates(settings.tls.certificate, "the certificate")
    watching.ours(chain[0], chain[1:])


def bridged(keeper: Keeper, emergencies: Emergencies, now: datetime) -> bool:
    """Lay the bridges that stand now over the list; return whether they are others than before."""
    bridges = emergencies.bridges(now)
    if bridges == keeper.overlay.bridges:
        return False
    keeper.overlaid(replace(keeper.overlay, bridges=bridges))
    return True
