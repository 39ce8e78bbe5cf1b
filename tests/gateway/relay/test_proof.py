"""What a gateway signs about a recall: read as it is meant, and by nobody else's word."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.pki import Authority
from gateway.receipts.recalled import Outcome
from gateway.relay.proof import (
    ProofError,
    Statement,
    enclosed,
    signing,
    unsigned,
    verified,
)
from smtp.address import parse
from smtp.message.mdn import Opened, compose

NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
SAID = Statement(
    Outcome.WITHDRAWN,
    NOW,
    "mx.chu.example",
    "01KC",
    "dr@labo.example",
    "accueil@chu.example",
    "<1@labo.example>",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two gateways' certificates."""
    made = tmp_path_factory.mktemp("proof")
    authority = Authority.make(NOW)
    for name in ("chu", "labo"):
        issued = authority.issue(f"mx.{name}.example", hosts=(f"mx.{name}.example",))
        issued.write(made, name)
        (made / f"{name}.der").write_bytes(issued.der)
    return made


def test_what_is_signed_is_read_again(folder: Path) -> None:
    """The lines of the specification, in its order."""
    envelope = signing(folder / "chu.crt", folder / "chu.key")(SAID.encode())

    assert SAID == verified(envelope, (folder / "chu.der").read_bytes())
    assert SAID.encode().startswith(
        b"Sceau recall 1\nOutcome: withdrawn\nAt: 2026-11-22T18:00:00Z\n"
    )


def test_another_than_the_peer_proves_nothing(folder: Path) -> None:
    """A certificate of the same authority is not the one that held the message."""
    envelope = signing(folder / "chu.crt", folder / "chu.key")(SAID.encode())

    with pytest.raises(ProofError, match="another"):
        verified(envelope, (folder / "labo.der").read_bytes())


def test_what_is_not_signed_proves_nothing(folder: Path) -> None:
    """Without a signature there is no proof."""
    assert b"" == unsigned(SAID.encode())
    with pytest.raises(ProofError):
        verified(b"not CMS", (folder / "chu.der").read_bytes())


def test_a_key_that_others_would_not_verify_signs_nothing(folder: Path, tmp_path: Path) -> None:
    """What cannot be shown to anybody is no proof, and the recall goes on without."""
    key = tmp_path / "ed25519.key"
    key.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
    )

    assert b"" == signing(folder / "chu.crt", key)(SAID.encode())


def test_it_is_found_in_the_report(folder: Path) -> None:
    """Between its boundaries, as it was put there."""
    envelope = signing(folder / "chu.crt", folder / "chu.key")(SAID.encode())
    report = compose(
        Opened(
            parse("accueil@chu.example"),
            parse("dr@labo.example"),
            "mx.chu.example",
            "<9@mx.chu.example>",
            NOW,
            NOW,
            proof=envelope,
        )
    )

    assert envelope == enclosed(report)
    assert enclosed(report.replace(b"pkcs7-mime", b"octet-stream")) is None
    assert enclosed(b"Content-Type: application/pkcs7-mime\r\n\r\n!?\r\n--") is None
    assert enclosed(b"Content-Type: application/pkcs7-mime") is None


@pytest.mark.parametrize(
    "octets",
    [
        SAID.encode().replace(b"recall 1", b"recall 2"),
        SAID.encode().replace(b"Outcome: withdrawn", b"Outcome: eaten"),
        SAID.encode().replace(b"At: 2026", b"At: long ago 2026"),
        SAID.encode().replace(b"Host: ", b"Ghost "),
        b"\xff",
        b"",
    ],
)
def test_another_text_is_no_statement(octets: bytes) -> None:
    """Whatever is signed says exactly this, or nothing."""
    with pytest.raises(ProofError):
        Statement.decode(octets)


@given(st.binary())
def test_any_octets_are_a_statement_or_our_error(octets: bytes) -> None:
    """Nothing else comes of what a peer encloses."""
    enclosed(octets)
    with pytest.raises(ProofError):
        Statement.decode(octets)


@given(st.text(), st.text())
def test_what_a_sender_wrote_adds_no_line(sender: str, message_id: str) -> None:
    """An address or a Message-ID stays on its line."""
    said = Statement(Outcome.GONE, NOW, "mx.chu.example", "01KC", sender, "a@b.example", message_id)

    assert "a@b.example" == Statement.decode(said.encode()).recipient
