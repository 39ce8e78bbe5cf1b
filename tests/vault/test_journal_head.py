"""A head is signed only over the journal that led to the one before it."""

from pathlib import Path

import pytest

from tests.world.clock import START
from tests.world.rest import Rest
from vault.database import Statement
from vault.errors import VaultError
from vault.journal import Journal


async def test_a_journal_that_was_cut_while_nobody_ran_is_not_signed_again(tmp_path: Path) -> None:
    """A restart must not bless what somebody did to the data folder in between."""
    rest = Rest.open(tmp_path)
    head = tmp_path / "head"
    try:
        journal = Journal(rest.database, rest.ring, head)
        for _ in range(3):
            await rest.database.commit([journal.entry(START, "login.failed", "gateway")])
        await journal.sign_head(START)
        await rest.database.commit([Statement("DELETE FROM journal WHERE seq = 3")])
        signed = head.read_bytes()

        with pytest.raises(VaultError, match="cut or replaced"):
            await Journal(rest.database, rest.ring, head).sign_head(START)
        assert signed == head.read_bytes()

        head.unlink()
        await Journal(rest.database, rest.ring, head).sign_head(START)
        assert (await journal.verify()).good
    finally:
        await rest.database.close()


async def test_an_empty_journal_has_a_head_too(tmp_path: Path) -> None:
    """Or nobody could say that nothing was cut off."""
    rest = Rest.open(tmp_path)
    try:
        for _ in range(2):
            await Journal(rest.database, rest.ring, tmp_path / "head").sign_head(START)

        assert (await Journal(rest.database, rest.ring, tmp_path / "head").verify()).good
    finally:
        await rest.database.close()
