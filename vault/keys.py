"""The key ring: the few secrets that everything at rest depends on, in one file of their own.

Every key of the ring wraps bodies' file keys and seals values; the newest does so for what is
new, the older ones still open. Beside them lie two keys that never change: the index key, by
which what is sealed can be looked up, and the signing key, which signs the journal's head. The
file must be readable by its owner alone, and may be locked with a passphrase as well.
docs/sealed-format.md is the specification. RFC 8452 (AES-GCM-SIV), RFC 8032 (Ed25519), RFC 7914
(scrypt).
"""

import os
import stat
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from vault import files
from vault.errors import KeyRingError, SealError
from vault.mac import Begun
from vault.seal import FILE_KEY, derive

COST = 17  # scrypt's, as a power of two: 128 MiB for a moment

_NONCE = 12
_DRAWN = 64  # nonces drawn at once
_ID = 4  # a sealed value starts with the number of the key that sealed it


class _Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: int
    created: datetime
    key: bytes

    def __repr__(self) -> str:
        return f"<_Key {self.id}>"


class _Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="sceau-keys-1"):
    index: bytes
    signing: bytes
    keys: tuple[_Key, ...]

    def __repr__(self) -> str:
        return f"<_Secrets {self.keys}>"


class _Locked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="sceau-keys-1-locked"):
    log_n: int  # scrypt's cost; r is 8 and p is 1
    salt: bytes
    sealed: bytes


class _Lock:
    """What a passphrase became: kept while the ring is open, so that a rotation can be saved."""

    __slots__ = ("_key", "_log_n", "_salt")

    def __init__(self, passphrase: str, salt: bytes, log_n: int) -> None:
        if not 14 <= log_n <= 20:
            raise KeyRingError("the key ring names a passphrase cost that is out of bounds")
        self._salt, self._log_n = salt, log_n
        kdf = Scrypt(salt=salt, length=32, n=1 << log_n, r=8, p=1)
        self._key = AESGCM(kdf.derive(passphrase.encode()))

    def close(self, plain: bytes) -> _Locked:
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._key.encrypt(nonce, plain, b"sceau key ring v1")
        return _Locked(self._log_n, self._salt, sealed)

    def open(self, sealed: bytes) -> bytes:
        try:
            return self._key.decrypt(sealed[:_NONCE], sealed[_NONCE:], b"sceau key ring v1")
        except InvalidTag:
            raise KeyRingError("the passphrase does not open the key ring") from None


class KeyRing:
    """The keys, in memory; made by ``create`` or ``load``."""

    def __init__(self, path: Path, secrets: _Secrets, lock: _Lock | None) -> None:
        self._path, self._lock = path, lock
        self._nonces: list[bytes] = []
        self._hold(secrets)

    def _hold(self, secrets: _Secrets) -> None:
        if not secrets.keys or len(secrets.index) != FILE_KEY:
            raise ValueError("a part is missing")
        self._secrets = secrets
        self._signing = Ed25519PrivateKey.from_private_bytes(secrets.signing)
        self._wraps = {key.id: AESGCMSIV(derive(key.key, b"", _WRAP)) for key in secrets.keys}
        self._values = {key.id: AESGCMSIV(derive(key.key, b"", _VALUE)) for key in secrets.keys}
        self._index = Begun(secrets.index)
        self.current = max(self._wraps)
        self._prefix = self.current.to_bytes(_ID, "big")

    def __repr__(self) -> str:
        return f"<KeyRing {self._path} keys {sorted(self._wraps)} current {self.current}>"

    @classmethod
    def create(cls, path: Path, now: datetime, passphrase: str | None = None) -> Self:
        """Make a ring with one key and write it; an existing file is never overwritten."""
        if path.exists():
            raise KeyRingError(f"{path} exists already; a key ring is never overwritten")
        secrets = _Secrets(
            os.urandom(32), os.urandom(32), (_Key(1, _whole(now), os.urandom(FILE_KEY)),)
        )
        lock = _Lock(passphrase, os.urandom(16), COST) if passphrase else None
        ring = cls(path, secrets, lock)
        ring._save(secrets)
        return ring

    @classmethod
    def load(cls, path: Path, passphrase: str | None = None) -> Self:
        """Read the ring; refuse a file that anybody but its owner could read."""
        try:
            stored = msgspec.json.decode(_private(path), type=_Secrets | _Locked)
            lock = None
            if isinstance(stored, _Locked):
                if not passphrase:
                    raise KeyRingError(f"{path} is locked; give its passphrase")
                lock = _Lock(passphrase, stored.salt, stored.log_n)
                stored = msgspec.json.decode(lock.open(stored.sealed), type=_Secrets)
            return cls(path, stored, lock)
        except (msgspec.MsgspecError, ValueError):
            raise KeyRingError(f"{path} is no key ring") from None

    @property
    def ids(self) -> tuple[int, ...]:
        """The numbers of all keys, oldest first."""
        return tuple(sorted(self._wraps))

    def created(self, number: int) -> datetime:
        """When that key was made."""
        return next(key.created for key in self._secrets.keys if key.id == number)

    def wrap(self, file_key: bytes, holder: str) -> tuple[int, bytes]:
        """Wrap a body's file key for one holder; return which key did, and the wrap."""
        nonce = self._nonce()
        wrapped = self._wraps[self.current].encrypt(nonce, file_key, holder.encode())
        return self.current, nonce + wrapped

    def unwrap(self, number: int, wrapped: bytes, holder: str) -> bytes:
        """Return the file key; raise ``SealError`` if it was wrapped otherwise."""
        return _opened(self._wraps.get(number), wrapped, holder)

    def seal(self, plain: bytes, place: str) -> bytes:
        """Seal a value for one place, 'table/<row>/column': it opens nowhere else."""
        nonce = self._nonce()
        sealed = self._values[self.current].encrypt(nonce, plain, place.encode())
        return self._prefix + nonce + sealed

    def open(self, sealed: bytes, place: str) -> bytes:
        """Open a value; raise ``SealError`` if it was sealed for another place or changed."""
        number = int.from_bytes(sealed[:_ID], "big")
        return _opened(self._values.get(number), sealed[_ID:], place)

    def _nonce(self) -> bytes:
        """Return a nonce of those drawn together: each draw asks the system, ten times a message."""
        while True:
            try:
                return self._nonces.pop()  # atomic: threads seal too
            except IndexError:
                drawn = os.urandom(_NONCE * _DRAWN)
                self._nonces += (drawn[at : at + _NONCE] for at in range(0, len(drawn), _NONCE))

    def index(self, text: str, kind: str) -> bytes:
        """Return the 16 octets by which a sealed text can be looked up; rotation keeps them."""
        return self._index.mac(f"{kind}\0{text}".encode("utf-8", "surrogatepass"))[:16]

    def rotate(self, now: datetime) -> int:
        """Add a key and make it the current one; return its number."""
        new = _Key(self.current + 1, _whole(now), os.urandom(FILE_KEY))
        self._save(msgspec.structs.replace(self._secrets, keys=(*self._secrets.keys, new)))
        return self.current

    def retire(self, number: int) -> None:
        """Forget an old key; what it still seals is lost, so ask first what that is."""
        if number == self.current or number not in self._wraps:
            raise KeyRingError(f"key {number} is the current one, or not in the ring")
        left = tuple(key for key in self._secrets.keys if key.id != number)
        self._save(msgspec.structs.replace(self._secrets, keys=left))

    def sign(self, text: bytes) -> bytes:
        """Sign with the ring's Ed25519 key."""
        return self._signing.sign(text)

    @property
    def public_key(self) -> bytes:
        """The 32 octets that ``signed_by`` needs; not secret, best kept far from here."""
        return self._signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def public_pem(self) -> bytes:
        """The same for other tools."""
        public = self._signing.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def _save(self, secrets: _Secrets) -> None:
        """Write first, use afterwards: nothing is ever sealed with a key that is not on disk."""
        plain = msgspec.json.encode(secrets)
        stored = plain if self._lock is None else msgspec.json.encode(self._lock.close(plain))
        try:
            files.replace(self._path, stored + b"\n")
        except OSError as error:
            raise KeyRingError(f"cannot write {self._path}: {error.strerror}") from None
        self._hold(secrets)


_WRAP = b"sceau wrap v1"
_VALUE = b"sceau value v1"


def signed_by(public_key: bytes, signature: bytes, text: bytes) -> bool:
    """Whether the ring with that public key signed the text."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def _opened(key: AESGCMSIV | None, sealed: bytes, place: str) -> bytes:
    if key is None:
        raise SealError("it was sealed with a key that is not in this ring")
    try:
        return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
    except (InvalidTag, ValueError):
        raise SealError("it does not open: changed, or moved from its place") from None


def _private(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            if stat.S_IMODE(about.st_mode) & 0o077:
                raise KeyRingError(f"others can read {path}; run: chmod 600 {path}")
            if about.st_uid not in (os.geteuid(), 0):
                raise KeyRingError(f"{path} belongs to another user; it must be ours")
            return file.read()
    except OSError as error:
        raise KeyRingError(f"cannot read {path}: {error.strerror}") from None


def _whole(now: datetime) -> datetime:
    return now.replace(microsecond=0)
