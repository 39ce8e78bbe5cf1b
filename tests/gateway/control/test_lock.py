"""One process at a time works in a data folder."""

import os
from pathlib import Path

from gateway.control.lock import Lock


def test_the_second_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    """Two writers would break each other's promises."""
    first, second = Lock(tmp_path), Lock(tmp_path)

    assert first.take("sceau serve")
    assert not second.take("sceau trace")
    assert f"sceau serve, process {os.getpid()}" == second.holder
    first.release()
    first.release()
    assert second.take("sceau trace")
    second.release()


def test_the_lock_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Another user cannot hold us up by taking the lock."""
    lock = Lock(tmp_path)
    lock.take("x")
    lock.release()

    assert 0o600 == (tmp_path / "lock").stat().st_mode & 0o777


def test_an_unreadable_lock_names_nobody(tmp_path: Path) -> None:
    """The error message still makes a sentence."""
    assert "another process" == Lock(tmp_path).holder
