"""A signer is pinned by name, authority and policy, for its time, on the day that counts."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.demo.health import HealthAuthority, Holder
from tests.trust.national import authority, pin, signer, signers
from tests.trust.simulator import NOW, issued
from trust.errors import (
    ChainError,
    IdentityError,
    RevokedError,
    SignatureError,
    SignerError,
    UnsettledError,
)
from trust.identity import Certificate
from trust.revocation import Standing, State
from trust.signatures.signers import Dates, Signer, Signers, unsigned
from trust.signatures.verified import Signed

DAY = timedelta(days=1)
CONTENT = b"a list"


def vouch(
    holder: Holder, by: Signers | None = None, dated: datetime = NOW, now: datetime = NOW
) -> bytes:
    return bytes((by or signers()).vouch(Signed(CONTENT, holder.certificate), dated, now).content)


def test_the_pinned_signer() -> None:
    """Known by its key, as the signers of native lists are."""
    verified = signers().vouch(Signed(CONTENT, signer().certificate), NOW, NOW)
    assert CONTENT == verified.content
    assert {Certificate.parse(signer().der).spki_sha256} == verified.signers


def test_the_signer_of_the_real_shape() -> None:
    """Its only purpose is mail, which no policy of the library would take."""
    extensions = signer().certificate.extensions
    purposes = list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert [ExtendedKeyUsageOID.EMAIL_PROTECTION] == purposes


def test_another_of_the_same_authority() -> None:
    """Every operator has a certificate of that authority; none of them signs the list."""
    gateway = authority().gateway("mss.labo.example", "LABO", "1990000001")
    for other in (gateway, signer("alb.autre.example")):
        with pytest.raises(SignerError, match="not a pinned signer"):
            vouch(other)


def test_the_same_name_under_another_policy() -> None:
    """A name is not enough: the certificate must be of the kind that signs lists."""
    other = authority().signer(policy="2.999.1")
    with pytest.raises(SignerError, match="not a pinned signer"):
        vouch(other)
    assert CONTENT == vouch(other, signers(pin(signer(), None)))


def without_policies() -> Holder:
    """The signer's name on a certificate that names no policy."""
    key = rsa.generate_private_key(65537, 2048)
    template = signer().certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(template.subject)
        .issuer_name(template.issuer)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
    )
    return Holder(builder.sign(authority().organisations.key, hashes.SHA256()), key)


def test_a_certificate_that_says_little() -> None:
    """No policy where one is pinned; no word of what it is for."""
    bare = without_policies()
    with pytest.raises(SignerError, match="not a pinned signer"):
        vouch(bare)
    with pytest.raises(ChainError, match="does not say"):
        vouch(bare, signers(pin(bare, None)))


def test_the_same_name_from_another_authority() -> None:
    """Anyone can make an authority of that name: the chain decides."""
    forged = HealthAuthority.make(NOW).signer()
    with pytest.raises(ChainError, match="anchors"):
        vouch(forged)


def test_a_chain_is_built_from_what_came_along() -> None:
    """The root may be the only anchor, if the authority below it is in the document."""
    root = (authority().root.certificate,)
    by = Signers((pin(signer()),), root)
    with pytest.raises(ChainError, match="anchors"):
        by.vouch(Signed(CONTENT, signer().certificate), NOW, NOW)
    organisations = (authority().organisations.certificate,)
    assert by.vouch(Signed(CONTENT, signer().certificate, organisations), NOW, NOW).signers


def test_the_gateway_is_not_for_signing() -> None:
    """Pinned by mistake, it still does not sign: its certificate is made for TLS."""
    gateway = authority().gateway("mss.labo.example", "LABO", "1990000001")
    for other in (gateway, authority().signer(purposes=())):
        with pytest.raises(ChainError, match="other purposes"):
            vouch(other, signers(pin(other, None)))


def test_a_certificate_for_encryption_only() -> None:
    """Key usage without digitalSignature signs nothing."""
    with pytest.raises(ChainError, match="not made for signatures"):
        vouch(authority().organisations, signers(pin(authority().organisations, None)))


def test_any_purpose_where_the_source_says_so() -> None:
    """Signers of other spaces have other certificates."""
    gateway = authority().gateway("mss.labo.example", "LABO", "1990000001")
    anchors = (authority().organisations.certificate,)
    assert CONTENT == vouch(gateway, Signers((pin(gateway, None),), anchors, purposes=None))


EXPIRED = signer(days=31)  # good until the day after NOW
LATER = NOW + 30 * DAY


@pytest.mark.parametrize(
    ("dates", "dated", "now", "good"),
    [
        (Dates.OF_LIST, NOW, NOW, True),
        (Dates.OF_LIST, NOW, LATER, True),  # the real signer expired with its list in force
        (Dates.OF_LIST, LATER, LATER, False),
        (Dates.OF_LIST, LATER, NOW, True),  # a date to come is refused elsewhere: judged today
        (Dates.OF_LIST, NOW - 31 * DAY, NOW, False),  # before it was issued
        (Dates.NOW, NOW, NOW, True),
        (Dates.NOW, NOW, LATER, False),
    ],
)
def test_the_day_that_counts(dates: Dates, dated: datetime, now: datetime, good: bool) -> None:  # noqa: FBT001
    """The operator says whether a signer must be good on the day of the list or today."""
    by = signers(pin(EXPIRED), dates=dates)
    if good:
        assert CONTENT == vouch(EXPIRED, by, dated, now)
    else:
        with pytest.raises(ChainError, match="good from"):
            vouch(EXPIRED, by, dated, now)


OLD, NEW = signer("alb.sante.example"), signer("alb2.sante.example")
ROLLED = signers(pin(OLD, until=NOW), pin(NEW, since=NOW))


@pytest.mark.parametrize(
    ("holder", "dated", "good"),
    [
        (OLD, NOW - DAY, True),
        (OLD, NOW, False),
        (NEW, NOW - DAY, False),
        (NEW, NOW, True),
    ],
)
def test_roll_over(holder: Holder, dated: datetime, good: bool) -> None:  # noqa: FBT001
    """One signer hands over to the next at a moment that the operator sets."""
    if good:
        assert CONTENT == vouch(holder, ROLLED, dated)
    else:
        with pytest.raises(SignerError, match="does not sign on"):
            vouch(holder, ROLLED, dated)


def test_a_renewed_certificate_is_the_same_signer() -> None:
    """Another key under the same name, authority and policy: nothing to set."""
    assert CONTENT == vouch(authority().signer())


@pytest.mark.parametrize(
    ("state", "error"),
    [(State.REVOKED, RevokedError), (State.UNKNOWN, UnsettledError)],
)
def test_revocation(state: State, error: type[SignatureError]) -> None:
    """Revoked is final; not known is asked again."""
    by = signers(revocation=lambda chain, now: Standing(state))
    with pytest.raises(error) as raised:
        vouch(signer(), by)
    assert error is type(raised.value)


def test_revocation_is_asked_of_the_chain_as_of_now() -> None:
    """A stolen key writes any date, so the list's date does not count here."""
    asked = []

    def revocation(chain: tuple[bytes, ...], now: datetime) -> Standing:
        asked.append((chain, now))
        return Standing(State.GOOD)

    assert CONTENT == vouch(signer(), signers(revocation=revocation), NOW - DAY, NOW)
    assert [((signer().der, authority().organisations.der), NOW)] == asked


def test_a_signer_needs_names() -> None:
    """What is no distinguished name pins nobody."""
    with pytest.raises(IdentityError):
        Signer.pinned("alb.sante.example", "CN=AC")


@pytest.mark.parametrize(
    "wrong",
    [
        {"policy": "emailProtection"},
        {"policy": ""},
        {"since": NOW.replace(tzinfo=None)},
        {"until": NOW.replace(tzinfo=None)},
    ],
)
def test_a_pin_that_could_never_match(wrong: dict[str, Any]) -> None:
    """Said at the start, not when the first list is judged."""
    with pytest.raises(SignatureError):
        pin(signer(), **wrong)


@pytest.mark.parametrize("part", ["pinned", "anchors"])
def test_a_source_without_signers_or_anchors(part: str) -> None:
    """An empty list would believe nobody, or anybody: neither was meant."""
    whole = {"pinned": (pin(signer()),), "anchors": (authority().root.certificate,), part: ()}
    with pytest.raises(SignatureError, match="at least one"):
        Signers(**whole)  # type: ignore[arg-type]


def test_a_weak_key() -> None:
    """Pinned or not, a short key signs nothing."""
    key = rsa.generate_private_key(65537, 1024)
    template = signer().certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(template.subject)
        .issuer_name(template.issuer)
        .public_key(key.public_key())
        .serial_number(8)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
    )
    for extension in template.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    weak = Holder(builder.sign(authority().organisations.key, hashes.SHA256()), key)
    with pytest.raises(SignatureError, match="2048 bits"):
        vouch(weak)


def test_a_certificate_that_cannot_be_read() -> None:
    """It came in a document that anyone may write: our error and no other."""
    der = signer().der
    at = der.index(bytes.fromhex("0603551d20")) + 7  # within its policies
    broken = x509.load_der_x509_certificate(der[:at] + b"\xff" + der[at + 1 :])
    with pytest.raises(SignerError, match="cannot be read"):
        vouch(Holder(broken, signer().key))


def test_what_nobody_signed() -> None:
    """Only where the settings of a source say so in so many words."""
    assert frozenset() == unsigned(CONTENT).signers


def test_a_signer_of_another_kind_of_key() -> None:
    """Elliptic keys sign envelopes; they are pinned like any other."""
    elliptic = issued("Signataire")
    subject, issuer = (
        name.rfc4514_string()
        for name in (elliptic.certificate.subject, elliptic.certificate.issuer)
    )
    by = Signers((Signer.pinned(subject, issuer),), elliptic.chain, purposes=None)
    assert by.vouch(Signed(CONTENT, elliptic.certificate), NOW, NOW).signers


REAL = Path(__file__).parents[4] / "shared" / "data" / "igc-sante"


@pytest.mark.skipif(not REAL.is_dir(), reason="the health PKI's public certificates are not here")
def test_the_health_pki_itself() -> None:
    """Its authorities are such as our rules for chains accept."""
    issuing, root = (
        x509.load_pem_x509_certificate((REAL / name).read_bytes())
        for name in ("ACI-EL-ORG.pem", "ACR-EL.pem")
    )
    by = Signers((pin(Holder(issuing, signer().key), None),), (root,))
    assert [issuing, root] == list(by._chain(Signed(CONTENT, issuing), NOW))
