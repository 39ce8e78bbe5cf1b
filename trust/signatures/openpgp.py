"""Who signed these bytes by OpenPGP, judged by GnuPG against pinned keys alone.

An operator may sign a list with a key that never leaves a smart card: gpg-agent asks the card, and
what comes out is an ordinary detached signature. To judge one, the pinned public keys, and no
others, lie in a GnuPG home of their own. The clock is given: a key that has expired or was revoked
signs nothing any more. Each call costs 5 to 15 ms and a process: never on a message's way.
RFC 9580 §5.2; doc/DETAILS of GnuPG for what it says.
"""

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gnupg

from trust.errors import SignatureError
from trust.signatures.verified import Content

_ARMOUR = b"-----BEGIN PGP SIGNATURE-----"
_OPTIONS = [
    "--no-options",
    "--no-autostart",
    "--disable-dirmngr",
    "--no-auto-key-retrieve",
    "--no-auto-key-locate",
    "--trust-model=always",  # what is pinned is believed; nobody else is here
    "--ignore-time-conflict",  # a signer's clock may be a little ahead
]
_HASHES = frozenset({"8", "9", "10"})  # SHA-256, SHA-384, SHA-512
_BINARY = "00"  # the class of a signature over the bytes as they are, not as lines of text
_SHORTEST = {"1": 2048, "19": 256, "22": 255}  # RSA, ECDSA, EdDSA: bits that suffice
_FAULTS = {
    "BADSIG": "made over other bytes",
    "ERRSIG": "made by none of the pinned keys, or in a way that GnuPG refuses",
    "EXPSIG": "the signature has expired",
    "EXPKEYSIG": "the key that signed has expired",
    "REVKEYSIG": "the key that signed was revoked",
    "NODATA": "not an OpenPGP signature",
}


def looks_like(envelope: bytes) -> bool:
    """Whether a signature file is of this kind, in armour or not; CMS begins with another octet."""
    return envelope.startswith(_ARMOUR) or envelope[:1] >= b"\x80"


@dataclass(frozen=True, slots=True)
class Ring:
    """The pinned keys, in a GnuPG home that holds nothing else."""

    fingerprints: frozenset[str]  # of the primary keys, 40 or 64 upper-case hex digits
    _gpg: gnupg.GPG = field(repr=False)

    @classmethod
    def made(cls, home: Path, keys: Iterable[bytes]) -> "Ring":
        """Make the home anew of these public keys, each in a file of its own.

        Raise ``SignatureError`` for what is not exactly one public key, strong enough to sign.
        """
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700, parents=True)
        gpg = _gpg(home, _OPTIONS)
        return cls(frozenset(_imported(gpg, key) for key in keys), gpg)

    def signer(self, content: Content, envelope: bytes, now: datetime | None = None) -> str:
        """Return the pinned key that signed these bytes and is good now (None: by GnuPG's clock)."""
        moment = [f"--faked-system-time={now.astimezone(UTC):%Y%m%dT%H%M%S}!"] if now else []
        with tempfile.NamedTemporaryFile(dir=self._gpg.gnupghome) as file:
            file.write(envelope)
            file.flush()
            # The content goes by a pipe: it names people, and nothing of it may lie on a disk.
            try:
                verdict: _Verdict = self._gpg.verify_data(file.name, content, extra_args=moment)
            except BrokenPipeError:  # it saw at once that the file is none
                raise SignatureError("not a detached OpenPGP signature") from None
        return self._judged(verdict.said)

    def _judged(self, said: list[tuple[str, list[str]]]) -> str:
        words = [word for word, _ in said]
        fault = next((_FAULTS[word] for word in words if word in _FAULTS), None)
        if fault:
            raise SignatureError(fault)
        if words.count("NEWSIG") != 1 or words.count("GOODSIG") != 1:
            raise SignatureError("not exactly one OpenPGP signature")
        valid = [rest for word, rest in said if word == "VALIDSIG"]
        if len(valid) != 1 or len(valid[0]) != 10:
            raise SignatureError("GnuPG does not call the signature valid")
        hashed, kind, primary = valid[0][7:]
        if hashed not in _HASHES:
            raise SignatureError("the digest is not accepted; use SHA-256 or longer")
        if kind != _BINARY:
            raise SignatureError("made over text, not over the bytes as they are")
        return primary  # pinned: no other key is in this home


def sign(content: bytes, fingerprint: str, home: Path | None = None) -> bytes:
    """Return a detached signature by a key that gpg-agent holds, or a card it speaks to."""
    gpg = _gpg(home, [])
    made = gpg.sign(
        content,
        detach=True,
        clearsign=False,
        extra_args=["--local-user", fingerprint, "--digest-algo", "SHA512", "--no-textmode"],
    )
    if not made.data:
        raise SignatureError(
            f"GnuPG did not sign with {fingerprint}: {made.status or 'no such key'}"
        )
    return bytes(made.data)


class _Verdict(gnupg.StatusHandler):  # type: ignore[misc]
    """All that GnuPG says of a signature, in its own words and order."""

    returncode = None

    def __init__(self, gpg: gnupg.GPG) -> None:
        super().__init__(gpg)
        self.said: list[tuple[str, list[str]]] = []

    def handle_status(self, key: str, value: str) -> None:
        """Keep one status line."""
        self.said.append((key, value.split()))


def _gpg(home: Path | None, options: list[str]) -> gnupg.GPG:
    try:
        gpg = gnupg.GPG(gnupghome=str(home) if home else None, options=options)
    except (OSError, ValueError):
        raise SignatureError("GnuPG is not installed: apt-get install gnupg") from None
    gpg.result_map["verify"] = _Verdict
    return gpg


def _imported(gpg: gnupg.GPG, key: bytes) -> str:
    result = gpg.import_keys(key)
    if int(result.sec_read or 0):
        raise SignatureError("a pinned OpenPGP key must be a public key, not a private one")
    fingerprints = set(result.fingerprints)
    if len(fingerprints) != 1:
        raise SignatureError("a pinned OpenPGP key is a file with exactly one public key")
    (found,) = gpg.list_keys(keys=list(fingerprints))
    if not all(_strong(each) for each in _signing(found)):
        raise SignatureError("a pinned OpenPGP key must be RSA of 2048 bits or elliptic, or more")
    return str(found["fingerprint"])


def _signing(key: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    subkeys = [each for each in key.get("subkey_info", {}).values() if "s" in each["cap"].lower()]
    return [key, *subkeys]


def _strong(key: Mapping[str, Any]) -> bool:
    return int(key["length"] or 0) >= _SHORTEST.get(key["algo"], 1 << 20)
