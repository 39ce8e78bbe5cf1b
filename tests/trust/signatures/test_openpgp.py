"""An OpenPGP signature counts if a pinned key, good at that moment, made it over these very bytes."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.trust.signatures.gpg import Keys
from tests.trust.simulator import NOW, signer
from trust.errors import SignatureError
from trust.signatures import cms
from trust.signatures.openpgp import Ring, looks_like, sign

CONTENT = b"a list\r\nof lines \n" * 5000
YEAR = timedelta(days=366)


@pytest.mark.parametrize("armour", [(), ("--armor",)])
def test_a_signature(keys: Keys, ring: Ring, armour: tuple[str, ...]) -> None:
    """In armour or not; known by the fingerprint of the primary key, though a subkey signed."""
    for key in (keys.alice, keys.bob):
        assert key == ring.signer(CONTENT, keys.signed(CONTENT, key, *armour), NOW)


@pytest.mark.parametrize("digest", ["SHA256", "SHA384", "SHA512"])
def test_digests(keys: Keys, ring: Ring, digest: str) -> None:
    """SHA-256 or longer."""
    made = keys.signed(CONTENT, keys.bob, "--digest-algo", digest)
    assert keys.bob == ring.signer(CONTENT, made, NOW)


REFUSED: dict[str, tuple[Callable[[Keys], bytes], str]] = {
    "other bytes": (lambda keys: keys.signed(CONTENT[:-1], keys.alice), "other bytes"),
    "not pinned": (lambda keys: keys.signed(CONTENT, keys.carol), "none of the pinned"),
    "as text": (lambda keys: keys.signed(CONTENT, keys.alice, "--textmode"), "over text"),
    "SHA-1": (
        lambda keys: keys.signed(CONTENT, keys.bob, "--digest-algo", "SHA1"),
        "digest|refuses",
    ),
    "SHA-224": (lambda keys: keys.signed(CONTENT, keys.bob, "--digest-algo", "SHA224"), "digest"),
    "expired signature": (
        lambda keys: keys.signed(CONTENT, keys.bob, "--default-sig-expire", "1d"),
        "signature has expired",
    ),
    "two in a file": (
        lambda keys: keys.signed(CONTENT, keys.bob, "-u", keys.alice),
        "not exactly one",
    ),
    "one not pinned in a file": (
        lambda keys: keys.signed(CONTENT, keys.carol, "-u", keys.alice),
        "none of the pinned",
    ),
    "around the content": (
        lambda keys: keys.gpg("-u", keys.alice, "--sign", given=CONTENT),
        "not a detached",
    ),
    "in clear": (
        lambda keys: keys.gpg("-u", keys.alice, "--clear-sign", given=CONTENT),
        "not a detached",
    ),
    "a key": (lambda keys: keys.public(keys.alice), "not a detached|not an OpenPGP"),
    "truncated": (lambda keys: keys.signed(CONTENT, keys.alice)[:-20], "OpenPGP|pinned"),
    "nothing": (lambda keys: b"", "not a detached|not an OpenPGP"),
}


@pytest.mark.parametrize(("make", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_count(
    keys: Keys, ring: Ring, make: Callable[[Keys], bytes], words: str
) -> None:
    """Each is refused with what it lacks."""
    now = NOW + timedelta(days=2)
    with pytest.raises(SignatureError, match=words):
        ring.signer(CONTENT, make(keys), now)


def test_an_expired_key(keys: Keys, ring: Ring) -> None:
    """It signs nothing any more, whenever it signed."""
    made = keys.signed(CONTENT, keys.alice)
    assert keys.alice == ring.signer(CONTENT, made, NOW + timedelta(days=364))
    with pytest.raises(SignatureError, match="key that signed has expired"):
        ring.signer(CONTENT, made, NOW + YEAR)


def test_a_revoked_key(keys: Keys, tmp_path: Path) -> None:
    """The public key is pinned anew with its revocation; whatever it signed no longer counts."""
    made = keys.signed(CONTENT, keys.carol)
    public = keys.public(keys.carol)
    assert keys.carol == Ring.made(tmp_path / "a", [public]).signer(CONTENT, made, NOW)
    revocation = (keys.home / "openpgp-revocs.d" / f"{keys.carol}.rev").read_text()
    armour = revocation[revocation.index(":-----BEGIN") + 1 :].encode()
    ring = Ring.made(tmp_path / "b", [public + armour])
    with pytest.raises(SignatureError, match="was revoked"):
        ring.signer(CONTENT, made, NOW)


def test_the_home_is_ours_alone(keys: Keys, tmp_path: Path) -> None:
    """Made anew each time, so that a key that is no longer pinned is gone; nobody else reads it."""
    home = tmp_path / "ring"
    Ring.made(home, [keys.public(keys.alice)])
    ring = Ring.made(home, [keys.public(keys.bob)])
    assert 0o700 == home.stat().st_mode & 0o777
    with pytest.raises(SignatureError, match="none of the pinned"):
        ring.signer(CONTENT, keys.signed(CONTENT, keys.alice), NOW)
    assert not [path for path in home.iterdir() if path.name.startswith("tmp")]


PINS: dict[str, tuple[Callable[[Keys], bytes], str]] = {
    "two keys": (lambda keys: keys.public(keys.alice, keys.bob), "exactly one"),
    "no key": (lambda keys: b"", "exactly one"),
    "a signature": (lambda keys: keys.signed(CONTENT, keys.alice), "exactly one"),
    "a private key": (
        lambda keys: keys.gpg("--armor", "--export-secret-keys", keys.alice),
        "not a private one",
    ),
    "a private key without armour": (
        lambda keys: keys.gpg("--export-secret-keys", keys.alice),
        "not a private one",
    ),
    "a short key": (lambda keys: keys.public(keys.weak), "2048 bits"),
}


@pytest.mark.parametrize(("make", "words"), PINS.values(), ids=PINS.keys())
def test_what_cannot_be_pinned(
    keys: Keys, tmp_path: Path, make: Callable[[Keys], bytes], words: str
) -> None:
    """One public key a file, strong enough; a private key has no business here."""
    with pytest.raises(SignatureError, match=words):
        Ring.made(tmp_path / "ring", [make(keys)])


def test_signing_through_the_agent(keys: Keys, ring: Ring) -> None:
    """What ``sceau trust sign --openpgp`` does: the agent holds the key, or asks the card."""
    made = sign(CONTENT, keys.alice, keys.home)
    assert keys.alice == ring.signer(CONTENT, made)


def test_signing_with_a_key_that_is_not_there(keys: Keys) -> None:
    """Said in words that a person can act on."""
    with pytest.raises(SignatureError, match="did not sign with"):
        sign(CONTENT, "0" * 40, keys.home)


def test_without_gnupg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever pins OpenPGP keys needs GnuPG, and is told so."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SignatureError, match="apt-get install gnupg"):
        Ring.made(tmp_path / "ring", [])


def test_told_apart_from_cms(keys: Keys) -> None:
    """By the first octets, before anything is parsed."""
    made = keys.signed(CONTENT, keys.alice)
    armoured = keys.signed(CONTENT, keys.alice, "--armor")
    detached = cms.sign(CONTENT, signer(0).certificate, signer(0).key)
    assert [True, True, False, False] == [looks_like(e) for e in (made, armoured, detached, b"")]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "not exactly one"),
        ("NEWSIG|GOODSIG k n|GOODSIG k n|VALIDSIG f", "not exactly one"),
        ("NEWSIG|GOODSIG k n", "does not call"),
        ("NEWSIG|GOODSIG k n|VALIDSIG f d t", "does not call"),
        ("NEWSIG|GOODSIG k n|VALIDSIG f d t 0 4 0 1 8 00 p|BADSIG k n", "other bytes"),
    ],
)
def test_only_what_gnupg_says_in_full(ring: Ring, said: str, words: str) -> None:
    """Not its exit code, and not one good word among others."""
    lines = [(line.split()[0], line.split()[1:]) for line in said.split("|") if line]
    with pytest.raises(SignatureError, match=words):
        ring._judged(lines)


@settings(
    max_examples=25,
    deadline=None,  # a process each
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=300))
@example(b"\x99")
def test_any_bytes(ring: Ring, envelope: bytes) -> None:
    """Our error and no other."""
    with pytest.raises(SignatureError):
        ring.signer(CONTENT, envelope, NOW)
