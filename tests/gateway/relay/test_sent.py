"""What is sent is filed once, whoever files it."""

from gateway.accounts.habits import Habits, Reports, Sent
from gateway.relay.delivery import State
from imap.folder import UidSet
from imap.store import Entry
from smtp.address import parse
from smtp.reply import Reply
from tests.world.world import Gateway, World, letter, pieces

DR, ACCUEIL = "dr@labo.example", "accueil@chu.example"


async def accustom(gateway: Gateway, address: str, habits: Habits) -> int:
    """Give a mailbox its habits; return its id."""
    mailbox = gateway.books.accounts.find(parse(address))
    assert mailbox is not None
    await gateway.books.accounts.accustom(mailbox, habits)
    return mailbox.id


def filed(gateway: Gateway, mailbox: int, folder: str = "Sent") -> list[Entry]:
    return gateway.books.mailboxes.entries(mailbox, folder)


async def append(gateway: Gateway, mailbox: int, content: bytes, folder: str = "Sent") -> UidSet:
    """File a message as a mail client does."""
    found = gateway.books.mailboxes.find(mailbox, folder)
    assert found is not None
    batch = gateway.books.mailboxes.batch(found.id)
    await batch.add(["\\Seen"], None, pieces([content]), len(content))
    return (await batch.commit()).uids


async def test_what_is_sent_lies_in_sent_once(world: World) -> None:
    """We file it, seen; the mail program's own copy is told the UID that is there already."""
    mailbox = await accustom(world.labo, DR, Habits(sent=Sent.SERVER))
    await world.labo.submit(DR, [ACCUEIL])
    await world.settle()
    (entry,) = filed(world.labo, mailbox)
    uids = await append(world.labo, mailbox, letter(DR, [ACCUEIL]))

    assert ("\\Seen",) == entry.flags
    assert UidSet.of([entry.uid]) == uids
    assert [entry.uid] == [each.uid for each in filed(world.labo, mailbox)]
    assert (await world.labo.books.mailboxes.read(entry)).endswith(letter(DR, [ACCUEIL]))
    assert 1 == world.labo.bodies()


async def test_a_program_that_files_first_has_it_once_too(world: World) -> None:
    """What lies in Sent a moment before it is sent is not filed again."""
    mailbox = await accustom(world.labo, DR, Habits(sent=Sent.SERVER))
    await append(world.labo, mailbox, letter(DR, [ACCUEIL]))
    await world.labo.submit(DR, [ACCUEIL])
    await world.settle()

    assert 1 == len(filed(world.labo, mailbox))


async def test_another_message_of_the_same_id_is_another(world: World) -> None:
    """Only what we filed ourselves, of the same subject and date, is the same message."""
    mailbox = await accustom(world.labo, DR, Habits(sent=Sent.SERVER))
    await world.labo.submit(DR, [ACCUEIL])
    other = letter(DR, [ACCUEIL]).replace(b"Compte rendu", b"Autre chose")
    await append(world.labo, mailbox, other)
    await append(world.labo, mailbox, other)

    assert 3 == len(filed(world.labo, mailbox))


async def test_it_is_known_again_for_an_hour(world: World) -> None:
    """Much later it is a copy that somebody wants to have."""
    mailbox = await accustom(world.labo, DR, Habits(sent=Sent.SERVER))
    await world.labo.submit(DR, [ACCUEIL])
    world.clock.advance(hours=2)
    await append(world.labo, mailbox, letter(DR, [ACCUEIL]))

    assert 2 == len(filed(world.labo, mailbox))


async def test_who_did_not_choose_it_finds_nothing_in_sent(world: World) -> None:
    """Mail programs file what they send, unless the owner says otherwise."""
    mailbox = await accustom(world.labo, DR, Habits())
    await world.labo.submit(DR, [ACCUEIL])

    assert [] == filed(world.labo, mailbox)


async def test_a_refused_message_is_not_filed(world: World) -> None:
    """What was not taken was not sent."""
    mailbox = await accustom(world.labo, DR, Habits(sent=Sent.SERVER))
    said = await world.labo.submit(DR, ["x@nowhere.example"])

    assert isinstance(said, Reply)
    assert not said.positive
    assert [] == filed(world.labo, mailbox)


async def test_reports_lie_where_their_owner_wants_them(world: World) -> None:
    """In a folder of their own, made when the first one comes, for those who chose it."""
    mailbox = await accustom(world.labo, DR, Habits(reports=Reports.FOLDER))
    await world.labo.submit(DR, ["absent@chu.example", ACCUEIL])
    await world.settle()

    assert State.DELIVERED in world.labo.states()
    assert 0 == len(world.labo.books.mailboxes.entries(mailbox))
    (report,) = filed(world.labo, mailbox, "Accusés")
    assert "not delivered" in report.summary.subject
    content = await world.labo.books.mailboxes.read(report)
    assert b"In-Reply-To: <1@test.example>\r\nReferences: <1@test.example>\r\n" in content
    assert "Accusés" in world.labo.books.mailboxes.subscriptions(mailbox)
