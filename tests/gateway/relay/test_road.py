"""One message, end to end, between two gateways."""

from gateway.relay.delivery import State
from tests.world.world import World

DR, ACCUEIL = "dr@labo.example", "accueil@chu.example"


async def test_a_message_crosses_and_both_sides_know(world: World) -> None:
    """250, relayed over mutual TLS, in the mailbox, and the peer's report makes it delivered."""
    said = await world.labo.submit(DR, [ACCUEIL])
    assert 250 == said.code
    await world.settle()
    (content,) = await world.chu.inbox("accueil")
    assert content.endswith(b"\r\n\r\nBonjour.\r\n")
    assert 2 == content.count(b"Received: ")
    assert ["accepted", "relayed", "delivered"] == world.labo.receipts()
    assert ["delivered"] == world.chu.receipts()
    assert [State.DELIVERED] == world.labo.states()
    assert 0 == world.labo.bodies()
