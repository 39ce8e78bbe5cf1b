"""Passkeys, as an authenticator of this test's own makes and signs them."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.accounts import passkeys
from gateway.accounts.factors import Factors, Kind
from gateway.accounts.logins import Logins
from gateway.accounts.mailboxes import Mailbox
from gateway.accounts.passkeys import Party
from gateway.accounts.persons import Persons, Proved, Signed
from gateway.settings.motion import Limits
from smtp import reply
from smtp.envelope import Peer
from tests.gateway.accounts.test_factors import CHEAP, Scene
from tests.world.rest import Rest

PARTY = Party("mx.chu.example", "https://mx.chu.example", "Sceau chu")
CHALLENGE = b"c" * 32
HERE = Peer(ip="192.0.2.7", listener="web")
_KNOWN, _PRESENT, _NEW = 0x04, 0x01, 0x40


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


@dataclass(slots=True)
class Authenticator:
    """One key, and a browser that says what it is told to."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    name: bytes = b"a passkey of this test"
    counter: int = 0
    flags: int = _KNOWN | _PRESENT
    host: str = PARTY.id
    origin: str = PARTY.origin

    def make(self, challenge: bytes = CHALLENGE) -> str:
        """Answer ``navigator.credentials.create``."""
        numbers = self.key.public_key().public_numbers()
        public = {
            1: 2,
            3: -7,
            -1: 1,
            -2: numbers.x.to_bytes(32, "big"),
            -3: numbers.y.to_bytes(32, "big"),
        }
        length = len(self.name).to_bytes(2, "big")
        more = bytes(16) + length + self.name + cbor2.dumps(public)
        attested = {"fmt": "none", "attStmt": {}, "authData": self._data(_NEW) + more}
        told = {"attestationObject": b64(cbor2.dumps(attested))}
        return self._answer(told, self._client("create", challenge))

    def sign(self, challenge: bytes = CHALLENGE) -> str:
        """Answer ``navigator.credentials.get``."""
        data, client = self._data(0), self._client("get", challenge)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer({"authenticatorData": b64(data), "signature": b64(signature)}, client)

    def _data(self, more: int) -> bytes:
        host = sha256(self.host.encode()).digest()
        return host + bytes([self.flags | more]) + self.counter.to_bytes(4, "big")

    def _client(self, kind: str, challenge: bytes) -> bytes:
        told = {"type": f"webauthn.{kind}", "challenge": b64(challenge), "origin": self.origin}
        return json.dumps(told | {"crossOrigin": False}).encode()

    def _answer(self, told: Mapping[str, str], client: bytes) -> str:
        response = {**told, "clientDataJSON": b64(client)}
        name = b64(self.name)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def test_what_is_made_signs() -> None:
    """For the same host, and what it was asked."""
    own = Authenticator(counter=7)
    made = passkeys.made(PARTY, CHALLENGE, own.make())
    assert made is not None
    assert (b64(own.name), 7) == (made.name, made.counter)
    own.counter = 8
    answer = own.sign()
    assert made.name == passkeys.named(answer)
    assert 8 == passkeys.shown(PARTY, CHALLENGE, answer, made.public)


@pytest.mark.parametrize(
    "wrong",
    [
        {"flags": _PRESENT},  # who held it was not asked who they are
        {"flags": _KNOWN},
        {"host": "evil.example"},
        {"origin": "https://evil.example"},
        {"origin": "http://mx.chu.example"},
        {"origin": "https://mx.chu.example:8443"},
    ],
)
def test_what_is_not_as_it_should_be_counts_for_nothing(wrong: dict[str, Any]) -> None:
    """Neither when it is made nor when it signs."""
    right = Authenticator()
    made = passkeys.made(PARTY, CHALLENGE, right.make())
    assert made is not None
    other = Authenticator(key=right.key, **wrong)
    assert passkeys.made(PARTY, CHALLENGE, other.make()) is None
    assert passkeys.shown(PARTY, CHALLENGE, other.sign(), made.public) is None


def test_another_challenge_or_key_counts_for_nothing() -> None:
    """What was signed for another form, or by somebody else."""
    own = Authenticator()
    made = passkeys.made(PARTY, CHALLENGE, own.make())
    assert made is not None
    assert passkeys.made(PARTY, CHALLENGE, own.make(b"d" * 32)) is None
    assert passkeys.shown(PARTY, CHALLENGE, own.sign(b"d" * 32), made.public) is None
    assert passkeys.shown(PARTY, CHALLENGE, Authenticator().sign(), made.public) is None
    assert passkeys.shown(PARTY, CHALLENGE, own.make(), made.public) is None
    assert passkeys.shown(PARTY, CHALLENGE, "x" * 20_000, made.public) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
_SHAPED = st.fixed_dictionaries(
    {
        "id": st.text() | st.just("YQ"),
        "rawId": st.text() | st.just("YQ"),
        "type": st.just("public-key") | st.text(),
        "response": st.fixed_dictionaries(
            {},
            optional={
                name: st.binary().map(b64) | st.text()
                for name in (
                    "clientDataJSON",
                    "attestationObject",
                    "authenticatorData",
                    "signature",
                )
            },
        )
        | _JSON,
    }
)


@given(st.text() | _JSON.map(json.dumps) | _SHAPED.map(json.dumps))
def test_any_answer_is_none_of_ours(answer: str) -> None:
    """Whatever a browser sends is read or refused, and never an error."""
    public = b64(b"x")
    assert passkeys.made(PARTY, CHALLENGE, answer) is None
    assert passkeys.shown(PARTY, CHALLENGE, answer, public) is None
    assert isinstance(passkeys.named(answer), str)


@pytest.mark.parametrize("answer", ["[" * 16_000, '{"a":' * 3_000])
def test_deep_answers_are_refused(answer: str) -> None:
    """However deep they are."""
    assert passkeys.made(PARTY, CHALLENGE, answer) is None
    assert "" == passkeys.named(answer)


@given(st.binary())
@example(b"\x5b" + b"\x7f" + b"\xff" * 7)  # a string of nearly 2 to the 63 octets
@example(b"\x9b" + b"\x7f" + b"\xff" * 7)  # a list as long
@example(b"\x81" * 8000)
def test_any_attestation_is_none_of_ours(octets: bytes) -> None:
    """Nor is one in the right wrapping whose inside is anything."""
    answer = json.loads(Authenticator().make())
    answer["response"]["attestationObject"] = b64(octets)
    assert passkeys.made(PARTY, CHALLENGE, json.dumps(answer)) is None


def test_what_a_browser_is_asked() -> None:
    """For a key that knows its user and remembers whose it is; not for one it has."""
    asked = json.loads(passkeys.making(PARTY, CHALLENGE, ("key", "dr@chu.example"), ["YQ"]))
    assert ("required", "required") == (
        asked["authenticatorSelection"]["residentKey"],
        asked["authenticatorSelection"]["userVerification"],
    )
    assert ["YQ"] == [each["id"] for each in asked["excludeCredentials"]]
    assert "none" == asked["attestation"]
    shown = json.loads(passkeys.showing(PARTY, CHALLENGE))
    assert ("required", b64(CHALLENGE)) == (shown["userVerification"], shown["challenge"])


async def test_a_copy_of_a_passkey_is_refused_and_told_of(rest: Rest) -> None:
    """A counter that stands still or goes back means two of it; one that has none may stay at 0."""
    scene, own = Scene(rest), Authenticator(counter=5)
    mailbox = await scene.mailbox()
    made = passkeys.made(PARTY, CHALLENGE, own.make())
    assert made is not None
    _, statements = scene.factors.adding(
        mailbox, Kind.PASSKEY, made.public, counter=made.counter, name=made.name
    )
    await scene.rest.commit(statements)
    persons = _persons(scene, scene.factors)

    async def log_in(counter: int) -> object:
        own.counter = counter
        return await persons.by_passkey(Signed(PARTY, CHALLENGE, own.sign()), HERE)

    assert isinstance(await log_in(6), Proved)
    assert reply.BAD_CREDENTIALS == await log_in(6)
    assert reply.BAD_CREDENTIALS == await log_in(3)
    assert isinstance(await log_in(7), Proved)
    assert 2 == scene.told.count("factor.copied")
    other = await scene.mailbox("x@chu.example")
    own.counter = 8
    signed = Signed(PARTY, CHALLENGE, own.sign())
    assert reply.BAD_CREDENTIALS == await persons.by_passkey(signed, HERE, other)


def _persons(scene: Scene, factors: Factors) -> Persons[Mailbox]:
    from gateway.accounts.credentials import Credentials

    credentials = Credentials(scene.rest.database, scene.rest.ring, scene.clock, CHEAP)
    logins = Logins(scene.accounts, credentials, scene.clock, Limits(), scene.tell)
    return Persons(scene.accounts.by_key, factors, logins, lambda _mailbox, _peer: None, scene.tell)
