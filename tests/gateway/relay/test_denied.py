"""What we deny, and what awaits our approval: on queued mail, at every door, and in what senders are told."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.relay.delivery import State
from gateway.relay.screening import Screening
from quarantine.policy import Action, Policy, Rule
from tests.world.lists import Lists
from tests.world.world import Gateway, World
from trust.formats import native
from trust.identity import Certificate, Identity, Way
from trust.members import Host
from trust.overlay import Denials
from trust.verification import Demands
from trust.watch import Source, Watch

DR, ACCUEIL, DOWN = "dr@labo.example", "accueil@chu.example", "a@clinique.example"


def deny(gateway: Gateway, denied: Denials) -> None:
    gateway.keeper.overlaid(replace(gateway.keeper.overlay, denied=denied))


def domain(*names: str) -> Denials:
    return Denials(domains=frozenset(names))


async def operator(gateway: Gateway, of: str) -> Denials:
    listed = gateway.keeper.current
    assert listed is not None
    return Denials(operators=listed.members[of].marks)


async def test_queued_mail_for_whom_we_deny_ends_at_once(world: World) -> None:
    """Its sender is told by mail and by receipt, without waiting for the next attempt."""
    await world.play(down=True)
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert [State.DEFERRED] == world.labo.states()
    deny(world.labo, domain("clinique.example"))
    await world.settle()
    assert State.REFUSED in world.labo.states()
    (report,) = await world.labo.inbox("dr")
    assert b"The operator of this gateway has blocked" in b" ".join(report.split())
    assert "refused" in world.labo.receipts()


async def test_a_backed_off_peer_does_not_keep_it_waiting(world: World) -> None:
    """Mail that waits without knocking is asked about as well."""
    await world.play(down=True)
    for _ in range(3):
        await world.labo.submit(DR, [DOWN])
        await world.settle()
    deny(world.labo, await operator(world.labo, "clinique.example"))
    await world.settle()
    assert 3 == world.labo.states().count(State.REFUSED)


async def test_queued_mail_of_a_denied_sender(world: World) -> None:
    """What a mailbox of ours has sent before stops with it, until a person has looked."""
    await world.play(down=True)
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    deny(world.labo, Denials(addresses=frozenset({DR})))
    await world.settle()
    assert State.HELD in world.labo.states()


async def test_a_rule_refuses_queued_mail_of_a_denied_sender(world: World) -> None:
    """An operator may write down that nobody looks at it: then it ends, and its sender is told."""
    refuse = Rule(frozenset({"sender-denied"}), Action.REFUSE)
    object.__setattr__(world.labo.desk, "screening", Screening(Policy((refuse,))))
    await world.play(down=True)
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    deny(world.labo, Denials(addresses=frozenset({DR})))
    await world.settle()
    assert State.REFUSED in world.labo.states()


async def test_what_is_lifted_goes_again(world: World) -> None:
    """A denial is no revocation: the list alone decides again."""
    deny(world.labo, domain("chu.example"))
    said = await world.labo.submit(DR, [ACCUEIL])
    assert (550, "5.7.1") == (said.code, said.enhanced)
    assert "has blocked the recipient" in said.text
    deny(world.labo, Denials())
    assert 250 == (await world.labo.submit(DR, [ACCUEIL])).code
    await world.settle()
    assert 1 == len(await world.chu.inbox("accueil"))


@pytest.mark.parametrize("what", ["domain", "address", "operator", "certificate"])
async def test_relay_in(world: World, what: str) -> None:
    """By whichever name the peer is denied, it hears so at RCPT, and nothing is kept."""
    certificate = Certificate.parse(world.labo.issued.der)
    denied = {
        "domain": domain("labo.example"),
        "address": Denials(addresses=frozenset({DR})),
        "operator": await operator(world.chu, "labo.example"),
        "certificate": Denials(certificates=frozenset({certificate.fingerprint})),
    }
    deny(world.chu, denied[what])
    peer = world.relay_peer(world.labo)
    said = await world.chu.take(peer, DR, [ACCUEIL])
    assert (550, "5.7.1") == (said.code, said.enhanced)
    assert "has blocked" in said.text
    assert [] == world.chu.states()


async def test_a_from_of_whom_we_deny(world: World) -> None:
    """A peer that speaks for two domains does not write in the denied one's name."""
    world.lists.add("labo2.example", world.labo.issued)
    await world.publish()
    deny(world.chu, domain("labo2.example"))
    peer = world.relay_peer(world.labo)
    content = b"From: x@labo2.example\r\nTo: accueil@chu.example\r\n\r\nBonjour.\r\n"
    said = await world.chu.take(peer, DR, [ACCUEIL], content)
    assert 550 == said.code


async def test_a_denied_next_hop_gets_nothing(world: World) -> None:
    """Another attempt follows: DNS may have led us to a stranger."""
    clinic = await world.play()
    print_ = Certificate.parse(clinic.certificate).fingerprint
    deny(world.labo, Denials(certificates=frozenset({print_})))
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert ([], [State.DEFERRED]) == (clinic.heard, world.labo.states())
    deny(world.labo, Denials())
    await world.settle()
    assert 1 == len(clinic.heard)


async def test_an_idle_connection_is_asked_again(world: World) -> None:
    """One that was good a second ago carries nothing once its certificate is denied."""
    clinic = await world.play()
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    print_ = Certificate.parse(clinic.certificate).fingerprint
    deny(world.labo, Denials(certificates=frozenset({print_})))
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert 1 == len(clinic.heard)


# A stale list.


async def test_our_own_mailboxes_go_on_without_a_fresh_list(world: World) -> None:
    """A hospital writes within; what involves peers waits, is not refused, and ages not."""
    await world.labo.add("secretariat")
    world.clock.advance(days=31)
    said = await world.labo.submit(DR, ["secretariat@labo.example", ACCUEIL])
    assert 250 == said.code
    await world.settle()
    assert 1 == len(await world.labo.inbox("secretariat"))
    assert {State.DELIVERED, State.DEFERRED} <= set(world.labo.states())
    for _ in range(4):
        await world.later(days=2)
    assert State.DEFERRED in world.labo.states()
    assert not {State.EXPIRED, State.FAILED} & set(world.labo.states())
    await world.publish()
    await world.later(hours=2)  # who tried before the other gateway had the list waits once more
    assert 1 == len(await world.chu.inbox("accueil"))


async def test_one_stale_source_of_two(world: World) -> None:
    """Mail with its own members waits and ages not; mail with the others goes on."""
    clinic = await world.play()
    world.lists.remove("clinique.example")
    await world.publish()
    local = Lists(world.lists.signer, world.clock(), fresh_for=timedelta(hours=6))
    local.add("clinique.example", world.authority.issue("mx.clinique.example"))
    local.members["clinique.example"] = replace(
        local.members["clinique.example"],
        identities=(Identity(Way.SPKI, Certificate.parse(clinic.certificate).spki_sha256),),
        hosts=(Host("mx.clinique.example", 25),),
    )
    demands = Demands("locale", native.Source(local.quorum), native.LIMIT)
    keeper = world.labo.keeper
    keeper._watches["locale"] = Watch(Source(demands))
    assert (await keeper.offer("locale", local.offer(world.clock()))).good
    world.clock.advance(hours=7)
    await world.labo.submit(DR, [DOWN, ACCUEIL])
    await world.settle()
    assert 1 == len(await world.chu.inbox("accueil"))
    for _ in range(3):
        await world.later(days=2)
    assert [] == clinic.heard
    assert State.DEFERRED in world.labo.states()
    assert not {State.EXPIRED, State.FAILED, State.REFUSED} & set(world.labo.states())
    assert (await keeper.offer("locale", local.offer(world.clock()))).good
    await world.settle()
    assert 1 == len(clinic.heard)


# What awaits approval.


MANY = [f"d{number}.example" for number in range(25)]


async def offered(world: World, gateway: Gateway, domains: Iterable[str] = MANY) -> str:
    """Offer a list with so many new domains that it waits for an operator."""
    for name in domains:
        world.lists.add(name, world.chu.issued, [("127.0.0.1", world.chu.port)])
    arrival = await gateway.keeper.offer("list", world.lists.offer(world.clock()))
    assert arrival.digest is not None
    return arrival.digest


async def test_mail_waits_until_the_change_is_approved(world: World) -> None:
    """4yz to peers, taken from our own people, aging not; and it flows at once when approved."""
    digest = await offered(world, world.labo)
    said = await world.labo.submit(DR, ["x@d3.example"])
    assert 250 == said.code
    await world.settle()
    assert [State.DEFERRED] == [
        c.delivery.state for c in world.labo.copies() if c.domain == "d3.example"
    ]
    await world.later(days=3)
    states = {c.delivery.state for c in world.labo.copies() if c.domain == "d3.example"}
    assert {State.DEFERRED} == states
    await world.labo.keeper.approve("operator:anne", digest)
    await world.settle()
    states = {c.delivery.state for c in world.labo.copies() if c.domain == "d3.example"}
    assert State.DEFERRED not in states


async def test_a_rejected_change_ends_the_waiting(world: World) -> None:
    """What was to be added is no member: its senders are told."""
    digest = await offered(world, world.labo)
    await world.labo.submit(DR, ["x@d3.example"])
    await world.settle()
    await world.labo.keeper.reject("operator:anne", digest, "inconnus")
    await world.settle()
    assert State.REFUSED in world.labo.states()


async def test_a_peer_hears_to_come_again(world: World) -> None:
    """Whoever a change would add is neither refused nor let in."""
    digest = await offered(world, world.chu)
    peer = world.relay_peer(world.chu)
    said = await world.chu.take(peer, "x@d3.example", [ACCUEIL])
    assert (451, True) == (said.code, "awaits our operator's approval" in said.text)
    await world.chu.keeper.approve("operator:anne", digest)
    content = b"From: x@d3.example\r\nTo: accueil@chu.example\r\n\r\nBonjour.\r\n"
    assert 250 == (await world.chu.take(peer, "x@d3.example", [ACCUEIL], content)).code
