"""The sealed format once more, written from its specification alone, to hold ours against.

``python -m tests.vault.reference`` writes the vectors anew; they change only with the format.
"""

import base64
import hashlib
import hmac
import json
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VECTORS = Path(__file__).with_name("vectors")
_CHUNK = 65_536


def hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=salt, info=info).derive(key)


def sealed_body(file_key: bytes, salt: bytes, body_id: str, plain: bytes) -> bytes:
    header = b"SCEAU-1\x0a" + salt
    aead = AESGCM(hkdf(file_key, salt, b"sceau body v1"))
    pieces = [plain[at : at + _CHUNK] for at in range(0, len(plain), _CHUNK)] or [b""]
    sealed = header
    for number, piece in enumerate(pieces):
        mark = b"\x01" if number == len(pieces) - 1 else b"\x00"
        nonce = number.to_bytes(11, "big") + mark
        sealed += aead.encrypt(nonce, piece, header + body_id.encode("ascii"))
    return sealed


def wrapped(ring_key: bytes, nonce: bytes, holder: str, file_key: bytes) -> bytes:
    key = AESGCMSIV(hkdf(ring_key, b"", b"sceau wrap v1"))
    return nonce + key.encrypt(nonce, file_key, holder.encode())


def sealed_value(ring_key: bytes, number: int, nonce: bytes, place: str, plain: bytes) -> bytes:
    key = AESGCMSIV(hkdf(ring_key, b"", b"sceau value v1"))
    return number.to_bytes(4, "big") + nonce + key.encrypt(nonce, plain, place.encode())


def index(index_key: bytes, kind: str, text: str) -> bytes:
    message = kind.encode() + b"\x00" + text.encode()
    return hmac.new(index_key, message, hashlib.sha256).digest()[:16]


def plain_of(vector: dict[str, str | int]) -> bytes:
    if "plain" in vector:
        return bytes.fromhex(str(vector["plain"]))
    return bytes(i % 251 for i in range(int(vector["repeat"])))


def _keyed(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def _bodies() -> None:
    file_key, salt, body_id = _keyed("file key"), _keyed("salt")[:24], "0000002a00000001"
    common = {"file_key": file_key.hex(), "salt": salt.hex(), "body_id": body_id}
    small = {"empty": b"", "one": b"x", "message": b"Subject: essai\r\n\r\nbonjour\r\n"}
    for name, plain in small.items():
        sealed = sealed_body(file_key, salt, body_id, plain)
        _write(f"body-{name}", common | {"plain": plain.hex(), "sealed": sealed.hex()})
    for size in (_CHUNK - 1, _CHUNK, _CHUNK + 1, 2 * _CHUNK, 200_000):
        plain = bytes(i % 251 for i in range(size))
        digest = hashlib.sha256(sealed_body(file_key, salt, body_id, plain)).hexdigest()
        _write(f"body-{size}", common | {"repeat": size, "sealed_sha256": digest})

    whole = sealed_body(file_key, salt, body_id, b"twenty octets of text")
    broken = {
        "another magic": b"SCEAU-2" + whole[7:],
        "header alone": whole[:32],
        "shorter than a header": whole[:31],
        "cut by one octet": whole[:-1],
        "longer by one octet": whole + b"\0",
        "an empty chunk appended": whole + bytes(16),
        "a flipped bit in the salt": whole[:20] + bytes([whole[20] ^ 1]) + whole[21:],
        "a flipped bit in the text": whole[:40] + bytes([whole[40] ^ 1]) + whole[41:],
        "not marked as the last": whole[:32]
        + AESGCM(hkdf(file_key, salt, b"sceau body v1")).encrypt(
            bytes(12), b"twenty octets of text", whole[:32] + body_id.encode()
        ),
        "of another body": sealed_body(file_key, salt, "0000002a00000002", b"text"),
        "under another key": sealed_body(_keyed("another"), salt, body_id, b"text"),
    }
    _write("broken", common | {"sealed": {name: one.hex() for name, one in broken.items()}})


def _ring() -> None:
    keys = {1: _keyed("ring key 1"), 2: _keyed("ring key 2")}
    index_key, nonce = _keyed("index key"), bytes(range(12))
    ring = {
        "type": "sceau-keys-1",
        "index": _base64(index_key),
        "signing": _base64(_keyed("signing key")),
        "keys": [
            {"id": number, "created": f"2026-11-2{number}T08:00:00Z", "key": _base64(key)}
            for number, key in keys.items()
        ],
    }
    file_key, holder, place = _keyed("file key"), "delivery/M.1", "message/M/facts"
    wraps = [
        {
            "ring": number,
            "holder": holder,
            "file_key": file_key.hex(),
            "wrapped": wrapped(key, nonce, holder, file_key).hex(),
        }
        for number, key in keys.items()
    ]
    values = [
        {
            "place": place,
            "plain": "Hélène".encode().hex(),
            "sealed": sealed_value(key, number, nonce, place, "Hélène".encode()).hex(),
        }
        for number, key in keys.items()
    ]
    indexes = [
        {"kind": kind, "text": text, "index": index(index_key, kind, text).hex()}
        for kind, text in (("address", "dr@labo.example"), ("envid", "dr@labo.example"))
    ]
    _write("ring", {"ring": ring, "wraps": wraps, "values": values, "indexes": indexes})


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _write(name: str, content: object) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    (VECTORS / f"{name}.json").write_text(text, "utf-8")


if __name__ == "__main__":
    _bodies()
    _ring()
