"""TLS from our certificate and our anchors alone; no session of one listener is good at another."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.demo.pki import Authority
from smtp import tls
from smtp.tls import SUITES, TlsError
from tests.smtp.stage import NOW, Pki

TLS13 = {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"}
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def shake(
    server: ssl.SSLContext, client: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Do a handshake without a network; return both ends."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    there = server.wrap_bio(up, down, server_side=True)
    here = client.wrap_bio(down, up, session=session)
    unfinished = [here, there]
    while unfinished:
        for end in list(unfinished):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            unfinished.remove(end)
    # TLS 1.3 tickets come with the first octets that the server sends.
    there.write(b"x")
    here.read(1)
    here.write(b"x")
    there.read(1)
    return there, here


def refusal(server: ssl.SSLContext, client: ssl.SSLContext) -> str:
    with pytest.raises(ssl.SSLError) as caught:
        shake(server, client)
    return str(caught.value)


def test_only_the_allowed_suites(pki: Pki) -> None:
    """R-A2: forward secrecy and authenticated encryption, at both ends."""
    allowed = {*SUITES.split(":"), *TLS13}
    assert 6 == len(SUITES.split(":"))
    for context in (pki.server(client_certificates=True), pki.client()):
        assert {suite["name"] for suite in context.get_ciphers()} <= allowed


@pytest.mark.parametrize("suite", ["ECDHE-RSA-AES256-SHA384", "AES256-GCM-SHA384", "NULL-SHA"])
def test_another_suite_is_refused(pki: Pki, suite: str) -> None:
    """No forward secrecy, or no authenticated encryption: no TLS."""
    client = pki.anonymous()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(f"{suite}:@SECLEVEL=0")
    assert "NO_SHARED_CIPHER" in refusal(pki.server(client_certificates=False), client).upper()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_older_versions_are_refused(pki: Pki) -> None:
    """R-A2: TLS 1.2 or later."""
    client = pki.anonymous()
    client.set_ciphers("ALL:@SECLEVEL=0")
    client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1
    said = refusal(pki.server(client_certificates=False), client)
    assert "UNSUPPORTED_PROTOCOL" in said.upper()


def test_the_systems_authorities_are_never_loaded(
    pki: Pki, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Our anchors replace them, whatever the environment says."""
    other = tmp_path / "other.pem"
    other.write_bytes(Pki(tmp_path).authority.anchors_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    for context in (pki.server(client_certificates=True), pki.client()):
        assert 1 == context.cert_store_stats()["x509_ca"]
    assert {"x509": 0, "crl": 0, "x509_ca": 0} == pki.server(
        client_certificates=False
    ).cert_store_stats()


@pytest.mark.parametrize("version", VERSIONS)
def test_both_ends_show_their_certificates(pki: Pki, version: ssl.TLSVersion) -> None:
    """The relay learns the peer's certificate, byte for byte."""
    client = pki.client()
    client.maximum_version = client.minimum_version = version
    there, _ = shake(pki.server(client_certificates=True), client)
    assert pki.peer_der == there.getpeercert(binary_form=True)


def test_a_submission_listener_does_not_ask_for_certificates(pki: Pki) -> None:
    """Mail clients show a prompt when they are asked for one."""
    there, _ = shake(pki.server(client_certificates=False), pki.client())
    assert there.getpeercert(binary_form=True) is None


def test_no_certificate_no_relay(pki: Pki) -> None:
    """R-A4."""
    said = refusal(pki.server(client_certificates=True), pki.anonymous())
    assert "DID_NOT_RETURN_A_CERTIFICATE" in said.upper()


@pytest.mark.parametrize(("days", "shift"), [(1, -10), (10, 5)], ids=["expired", "not yet valid"])
def test_certificates_out_of_time_are_refused(
    pki: Pki, tmp_path: Path, days: int, shift: int
) -> None:
    """By the server and by the client alike."""
    issued = pki.authority.issue("late.example", starts=NOW + timedelta(days=shift), days=days)
    late = issued.write(tmp_path, "late")
    said = refusal(pki.server(client_certificates=True), pki.client(certificate=late))
    assert "CERTIFICATE_VERIFY_FAILED" in said.upper()
    server = tls.server_context(*late, pki.anchors, client_certificates=False)
    assert "CERTIFICATE_VERIFY_FAILED" in refusal(server, pki.client()).upper()


def test_certificates_of_another_authority_are_refused(pki: Pki) -> None:
    """By the server and by the client alike."""
    said = refusal(pki.server(client_certificates=True), pki.client(certificate=pki.stranger))
    assert "CERTIFICATE_VERIFY_FAILED" in said.upper()
    server = tls.server_context(*pki.stranger, pki.anchors, client_certificates=False)
    assert "CERTIFICATE_VERIFY_FAILED" in refusal(server, pki.client()).upper()


def resuming(client: ssl.SSLContext, version: ssl.TLSVersion) -> ssl.SSLContext:
    """Make of it a peer's that would resume sessions; ours never does."""
    client.sslobject_class = ssl.SSLObject
    client.options &= ~ssl.OP_NO_TICKET
    client.maximum_version = client.minimum_version = version
    return client


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_of_submission_is_nothing_to_the_relay(pki: Pki, version: ssl.TLSVersion) -> None:
    """A ticket got without a certificate must not open the listener that asks for one."""
    client = resuming(pki.client(), version)
    submission = pki.server(client_certificates=False)
    _, here = shake(submission, client)
    assert here.session is not None
    assert here.session.has_ticket
    again, _ = shake(submission, client, here.session)
    assert again.session_reused
    there, _ = shake(pki.server(client_certificates=True), client, here.session)
    assert not there.session_reused
    assert pki.peer_der == there.getpeercert(binary_form=True)
    other, _ = shake(pki.server(client_certificates=False), client, here.session)
    assert not other.session_reused


@pytest.mark.parametrize("version", VERSIONS)
def test_the_relay_gives_no_tickets(pki: Pki, version: ssl.TLSVersion) -> None:
    """Under TLS 1.3 each connection shows its certificate again; under 1.2 it stays the same one."""
    client = resuming(pki.client(), version)
    relay = pki.server(client_certificates=True)
    _, here = shake(relay, client)
    assert here.session is None or not here.session.has_ticket
    there, _ = shake(relay, client, here.session)
    assert there.session_reused is (version is ssl.TLSVersion.TLSv1_2)
    assert pki.peer_der == there.getpeercert(binary_form=True)


def test_an_anchor_may_be_an_issuing_authority(pki: Pki, tmp_path: Path) -> None:
    """What the operator pins is believed, and nothing above it is needed."""
    issuing = pki.authority.issuing
    anchors = tmp_path / "issuing.pem"
    anchors.write_bytes(issuing.chain_pem)
    server = tls.server_context(*pki.gateway, anchors, client_certificates=True)
    there, _ = shake(server, pki.client())
    assert pki.peer_der == there.getpeercert(binary_form=True)


def test_unusable_files_are_named(pki: Pki, tmp_path: Path) -> None:
    """The error says which file, and why."""
    empty, missing = tmp_path / "empty.pem", tmp_path / "missing.pem"
    empty.write_bytes(b"")
    certificate, key = pki.gateway
    with pytest.raises(TlsError, match=r"empty\.pem"):
        tls.server_context(empty, key, pki.anchors, client_certificates=False)
    with pytest.raises(TlsError, match=r"missing\.pem.*No such file"):
        tls.client_context(certificate, missing, pki.anchors)
    with pytest.raises(TlsError, match="key values mismatch"):
        tls.client_context(certificate, pki.peer[1], pki.anchors)
    with pytest.raises(TlsError, match=r"anchors in .*empty\.pem"):
        tls.client_context(certificate, key, empty)
    with pytest.raises(TlsError, match=r"anchors in .*missing\.pem: No such file"):
        tls.server_context(certificate, key, missing, client_certificates=True)


def test_an_encrypted_key_never_prompts(pki: Pki, tmp_path: Path) -> None:
    """A gateway that starts at night cannot ask anybody."""
    from cryptography.hazmat.primitives import serialization

    issued = pki.authority.issue("x.example")
    crt, _ = issued.write(tmp_path, "x")
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        issued.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(TlsError, match=r"locked\.key"):
        tls.client_context(crt, locked, pki.anchors)


def test_who_fetches_believes_the_given_anchors_alone() -> None:
    """The host's certificate by its name; nothing of the system's is loaded, and nothing is no anchor."""
    context = tls.asking_context(b"")
    assert [] == context.get_ca_certs()
    assert context.check_hostname
    assert ssl.CERT_REQUIRED is context.verify_mode
    for nonsense in (b"no certificate", b"\xff"):
        with pytest.raises(TlsError, match="cannot use the anchors"):
            tls.asking_context(nonsense)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_failure_says_whose_certificate_it_was(
    pki: Pki, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """The log names who was turned away, whichever end turns away."""
    other = Authority.make(NOW)
    outsider = other.issue("outsider")
    crt, key = outsider.write(tmp_path, "outsider")
    client = tls.client_context(crt, key, pki.anchors)
    client.maximum_version = version
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        shake(pki.server(client_certificates=True), client)
    assert outsider.der == getattr(caught.value, "shown", None)

    server = tls.server_context(crt, key, pki.anchors, client_certificates=True)
    server.maximum_version = version
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        shake(server, pki.client())
    assert outsider.der == getattr(caught.value, "shown", None)


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_looked_at_after_the_handshake(
    pki: Pki, version: ssl.TLSVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a handshake is watched for is not paid for at each record of a message."""
    seen: list[object] = []
    monkeypatch.setattr(tls, "_look", lambda *facts: seen.append(facts))
    server, client = pki.server(client_certificates=True), pki.client()
    server.maximum_version = version
    there, here = shake(server, client)
    at_the_handshake = len(seen)

    here.write(b"MAIL")
    here.write(b"RCPT")

    assert b"MAIL" == there.read(10)
    assert b"RCPT" == there.read(10)
    assert at_the_handshake == len(seen) > 0
    assert pki.peer_der == there.getpeercert(binary_form=True)


def test_the_chain_that_was_verified_can_be_read(pki: Pki) -> None:
    """Whoever asks its authorities needs the certificates above it."""
    there, here = shake(pki.server(client_certificates=True), pki.client())
    expected = (pki.authority.issuing.der, pki.authority.root.der)

    assert expected == tls.issuers(there) == tls.issuers(here)
    assert () == tls.issuers(shake(pki.server(client_certificates=False), pki.anonymous())[0])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("starts", [-30, 30])
def test_dates_can_be_left_to_others(
    pki: Pki, tmp_path: Path, starts: int, version: ssl.TLSVersion
) -> None:
    """While a bridge stands: dates alone, and not a wrong authority."""
    away = pki.authority.issue("away", starts=NOW + timedelta(days=starts), days=7)
    crt, key = away.write(tmp_path, "away")
    strict = tls.client_context(crt, key, pki.anchors)
    strict.maximum_version = version
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(pki.server(client_certificates=True), strict)

    ours = (*pki.gateway, pki.anchors)
    lenient = tls.server_context(*ours, client_certificates=True, any_date=True)
    there, _ = shake(lenient, strict)
    assert away.der == there.getpeercert(binary_form=True)
    server = tls.server_context(crt, key, pki.anchors, client_certificates=True)
    _, here = shake(server, tls.client_context(*ours, any_date=True))
    assert away.der == here.getpeercert(binary_form=True)

    outsider = Authority.make(NOW - timedelta(days=60)).issue("outsider", days=7)
    stranger = tls.client_context(*outsider.write(tmp_path, "outsider"), pki.anchors)
    assert "unable to get local issuer" in refusal(lenient, stranger)


def test_a_list_may_name_further_anchors(pki: Pki, tmp_path: Path) -> None:
    """Direct bundles name authorities; they stand beside ours for TLS, and grant nothing by that."""
    other = Authority.make(NOW)
    crt, key = other.issue("friend").write(tmp_path, "friend")
    ours = (*pki.gateway, pki.anchors)
    server = tls.server_context(*ours, client_certificates=True, more=other.root.der)
    client = tls.client_context(crt, key, pki.anchors)

    there, _ = shake(server, client)
    assert (other.issuing.der, other.root.der) == tls.issuers(there)
    with pytest.raises(TlsError):
        tls.client_context(*ours, more=b"rubbish")
