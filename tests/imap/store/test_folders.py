"""Folders: made, renamed, deleted; a name that comes back is another folder."""

import pytest

from imap.errors import FolderExists, Forbidden, Limited, MailboxError, NoFolder
from imap.store import Mailboxes, folders
from imap.store.folders import checked
from tests.imap.store.conftest import append, folder
from tests.world.clock import START, Clock
from tests.world.rest import Rest
from vault.database import Statement


def names(mailboxes: Mailboxes, mailbox: int = 1) -> list[str]:
    return [each.name for each in mailboxes.folders(mailbox)]


async def test_a_new_mailbox_has_what_clients_expect(mailboxes: Mailboxes) -> None:
    """INBOX first, and the special folders under the names that say so (RFC 6154)."""
    found = mailboxes.folders(1)

    assert ["INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"] == [f.name for f in found]
    assert {"Archive", "Drafts", "Junk", "Sent", "Trash"} == {
        f.special.removeprefix("\\") for f in found if f.special
    }
    assert len(found) == len({f.uid_validity for f in found}), "no two are alike"


async def test_an_inbox_is_found_without_a_look(
    mailboxes: Mailboxes, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deliveries ask for it each time; so many are remembered, and never another folder."""
    monkeypatch.setattr(folders, "_REMEMBERED", 1)
    for mailbox in (1, 2, 2, 1):
        assert folder(mailboxes, "INBOX", mailbox) == mailboxes._folders.number(mailbox, "INBOX")
    assert folder(mailboxes, "Sent") == mailboxes._folders.number(1, "Sent")
    with pytest.raises(NoFolder):
        mailboxes._folders.number(1, "nowhere")


async def test_create(mailboxes: Mailboxes) -> None:
    """What is above a new folder is made too; a name is taken once; INBOX has no case."""
    made = await mailboxes.create(1, "Patients/2026/Été/")

    assert "Patients/2026/Été" == made.name
    assert {"Patients", "Patients/2026", "Patients/2026/Été"} < set(names(mailboxes))
    assert "Patients" not in names(mailboxes, 2)
    for taken in ("Patients/2026", "inbox", "Sent"):
        with pytest.raises(FolderExists):
            await mailboxes.create(1, taken)
    assert "INBOX/a" == (await mailboxes.create(1, "inbox/a")).name
    assert mailboxes.find(1, "iNbOx") == mailboxes.find(1, "INBOX") is not None


@pytest.mark.parametrize(
    "name", ["", "/", "a//b", "/a", "a\r\nb", "a\0", "a\ud800", "é" * 300, "/".join("a" * 20)]
)
async def test_names_that_nobody_could_show(mailboxes: Mailboxes, name: str) -> None:
    """A hostile name is refused in words, and nothing changes."""
    before = names(mailboxes)
    with pytest.raises(Forbidden):
        await mailboxes.create(1, name)
    with pytest.raises(Forbidden):
        await mailboxes.rename(1, "Sent", name)
    with pytest.raises(Forbidden):
        await mailboxes.subscribe(1, name, on=True)
    assert before == names(mailboxes)


def test_names_that_are_odd_and_allowed() -> None:
    """Anything a person may write, in any script."""
    for name in ("a b", "Réa & soins", "*%", "日本", "\U0001f600", 'a"b\\c', "INBOXES"):
        assert name == checked(name)


async def test_so_many_folders(mailboxes: Mailboxes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that makes folders without end is stopped."""
    monkeypatch.setattr(folders, "_MOST", 7)
    with pytest.raises(Limited):
        await mailboxes.create(1, "a/b")
    await mailboxes.create(1, "a")
    for number in range(14):
        await mailboxes.subscribe(1, f"n{number}", on=True)
    with pytest.raises(Limited):
        await mailboxes.subscribe(1, "one more", on=True)


async def test_rename_takes_what_is_below_along(mailboxes: Mailboxes) -> None:
    """Messages keep their UIDs and the folder its UIDVALIDITY: clients keep what they know."""
    await mailboxes.create(1, "a/b/c")
    await mailboxes.create(1, "ab")
    uid = await append(mailboxes, folder(mailboxes, "a/b"))
    before = mailboxes.find(1, "a/b")

    await mailboxes.rename(1, "a", "x/y")

    after = mailboxes.find(1, "x/y/b")
    assert before is not None
    assert after is not None
    assert (before.id, before.uid_validity) == (after.id, after.uid_validity)
    assert {"x", "x/y", "x/y/b", "x/y/b/c", "ab"} < set(names(mailboxes))
    assert not {"a", "a/b", "a/b/c"} & set(names(mailboxes))
    entry = mailboxes.entry(1, uid, "x/y/b")
    assert entry is not None
    assert await mailboxes.read(entry)


async def test_rename_that_cannot_be(mailboxes: Mailboxes) -> None:
    """No folder is lost to a rename onto another, or below itself."""
    await mailboxes.create(1, "a/b")
    refused: list[tuple[str, str, type[MailboxError]]] = [
        ("a", "Sent", FolderExists),
        ("a", "a/b/c", Forbidden),
        ("nowhere", "x", NoFolder),
        ("a", "inbox", FolderExists),
    ]
    before = names(mailboxes)
    for old, new, error in refused:
        with pytest.raises(error):
            await mailboxes.rename(1, old, new)
    assert before == names(mailboxes)


async def test_inbox_renamed_leaves_an_inbox(mailboxes: Mailboxes, inbox: int) -> None:
    """Its messages move; new ones still come to INBOX (RFC 3501 §6.3.5)."""
    await append(mailboxes, inbox)
    await append(mailboxes, inbox, "\\Seen")

    await mailboxes.rename(1, "inbox", "2025")

    moved, empty = mailboxes.find(1, "2025"), mailboxes.find(1, "INBOX")
    assert moved is not None
    assert empty is not None
    assert (2, 1) == (moved.exists, moved.unseen)
    assert (inbox, 0) == (empty.id, empty.exists)
    assert 3 == await append(mailboxes, inbox), "no UID is given again"


async def test_delete_and_make_again(mailboxes: Mailboxes, rest: Rest) -> None:
    """The same name is another folder: what a client kept of the old one is void."""
    first = await mailboxes.create(1, "a")
    await mailboxes.create(1, "a/b")
    await append(mailboxes, first.id)
    await mailboxes.delete(1, "a")
    second = await mailboxes.create(1, "a")

    assert first.uid_validity < second.uid_validity
    assert first.id != second.id
    assert mailboxes.folder(first.id) is None
    assert "a/b" in names(mailboxes), "what is below stays"
    assert [] == rest.database.read("SELECT 1 FROM body"), "and its messages are erased"
    with pytest.raises(NoFolder):
        await mailboxes.delete(1, "b")
    with pytest.raises(Forbidden):
        await mailboxes.delete(1, "Inbox")


async def test_a_deletion_that_was_cut_off_is_ended(mailboxes: Mailboxes, rest: Rest) -> None:
    """At once nobody finds the folder; what a crash left of it is swept."""
    made = await mailboxes.create(1, "a")
    await append(mailboxes, made.id)
    await rest.commit([Statement("UPDATE folder SET gone = 1 WHERE id = ?", (made.id,))])

    assert mailboxes.find(1, "a") is None
    assert mailboxes.folder(made.id) is None
    await mailboxes.sweep()
    assert [(0,)] == rest.database.read("SELECT count(*) FROM entry")
    assert [] == rest.database.read("SELECT 1 FROM folder WHERE gone = 1")


async def test_uid_validity_grows_when_the_clock_does_not(
    mailboxes: Mailboxes, clock: Clock
) -> None:
    """A clock that goes back makes no folder look like an older one."""
    validity = 0
    for _ in range(3):
        made = await mailboxes.create(1, "a")
        assert made.uid_validity > validity
        validity = made.uid_validity
        await mailboxes.delete(1, "a")
        clock.now = START.replace(year=2020)


async def test_subscriptions_are_a_clients_own(mailboxes: Mailboxes) -> None:
    """A name stays subscribed to when its folder goes (RFC 3501 §6.3.6)."""
    await mailboxes.create(1, "a")
    for _ in range(2):
        await mailboxes.subscribe(1, "a", on=True)
    found = mailboxes.find(1, "a")
    assert found is not None
    assert found.subscribed
    await mailboxes.delete(1, "a")

    assert ["a"] == mailboxes.subscriptions(1)
    assert [] == mailboxes.subscriptions(2)
    await mailboxes.subscribe(1, "a", on=False)
    assert [] == mailboxes.subscriptions(1)


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE folder SET mailbox = 2, key = X'AA' WHERE id = {0}",
        "UPDATE folder SET id = 7 WHERE id = {0}",
        "UPDATE folder SET name = (SELECT name FROM folder WHERE mailbox = 2 LIMIT 1) WHERE id = {0}",
        "UPDATE subscription SET mailbox = 2",
    ],
)
async def test_a_folder_in_another_place_is_none(
    mailboxes: Mailboxes, rest: Rest, forgery: str
) -> None:
    """Who writes to the database, without the keys, gives no folder to another mailbox."""
    made = await mailboxes.create(1, "a")
    await mailboxes.subscribe(1, "a", on=True)
    before = names(mailboxes, 2)
    await rest.commit([Statement(forgery.format(made.id))])

    assert before == names(mailboxes, 2)
    assert [] == mailboxes.subscriptions(2)
    assert mailboxes.folder(7) is None
