"""An append is all there, durable, when it returns; or nothing of it is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from imap.errors import Limited, NoFolder, OverQuota, TooBig
from imap.folder import UidSet
from imap.store import INBOX, Limits, Mailboxes, Quota, filing, summary_of
from smtp.message.header import Header
from tests.imap.store.conftest import MESSAGE, append, folder
from tests.world.clock import Clock
from tests.world.rest import Rest, blocks, stored
from vault.database import Statement
from vault.errors import StorageFull

ALL = UidSet([(1, (1 << 32) - 1)])


async def test_several_at_once(mailboxes: Mailboxes, inbox: int, rest: Rest) -> None:
    """One transaction for all messages of an APPEND, in their order (RFC 3502)."""
    batch = mailboxes.batch(inbox)
    for number in range(3):
        body = MESSAGE + b"x" * number
        await batch.add(["\\Seen"], 1000.0 + number, blocks(body), len(body))
    assert [] == rest.database.read("SELECT 1 FROM entry")

    appended = await batch.commit()

    found = mailboxes.find(1, INBOX)
    assert found is not None
    assert (found.uid_validity, UidSet.of([1, 2, 3])) == (appended.uid_validity, appended.uids)
    rows = [row async for some in mailboxes.rows(inbox, ALL) for row in some]
    assert [(1000.0 + n, len(MESSAGE) + n) for n in range(3)] == [(r.arrived, r.size) for r in rows]
    assert UidSet() == (await batch.commit()).uids, "what was filed is not filed again"


async def test_given_up(mailboxes: Mailboxes, inbox: int, rest: Rest, tmp_path: Path) -> None:
    """A client that goes away in the middle leaves nothing behind."""
    batch = mailboxes.batch(inbox)
    body = b"x" * 49_000
    rest.vault._inline_limit = 1000
    await batch.add([], None, blocks(body), len(body))
    assert any(path.is_file() for path in (tmp_path / "blobs").rglob("*"))
    await batch.discard()
    await batch.discard()

    assert [(".spare", 0)] == [(p.suffix, p.stat().st_size) for p in (tmp_path / "blobs").iterdir()]
    assert [] == rest.database.read("SELECT 1 FROM entry")


async def test_cut_off_in_the_middle(mailboxes: Mailboxes, inbox: int, rest: Rest) -> None:
    """A message that did not come whole is no message."""

    async def broken() -> AsyncIterator[bytes]:
        yield MESSAGE
        raise ConnectionResetError

    batch = mailboxes.batch(inbox)
    with pytest.raises(ConnectionResetError):
        await batch.add([], None, broken(), 10_000)
    assert UidSet() == (await batch.commit()).uids


async def test_bounds(mailboxes: Mailboxes, inbox: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too long, too many, too much for the mailbox: said before anything is read."""
    read: list[int] = []

    async def unread() -> AsyncIterator[bytes]:
        read.append(1)
        yield b""

    assert 50_000 == mailboxes.append_limit
    batch = mailboxes.batch(inbox)
    with pytest.raises(TooBig):
        await batch.add([], None, unread(), 50_001)
    for _ in range(2):
        await append(mailboxes, inbox, message=b"x" * 40_000)
    with pytest.raises(OverQuota):
        await batch.add([], None, unread(), 30_000)
    assert Quota(80_000, 100_000, 2) == mailboxes.quota(1)
    assert Quota(0, 100_000, 0) == mailboxes.quota(2)
    monkeypatch.setattr(filing, "_MOST", 1)
    await batch.add([], None, blocks(MESSAGE), len(MESSAGE))
    with pytest.raises(Limited):
        await batch.add([], None, unread(), 1)
    assert [] == read


async def test_filled_meanwhile(mailboxes: Mailboxes, inbox: int) -> None:
    """Room is asked for again when the messages are filed: two appends share it."""
    first, second = mailboxes.batch(inbox), mailboxes.batch(inbox)
    for batch in (first, second):
        for _ in range(2):
            await batch.add([], None, blocks(b"x" * 30_000), 30_000)
    await first.commit()
    with pytest.raises(OverQuota):
        await second.commit()
    assert 60_000 == mailboxes.quota(1).used


async def test_room_without_end(rest: Rest, clock: Clock, mailboxes: Mailboxes) -> None:
    """Without a quota the disk is the bound."""
    free = Mailboxes(rest.database, rest.vault, rest.ring, clock)
    free.check_room(1, 1 << 50)
    assert free.quota(1).limit is None
    assert Limits().append_limit == free.append_limit


async def test_deleted_meanwhile(mailboxes: Mailboxes, inbox: int, rest: Rest) -> None:
    """A folder that goes while a message comes: said so, and nothing is kept."""
    made = await mailboxes.create(1, "a")
    batch = mailboxes.batch(made.id)
    await batch.add([], None, blocks(MESSAGE), len(MESSAGE))
    await mailboxes.delete(1, "a")
    with pytest.raises(NoFolder):
        await batch.commit()
    assert [(0,)] == rest.database.read("SELECT count(*) FROM body")


async def test_no_room_on_the_disk(
    mailboxes: Mailboxes, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is said, and what was begun is taken back."""
    batch = mailboxes.batch(inbox)
    await batch.add([], None, blocks(MESSAGE), len(MESSAGE))

    async def full(statements: object) -> object:
        raise StorageFull("full")

    monkeypatch.setattr(mailboxes._database, "commit", full)
    with pytest.raises(StorageFull):
        await batch.commit()


async def test_uids_ascend_whoever_appends(mailboxes: Mailboxes, inbox: int) -> None:
    """Twenty at once: each UID once, ascending with the commits, counters right."""
    uids = await asyncio.gather(*(append(mailboxes, inbox) for _ in range(20)))

    assert set(range(1, 21)) == set(uids)
    found = mailboxes.folder(inbox)
    assert found is not None
    assert (20, 21, 21) == (found.exists, found.uid_next, found.modseq)


async def test_nothing_lies_in_clear(mailboxes: Mailboxes, inbox: int, tmp_path: Path) -> None:
    """Neither keyword nor subject, name of a file or of a folder, subscription or address."""
    await mailboxes.create(1, "Dossier-DUPONT")
    await mailboxes.subscribe(1, "Dossier-DUPONT", on=True)
    await append(mailboxes, inbox, "VIH-positif")
    copied = await mailboxes.copy(inbox, ALL, folder(mailboxes, "Dossier-DUPONT"))
    assert 1 == len(copied.target)

    files = stored(tmp_path)
    assert b"chu.example" in files, "the search finds what is there"
    for canary in (b"DUPONT", b"VIH", b"labo.example", b"potassium", b"charset", b"plain"):
        assert canary not in files, canary


async def test_a_bell_rings_after_the_commit(mailboxes: Mailboxes, inbox: int) -> None:
    """Whoever looks at a folder hears of each change to it, of no other, until it stops listening."""
    rung: list[str] = []
    stop = mailboxes.listen(inbox, lambda: rung.append("inbox"))
    mailboxes.listen(inbox, lambda: rung.append("again"))
    mailboxes.listen(folder(mailboxes, "Sent"), lambda: rung.append("sent"))

    await append(mailboxes, inbox)
    assert ["inbox", "again"] == rung
    await mailboxes.copy(inbox, ALL, folder(mailboxes, "Sent"))
    assert ["sent"] == rung[2:]
    stop()
    stop()
    await mailboxes.move(inbox, ALL, folder(mailboxes, "Sent"))
    assert {"again", "sent"} == set(rung[3:])


async def test_a_bell_does_not_ring_for_what_was_undone(
    mailboxes: Mailboxes, inbox: int, rest: Rest
) -> None:
    """A transaction that failed touched nothing."""
    mailboxes.listen(inbox, lambda: pytest.fail("nothing happened"))
    with pytest.raises(Exception, match="expected"):
        await rest.commit([Statement("UPDATE folder SET size = 0 WHERE id = 0", (), 1, inbox)])


def test_summary() -> None:
    """What a list shows comes from the header, whatever is in it."""
    summary = summary_of(Header.skim(b"Subject: " + b"\xff" * 5000 + b"\r\n\r\n"), "M")
    assert ("", 1000, "M") == (summary.sender, len(summary.subject), summary.message)
