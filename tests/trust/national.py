"""A health space in small: its authority, whoever signs its list, and how an operator takes it."""

from datetime import datetime, timedelta
from functools import cache

from gateway.demo import national
from gateway.demo.health import POLICY, HealthAuthority, Holder
from gateway.demo.national import Entry
from tests.trust.simulator import NOW
from trust.formats.mssante import WhiteList
from trust.signatures.signers import Dates, Revocation, Signer, Signers

MAX_AGE = timedelta(days=7)
LABO = "CN=mss.labo.example,OU=1990000001,O=LABO,ST=Essai (99),C=FR"
CHU = "CN=mss.chu.example,OU=1990000002,O=CHU,ST=Essai (99),C=FR"
ENTRIES = (Entry("labo.example", LABO), Entry("chu.example", CHU), Entry("chu.example", LABO))


@cache
def authority() -> HealthAuthority:
    """One for the whole run."""
    return HealthAuthority.make(NOW)


@cache
def signer(name: str = "alb.sante.example", starts: int = -30, days: int = 365) -> Holder:
    """Who signs: a certificate of so many days, good from ``starts`` days after NOW."""
    return authority().signer(name, starts=NOW + timedelta(days=starts), days=days)


def pin(
    holder: Holder,
    policy: str | None = POLICY,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Signer:
    certificate = holder.certificate
    return Signer.pinned(
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        policy,
        since=since,
        until=until,
    )


def signers(
    *pinned: Signer, dates: Dates = Dates.OF_LIST, revocation: Revocation | None = None
) -> Signers:
    anchors = (authority().root.certificate, authority().organisations.certificate)
    return Signers(pinned or (pin(signer()),), anchors, dates, revocation=revocation)


def white_list(pinned: Signers | None = None) -> WhiteList:
    return WhiteList(pinned or signers(), MAX_AGE)


def document(*entries: Entry, generated: datetime = NOW) -> bytes:
    return national.document(entries or ENTRIES, generated)


def signed(content: bytes = b"", holder: Holder | None = None, template: str = "") -> bytes:
    return national.signed(content or document(), holder or signer(), template=template)
