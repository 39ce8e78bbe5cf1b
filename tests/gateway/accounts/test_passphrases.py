"""Passphrases that people choose."""

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from gateway.accounts.passphrases import (
    LONGEST,
    PassphraseError,
    chosen,
    hashed,
    matches,
    octets,
)

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("court", "passphrase-length"),
        ("x" * (LONGEST + 1), "passphrase-length"),
        ("aaaaaaaaaaaaaaaa", "passphrase-simple"),
        ("abcabcabcabcabc", "passphrase-simple"),
        ("Dr.Durand@chu.example", "passphrase-simple"),
        ("dr.durand!!dr.durand", "passphrase-simple"),
    ],
)
def test_what_can_be_guessed_is_not_taken(text: str, why: str) -> None:
    """And the reason is one that has words."""
    with pytest.raises(PassphraseError, match=why):
        chosen(text, 12, "dr.durand@chu.example")


def test_a_few_words_are_taken() -> None:
    """As Unicode composes them, spaces and case and all."""
    assert "Été à la mer" == chosen("E\u0301te\u0301 à la mer", 12)


@given(st.text(max_size=60))
def test_any_text_is_taken_or_refused(text: str) -> None:
    """And what is taken matches what it made, and is compared octet by octet."""
    try:
        kept = chosen(text, 8, "x@y.example")
    except PassphraseError:
        return
    secret = hashed(kept, CHEAP)
    assert matches(secret, text, CHEAP)
    assert not matches(secret, text + "x", CHEAP)
    assert octets(kept) == octets(text)


def test_what_is_no_hash_matches_nothing() -> None:
    """A damaged row opens nothing."""
    assert not matches("damaged", "x", CHEAP)
