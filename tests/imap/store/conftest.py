from collections.abc import Awaitable, Callable

import pytest

from imap.store import INBOX, Limits, Mailboxes
from tests.world.clock import Clock
from tests.world.rest import Rest, blocks
from vault.database import Statement

Append = Callable[..., Awaitable[int]]

MESSAGE = (
    b"From: =?utf-8?q?J=C3=A9r=C3=B4me?= <j@labo.example>\r\nTo: dr@chu.example\r\n"
    b"Subject: =?utf-8?q?R=C3=A9sultat?= DUPONT\r\nDate: Mon, 02 Mar 2026 09:30:00 +0100\r\n"
    b"Message-ID: <r1@labo.example>\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\npotassium =C3=A9lev=C3=A9\r\n"
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def mailboxes(rest: Rest, clock: Clock) -> Mailboxes:
    """Two mailboxes, 1 and 2, with the folders a new one has."""
    made = Mailboxes(rest.database, rest.vault, rest.ring, clock, Limits(100_000, 50_000))
    for number in (1, 2):
        statement = Statement(
            "INSERT INTO mailbox (id, key, domain, address, facts, kind, status, created)"
            " VALUES (?, ?, 'chu.example', ?, X'00', 'PER', 'active', 0)",
            (number, f"k{number}", bytes([number])),
        )
        await rest.commit([statement, *made.founding(f"k{number}", clock())])
    return made


@pytest.fixture
def inbox(mailboxes: Mailboxes) -> int:
    return folder(mailboxes, INBOX)


def folder(mailboxes: Mailboxes, name: str, mailbox: int = 1) -> int:
    """Return the id of a folder that is there."""
    found = mailboxes.find(mailbox, name)
    assert found is not None
    return found.id


async def append(
    mailboxes: Mailboxes, folder_id: int, *flags: str, message: bytes = MESSAGE
) -> int:
    """Append a message; return its UID."""
    batch = mailboxes.batch(folder_id)
    await batch.add(flags, None, blocks(message), len(message))
    return next(iter((await batch.commit()).uids))
