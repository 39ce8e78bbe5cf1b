"""What is delivered into a mailbox of ours is what a mail client will find there."""

import pytest

from gateway.relay.delivery import State
from imap.folder import UidSet
from imap.index import index_of
from imap.store import INBOX, Limits, Stored
from smtp.address import Address, parse
from smtp.envelope import Notify, Peer, Recipient
from tests.world.world import Gateway, World, letter
from vault.blobs import Blob, Folder

DR, COLLEAGUE = "dr@labo.example", "resultats@labo.example"
ACCUEIL = "accueil@chu.example"


def inbox(gateway: Gateway, address: str) -> tuple[int, int]:
    """Return a mailbox's id, and its INBOX's."""
    mailbox = gateway.books.accounts.find(parse(address))
    assert mailbox is not None
    found = gateway.books.mailboxes.find(mailbox.id, INBOX)
    assert found is not None
    return mailbox.id, found.id


async def stored(gateway: Gateway, address: str) -> list[Stored]:
    _, folder = inbox(gateway, address)
    every = UidSet([(1, 1000)])
    found = gateway.books.mailboxes.indexes(folder, every)
    return [one async for some in found for one in some]


async def test_a_delivery_brings_its_index_and_rings(world: World) -> None:
    """Small or large, whoever looks at the folder learns of it at once, and can ask what it is."""
    await world.labo.add("resultats")
    rung: list[int] = []
    _, folder = inbox(world.labo, COLLEAGUE)
    world.labo.books.mailboxes.listen(folder, lambda: rung.append(1))

    for body in ("Bonjour.\r\n", "Bonjour.\r\n" * 40_000):
        await world.labo.submit(DR, [COLLEAGUE], letter(DR, [COLLEAGUE], body=body))
        await world.settle()

    small, large = await stored(world.labo, COLLEAGUE)
    assert b'"Compte rendu"' in small.index.envelope
    assert (10, 400_000) == tuple(
        span.end - span.start
        for one in (small, large)
        if (span := one.index.span("TEXT")) is not None
    )
    assert large.index.bodystructure.endswith(b"400000 40000 NIL NIL NIL NIL)")
    assert len(rung) >= 2


async def test_what_is_large_is_not_opened_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was indexed while it was sealed; the report returns the header that was seen then."""
    await world.labo.add("resultats")
    content = letter(DR, [COLLEAGUE], body="Bonjour.\r\n" * 40_000)
    opened: list[str] = []
    monkeypatch.setattr(Blob, "__init__", lambda _, path: opened.append(path.name))

    told = Recipient(parse(COLLEAGUE), frozenset({Notify.SUCCESS}))
    await world.labo.submit(DR, [COLLEAGUE], content, recipients=[told])
    await world.settle()
    monkeypatch.undo()

    (one,) = await stored(world.labo, COLLEAGUE)
    (filed,) = await world.labo.inbox("resultats")
    assert index_of(filed) == one.index
    assert [] == opened
    (report,) = await world.labo.inbox("dr")
    assert b"Content-Type: text/rfc822-headers" in report
    assert content[: content.index(b"\r\n\r\n")] in report


@pytest.mark.parametrize(("door", "times"), [("folder", 0), ("submission", 1)])
async def test_what_a_folder_hands_in_goes_on_from_memory(
    world: World, monkeypatch: pytest.MonkeyPatch, door: str, times: int
) -> None:
    """It was packed there; of who sends by himself not more is kept than a connection may have."""
    peer = Peer("192.0.2.7", tls="TLSv1.3", login=Address(DR), listener=door)
    content = letter(DR, [ACCUEIL], body="Bonjour.\r\n" * 40_000)
    opened: list[str] = []
    blobs = world.labo.rest.vault._blobs

    def look(name: str) -> Blob:
        opened.append(name)
        return Folder.open(blobs, name)

    monkeypatch.setattr(blobs, "open", look)
    await world.labo.take(peer, DR, [ACCUEIL], content)
    await world.settle()

    assert times == len(opened)
    (arrived,) = await world.chu.inbox("accueil")
    assert arrived.endswith(content)


async def test_a_full_mailbox_is_tried_again(world: World) -> None:
    """Mail waits until there is room; the sender hears if it takes too long (RFC 3463 4.2.2)."""
    await world.labo.add("resultats")
    filing = world.labo.books.mailboxes._filing
    filing.limits = Limits(quota=10)
    await world.labo.submit(DR, [COLLEAGUE])
    await world.settle()

    (copy,) = world.labo.copies()
    assert State.DEFERRED == copy.delivery.state
    assert copy.delivery.said is not None
    assert "4.2.2" == copy.delivery.said.enhanced
    filing.limits = Limits()
    world.clock.advance(minutes=2)
    await world.settle()
    assert [State.DELIVERED] == world.labo.states()
    assert 1 == len(await stored(world.labo, COLLEAGUE))
