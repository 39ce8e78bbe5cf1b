"""OpenPGP keys of several people, made by GnuPG at NOW in a home of the test run."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tests.trust.simulator import NOW

CLOCK = "%Y%m%dT%H%M%S!"


@dataclass(frozen=True, slots=True)
class Keys:
    """Who has which key, by fingerprint."""

    home: Path
    alice: str  # elliptic, for a year
    bob: str  # RSA, certifies only; a subkey signs
    carol: str  # revoked since
    weak: str  # RSA of 1024 bits

    def gpg(self, *words: str, given: bytes = b"", at: datetime = NOW) -> bytes:
        return gpg(self.home, *words, given=given, at=at)

    def public(self, *fingerprints: str) -> bytes:
        return self.gpg("--armor", "--export", *fingerprints)

    def signed(self, content: bytes, fingerprint: str, *words: str, at: datetime = NOW) -> bytes:
        return self.gpg("-u", fingerprint, *words, "--detach-sign", given=content, at=at)


def gpg(home: Path, *words: str, given: bytes = b"", at: datetime = NOW) -> bytes:
    command = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--no-tty"]
    command += ["--passphrase", "", "--pinentry-mode", "loopback"]
    command += [f"--faked-system-time={at:{CLOCK}}", *words]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@contextmanager
def made(home: Path) -> Iterator[Keys]:
    """Make all keys; end GnuPG's agent afterwards."""
    home.mkdir(mode=0o700, parents=True)
    try:
        yield Keys(home, _alice(home), _bob(home), _carol(home), _key(home, "weak", "rsa1024"))
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)


def _key(home: Path, name: str, kind: str, use: str = "sign", expires: str = "0") -> str:
    gpg(home, "--quick-generate-key", f"{name} <{name}@essai.example>", kind, use, expires)
    listed = gpg(home, "--with-colons", "--list-keys", name).decode().splitlines()
    return next(line.split(":")[9] for line in listed if line.startswith("fpr:"))


def _alice(home: Path) -> str:
    return _key(home, "alice", "ed25519", expires=f"{NOW + timedelta(days=365):%Y-%m-%d}")


def _bob(home: Path) -> str:
    primary = _key(home, "bob", "rsa2048", "cert")
    gpg(home, "--quick-add-key", primary, "rsa2048", "sign", "0")
    return primary


def _carol(home: Path) -> str:
    return _key(home, "carol", "ed25519")
