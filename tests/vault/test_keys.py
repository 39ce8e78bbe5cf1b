"""The key ring: what its file may look like, what it seals, and what rotation changes."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vault import keys
from vault.errors import KeyRingError, SealError
from vault.keys import KeyRing, signed_by

NOW = datetime(2026, 11, 22, 8, 0, 0, 123456, tzinfo=UTC)
VECTORS = json.loads((Path(__file__).with_name("vectors") / "ring.json").read_text())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ring.json"


@pytest.fixture
def vector_ring(path: Path) -> KeyRing:
    path.touch(0o600)
    path.write_text(json.dumps(VECTORS["ring"]))
    return KeyRing.load(path)


@pytest.fixture(autouse=True)
def _cheap_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "COST", 14)


def test_vectors(vector_ring: KeyRing) -> None:
    """The specification's wraps, values and indexes are ours."""
    for wrap in VECTORS["wraps"]:
        wrapped = bytes.fromhex(wrap["wrapped"])
        opened = vector_ring.unwrap(wrap["ring"], wrapped, wrap["holder"])
        assert wrap["file_key"] == opened.hex()
    for value in VECTORS["values"]:
        assert (
            value["plain"] == vector_ring.open(bytes.fromhex(value["sealed"]), value["place"]).hex()
        )
    for index in VECTORS["indexes"]:
        assert index["index"] == vector_ring.index(index["text"], index["kind"]).hex()


def test_a_new_ring_is_private_and_loads(path: Path) -> None:
    """The file is its owner's alone, and holds all that the ring in memory does."""
    made = KeyRing.create(path, NOW)

    assert 0o600 == path.stat().st_mode & 0o777
    loaded = KeyRing.load(path)
    assert b"x" == loaded.open(made.seal(b"x", "a/1/b"), "a/1/b")
    assert made.index("t", "k") == loaded.index("t", "k")
    assert made.public_key == loaded.public_key
    assert NOW.replace(microsecond=0) == loaded.created(1)
    assert [path] == list(path.parent.iterdir())


def test_an_existing_ring_is_never_overwritten(path: Path) -> None:
    """A second creation would make everything at rest unreadable."""
    KeyRing.create(path, NOW)
    before = path.read_bytes()
    with pytest.raises(KeyRingError, match="never overwritten"):
        KeyRing.create(path, NOW)
    assert before == path.read_bytes()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o610, 0o601])
def test_a_ring_that_others_can_reach_is_refused(path: Path, mode: int) -> None:
    """A key that others could read is no key; the error says what to run."""
    KeyRing.create(path, NOW)
    path.chmod(mode)
    with pytest.raises(KeyRingError, match="chmod 600"):
        KeyRing.load(path)


def test_a_ring_of_another_user_is_refused(path: Path) -> None:
    """Whoever owns the file could exchange the keys."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    KeyRing.create(path, NOW)
    os.chown(path, 12345, 12345)
    with pytest.raises(KeyRingError, match="another user"):
        KeyRing.load(path)


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", "\xff", '{"type": "sceau-keys-2"}', '{"type": "sceau-keys-1", "keys": []}'],
)
def test_what_is_no_ring_is_refused(path: Path, content: str) -> None:
    """Any bytes give a ring or our error."""
    path.touch(0o600)
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(KeyRingError, match="is no key ring"):
        KeyRing.load(path)


@pytest.mark.parametrize("change", [{"keys": []}, {"signing": "AAAA"}, {"index": ""}])
def test_a_ring_with_parts_missing_is_refused(path: Path, change: dict[str, object]) -> None:
    """A ring works wholly or not at all."""
    path.touch(0o600)
    path.write_text(json.dumps(VECTORS["ring"] | change))
    with pytest.raises(KeyRingError, match="is no key ring"):
        KeyRing.load(path)


def test_a_missing_ring_is_an_error_in_words(path: Path) -> None:
    """Nobody makes a new ring by mistyping a path."""
    with pytest.raises(KeyRingError, match="cannot read"):
        KeyRing.load(path)


def test_a_ring_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    """A folder that is not there is said, not raised raw."""
    with pytest.raises(KeyRingError, match="cannot write"):
        KeyRing.create(tmp_path / "nowhere" / "ring.json", NOW)


def test_a_passphrase_locks_the_file(path: Path) -> None:
    """The locked file shows no key, and opens with its passphrase alone."""
    ring = KeyRing.create(path, NOW, "correct horse")
    sealed = ring.seal(b"x", "a/1/b")

    assert b'"index"' not in path.read_bytes()
    assert b"x" == KeyRing.load(path, "correct horse").open(sealed, "a/1/b")
    with pytest.raises(KeyRingError, match="does not open"):
        KeyRing.load(path, "wrong")
    with pytest.raises(KeyRingError, match="give its passphrase"):
        KeyRing.load(path)


def test_a_rotation_keeps_the_lock(path: Path) -> None:
    """A locked ring is saved locked."""
    KeyRing.create(path, NOW, "correct horse").rotate(NOW)
    assert (1, 2) == KeyRing.load(path, "correct horse").ids


@pytest.mark.parametrize("cost", [13, 21, 1 << 40])
def test_a_cost_out_of_bounds_is_refused(path: Path, cost: int) -> None:
    """A file cannot make us spend all memory, nor weaken its own lock."""
    KeyRing.create(path, NOW, "correct horse")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"log_n": cost}))
    with pytest.raises(KeyRingError, match="out of bounds"):
        KeyRing.load(path, "correct horse")


def test_rotation(path: Path) -> None:
    """The new key seals, the old ones open, the index stays; the file knows both."""
    ring = KeyRing.create(path, NOW)
    value, index = ring.seal(b"old", "a/1/b"), ring.index("t", "k")
    number, wrapped = ring.wrap(b"k" * 32, "delivery/1")

    assert 2 == ring.rotate(NOW + timedelta(days=1))

    for known in (ring, KeyRing.load(path)):
        assert (1, 2) == known.ids
        assert 2 == known.current
        assert b"old" == known.open(value, "a/1/b")
        assert b"k" * 32 == known.unwrap(number, wrapped, "delivery/1")
        assert index == known.index("t", "k")
        assert (2).to_bytes(4, "big") == known.seal(b"new", "a/1/b")[:4]
        assert 2 == known.wrap(b"k" * 32, "delivery/1")[0]


def test_a_key_is_used_only_once_it_is_on_disk(path: Path) -> None:
    """A rotation that cannot be saved changes nothing."""
    ring = KeyRing.create(path, NOW)
    path.parent.joinpath(".ring.json.new").mkdir()
    with pytest.raises(KeyRingError):
        ring.rotate(NOW)
    assert 1 == ring.current


def test_a_retired_key_opens_nothing(path: Path) -> None:
    """What is forgotten is forgotten, on disk too."""
    ring = KeyRing.create(path, NOW)
    value, (number, wrapped) = ring.seal(b"old", "a/1/b"), ring.wrap(b"k" * 32, "h")
    ring.rotate(NOW)
    ring.retire(1)

    for known in (ring, KeyRing.load(path)):
        assert (2,) == known.ids
        with pytest.raises(SealError, match="not in this ring"):
            known.open(value, "a/1/b")
        with pytest.raises(SealError, match="not in this ring"):
            known.unwrap(number, wrapped, "h")


@pytest.mark.parametrize("number", [1, 7])
def test_the_current_key_cannot_be_retired(path: Path, number: int) -> None:
    """A ring never loses the key it seals with."""
    with pytest.raises(KeyRingError, match="current"):
        KeyRing.create(path, NOW).retire(number)


def test_a_wrap_is_bound_to_its_holder(ring: KeyRing) -> None:
    """A wrap that was copied to another row does not open there."""
    number, wrapped = ring.wrap(b"k" * 32, "delivery/1")
    with pytest.raises(SealError):
        ring.unwrap(number, wrapped, "delivery/2")


def test_a_value_is_bound_to_its_place(ring: KeyRing) -> None:
    """A value that was copied to another row or column does not open there."""
    with pytest.raises(SealError):
        ring.open(ring.seal(b"x", "message/1/facts"), "message/2/facts")


@given(anything=st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it never changes
def test_any_bytes_are_our_error(vector_ring: KeyRing, anything: bytes) -> None:
    """What nobody sealed opens nowhere, and nothing else is raised."""
    with pytest.raises(SealError):
        vector_ring.open(anything, "a/1/b")
    with pytest.raises(SealError):
        vector_ring.unwrap(1, anything, "h")


def test_sealing_twice_looks_different(ring: KeyRing) -> None:
    """Equal values cannot be told by their sealed bytes."""
    assert ring.seal(b"x", "a/1/b") != ring.seal(b"x", "a/1/b")


def test_an_index_depends_on_its_kind(ring: KeyRing) -> None:
    """The same text as two kinds cannot be matched, nor moved between kind and text."""
    assert ring.index("t", "a") != ring.index("t", "b")
    assert ring.index("b", "a") != ring.index("", "ab")
    assert 16 == len(ring.index("\udcff", "a"))


def test_signatures(ring: KeyRing) -> None:
    """What the ring signed is known by its public key, which other tools can read."""
    signature = ring.sign(b"head")
    assert signed_by(ring.public_key, signature, b"head")
    assert not signed_by(ring.public_key, signature, b"hand")
    assert not signed_by(ring.public_key, b"", b"head")
    assert not signed_by(b"short", signature, b"head")
    assert isinstance(load_pem_public_key(ring.public_pem), Ed25519PublicKey)


def test_nothing_secret_is_shown(ring: KeyRing, tmp_path: Path) -> None:
    """A ring in a log line or a traceback shows numbers."""
    stored = json.loads((tmp_path / "ring.json").read_text())
    shown = repr(vars(ring))
    for secret in (stored["index"], stored["signing"], stored["keys"][0]["key"]):
        assert repr(base64.b64decode(secret))[2:-1] not in shown
    assert "keys [1] current 1" in repr(ring)
