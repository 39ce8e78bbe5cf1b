"""What the key ring signs is read back, or is our error; nothing between."""

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault import signed
from vault.chain import Head
from vault.errors import VaultError
from vault.keys import KeyRing

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LAST = Head(9, b"\xab" * 32)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return KeyRing.create(tmp_path_factory.mktemp("ring") / "ring.json", NOW)


def test_a_mark_is_read_back(key: KeyRing) -> None:
    """Row, hash and time come back; as what it was signed, and by whom, alone."""
    text = signed.mark(signed.PURGE, LAST, key, NOW)
    assert signed.Mark(LAST, NOW) == signed.marked(text, signed.PURGE, key.public_key)
    with pytest.raises(VaultError, match="was not signed"):
        signed.marked(text, signed.HEAD, key.public_key)
    with pytest.raises(VaultError, match="was not signed"):
        signed.marked(text, signed.PURGE, bytes(32))


@given(st.sets(st.integers(1, 60), min_size=1))
def test_rows_that_were_erased(key: KeyRing, rows: set[int]) -> None:
    """Exactly the rows that were signed count as erased, however they lie."""
    text = signed.erasure(sorted(rows), LAST, key, NOW)
    found = signed.Erased([text], key.public_key)
    assert rows == {row for row in range(70) if row in found}
    assert (LAST,) == found.heads


def test_several_erasures_count_together(key: KeyRing) -> None:
    """Each request leaves its own text; what is no row is in none."""
    texts = [signed.erasure(rows, LAST, key, NOW) for rows in ([1, 2, 3], [7], [2, 4])]
    found = signed.Erased(texts, key.public_key)
    assert [1, 2, 3, 4, 7] == [row for row in range(10) if row in found]
    assert "7" not in found
    assert 1 not in signed.Erased([], key.public_key)


@pytest.mark.parametrize(
    "lines",
    ["", "seq 1\n", "seq 1\nhash zz\nat x\n", "seq 1\nhash ab\nat yesterday\n", "rows 1-\n"],
)
def test_what_is_signed_and_says_nothing(key: KeyRing, lines: str) -> None:
    """A good signature over something else is our error too."""
    for title in (signed.HEAD, signed.ERASURE):
        text = signed._signed(f"{title}\n{lines}", key)
        with pytest.raises(VaultError, match="does not go on"):
            signed.marked(text, title, key.public_key)
    with pytest.raises(VaultError, match="does not go on"):
        signed.Erased([signed._signed(f"{signed.ERASURE}\n{lines}", key)], key.public_key)


@given(st.binary(max_size=300))
def test_any_octets_are_our_error(key: KeyRing, octets: bytes) -> None:
    """Whatever lies where a signed text should."""
    for text in (octets, signed.HEAD.encode() + b"\n" + octets):
        with pytest.raises(VaultError):
            signed.marked(text, signed.HEAD, key.public_key)


def test_a_title_that_is_no_text(key: KeyRing) -> None:
    """Octets that are no ASCII, well signed, are our error."""
    octets = b"sceau journal head v1\n\xff\n"
    with pytest.raises(VaultError):
        signed.marked(octets + b64encode(key.sign(octets)), signed.HEAD, key.public_key)
