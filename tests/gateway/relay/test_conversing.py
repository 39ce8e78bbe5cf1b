"""Mail to and from citizens, through the doors."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from gateway.documents import ins
from gateway.receipts.bounce import why
from gateway.relay.conversing import _SAID
from gateway.relay.delivery import State
from gateway.relay.exchanges import Exchanges
from gateway.relay.threads import Objection, Pair
from smtp import reply
from smtp.address import parse
from smtp.envelope import Peer
from smtp.reply import Reply
from tests.world.peers import Peer as Played
from tests.world.world import Gateway, World, letter
from vault.database import Statement
from vault.errors import Conflict

PATIENTS = "patient.mssante.fr"
NUMBER = "1850175075001"
CITIZEN = f"{NUMBER}{ins.key(NUMBER)}@{PATIENTS}"
DR, PHARMACY = "dr@labo.example", "pharmacie@labo.example"


@pytest.fixture
async def patients(world: World) -> Played:
    """The citizens' operator, whose part the test plays."""
    return await world.play(PATIENTS)


async def comes(world: World, to: str, *lines: str, sender: str = CITIZEN, **how: Any) -> Reply:
    """Let a citizen's message come in by relay."""
    peer = Peer(
        "192.0.2.9",
        tls="TLSv1.3",
        certificate=world.played[PATIENTS].certificate,
        listener="relay",
    )
    content = letter(sender, [to], *lines).replace(b"<1@test", b"<reply@test")
    return await world.labo.take(peer, sender, [to], content, **how)


def told(notice: bytes) -> str:
    """Return the words of a notice."""
    parts = message_from_bytes(notice, policy=default).walk()
    return "".join(p.get_content() for p in parts if p.get_content_type() == "text/plain")


def exchanges(gateway: Gateway) -> Exchanges:
    assert gateway.desk.exchanges is not None
    return gateway.desk.exchanges


async def events(world: World) -> list[str]:
    return [event for event, _ in await world.labo.story() if event.startswith("thread.")]


async def test_only_a_professional_begins(world: World, patients: Played) -> None:
    """Before any content, in words that a patient understands, in both languages (R-G2)."""
    said = await comes(world, DR)
    assert reply.CITIZEN_NOT_BEGUN == said
    assert "appelez le 15" in said.text
    assert "call 15" in said.text
    assert [] == await world.labo.inbox("dr")


async def test_a_citizen_answers_and_is_answered_once(world: World, patients: Played) -> None:
    """In the mailbox's own name, threaded, and never by a machine (RFC 3834)."""
    await world.labo.submit(DR, [CITIZEN])
    await world.settle()
    for _ in range(2):
        assert 250 == (await comes(world, DR, "In-Reply-To: <1@test.example>")).code
        await world.settle()
    assert 2 == len(await world.labo.inbox("dr"))
    (_, first), (outgoing, answer) = patients.heard
    assert b"Subject: Compte rendu" in first
    assert DR == outgoing.mail_from
    assert b"Auto-Submitted: auto-replied\r\n" in answer
    assert b"In-Reply-To: <reply@test.example>\r\n" in answer
    assert b"appelez le 15" in answer
    assert ["thread.opened", "thread.answered"] == await events(world)


@pytest.mark.parametrize("closing", ["X-MSS-MES: FIN", "Subject: Merci [FIN]"])
async def test_it_ends_when_the_professional_says_so(
    world: World, patients: Played, closing: str
) -> None:
    """By header or subject; and goes on when they write again (R-G4)."""
    name, value = closing.split(": ")
    await world.labo.submit(DR, [CITIZEN])
    ending = letter(DR, [CITIZEN], "In-Reply-To: <1@test.example>", closing)
    if name == "Subject":
        ending = letter(DR, [CITIZEN], "In-Reply-To: <1@test.example>").replace(
            b"Compte rendu", value.encode()
        )
    await world.labo.submit(DR, [CITIZEN], ending)
    assert reply.CITIZEN_CLOSED == await comes(world, DR, "In-Reply-To: <1@test.example>")
    await world.labo.submit(DR, [CITIZEN], letter(DR, [CITIZEN], "In-Reply-To: <1@test.example>"))
    assert 250 == (await comes(world, DR, "In-Reply-To: <1@test.example>")).code
    assert ["thread.opened", "thread.closed", "thread.opened"] == (await events(world))[:3]


async def test_it_ends_by_silence(world: World, patients: Played) -> None:
    """When neither has written for so long; and goes on when the professional does."""
    rules = replace(exchanges(world.labo).rules, silence=timedelta(minutes=30), answer="")
    object.__setattr__(exchanges(world.labo), "rules", rules)
    await world.labo.submit(DR, [CITIZEN])
    for minutes, said in ((20, 250), (29, 250), (31, 550)):
        world.clock.advance(minutes=minutes)
        assert said == (await comes(world, DR, "In-Reply-To: <1@test.example>")).code
    await world.labo.submit(DR, [CITIZEN])
    assert 250 == (await comes(world, DR)).code
    assert ["thread.opened"] * 2 == await events(world)


async def test_what_names_a_closed_thread_is_refused_after_its_header(
    world: World, patients: Played
) -> None:
    """Though another thread of the two is open."""
    closed = letter(DR, [CITIZEN], "X-MSS-MES: FIN").replace(b"<1@", b"<2@")
    await world.labo.submit(DR, [CITIZEN], closed)
    await world.labo.submit(DR, [CITIZEN])
    assert reply.CITIZEN_CLOSED == await comes(world, DR, "References: <2@test.example>")
    assert 250 == (await comes(world, DR, "References: <1@test.example>")).code


async def test_a_pharmacy_may_be_written_to_first(world: World, patients: Played) -> None:
    """One that the house names (R-G3)."""
    await world.labo.add("pharmacie")
    assert 250 == (await comes(world, PHARMACY)).code


async def test_who_objects_is_not_written_to(world: World, patients: Played) -> None:
    """The sender finds a notice in both languages (R-G5)."""
    await exchanges(world.labo).object(parse(CITIZEN), "demande", "operator:x", world.clock())
    assert reply.CITIZEN_OBJECTS == await world.labo.submit(DR, [CITIZEN])
    await world.settle()
    (notice,) = await world.labo.inbox("dr")
    words = " ".join(told(notice).split())
    assert "s'est opposé à recevoir" in words
    assert "objects to receiving" in words
    assert [] == patients.heard


async def test_an_address_that_is_no_patients(world: World, patients: Played) -> None:
    """A slip in a number must not reach somebody else; nobody else's is proposed (R-G1)."""
    wrong = f"{NUMBER}{(int(ins.key(NUMBER)) + 1) % 97:02}@{PATIENTS}"
    assert reply.CITIZEN_UNKNOWN == await world.labo.submit(DR, [wrong])
    assert reply.CITIZEN_UNKNOWN == await world.labo.submit(DR, [f"jean.dupont@{PATIENTS}"])


async def test_it_may_be_so_large(world: World, patients: Played) -> None:
    """As its sender announces it, and as it is in the end (R-A8)."""
    said = await world.labo.submit(DR, [CITIZEN], size=25_000_001)
    assert reply.citizen_too_large(25_000_000) == said
    assert "25 Mo" in said.text
    assert "25 MB" in said.text
    rules = replace(exchanges(world.labo).rules, largest=500)
    object.__setattr__(exchanges(world.labo), "rules", rules)
    whole = letter(DR, [CITIZEN], body="x" * 600)
    assert reply.citizen_too_large(500) == await world.labo.submit(DR, [CITIZEN], whole)
    assert 0 == world.labo.bodies() - 2  # the two notices of it
    both = await world.labo.submit(DR, [CITIZEN, "accueil@chu.example"], whole)
    assert 250 == both.code
    assert State.REFUSED in world.labo.states()
    assert [] == await events(world)


async def test_citizens_do_not_write_to_each_other(world: World, patients: Played) -> None:
    """Whoever keeps their mailboxes."""
    objection = exchanges(world.labo).rules.pair(parse(CITIZEN), parse(CITIZEN))
    assert Objection.AMONG_CITIZENS == objection
    assert reply.CITIZEN_TO_CITIZEN == _SAID[Objection.AMONG_CITIZENS]


async def test_trust_comes_first(world: World, patients: Played) -> None:
    """Who speaks for nobody learns nothing of anybody's threads."""
    peer = world.relay_peer(world.chu)
    assert reply.PEER_NOT_ENTITLED == await world.labo.take(peer, CITIZEN, [DR])


async def test_the_answer_may_be_awaited_elsewhere(world: World, patients: Played) -> None:
    """In Reply-To, within the writer's own domain (R-E8)."""
    await world.labo.add("secretariat")
    content = letter(DR, [CITIZEN], "Reply-To: secretariat@labo.example, x@chu.example")
    await world.labo.submit(DR, [CITIZEN], content)
    assert 250 == (await comes(world, "secretariat@labo.example")).code
    foreign = Pair(parse("x@chu.example"), parse(CITIZEN), by_citizen=True)
    assert () == exchanges(world.labo).of(foreign, world.clock()).threads
    odd = letter(DR, [CITIZEN], "Reply-To: @")
    assert 250 == (await world.labo.submit(DR, [CITIZEN], odd)).code


async def test_a_house_may_begin_by_noting(world: World, patients: Played) -> None:
    """What was written before Sceau came is in no table: nobody is refused for that."""
    rules = replace(exchanges(world.labo).rules, enforced=False, answer="")
    object.__setattr__(exchanges(world.labo), "rules", rules)
    assert 250 == (await comes(world, DR)).code
    assert ["thread.opened"] == await events(world)
    await world.settle()
    assert [] == patients.heard


async def test_a_report_is_no_message(world: World, patients: Played) -> None:
    """It touches no thread; and what only calls itself one passes no limit."""
    await world.labo.submit(DR, [CITIZEN])
    kind = "Content-Type: multipart/report; report-type=disposition-notification; boundary=b"
    assert 250 == (await comes(world, DR, kind)).code
    assert ["thread.opened"] == await events(world)
    rules = replace(exchanges(world.labo).rules, largest=100)
    object.__setattr__(exchanges(world.labo), "rules", rules)
    assert reply.citizen_too_large(100) == await comes(world, DR, kind)


async def test_two_at_once(world: World, patients: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes second looks again, and neither message is forgotten."""
    await world.labo.submit(DR, [CITIZEN])
    books, real = world.labo.books, world.labo.books.database.commit
    beaten: list[int] = []

    async def commit(statements: list[Statement]) -> object:
        if not beaten and any("UPDATE thread" in one.sql for one in statements):
            beaten.append(1)
            raise Conflict("a neighbour was quicker")
        return await real(statements)

    monkeypatch.setattr(books.database, "commit", commit)
    assert 250 == (await comes(world, DR)).code
    pair = Pair(parse(DR), parse(CITIZEN), by_citizen=True)
    assert 2 == exchanges(world.labo).of(pair, world.clock()).version
    assert [1] == beaten


def test_every_objection_has_its_words() -> None:
    """For the wire, and in both languages for who finds a notice."""
    assert set(Objection) - {Objection.TOO_LARGE} == set(_SAID)  # whose words have a number
    for said in _SAID.values():
        assert said.permanent
        french, english = why(said)
        assert "The reason given above" not in english
        assert french != english
