"""Who else may use a mailbox."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.accounts.mailboxes import AccountError, Accounts, Mailbox, Status
from gateway.accounts.principals import Principals
from gateway.accounts.rights import MEMBER, READER, Rights
from gateway.accounts.shares import Share, Shares
from imap.errors import Forbidden
from imap.principal import OWNER, Grant, Principal, Shared
from imap.store import Mailboxes
from smtp.address import parse
from tests.world.clock import START, Clock
from tests.world.rest import Rest, stored
from trust.addresses import Kind
from vault.database import Statement
from vault.journal import Journal


@dataclass
class Ward:
    """An organisation's mailbox, a nurse and a doctor."""

    rest: Rest
    accounts: Accounts
    shares: Shares
    ward: Mailbox
    nurse: Mailbox
    doctor: Mailbox
    told: list[str]
    journal: Journal
    principals: Principals


@pytest.fixture
async def house(rest: Rest, tmp_path: Path) -> Ward:
    told: list[str] = []
    accounts = Accounts(
        rest.database, rest.ring, Mailboxes(rest.database, rest.vault, rest.ring, Clock()), Clock()
    )
    shares = Shares(rest.database, rest.ring, accounts, lambda slug, _: told.append(slug))
    ward = await accounts.add(parse("cardiologie@chu.example"), Kind.ORG)
    nurse = await accounts.add(parse("ines@chu.example"), Kind.PER)
    doctor = await accounts.add(parse("dr.roy@chu.example"), Kind.PER)
    journal = Journal(rest.database, rest.ring, tmp_path / "head.json")
    principals = Principals(accounts, shares, journal, Clock())
    return Ward(rest, accounts, shares, ward, nurse, doctor, told, journal, principals)


async def test_a_share_is_seen_from_both_sides(house: Ward) -> None:
    """The person finds the mailbox, and the mailbox its people."""
    await house.shares.give(house.ward, house.nurse, MEMBER, START)
    await house.shares.give(house.ward, house.doctor, READER, START)

    assert [Share(house.ward, house.nurse, MEMBER)] == house.shares.of(house.nurse)
    assert [house.doctor, house.nurse] == [each.person for each in house.shares.on(house.ward)]
    assert [] == house.shares.of(house.ward)


async def test_only_who_may_post_sends_in_its_name(house: Ward) -> None:
    """A reader does not, a member does until the right, or the mailbox, is taken away."""
    shares, ward = house.shares, house.ward
    await shares.give(ward, house.doctor, READER, START)
    assert not shares.may_post(house.doctor, ward.address)

    await shares.give(ward, house.doctor, MEMBER, START)
    assert shares.may_post(house.doctor, ward.address)
    assert not shares.may_post(house.nurse, ward.address)

    await house.accounts.set_status(ward, Status.SUSPENDED)
    assert not shares.may_post(house.doctor, ward.address)
    await house.accounts.set_status(ward, Status.ACTIVE)
    await shares.give(ward, house.doctor, Rights(), START)
    assert not shares.may_post(house.doctor, ward.address)
    assert [] == shares.on(ward)


async def test_what_cannot_be_shared(house: Ward) -> None:
    """Not with oneself, not across domains to send, and what is not there cannot be taken."""
    elsewhere = await house.accounts.add(parse("x@clinique.example"), Kind.PER)

    with pytest.raises(AccountError, match="its own person's"):
        await house.shares.give(house.ward, house.ward, READER, START)
    with pytest.raises(AccountError, match="another domain"):
        await house.shares.give(house.ward, elsewhere, MEMBER, START)
    with pytest.raises(AccountError, match="no rights"):
        await house.shares.give(house.ward, house.nurse, Rights(), START)
    await house.shares.give(house.ward, elsewhere, READER, START)


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE share SET person = 3",
        "UPDATE share SET mailbox = 3",
        "UPDATE share SET rights = x'00'",
    ],
)
async def test_what_was_written_by_another_hand_shares_nothing(house: Ward, forgery: str) -> None:
    """Who can write to the database, and has not the keys, lets nobody in, and is told of."""
    await house.shares.give(house.ward, house.nurse, MEMBER, START)
    await house.rest.database.commit([Statement(forgery, (), expect=1)])

    everybody = (house.ward, house.nurse, house.doctor)
    assert [] == [found for each in everybody for found in house.shares.on(each)]
    assert [] == [found for each in everybody for found in house.shares.of(each)]
    assert {"share.tampered"} == set(house.told)


async def test_rights_are_unreadable_at_rest(house: Ward, tmp_path: Path) -> None:
    """A copy of the database does not say what a person may do."""
    await house.shares.give(house.ward, house.nurse, MEMBER, START)
    assert b"lrswipkxte" not in stored(tmp_path)


async def test_a_log_in_opens_its_own_and_what_is_shared(house: Ward) -> None:
    """Not what was suspended, and nothing at all once its own is."""
    principals = house.principals
    await house.shares.give(house.ward, house.nurse, MEMBER, START)
    shared = Shared(house.ward.address, house.ward.id, str(MEMBER))

    assert Principal(house.nurse.address, house.nurse.id, (shared,)) == principals.of(
        house.nurse.address
    )
    await house.accounts.set_status(house.ward, Status.CLOSED)
    assert Principal(house.nurse.address, house.nurse.id) == principals.of(house.nurse.address)
    await house.accounts.set_status(house.nurse, Status.SUSPENDED)
    assert None is principals.of(house.nurse.address)
    assert None is principals.of(parse("nobody@chu.example"))


async def test_an_owner_gives_rights_from_a_mail_program(house: Ward) -> None:
    """It is an act like an operator's: in force at once, and journalled with who did it."""
    rung: list[str] = []
    nurse, owner = (house.principals.of(each.address) for each in (house.nurse, house.ward))
    assert nurse is not None
    assert owner is not None
    stop = house.principals.listen(nurse, lambda: rung.append("nurse"))

    await house.principals.give(owner, house.ward.id, Grant(house.nurse.address, "lrswa"))
    assert [Grant(house.ward.address, OWNER), Grant(house.nurse.address, "lrswa")] == (
        house.principals.on(house.ward.id)
    )
    await house.principals.give(nurse, house.ward.id, Grant(house.doctor.address, "lr"))
    await house.principals.give(nurse, house.ward.id, Grant(house.nurse.address, ""))
    stop()
    await house.principals.give(owner, house.ward.id, Grant(house.nurse.address, "lr"))

    assert ["nurse", "nurse"] == rung
    told = [(e.event, e.who, e.whom) for e in await house.journal.by_address(house.nurse.address)]
    ward, ines, doctor = (m.address for m in (house.ward, house.nurse, house.doctor))
    assert [
        ("mailbox.shared", ward, ines),
        ("mailbox.shared", ines, ward),
        ("mailbox.unshared", ward, ines),
        ("mailbox.unshared", ines, ward),
        ("mailbox.shared", ward, ines),
    ] == told
    assert (ward, doctor) in [
        (e.who, e.whom) for e in await house.journal.by_address(house.doctor.address)
    ]


@pytest.mark.parametrize("who", ["anyone", "-ines@chu.example", "nobody@chu.example", "éé", ""])
async def test_rights_are_given_to_addresses_of_ours(house: Ward, who: str) -> None:
    """To nobody else: an identifier that means everybody would open a mailbox to the house."""
    owner = house.principals.of(house.ward.address)
    assert owner is not None
    with pytest.raises(Forbidden, match="no such mailbox"):
        await house.principals.give(owner, house.ward.id, Grant(who, "lr"))


async def test_what_the_table_refuses_is_refused_in_words(house: Ward) -> None:
    """To oneself, or away from somebody who has none."""
    owner = house.principals.of(house.ward.address)
    assert owner is not None
    for who, letters in ((house.ward.address, "lr"), (house.nurse.address, "")):
        with pytest.raises(Forbidden, match="nothing changed"):
            await house.principals.give(owner, house.ward.id, Grant(who, letters))
    assert [] == await house.journal.by_address(house.nurse.address)
    assert [] == house.principals.on(99)


async def test_who_shares_a_mailbox_hears_that_it_closes(house: Ward) -> None:
    """And only they do."""
    rung: list[str] = []
    await house.shares.give(house.ward, house.nurse, MEMBER, START)
    for each in (house.nurse, house.doctor):
        principal = house.principals.of(each.address)
        assert principal is not None
        house.principals.listen(principal, lambda who=each.address: rung.append(who))  # type: ignore[misc]

    house.shares.stands_otherwise(house.ward)

    assert [house.nurse.address] == rung
