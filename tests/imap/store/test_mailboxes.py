import asyncio
from pathlib import Path

import pytest

from imap.errors import NoFolder
from imap.index import index_of
from imap.store import INBOX, Arrival, Entry, Mailboxes, Summary, holder, new_entry_id
from tests.world.clock import START
from tests.world.rest import Rest, blocks, stored
from vault.database import Statement
from vault.errors import Conflict, Gone

BODY = b"Subject: R\xc3\xa9sultat\r\n\r\n" + b"potassium 4.1 mmol/l\r\n" * 100
SUMMARY = Summary(
    sender="Labo <resultats@labo.example>",
    subject="Résultat DUPONT",
    date="Mon, 02 Mar 2026 09:30:00 +0100",
    message_id="<r1@labo.example>",
    message="01KJPN3R8G7Q2M4V6X8Z0A2C4E",
)


@pytest.fixture
async def mailboxes(rest: Rest) -> Mailboxes:
    made = Mailboxes(rest.database, rest.vault, rest.ring, lambda: START)
    await rest.commit(
        [
            *map(_mailbox, (1, 2)),
            *(one for n in (1, 2) for one in made.opening(f"k{n}", INBOX, START)),
        ]
    )
    return made


def _mailbox(number: int) -> Statement:
    return Statement(
        "INSERT INTO mailbox VALUES (?, ?, 'chu.example', ?, X'00', 'PER', 'active', 0)",
        (number, f"k{number}", bytes([number])),
    )


def arrival(body: bytes = BODY) -> Arrival:
    return Arrival(new_entry_id(), len(body), START, SUMMARY, index_of(body))


async def deliver(rest: Rest, mailboxes: Mailboxes, number: int, mailbox: int = 1) -> None:
    await rest.keep(BODY, f"delivery/M.{number}")
    await rest.commit(
        mailboxes.appending(mailbox, INBOX, f"delivery/M.{number}", arrival())
        + rest.vault.dropping(f"delivery/M.{number}")
    )


async def only(mailboxes: Mailboxes) -> Entry:
    (entry,) = mailboxes.entries(1)
    return entry


async def test_delivered_message(rest: Rest, mailboxes: Mailboxes) -> None:
    """A delivered message is listed by its summary and read byte for byte, after the delivery
    let go of it.
    """
    await deliver(rest, mailboxes, 1)

    entry = await only(mailboxes)
    assert (1, len(BODY), START, SUMMARY) == (entry.uid, entry.size, entry.arrived, entry.summary)
    assert BODY == await mailboxes.read(entry)
    assert BODY[10:20] == await mailboxes.read(entry, 10, 20)
    assert BODY == b"".join([block async for block in mailboxes.stream(entry)])


async def test_uids_ascend(rest: Rest, mailboxes: Mailboxes) -> None:
    """UIDs ascend and none is given twice, however many deliveries end at once."""
    for n in range(20):
        await rest.keep(BODY, f"delivery/M.{n}")
    await asyncio.gather(
        *(
            rest.commit(mailboxes.appending(1, INBOX, f"delivery/M.{n}", arrival()))
            for n in range(20)
        )
    )

    entries = mailboxes.entries(1)
    (folder,) = mailboxes.folders(1)
    assert list(range(1, 21)) == [entry.uid for entry in entries]
    assert sorted(entry.modseq for entry in entries) == [entry.modseq for entry in entries]
    assert (21, entries[-1].modseq) == (folder.uid_next, folder.modseq)
    assert entries[5:8] == mailboxes.entries(1, after=5, limit=3)
    assert entries[-3:] == mailboxes.latest(1, limit=3)
    assert entries[14:17] == mailboxes.latest(1, before=18, limit=3)
    assert entries == mailboxes.latest(1)
    assert [] == mailboxes.latest(1, before=1)


async def test_uid_is_not_given_again(rest: Rest, mailboxes: Mailboxes) -> None:
    """The UID of a removed message names no other (RFC 3501 §2.3.1.1), and its key is gone."""
    await deliver(rest, mailboxes, 1)
    removed = await only(mailboxes)
    await rest.commit(mailboxes.removing(removed))
    await deliver(rest, mailboxes, 2)

    assert mailboxes.entry(1, 1) is None
    assert 2 == (await only(mailboxes)).uid
    with pytest.raises(Gone):
        await mailboxes.read(removed)


async def test_removed_twice(rest: Rest, mailboxes: Mailboxes) -> None:
    """Removing what another has removed is a conflict, not silence."""
    await deliver(rest, mailboxes, 1)
    entry = await only(mailboxes)
    await rest.commit(mailboxes.removing(entry))

    with pytest.raises(Conflict):
        await rest.commit(mailboxes.removing(entry))


async def test_all_or_nothing(rest: Rest, mailboxes: Mailboxes) -> None:
    """If the delivery's own step fails, the mailbox has no entry and no UID was spent."""
    await rest.keep(BODY, "delivery/M.1")
    failing = Statement("UPDATE delivery SET state = 'x' WHERE id = 'M.1'", (), expect=1)
    with pytest.raises(Conflict):
        await rest.commit([*mailboxes.appending(1, INBOX, "delivery/M.1", arrival()), failing])

    assert [] == mailboxes.entries(1)
    assert 1 == mailboxes.folders(1)[0].uid_next


async def test_mailboxes_are_apart(rest: Rest, mailboxes: Mailboxes) -> None:
    """A mailbox sees its own messages only."""
    await deliver(rest, mailboxes, 1, mailbox=1)

    assert [] == mailboxes.entries(2)
    assert mailboxes.entry(2, 1) is None
    assert mailboxes.entry(1, 1) == await only(mailboxes)


async def test_no_such_folder(rest: Rest, mailboxes: Mailboxes) -> None:
    """Nothing is filed where no folder is."""
    await rest.keep(BODY, "delivery/M.1")

    with pytest.raises(NoFolder):
        await rest.commit(mailboxes.appending(1, "Archive", "delivery/M.1", arrival()))


async def test_filing_our_own(rest: Rest, mailboxes: Mailboxes) -> None:
    """A notice of ours is filed with a key of its own, no delivery needed."""
    new = arrival()
    sealed = await rest.vault.put(blocks(BODY))
    await rest.commit(
        [*rest.vault.holding(sealed, [holder(new.id)]), *mailboxes.filing(1, "inbox", new)]
    )

    assert BODY == await mailboxes.read(await only(mailboxes))


async def test_folders(rest: Rest, mailboxes: Mailboxes) -> None:
    """A folder is made once; its name comes back as it was given; INBOX has no case."""
    for name in ("Archivés", "Archivés", "inbox"):
        await rest.commit(mailboxes.opening("k1", name, START))

    now = int(START.timestamp())
    names = [(folder.name, folder.uid_validity) for folder in mailboxes.folders(1)]
    assert [(INBOX, now), ("Archivés", now + 1)] == names


async def test_nothing_in_clear(rest: Rest, mailboxes: Mailboxes, tmp_path: Path) -> None:
    """The database's files show neither subject, sender, Message-ID nor folder name."""
    await rest.commit(mailboxes.opening("k1", "Dossier-DUPONT", START))
    await deliver(rest, mailboxes, 1)

    files = stored(tmp_path)
    assert b"chu.example" in files, "the search finds what is there"
    for canary in (b"DUPONT", b"resultats", b"<r1@", b"potassium"):
        assert canary not in files
