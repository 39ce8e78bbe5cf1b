"""Flags, copies, moves, expunges: each with its own modification sequence, none half done."""

import asyncio

import pytest

from imap.errors import Forbidden, Limited, NoFolder
from imap.folder import UidSet
from imap.store import INBOX, Mailboxes, Mode, copying, flags, writing
from tests.imap.store.conftest import MESSAGE, append, folder
from tests.world.rest import Rest
from vault.database import Statement
from vault.errors import Conflict, Gone

ALL = UidSet([(1, (1 << 32) - 1)])


async def seen(mailboxes: Mailboxes, folder_id: int) -> dict[int, tuple[str, ...]]:
    return {row.uid: row.flags async for rows in mailboxes.rows(folder_id, ALL) for row in rows}


async def test_flags_are_set_added_removed(mailboxes: Mailboxes, inbox: int) -> None:
    """Case makes no difference; a keyword is remembered as it was first written."""
    uid = await append(mailboxes, inbox, "\\seen", "Pris-par-Anne")

    steps = (
        (Mode.ADD, ("\\FLAGGED", "pris-par-anne"), {"\\Seen", "\\Flagged", "Pris-par-Anne"}),
        (Mode.REMOVE, ("\\Seen", "unknown"), {"\\Flagged", "Pris-par-Anne"}),
        (Mode.SET, ("$Forwarded",), {"$Forwarded"}),
        (Mode.SET, (), set[str]()),
    )
    for mode, wanted, expected in steps:
        (row,) = (await mailboxes.flag(inbox, UidSet.of([uid, 99]), mode, wanted)).rows
        assert expected == set(row.flags)
    assert {"Pris-par-Anne", "$Forwarded"} == set((await mailboxes.select(inbox)).keywords)


async def test_what_does_not_change_keeps_its_sequence(mailboxes: Mailboxes, inbox: int) -> None:
    """A flag set twice is one change (RFC 7162 §3.1.4)."""
    first, second = await append(mailboxes, inbox, "\\Seen"), await append(mailboxes, inbox)
    before = (await mailboxes.select(inbox)).folder.modseq

    flagged = await mailboxes.flag(inbox, ALL, Mode.ADD, ["\\Seen"])

    assert [first, second] == [row.uid for row in flagged.rows]
    assert [second] == [row.uid for row in (await mailboxes.changes(inbox, before)).rows]


async def test_only_what_was_not_changed_since(mailboxes: Mailboxes, inbox: int) -> None:
    """Two clients do not undo each other unawares (RFC 7162 §3.1.3)."""
    one, other = await append(mailboxes, inbox), await append(mailboxes, inbox)
    known = (await mailboxes.select(inbox)).folder.modseq
    await mailboxes.flag(inbox, UidSet.of([one]), Mode.ADD, ["\\Answered"])

    flagged = await mailboxes.flag(inbox, ALL, Mode.SET, ["\\Deleted"], known)

    assert UidSet.of([one]) == flagged.modified
    assert [other] == [row.uid for row in flagged.rows]
    assert {one: ("\\Answered",), other: ("\\Deleted",)} == await seen(mailboxes, inbox)


@pytest.mark.parametrize("flag", ["\\Recent", "\\Odd", "a b", "", "a(", "é", "x" * 200, "a%", "]"])
async def test_what_is_no_flag(mailboxes: Mailboxes, inbox: int, flag: str) -> None:
    """Only atoms are keywords; the system's flags are those of the standard."""
    await append(mailboxes, inbox)
    with pytest.raises(Forbidden):
        await mailboxes.flag(inbox, ALL, Mode.ADD, [flag])


async def test_so_many_keywords(mailboxes: Mailboxes, inbox: int) -> None:
    """A mailbox has bits for so many; each is its own, and another mailbox has its own."""
    await append(mailboxes, inbox)
    words = [f"k{number}" for number in range(58)]
    flagged = await mailboxes.flag(inbox, ALL, Mode.SET, words)

    assert set(words) == set(flagged.rows[0].flags)
    with pytest.raises(Limited):
        await mailboxes.flag(inbox, ALL, Mode.ADD, ["one-more"])
    theirs = folder(mailboxes, INBOX, 2)
    await append(mailboxes, theirs, "one-more")
    assert {1: ("one-more",)} == await seen(mailboxes, theirs)


async def test_keywords_are_read_again(mailboxes: Mailboxes, inbox: int, rest: Rest) -> None:
    """After a restart the words stand behind the same bits, and lie sealed until then."""
    await append(mailboxes, inbox, "b", "a", "\\Draft")
    again = Mailboxes(rest.database, rest.vault, rest.ring, lambda: pytest.fail("no clock"))

    assert {1: ("\\Draft", "b", "a")} == await seen(again, inbox)
    ((bits,),) = rest.database.read("SELECT flags FROM entry")
    assert flags.DRAFT | 1 << 5 | 1 << 6 == bits


async def test_two_who_add_one_keyword(mailboxes: Mailboxes, inbox: int) -> None:
    """A new word gets one bit, however many ask for it at once."""
    await append(mailboxes, inbox)
    await asyncio.gather(*(mailboxes.flag(inbox, ALL, Mode.ADD, ["fait"]) for _ in range(5)))

    assert ("fait",) == (await mailboxes.select(inbox)).keywords


async def test_counters(mailboxes: Mailboxes, inbox: int) -> None:
    """STATUS needs no look at the messages: the folder's row counts them."""
    for wanted in ((), ("\\Seen",), ("\\Deleted",), ("\\Seen", "\\Deleted")):
        await append(mailboxes, inbox, *wanted)

    def counted() -> tuple[int, int, int, int]:
        found = mailboxes.folder(inbox)
        assert found is not None
        return found.exists, found.unseen, found.deleted, found.size

    assert (4, 2, 2, 4 * len(MESSAGE)) == counted()
    await mailboxes.flag(inbox, ALL, Mode.ADD, ["\\Seen"])
    assert (4, 0, 2, 4 * len(MESSAGE)) == counted()
    await mailboxes.expunge(inbox)
    assert (2, 0, 0, 2 * len(MESSAGE)) == counted()
    await mailboxes.flag(inbox, ALL, Mode.SET, ["\\Deleted", "x"])
    assert (2, 2, 2, 2 * len(MESSAGE)) == counted()


async def test_expunge_erases(mailboxes: Mailboxes, inbox: int, rest: Rest) -> None:
    """Only what is marked and named goes; with it its card, its key, and the body's last octet."""
    uids = [await append(mailboxes, inbox, "\\Deleted") for _ in range(3)]
    kept = await append(mailboxes, inbox)
    entry = mailboxes.entry(1, uids[0])

    assert UidSet.of(uids[:2]) == await mailboxes.expunge(inbox, UidSet.of([*uids[:2], kept]))
    assert UidSet.of(uids[2:]) == await mailboxes.expunge(inbox)
    assert UidSet() == await mailboxes.expunge(inbox)

    assert [kept] == list(await seen(mailboxes, inbox))
    for table in ("wrap", "body", "card"):
        assert [(1,)] == rest.database.read(f"SELECT count(*) FROM {table}")
    assert entry is not None
    with pytest.raises(Gone):
        await mailboxes.read(entry)


async def test_a_copy_shares_the_body(mailboxes: Mailboxes, inbox: int, rest: Rest) -> None:
    """Flags and date go along; the sealed body is not written again, and stays for the last one."""
    await mailboxes.create(1, "Archive/2026")
    archive = folder(mailboxes, "Archive/2026")
    uids = [await append(mailboxes, inbox, "\\Seen", "fait") for _ in range(3)]
    await append(mailboxes, archive)

    copied = await mailboxes.copy(inbox, UidSet.of([uids[0], uids[2], 77]), archive)

    found = mailboxes.folder(archive)
    assert found is not None
    assert copied.uid_validity == found.uid_validity
    assert (UidSet.of([uids[0], uids[2]]), UidSet.of([2, 3])) == (copied.source, copied.target)
    assert ("\\Seen", "fait") == (await seen(mailboxes, archive))[2]
    assert [(4,)] == rest.database.read("SELECT count(*) FROM body")
    await mailboxes.flag(inbox, ALL, Mode.ADD, ["\\Deleted"])
    await mailboxes.expunge(inbox)
    entry = mailboxes.entry(1, 3, "Archive/2026")
    assert entry is not None
    assert MESSAGE == await mailboxes.read(entry)
    assert "Jérôme" not in entry.summary.sender, "as it was written"


async def test_a_copy_into_its_own_folder(mailboxes: Mailboxes, inbox: int) -> None:
    """It is another message, with a UID of its own."""
    await append(mailboxes, inbox)
    assert UidSet.of([2]) == (await mailboxes.copy(inbox, ALL, inbox)).target


async def test_a_move_is_one_step(mailboxes: Mailboxes, inbox: int, rest: Rest) -> None:
    """What is there is no longer here, and its UID here is remembered as gone (RFC 6851)."""
    trash = folder(mailboxes, "Trash")
    uids = [await append(mailboxes, inbox) for _ in range(60)]
    before = (await mailboxes.select(inbox)).folder.modseq

    moved = await mailboxes.move(inbox, UidSet.of(uids[:55]), trash)

    assert UidSet.of(uids[:55]) == moved.source == (await mailboxes.changes(inbox, before)).vanished
    assert uids[55:] == list(await seen(mailboxes, inbox))
    assert list(moved.target) == list(await seen(mailboxes, trash))
    assert [(60,)] == rest.database.read("SELECT count(*) FROM wrap")
    assert UidSet() == (await mailboxes.move(inbox, UidSet.of([1]), trash)).source


async def test_a_copy_into_another_mailbox(mailboxes: Mailboxes, inbox: int) -> None:
    """A keyword goes along by its word: each mailbox has bits of its own."""
    await append(mailboxes, inbox, "\\Seen", "urgent")
    theirs = folder(mailboxes, INBOX, 2)
    await append(mailboxes, theirs, "autre")
    await mailboxes.copy(inbox, ALL, theirs)

    assert {1: ("autre",), 2: ("\\Seen", "urgent")} == await seen(mailboxes, theirs)


async def test_nothing_goes_into_a_folder_that_is_gone(mailboxes: Mailboxes, inbox: int) -> None:
    """Deleted while a client still looks at it: said so, and nothing is lost."""
    made = await mailboxes.create(1, "a")
    await append(mailboxes, inbox)
    await mailboxes.delete(1, "a")

    for act in (
        mailboxes.copy(inbox, ALL, made.id),
        mailboxes.move(inbox, ALL, made.id),
        mailboxes.flag(made.id, ALL, Mode.SET, []),
        mailboxes.expunge(made.id),
        mailboxes.select(made.id),
        mailboxes.changes(made.id, 0),
    ):
        with pytest.raises(NoFolder):
            await act
    assert 1 == len(await seen(mailboxes, inbox))


async def test_a_neighbour_expunges_meanwhile(
    mailboxes: Mailboxes, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another session erased between our look and our turn is passed over, once more."""
    first, second = await append(mailboxes, inbox), await append(mailboxes, inbox)
    commit, once = mailboxes._database.commit, [True]

    async def late(statements: list[Statement]) -> object:
        if once and once.pop():
            await commit(writing.erasing(inbox, UidSet.of([first])))
        return await commit(statements)

    monkeypatch.setattr(mailboxes._database, "commit", late)
    copied = await mailboxes.copy(inbox, ALL, folder(mailboxes, "Sent"))
    assert UidSet.of([second]) == copied.source

    await mailboxes.flag(inbox, ALL, Mode.ADD, ["\\Deleted"])
    first = second
    once.append(True)
    assert UidSet() == await mailboxes.expunge(inbox)


async def test_a_copy_that_fails_leaves_nothing(
    mailboxes: Mailboxes, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it is there or none of it (RFC 3501 §6.4.7)."""
    monkeypatch.setattr(copying, "FEW", 2)
    for _ in range(5):
        await append(mailboxes, inbox)
    few, calls = mailboxes._copying._few, []

    async def failing(*args: object, **named: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise Conflict("the disk failed")
        return await few(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(mailboxes._copying, "_few", failing)
    with pytest.raises(Conflict):
        await mailboxes.copy(inbox, ALL, folder(mailboxes, "Sent"))

    assert {} == await seen(mailboxes, folder(mailboxes, "Sent"))
    assert 5 == len(await seen(mailboxes, inbox))


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE entry SET folder = {theirs}",
        "UPDATE entry SET folder = {theirs}, id = 1; UPDATE card SET id = 1, folder = {theirs}",
        "UPDATE card SET folder = {theirs}; UPDATE entry SET folder = {theirs}",
    ],
)
async def test_a_message_in_another_folder_is_none(
    mailboxes: Mailboxes, inbox: int, rest: Rest, forgery: str
) -> None:
    """Who writes to the database, without the keys, moves no message to another's mailbox."""
    theirs = folder(mailboxes, INBOX, 2)
    await append(mailboxes, inbox)
    await rest.commit([Statement("PRAGMA defer_foreign_keys = ON")])
    for sql in forgery.format(theirs=theirs).split("; "):
        mailboxes._database._writer.connection.execute("PRAGMA foreign_keys = OFF")
        await rest.commit([Statement(sql)])

    assert [] == [one async for some in mailboxes.indexes(theirs, ALL) for one in some]
    assert [] == mailboxes.entries(2)
    assert UidSet() == (await mailboxes.copy(theirs, ALL, folder(mailboxes, "Sent", 2))).source


async def test_erased_again_and_again(
    mailboxes: Mailboxes, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be erased is said; nobody turns in a circle."""
    await append(mailboxes, inbox, "\\Deleted")

    async def never(statements: object) -> object:
        raise Conflict("again")

    monkeypatch.setattr(mailboxes._database, "commit", never)
    with pytest.raises(Conflict):
        await mailboxes.expunge(inbox)
