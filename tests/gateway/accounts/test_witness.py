"""What is written down of what people do in mailboxes."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.accounts.mailboxes import Accounts, Mailbox
from gateway.accounts.rights import MEMBER
from gateway.accounts.shares import Shares
from gateway.accounts.witness import Witness
from imap.folder import UidSet
from imap.principal import Act, Principal, Shared
from imap.store import INBOX, Folder, Mailboxes
from smtp.address import parse
from smtp.envelope import Peer
from tests.world.clock import START, Clock
from tests.world.rest import Rest, blocks
from trust.addresses import Kind
from vault.database import Statement
from vault.journal import Journal

PEER = Peer("192.0.2.1", listener="imap")


@dataclass
class Ward:
    """An organisation's mailbox with messages, and a nurse."""

    rest: Rest
    shares: Shares
    witness: Witness
    journal: Journal
    mailbox: Mailbox
    nurse: Mailbox
    inbox: Folder
    counted: dict[str, int]

    @property
    def who(self) -> Principal:
        shared = Shared(self.mailbox.address, self.mailbox.id, str(MEMBER))
        return Principal(self.nurse.address, self.nurse.id, (shared,))

    @property
    def owner(self) -> Principal:
        return Principal(self.mailbox.address, self.mailbox.id)

    async def told(self) -> list[tuple[str, str | None, str | None]]:
        entries = await self.journal.page(0)
        return [(entry.event, entry.who, entry.whom) for entry in entries]


@pytest.fixture
async def ward(rest: Rest, tmp_path: Path) -> Ward:
    clock = Clock()
    mailboxes = Mailboxes(rest.database, rest.vault, rest.ring, clock)
    accounts = Accounts(rest.database, rest.ring, mailboxes, clock)
    shares = Shares(rest.database, rest.ring, accounts)
    mailbox = await accounts.add(parse("cardiologie@chu.example"), Kind.ORG)
    nurse = await accounts.add(parse("ines@chu.example"), Kind.PER)
    inbox = mailboxes.find(mailbox.id, INBOX)
    assert inbox is not None
    batch = mailboxes.batch(inbox.id)
    for number in range(3):
        letter = b"Subject: %d\r\n\r\n" % number
        await batch.add((), START.timestamp(), blocks(letter), len(letter))
    await batch.commit()
    journal = Journal(rest.database, rest.ring, tmp_path / "head.json")
    counted: dict[str, int] = {}

    def count(event: str, times: int) -> None:
        counted[event] = counted.get(event, 0) + times

    witness = Witness(rest.database, journal, mailboxes, accounts, shares, clock, count)
    return Ward(rest, shares, witness, journal, mailbox, nurse, inbox, counted)


async def test_each_message_that_is_read_is_named(ward: Ward) -> None:
    """One entry a message: who, and whose mailbox when it is not their own."""
    await ward.witness.read(ward.who, PEER, ward.inbox, UidSet.of([1, 3]))
    await ward.witness.read(ward.owner, PEER, ward.inbox, UidSet.of([2]))

    ines, owner = ward.nurse.address, ward.mailbox.address
    read = "mailbox.read"
    assert [(read, ines, owner)] * 2 + [(read, owner, None)] == await ward.told()
    assert {"mailbox.read": 3} == ward.counted
    entry = (await ward.journal.page(0))[0]
    assert ("192.0.2.1", "imap", "INBOX") == tuple(
        entry.detail[name] for name in ("ip", "listener", "folder")
    )


async def test_what_lists_cannot_show_is_written_down_too(ward: Ward) -> None:
    """Whoever spoils a card in the database does not read unseen."""
    await ward.rest.commit([Statement("UPDATE card SET facts = X'00'")])
    await ward.witness.read(ward.who, PEER, ward.inbox, UidSet.of([1, 2]))

    (entry,) = await ward.journal.page(0)
    assert "1:2" == entry.detail["uids"]


async def test_acts_in_a_shared_mailbox_are_written_down(ward: Ward) -> None:
    """A person's there, with what they did; marks and messages filed each by name."""
    await ward.shares.give(ward.mailbox, ward.nurse, MEMBER, START)
    for act in (
        Act("marked", ward.inbox, UidSet.of([1, 2]), "+Fait"),
        Act("erased", ward.inbox, UidSet.of([3])),
        Act("made", ward.inbox, UidSet()),
    ):
        await ward.witness.acted(ward.who, PEER, act)

    ines, owner = ward.nurse.address, ward.mailbox.address
    told = [f"mailbox.{what}" for what in ("marked", "marked", "erased", "made")]
    assert [(event, ines, owner) for event in told] == await ward.told()
    entries = await ward.journal.page(0)
    assert ["+Fait", "+Fait", None, None] == [entry.detail.get("detail") for entry in entries]
    assert "3" == entries[2].detail["uids"]


async def test_its_owner_is_told_of_too_when_others_share_it(ward: Ward) -> None:
    """In a mailbox that is theirs alone nobody is watched."""
    act = Act("marked", ward.inbox, UidSet.of([1]), "+Fait")
    await ward.witness.acted(ward.owner, PEER, act)
    assert [] == await ward.told()

    await ward.shares.give(ward.mailbox, ward.nurse, MEMBER, START)
    await ward.witness.acted(ward.owner, PEER, act)
    assert [("mailbox.marked", ward.mailbox.address, None)] == await ward.told()


async def test_what_is_erased_or_taken_away_is_always_told(ward: Ward) -> None:
    """In one's own mailbox too: a trace needs at least what was deleted, and what left."""
    for act in (
        Act("erased", ward.inbox, UidSet.of([3])),
        Act("deleted", ward.inbox, UidSet()),
        Act("downloaded", ward.inbox, UidSet.of([1]), "part 2"),
    ):
        await ward.witness.acted(ward.owner, PEER, act)

    told = [f"mailbox.{what}" for what in ("erased", "deleted", "downloaded")]
    assert [(event, ward.mailbox.address, None) for event in told] == await ward.told()
    taken = (await ward.journal.page(0))[2].detail
    assert ("1", "part 2") == (taken["uids"], taken["detail"])


async def test_nothing_done_is_nothing_told(ward: Ward) -> None:
    """An EXPUNGE that found nothing, a STORE of nothing."""
    for what in ("marked", "erased"):
        await ward.witness.acted(ward.who, PEER, Act(what, ward.inbox, UidSet()))

    assert [] == await ward.told()
