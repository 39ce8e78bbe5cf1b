"""What no client was told of is recent to the first that is, and to nobody after (RFC 3501 §2.3.2)."""

import asyncio

from imap.store import Mailboxes
from tests.imap.store.conftest import append
from tests.world.clock import Clock
from tests.world.rest import Rest


async def test_it_is_recent_once(mailboxes: Mailboxes, inbox: int) -> None:
    """Whoever claims a folder's messages has them all, up to the next UID."""
    recents = mailboxes.recents
    await append(mailboxes, inbox)
    await append(mailboxes, inbox)

    assert (1, 2) == (recents.bound(inbox), recents.count(inbox))
    assert 1 == recents.claim(inbox, 3)
    assert 3 == recents.claim(inbox, 3)
    assert 0 == recents.count(inbox)
    await append(mailboxes, inbox)
    assert 1 == recents.count(inbox)


async def test_it_never_moves_back(mailboxes: Mailboxes, inbox: int) -> None:
    """A client that was told of less takes nothing back."""
    recents = mailboxes.recents
    recents.claim(inbox, 9)
    assert 9 == recents.claim(inbox, 3)
    assert 9 == recents.bound(inbox)


async def test_it_outlasts_a_restart(mailboxes: Mailboxes, inbox: int, rest: Rest) -> None:
    """What was claimed is written by the next sweep; a folder that is gone does not stop it."""
    recents = mailboxes.recents
    recents.claim(12345, 7)
    recents.claim(inbox, 5)
    await mailboxes.sweep()

    again = Mailboxes(rest.database, rest.vault, rest.ring, Clock())
    assert 5 == again.recents.bound(inbox)
    assert 5 == recents.bound(inbox)
    assert 1 == recents.bound(12345)


async def test_two_writes_at_once_do_not_meet(mailboxes: Mailboxes, inbox: int) -> None:
    """Whoever is later finds it written."""
    recents = mailboxes.recents
    recents.claim(inbox, 5)
    await asyncio.gather(recents.write(), recents.write())
    assert 5 == recents.bound(inbox)


async def test_what_moves_while_it_is_written_is_written_next(
    mailboxes: Mailboxes, inbox: int
) -> None:
    """A claim made during the write is not lost."""
    recents = mailboxes.recents
    recents.claim(inbox, 5)
    writing = recents.write()
    writing.send(None)
    recents.claim(inbox, 8)
    writing.close()
    assert 8 == recents.bound(inbox)
    await recents.write()
    assert 8 == recents.bound(inbox)
