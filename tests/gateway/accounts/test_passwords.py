import re
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.accounts import passwords
from gateway.accounts.passwords import Proofs
from tests.world.clock import START

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def test_shown_in_groups() -> None:
    """A password is six groups of four characters that are not mistaken for each other."""
    shown = passwords.new().shown

    assert re.fullmatch(r"([0-9a-hjkmnp-tv-z]{4}-){5}[0-9a-hjkmnp-tv-z]{4}", shown)


def test_new_every_time() -> None:
    """No two passwords are alike."""
    assert 100 == len({passwords.new().text for _ in range(100)})


@pytest.mark.parametrize(
    "spelling",
    ["k7qm-0001-abcd", "K7QM 0001 ABCD", "k7qm0001abcd", "k7qm-ooOl-abcd", "k7qm-oOoI-abcd"],
)
def test_forgiving(spelling: str) -> None:
    """Case, hyphens, spaces and misread letters do not matter to whoever types it."""
    assert passwords.typed("k7qm-0001-abcd") == passwords.typed(spelling)


def test_verifies() -> None:
    """The hash knows its password and no other; what is stored is argon2id."""
    password, other = passwords.new(), passwords.new()
    secret = passwords.hashed(password, CHEAP)

    assert secret.startswith("$argon2id$")
    assert passwords.matches(secret, passwords.typed(password.shown), CHEAP)
    assert not passwords.matches(secret, other, CHEAP)


def test_damaged_hash() -> None:
    """A damaged hash opens nothing and breaks nothing."""
    assert not passwords.matches("damaged", passwords.new(), CHEAP)


def test_cost() -> None:
    """What is stored costs whoever steals it at least 19 MiB and two passes a guess."""
    assert (2, 19 * 1024) == (passwords.HASHER.time_cost, passwords.HASHER.memory_cost)


def test_repr_hides() -> None:
    """A password in a traceback or a log shows which one, not what it is."""
    password = passwords.new()

    assert password.text[4:] not in repr(password)
    assert password.text[:4] in repr(password)


@given(st.text(st.characters()))
@example("\ud800")
def test_any_text(text: str) -> None:
    """Whatever is typed becomes a password that can be compared, lone surrogates too."""
    typed = passwords.typed(text)

    assert not passwords.matches(passwords.hashed(passwords.new(), CHEAP), typed, CHEAP)
    assert not Proofs().known("1.abcd", typed, START)


def test_proof_lapses() -> None:
    """A password that was verified need not be again, for half a minute."""
    proofs, password = Proofs(), passwords.new()
    proofs.learn("1.abcd", password, START)

    assert proofs.known("1.abcd", password, START + timedelta(seconds=29))
    assert not proofs.known("1.abcd", password, START + timedelta(seconds=30))


def test_proof_is_of_one_credential() -> None:
    """A proof opens only the credential and the password it was made for."""
    proofs, password = Proofs(), passwords.new()
    proofs.learn("1.abcd", password, START)

    assert not proofs.known("2.abcd", password, START)
    assert not proofs.known("1.abcd", passwords.new(), START)


def test_proofs_are_bounded() -> None:
    """Proofs that lapsed make room for new ones; while none did, the oldest does."""
    proofs, password = Proofs(limit=2), passwords.new()
    for credential in ("1.a", "1.b", "1.c"):
        proofs.learn(credential, password, START)

    assert [False, True, True] == [proofs.known(f"1.{c}", password, START) for c in "abc"]
    proofs.learn("1.d", password, START + timedelta(minutes=1))
    assert 1 == len(proofs._known)
