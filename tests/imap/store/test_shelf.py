"""What a client begins with, and what it hears of since: complete, in slices, never ahead of itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap.errors import NoFolder
from imap.folder import UidSet, View
from imap.store import Mailboxes, Mode, shelf, writing
from tests.imap.store.conftest import MESSAGE, append
from tests.world.clock import START
from tests.world.rest import Rest
from vault.database import Statement

ALL = UidSet([(1, (1 << 32) - 1)])


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_SLICE", 3)
    monkeypatch.setattr(shelf, "_CARDS", 2)


async def fill(mailboxes: Mailboxes, inbox: int, count: int, *holes: int) -> None:
    for number in range(1, count + 1):
        await append(mailboxes, inbox, *(("\\Deleted",) if number in holes else ("\\Seen",)))
    await mailboxes.expunge(inbox)


async def test_select(mailboxes: Mailboxes, inbox: int) -> None:
    """The UIDs, the next one, the first unseen one by its number, the keywords."""
    empty = await mailboxes.select(inbox)
    assert (UidSet(), 0, ()) == (empty.uids, empty.first_unseen, empty.keywords)
    await fill(mailboxes, inbox, 6, 1, 4)
    await append(mailboxes, inbox, "fait")

    selected = await mailboxes.select(inbox)

    assert UidSet.of([2, 3, 5, 6, 7]) == selected.uids
    assert (5, 8, 5) == (selected.first_unseen, selected.folder.uid_next, selected.folder.exists)
    assert ("fait",) == selected.keywords


@given(st.sets(st.integers(1, 40), max_size=30))
def test_numbers_in_one_text_are_a_set(numbers: set[int]) -> None:
    """A large folder's UIDs come as one text, and are the set that they say."""
    assert UidSet.of(numbers) == shelf._numbers(",".join(map(str, sorted(numbers))))


async def test_rows_and_indexes_come_in_slices(mailboxes: Mailboxes, inbox: int) -> None:
    """Ascending, of those that are there, however the set is written and however large it is."""
    await fill(mailboxes, inbox, 9, 4)
    wanted = UidSet.of([1, 3, 4, 5, 9, 4000])

    rows = [rows async for rows in mailboxes.rows(inbox, wanted)]
    stored = [some async for some in mailboxes.indexes(inbox, wanted)]

    assert [1, 3, 5, 9] == [row.uid for some in rows for row in some]
    assert [1, 3, 5, 9] == [one.row.uid for some in stored for one in some]
    assert all(len(some) <= 3 for some in rows)
    assert all(len(some) <= 2 for some in stored)
    (row,) = [row for some in rows for row in some if row.uid == 1]
    assert (len(MESSAGE), START.timestamp(), ("\\Seen",)) == (row.size, row.arrived, row.flags)
    assert [1, 2, 3, 5, 6, 7, 8, 9] == [
        r.uid async for some in mailboxes.rows(inbox, ALL) for r in some
    ]


async def test_a_range_opens_what_it_needs(mailboxes: Mailboxes, inbox: int) -> None:
    """A section is read by its place, as it is or with its encoding undone."""
    await append(mailboxes, inbox)
    (stored,) = [one async for some in mailboxes.indexes(inbox, ALL) for one in some]
    span = stored.index.span("1")

    assert span is not None
    assert b"potassium =C3=A9lev=C3=A9\r\n" == await mailboxes.read(stored, span.start, span.end)
    pieces = [block async for block in mailboxes.stream(stored, span.start, span.end)]
    assert b"potassium =C3=A9lev=C3=A9\r\n" == b"".join(pieces)
    decoded = [block async for block in mailboxes.binary(stored, "1")]
    assert "potassium élevé\r\n".encode() == b"".join(decoded)
    assert [] == [block async for block in mailboxes.binary(stored, "7")]


async def test_cards_stay_opened_for_a_while(
    mailboxes: Mailboxes, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many, in one folder alone; what is told of a message is the same either way."""
    monkeypatch.setattr(shelf, "_AT_HAND", 3)
    await fill(mailboxes, inbox, 5)

    async def told() -> list[tuple[int, bytes]]:
        found = mailboxes.indexes(inbox, ALL)
        return [(one.row.uid, one.index.envelope) async for some in found for one in some]

    first = await told()
    assert 3 == len(mailboxes._shelf._opened)
    assert first == await told() == await told()
    few = [one async for some in mailboxes.indexes(inbox, UidSet.of([5])) for one in some]
    assert first[4:] == [(one.row.uid, one.index.envelope) for one in few]
    assert {inbox} == {folder for folder, _ in mailboxes._shelf._opened}


async def test_changes(mailboxes: Mailboxes, inbox: int) -> None:
    """What is new, what has other flags, what went; nothing twice once it was heard."""
    await fill(mailboxes, inbox, 8)
    selected = await mailboxes.select(inbox)
    view = View(selected.uids, selected.folder.modseq)
    await mailboxes.flag(inbox, UidSet.of([2, 3, 4, 5, 6]), Mode.ADD, ["\\Flagged"])
    await mailboxes.flag(inbox, UidSet.of([1, 7]), Mode.ADD, ["\\Deleted"])
    await mailboxes.expunge(inbox)
    await append(mailboxes, inbox)

    told = view.apply(await mailboxes.changes(inbox, view.modseq))

    assert ((7, 1), 7) == (told.expunged, told.exists)
    assert {1: 2, 2: 3, 3: 4, 4: 5, 5: 6, 7: 9} == {n: row.uid for n, row in told.changed}
    again = await mailboxes.changes(inbox, view.modseq)
    assert ((), UidSet()) == (again.rows, again.vanished)
    assert (await mailboxes.select(inbox)).uids == view.uids


async def test_what_went_long_ago(
    mailboxes: Mailboxes, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no longer remembered one by one is told as all that is not there (RFC 7162 §3.2.5)."""
    monkeypatch.setattr(writing, "_MOST_VANISHED", 2)
    await fill(mailboxes, inbox, 9)
    known = (await mailboxes.select(inbox)).folder.modseq
    for uid in (1, 3, 5, 7):
        await mailboxes.flag(inbox, UidSet.of([uid]), Mode.ADD, ["\\Deleted"])
        await mailboxes.expunge(inbox)
    late = (await mailboxes.select(inbox)).folder.modseq
    await mailboxes.flag(inbox, UidSet.of([9]), Mode.ADD, ["\\Deleted"])
    await mailboxes.expunge(inbox)

    assert UidSet.of([9]) == (await mailboxes.changes(inbox, late)).vanished
    assert UidSet.of([1, 3, 5, 7, 9]) == (await mailboxes.changes(inbox, known)).vanished
    ((remembered,),) = mailboxes._database.read("SELECT count(*) FROM vanished")
    assert 2 == remembered
    await mailboxes.flag(inbox, ALL, Mode.ADD, ["\\Deleted"])
    await mailboxes.expunge(inbox)
    assert UidSet([(1, 9)]) == (await mailboxes.changes(inbox, 0)).vanished


async def test_an_entry_for_operators(mailboxes: Mailboxes, inbox: int) -> None:
    """What a list shows is at hand without opening the message."""
    await append(mailboxes, inbox)
    entry = mailboxes.entry(1, 1)

    assert entry is not None
    assert "<r1@labo.example>" == entry.summary.message_id
    assert "DUPONT" in entry.summary.subject
    assert [entry] == mailboxes.entries(1) == mailboxes.latest(1)
    assert [] == mailboxes.entries(1, "nowhere") == mailboxes.latest(1, "nowhere")
    assert mailboxes.entry(1, 1, "nowhere") is None
    assert mailboxes.entry(1, 2) is None


async def test_gone_between_two_looks(mailboxes: Mailboxes, inbox: int, rest: Rest) -> None:
    """A folder that was deleted is said to be, wherever a client still asks for it."""
    await rest.commit([Statement("UPDATE folder SET gone = 1")])
    with pytest.raises(NoFolder):
        _ = [rows async for rows in mailboxes.rows(inbox, ALL)]
    with pytest.raises(NoFolder):
        mailboxes.batch(inbox)
