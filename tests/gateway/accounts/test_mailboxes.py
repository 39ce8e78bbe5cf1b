import timeit
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.accounts.mailboxes import AccountError, Accounts, Status
from imap.store import INBOX, Mailboxes
from smtp.address import Address, parse
from tests.world.clock import Clock
from tests.world.rest import Rest, stored
from trust.addresses import Kind
from vault.database import Statement

DR = parse("Dr.Martin@chu.example")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mailboxes(rest: Rest) -> Mailboxes:
    return Mailboxes(rest.database, rest.vault, rest.ring, Clock())


@pytest.fixture
def accounts(rest: Rest, mailboxes: Mailboxes, clock: Clock) -> Accounts:
    return Accounts(rest.database, rest.ring, mailboxes, clock)


async def test_add_and_find(rest: Rest, accounts: Accounts, mailboxes: Mailboxes) -> None:
    """A mailbox is found by any spelling of its address, by another process too, with its folders."""
    made = await accounts.add(DR, Kind.PER, "810001234567", "Dr Martin")
    other = Accounts(rest.database, rest.ring, mailboxes, Clock())

    for room in (accounts, other):
        assert made == room.find(Address("dr.martin@chu.example")) == room.find(DR)
        assert [made] == room.mailboxes()
        assert made == room.by_id(made.id)
    names = [folder.name for folder in mailboxes.folders(made.id)]
    assert [INBOX, "Archive", "Drafts", "Junk", "Sent", "Trash"] == names
    assert (DR, "Dr Martin", Kind.PER) == (made.address, made.name, made.kind)


async def test_unknown(accounts: Accounts) -> None:
    """An address of no mailbox is None, and is looked for again next time."""
    assert accounts.find(DR) is None
    assert accounts.by_id(7) is None
    await accounts.add(DR, Kind.PER)
    assert accounts.find(DR) is not None


async def test_key_is_opaque(accounts: Accounts) -> None:
    """The key says nothing of the address and no two are alike."""
    first = await accounts.add(DR, Kind.PER)
    second = await accounts.add(parse("labo@chu.example"), Kind.APP)

    assert first.key != second.key
    assert first.key.isalnum()
    assert "martin" not in first.key


async def test_added_twice(accounts: Accounts) -> None:
    """An address has one mailbox, however it is spelt."""
    await accounts.add(DR, Kind.PER)
    with pytest.raises(AccountError, match="already a mailbox"):
        await accounts.add(parse("DR.MARTIN@chu.example"), Kind.ORG)

    assert 1 == len(accounts.mailboxes())


async def test_status(rest: Rest, accounts: Accounts, mailboxes: Mailboxes) -> None:
    """A suspended mailbox receives and does not send; a change is seen at once."""
    mailbox = await accounts.add(DR, Kind.PER)
    accounts.find(DR)
    suspended = await accounts.set_status(mailbox, Status.SUSPENDED)

    assert suspended == accounts.find(DR)
    assert suspended.receives
    assert not suspended.sends
    again = await accounts.set_status(suspended, Status.ACTIVE)
    assert again.sends


async def test_closed_for_good(accounts: Accounts) -> None:
    """A closed mailbox neither receives nor opens again, and its address is not given again."""
    mailbox = await accounts.add(DR, Kind.PER)
    closed = await accounts.set_status(mailbox, Status.CLOSED)

    assert not closed.receives
    assert not closed.sends
    with pytest.raises(AccountError, match="stays so"):
        await accounts.set_status(closed, Status.ACTIVE)
    with pytest.raises(AccountError, match="not given again"):
        await accounts.add(DR, Kind.PER)


@pytest.mark.parametrize(
    ("was", "forgery"),
    [
        (Status.CLOSED, "UPDATE mailbox SET status = 'active'"),
        (Status.SUSPENDED, "UPDATE mailbox SET status = 'active'"),
        (Status.CLOSED, "UPDATE mailbox SET status = 'suspended'"),
        (Status.ACTIVE, "UPDATE mailbox SET kind = 'ORG'"),
    ],
)
async def test_what_another_hand_wrote_counts_as_closed(
    rest: Rest, mailboxes: Mailboxes, was: Status, forgery: str
) -> None:
    """Who can write to the database, and has not the keys, opens no mailbox, and is told of."""
    told: list[tuple[str, object]] = []
    accounts = Accounts(
        rest.database,
        rest.ring,
        mailboxes,
        Clock(),
        lambda slug, facts: told.append((slug, facts["reason"])),
    )
    await accounts.set_status(await accounts.add(DR, Kind.PER), was)
    await rest.database.commit([Statement(forgery, (), expect=1)])

    found = accounts.find(DR)
    assert found is not None
    assert (Status.CLOSED, Kind.PER) == (found.status, found.kind)
    assert [("mailbox.tampered", "status")] == told
    with pytest.raises(AccountError, match="stays so"):
        await accounts.set_status(found, Status.ACTIVE)


async def test_an_address_leads_to_its_own_mailbox(rest: Rest, mailboxes: Mailboxes) -> None:
    """Exchanging the look-up keys of two rows sends nobody's mail to somebody else."""
    told: list[tuple[str, object]] = []
    accounts = Accounts(
        rest.database,
        rest.ring,
        mailboxes,
        Clock(),
        lambda slug, facts: told.append((slug, facts["reason"])),
    )
    await accounts.add(DR, Kind.PER)
    await accounts.add(parse("autre@chu.example"), Kind.PER)
    exchange = (
        "UPDATE mailbox SET address = X'00' WHERE id = 1",
        "UPDATE mailbox SET address = ? WHERE id = 2",
    )
    ((mine,),) = rest.database.read("SELECT address FROM mailbox WHERE id = 1")
    await rest.database.commit([Statement(exchange[0]), Statement(exchange[1], (mine,))])

    assert accounts.find(DR) is None
    assert [("mailbox.tampered", "address")] == told


async def test_journalled_with_it(rest: Rest, accounts: Accounts) -> None:
    """What the caller adds is part of the same transaction: all of it or nothing."""
    impossible = Statement("DELETE FROM doomed", (), expect=1)
    with pytest.raises(AccountError):
        await accounts.add(DR, Kind.PER, also=[impossible])

    assert [] == accounts.mailboxes()


async def test_cache_is_bounded(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many mailboxes there are, the look-up keeps a bounded number of them."""
    monkeypatch.setattr("gateway.accounts.mailboxes._CACHED", 2)
    addresses = [parse(f"a{n}@chu.example") for n in range(5)]
    for address in addresses:
        await accounts.add(address, Kind.ORG)

    assert addresses == [found.address for a in addresses if (found := accounts.find(a))]
    assert len(accounts._found) <= 2


async def test_find_is_cheap(accounts: Accounts) -> None:
    """A look-up that was made before costs at most 10 µs: each RCPT asks."""
    await accounts.add(DR, Kind.PER)
    accounts.find(DR)

    best = min(timeit.repeat(lambda: accounts.find(DR), number=1000, repeat=5)) / 1000
    assert best < timedelta(microseconds=10).total_seconds()


async def test_nothing_in_clear(accounts: Accounts, tmp_path: Path) -> None:
    """Address, holder and name lie sealed; the domain is what a stolen copy may show."""
    await accounts.add(DR, Kind.PER, "810001234567", "Docteur Martin")

    files = stored(tmp_path)
    assert b"chu.example" in files, "the search finds what is there"
    for canary in (b"artin", b"810001234567"):
        assert canary not in files
