"""Failed log-ins that lock: near, wide, and by origin."""

from datetime import timedelta

from gateway.accounts.lockout import Lockout
from tests.world.clock import START

HERE, THERE = "192.0.2.0/24", "198.51.100.0/24"
WINDOW = timedelta(minutes=5)


def test_one_account_from_one_place() -> None:
    """After the limit, for a while; elsewhere it goes on."""
    lockout = Lockout(2, WINDOW)
    lockout.failed("anne", HERE, START)
    assert not lockout.locked("anne", HERE, START)
    lockout.failed("anne", HERE, START)
    assert lockout.locked("anne", HERE, START)
    assert not lockout.locked("anne", THERE, START)
    assert not lockout.locked("anne", HERE, START + WINDOW)


def test_one_place_with_many_accounts() -> None:
    """Ten times as many, whoever is named; or nobody."""
    lockout = Lockout(2, WINDOW)
    for number in range(20):
        lockout.failed(f"n{number}", HERE, START)
    assert lockout.locked("anne", HERE, START)
    assert lockout.locked("", HERE, START)


def test_one_account_from_everywhere_spares_its_own_places() -> None:
    """Who guesses from elsewhere locks nobody out of where they work."""
    lockout = Lockout(1, WINDOW)
    lockout.welcomed("anne", HERE)
    for number in range(10):
        lockout.failed("anne", f"203.0.113.{number}/32", START)
    assert lockout.locked("anne", THERE, START)
    assert not lockout.locked("anne", HERE, START)


def test_who_succeeds_is_forgiven() -> None:
    """Their failures from there are forgotten; the account's from everywhere are not."""
    lockout = Lockout(1, WINDOW)
    lockout.failed("anne", HERE, START)
    lockout.forgive("anne", HERE)
    assert not lockout.locked("anne", HERE, START)


def test_only_so_many_places_are_remembered() -> None:
    """The one that was used longest ago is forgotten."""
    lockout = Lockout(1, WINDOW)
    for number in range(10_001):
        lockout.welcomed("anne", str(number))
    assert 10_000 == len(lockout._familiar)
    assert "anne|0" not in lockout._familiar
