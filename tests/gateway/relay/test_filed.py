"""What is delivered into a mailbox of ours is what a mail client will find there."""

from gateway.relay.delivery import State
from imap.folder import UidSet
from imap.store import INBOX, Limits, Stored
from smtp.address import parse
from tests.world.world import Gateway, World, letter

DR, COLLEAGUE = "dr@labo.example", "resultats@labo.example"


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
