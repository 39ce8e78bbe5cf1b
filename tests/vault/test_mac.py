"""HMAC-SHA256 as everybody makes it."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.mac import Begun, mac


@pytest.mark.parametrize(
    ("key", "message", "expected"),
    [
        (
            b"\x0b" * 20,
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
    ],
)
def test_the_standards_vectors(key: bytes, message: bytes, expected: str) -> None:
    """RFC 4231 §4.2, §4.3."""
    assert expected == mac(key, message).hex() == Begun(key).mac(message).hex()


@given(st.binary(max_size=64), st.binary(max_size=300), st.binary(max_size=300))
def test_it_is_what_the_standard_library_makes(key: bytes, one: bytes, two: bytes) -> None:
    """Of any key up to a block; one that was begun may be used again and again."""
    expected = [hmac.digest(key, message, "sha256") for message in (one, two)]
    begun = Begun(key)
    assert expected == [mac(key, one), mac(key, two)] == [begun.mac(one), begun.mac(two)]
