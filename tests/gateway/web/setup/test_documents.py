"""The documents by which mail programs set themselves up: one for each, none says who exists."""

import plistlib
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.demo.pki import Authority
from gateway.web.setup import apple, outlook, thunderbird
from gateway.web.setup.servers import Server, Servers
from smtp.address import parse
from tests.gateway.web.setup.conftest import NOW

QUESTION = """<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="{request}"><Request>
<EMailAddress>{address}</EMailAddress>
<AcceptableResponseSchema>{settings}</AcceptableResponseSchema>
</Request></Autodiscover>"""
SERVERS = Servers(
    "chu",
    ("chu.example",),
    (Server("mx.chu.example", 993), Server("mx.chu.example", 143, starttls=True)),
    (Server("mx.chu.example", 587, starttls=True),),
)


def question(
    address: str, request: str = outlook.REQUEST, settings: str = outlook.SETTINGS
) -> bytes:
    """What Outlook posts."""
    return QUESTION.format(address=address, request=request, settings=settings).encode()


def asked(local: str) -> bytes:
    """A question of whoever it may be."""
    return question(f"{local}@chu.example")


def found(answer: bytes, name: str) -> list[str | None]:
    """The texts of all elements of a name, whatever their namespace."""
    return [each.text for each in etree.fromstring(answer).iter(f"{{*}}{name}")]


def test_thunderbird(servers: Servers) -> None:
    """One domain, all ways in with the best first, the user name left to the program."""
    told = thunderbird.document(servers, "clinique.example")

    assert ["clinique.example"] == found(told, "domain")
    assert ["mx.chu.example"] * 4 == found(told, "hostname")
    assert ["993", "143", "465", "587"] == found(told, "port")
    assert ["SSL", "STARTTLS", "SSL", "STARTTLS"] == found(told, "socketType")
    assert {"%EMAILADDRESS%"} == set(found(told, "username"))
    assert b"https://mx.chu.example/setup" in told


def test_thunderbird_without_a_page() -> None:
    """What is not there is not named."""
    assert [] == found(thunderbird.document(SERVERS, "chu.example"), "documentation")


def test_outlook_is_answered() -> None:
    """One server of each kind; STARTTLS is told as such, never as no encryption."""
    told = outlook.answer(SERVERS, question("dr@chu.example"))

    assert ["IMAP", "SMTP"] == found(told, "Type")
    assert ["993", "587"] == found(told, "Port")
    assert ["SSL", "TLS"] == found(told, "Encryption")
    assert ["dr@chu.example"] * 2 == found(told, "LoginName")


@pytest.mark.parametrize(
    ("posted", "code"),
    [
        (question("dr@labo.example"), "500"),
        (question("nobody"), "500"),
        (question("dr@chu.example", settings="mobilesync"), "601"),
        (question("dr@chu.example", request="another"), "600"),
        (question(""), "600"),
        (b"<a>", "600"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "600"),
    ],
)
def test_outlook_is_told_what_is_wrong(posted: bytes, code: str) -> None:
    """Another domain, another schema, no question: an error of Outlook's own, and no settings."""
    told = outlook.answer(SERVERS, posted)

    assert [code] == found(told, "ErrorCode")
    assert [] == found(told, "Server")
    assert b"passwd" not in told


def test_who_exists_is_not_told() -> None:
    """The answer differs by the address that was asked with, and by nothing else."""
    told = [outlook.answer(SERVERS, question(f"{name}@chu.example")) for name in ("dr", "nn")]

    assert told[0].replace(b"dr@", b"nn@") == told[1]


@given(st.binary(max_size=300) | st.text(max_size=80).map(asked))
def test_any_octets_are_answered(octets: bytes) -> None:
    """Whatever is posted, the answer is well-formed and one of ours."""
    assert str(etree.fromstring(outlook.answer(SERVERS, octets)).tag).endswith("Autodiscover")


def test_apple(servers: Servers) -> None:
    """The account whole, by address and not by password; the same address is the same profile."""
    address = parse("dr@chu.example")
    told = apple.profile(servers, address, [b"anchor"])
    profile: dict[str, Any] = plistlib.loads(told)
    mail, root = profile["PayloadContent"]

    assert told == apple.profile(servers, address, [b"anchor"])
    assert ("mx.chu.example", 993) == (
        mail["IncomingMailServerHostName"],
        mail["IncomingMailServerPortNumber"],
    )
    assert 465 == mail["OutgoingMailServerPortNumber"]
    assert b"anchor" == root["PayloadContent"]
    assert not [name for name in mail if name.endswith("Password") and mail[name] is not True]
    assert 3 == len({each["PayloadUUID"] for each in (profile, mail, root)})


def test_apple_s_profile_is_signed(tmp_path: Path) -> None:
    """By our certificate, with its chain beside it, around the very profile."""
    issued = Authority.make(NOW).issue("mx.chu.example")
    whole = cms.ContentInfo.load(apple.signed(b"profile", issued.chain_pem, issued.key_pem))
    inner = whole["content"]

    assert b"profile" == inner["encap_content_info"]["content"].native
    assert {each.public_bytes(Encoding.DER) for each in (issued.certificate, *issued.chain)} == {
        each.chosen.dump() for each in inner["certificates"]
    }


def test_apple_s_profile_needs_a_key_that_can() -> None:
    """A key of a kind that CMS does not sign with here is our bug or our operator's, and says so."""
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

    issued = Authority.make(NOW).issue("mx.chu.example")
    other = ed25519.Ed25519PrivateKey.generate()
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(TypeError, match="elliptic"):
        apple.signed(b"profile", issued.chain_pem, pem)
