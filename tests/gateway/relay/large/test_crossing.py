"""A message too large for the other gateway crosses all the same, whole."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec
import pytest

from gateway.relay.delivery import State
from gateway.relay.large.collecting import Collecting
from gateway.relay.large.ending import ENDED, Ending
from gateway.relay.large.large import Large
from gateway.relay.large.links import new_token
from gateway.relay.large.stub import Mark
from gateway.relay.withdrawing import Withdrawing
from gateway.web.fetching import Fetching
from smtp import tls
from smtp.send.client import Entitled
from smtp.send.outgoing import Offer
from tests.world.lending import PIECE, SETTINGS, SIZE, Lenders, large_letter, peer, web_door
from tests.world.world import letter
from trust.fetching import FetchError, FetchState
from vault.database import Statement


async def test_what_is_too_large_arrives_as_it_was_sent(lenders: Lenders) -> None:
    """Its reader has the whole message, byte for byte, and no trace of how it came."""
    content = large_letter()

    said = await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], content)
    assert said.positive, said
    await lenders.settle()

    (found,) = await lenders.chu.inbox("accueil")
    assert found.endswith(content)
    above = found[: -len(content)]
    assert b"X-Sceau-Large" not in above
    assert above.startswith(b"Return-Path: <dr@labo.example>")


async def test_its_sender_hears_that_it_was_delivered_only_when_it_was(lenders: Lenders) -> None:
    """A stub that arrived is no message that arrived."""
    lenders.cut_after = [0]
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    assert [State.RELAYED] == lenders.labo.states()
    assert [State.FETCHING] == lenders.chu.states()
    assert [] == await lenders.chu.inbox("accueil")

    lenders.world.clock.advance(minutes=2)
    await lenders.settle()

    assert [State.DELIVERED] == lenders.labo.states()
    assert 1 == len(await lenders.chu.inbox("accueil"))
    assert ["accepted", "relayed", "delivered"] == lenders.labo.receipts()


async def test_a_broken_line_costs_one_piece(lenders: Lenders) -> None:
    """What came is kept, and the rest is asked for from there on."""
    content = large_letter()
    lenders.cut_after = [PIECE + 10, 3 * PIECE]
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], content)
    for _ in range(3):
        await lenders.settle()
        lenders.world.clock.advance(hours=1)

    assert [0, PIECE, 4 * PIECE] == lenders.asked
    (found,) = await lenders.chu.inbox("accueil")
    assert found.endswith(content)


async def test_a_crash_goes_on_where_it_was(lenders: Lenders) -> None:
    """What was committed before the process died need not come again."""
    lenders.cut_after = [2 * PIECE + 5]
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()

    again = Large.of(SETTINGS, lenders.chu.rest.database, lenders.chu.rest.ring)
    (wanted,) = again.fetches.all()

    assert [(0, PIECE), (PIECE, PIECE)] == again.fetches.had(wanted.message)
    lenders.world.clock.advance(hours=1)
    await lenders.settle()
    assert [0, 2 * PIECE] == lenders.asked
    assert 1 == len(await lenders.chu.inbox("accueil"))


async def test_nothing_stays_once_it_was_delivered(lenders: Lenders) -> None:
    """Neither the pieces there, nor the message here: nobody waits for it any more."""
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    assert (1, 1) == (len(lenders.lent.links.all()), lenders.labo.bodies())

    await Ending(lenders.labo.desk, lenders.lent.links, lenders.labo.notices).round()

    assert (0, 0) == (len(lenders.lent.links.all()), lenders.labo.bodies())
    assert (0, 0) == lenders.wanted.fetches.standing()
    assert 1 == lenders.chu.bodies()


async def test_what_is_not_what_was_announced_is_never_filed(lenders: Lenders) -> None:
    """Three times something else came: nobody reads it, and its sender is told."""
    lenders.garbled = 3
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    for _ in range(4):
        await lenders.settle()
        lenders.world.clock.advance(hours=1)
    await lenders.settle()

    assert [] == await lenders.chu.inbox("accueil")
    assert State.FAILED in lenders.chu.states()
    assert State.FAILED in lenders.labo.states()
    assert 3 == sum(event == "large.corrupt" for event, _ in lenders.chu.events)


async def test_once_garbled_it_comes_anew(lenders: Lenders) -> None:
    """One broken transfer is no reason to give up."""
    lenders.garbled = 1
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    lenders.world.clock.advance(hours=1)
    await lenders.settle()

    assert 1 == len(await lenders.chu.inbox("accueil"))


async def test_what_an_operator_ended_is_not_fetched(lenders: Lenders) -> None:
    """The other gateway hears that it is gone, and does not ask for ever; both senders are told."""
    lenders.cut_after = [10]
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    (link,) = lenders.lent.links.all()

    ending = Ending(lenders.labo.desk, lenders.lent.links, lenders.labo.notices)
    assert 1 == await ending.end(link, ENDED, "large-ended", "operator")
    lenders.world.clock.advance(hours=1)
    await lenders.settle()

    assert State.FAILED in lenders.labo.states()
    assert State.FAILED in lenders.chu.states()
    assert ["accepted", "relayed", "failed"] == lenders.labo.receipts()


async def test_what_nobody_fetched_in_time_has_failed(lenders: Lenders) -> None:
    """Relayed is no end: at the end of its stay the sender is told."""
    lenders.labo.desk.large.port = 1  # type: ignore[union-attr]  # nobody listens there
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    ending = Ending(lenders.labo.desk, lenders.lent.links, lenders.labo.notices)
    assert 0 == await ending.round()

    lenders.world.clock.advance(days=2)
    assert 1 == await ending.round()

    assert State.FAILED in lenders.labo.states()
    assert ["accepted", "relayed", "failed"] == lenders.labo.receipts()
    assert [] == lenders.lent.links.all()


async def test_what_cannot_be_fetched_in_time_is_told(lenders: Lenders) -> None:
    """The receiving gateway gives up when mail is too old, as with any other."""
    lenders.labo.desk.large.port = 1  # type: ignore[union-attr]
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    lenders.world.clock.advance(days=1, minutes=1)
    await lenders.settle()

    assert State.EXPIRED in lenders.chu.states()
    assert State.FAILED in lenders.labo.states()
    assert [] == lenders.wanted.fetches.all()


async def test_who_does_not_speak_for_the_recipients_gets_nothing(lenders: Lenders) -> None:
    """Another member who knows the address of the document is refused, and operators hear of it."""
    lenders.cut_after = [0]
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    (link,) = lenders.lent.links.all()
    stranger = lenders.world.authority.issue("mx.x.example", organisation="x", days=3500)
    stranger.write(lenders.labo.folder, "stranger")
    folder = lenders.labo.folder
    context = tls.client_context(
        folder / "stranger.crt", folder / "stranger.key", folder / "anchors.pem"
    )

    async def anybody(_der: bytes, _issuers: tuple[bytes, ...]) -> None:
        return None

    url = f"https://127.0.0.1:{lenders.lent.port}/large/{link.facts.token}"
    drawn = Fetching().draw(url, 0, link.size, context=context, within=5, judge=anybody)
    with pytest.raises(FetchError) as raised:
        await anext(drawn)

    assert 403 == raised.value.status
    assert "large.refused" in [event for event, _ in lenders.labo.events]


async def test_nothing_is_asked_of_a_host_with_another_certificate(lenders: Lenders) -> None:
    """The list names the certificate of its sender's gateway: nobody else is asked for anything."""
    lenders.cut_after = [0]
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    async with web_door(lenders.chu) as port:  # its own, whose certificate is chu's
        (wanted,) = lenders.wanted.fetches.all()
        facts = lenders.wanted.fetches.opened(wanted).facts
        moved = msgspec.structs.replace(facts, port=port)
        sealed = lenders.chu.rest.ring.seal(
            msgspec.json.encode(moved), f"fetch/{wanted.message}/facts"
        )
        sql = "UPDATE fetch SET facts = ?"
        await lenders.chu.rest.database.commit([Statement(sql, (sealed,))])
        lenders.world.clock.advance(hours=1)
        await lenders.settle()

    assert "large.wrong_certificate" in [event for event, _ in lenders.chu.events]
    assert State.FETCHING in lenders.chu.states()


async def test_a_row_that_another_hand_changed_stops_no_other(lenders: Lenders) -> None:
    """It is told and waits; at the end of its time it has its end like any other."""
    lenders.cut_after = [0]
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    spoilt = Statement("UPDATE fetch SET facts = x'00'")
    await lenders.chu.rest.database.commit([spoilt])
    lenders.world.clock.advance(hours=1)
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()

    assert 1 == len(await lenders.chu.inbox("accueil"))
    assert "large.crashed" in [event for event, _ in lenders.chu.events]
    lenders.world.clock.advance(days=1)
    await lenders.settle()
    assert State.EXPIRED in lenders.chu.states()
    assert [] == lenders.wanted.fetches.all()


async def test_a_link_that_another_hand_changed_stops_no_other(lenders: Lenders) -> None:
    """Nor does it hide the others from who looks."""
    lenders.labo.desk.large.port = 1  # type: ignore[union-attr]  # nobody listens there
    for _ in range(2):
        await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    newest, oldest = lenders.lent.links.all()
    spoilt = Statement("UPDATE link SET domain = 'x.example' WHERE id = ?", (oldest.id,))
    await lenders.labo.rest.database.commit([spoilt])
    lenders.world.clock.advance(days=2)

    assert [newest.id] == [each.id for each in lenders.lent.links.all()]
    ending = Ending(lenders.labo.desk, lenders.lent.links, lenders.labo.notices)
    assert 1 == await ending.round()
    assert [oldest.id] == [
        facts["link"] for event, facts in lenders.labo.events if event == "large.crashed"
    ]
    assert State.FAILED in lenders.labo.states()


async def test_a_full_mailbox_is_not_filled(lenders: Lenders) -> None:
    """Nothing is fetched in vain: it waits, like any mail, until there is room."""
    boxes = lenders.chu.books.mailboxes
    boxes._filing.limits = replace(boxes._filing.limits, quota=10_000)

    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()

    assert [] == lenders.asked
    assert [State.FETCHING] == lenders.chu.states()


async def test_what_is_being_fetched_counts_before_it_is_there(lenders: Lenders) -> None:
    """A second message waits until the first lies in the mailbox; then it is fetched."""
    lenders.wanted.settings = SETTINGS.model_copy(update={"quota": SIZE + PIECE})
    lenders.cut_after = [PIECE + 10]
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    assert 1 == len(lenders.asked)
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    assert 1 == len(lenders.asked)

    for _ in range(2):
        lenders.world.clock.advance(hours=1)
        await lenders.settle()
    assert 2 == len(await lenders.chu.inbox("accueil"))


async def test_two_that_have_begun_do_not_wait_for_each_other(lenders: Lenders) -> None:
    """However little room is left by now: what has begun goes on."""
    lenders.cut_after = [PIECE + 10, PIECE + 10]
    for _ in range(2):
        await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    assert 2 * PIECE == lenders.wanted.fetches.standing()[1]
    lenders.wanted.settings = SETTINGS.model_copy(update={"quota": 1000})
    lenders.world.clock.advance(hours=1)
    await lenders.settle()
    assert 2 == len(await lenders.chu.inbox("accueil"))


async def test_its_sender_hears_of_a_delay_once(lenders: Lenders) -> None:
    """As of any delay: after a quarter of an hour, in words that say what is late."""
    lenders.cut_after = [PIECE + 10] * 5
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    assert [] == await lenders.labo.inbox("dr")
    for _ in range(2):
        lenders.world.clock.advance(minutes=15)
        await lenders.settle()

    (notice,) = await lenders.labo.inbox("dr")
    assert b"Action: delayed" in notice
    assert b"still being fetched" in notice
    assert 1 == lenders.labo.receipts().count("delayed")
    for _ in range(3):
        lenders.world.clock.advance(hours=1)
        await lenders.settle()
    assert [State.DELIVERED] == lenders.labo.states()[:1]


async def test_a_mailbox_has_so_much_room_here_and_no_more(lenders: Lenders) -> None:
    """What waits to be fetched is bounded a sender, and who is beyond it is told."""
    lenders.labo.desk.large.port = 1  # type: ignore[union-attr]
    content = large_letter(1_200_000)
    for _ in range(3):
        await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], content)
        await lenders.settle()

    assert 2 == len(lenders.lent.links.all())
    assert 1 == lenders.labo.receipts().count("failed")


async def test_two_recipients_share_one_link(lenders: Lenders) -> None:
    """It is fetched once, and each of them has it."""
    await lenders.chu.add("dr2")
    to = ["accueil@chu.example", "dr2@chu.example"]
    await lenders.labo.submit("dr@labo.example", to, large_letter())
    await lenders.settle()

    assert [0] == lenders.asked
    assert 1 == len(await lenders.chu.inbox("accueil"))
    assert 1 == len(await lenders.chu.inbox("dr2"))


async def test_a_copy_that_is_taken_back_is_fetched_no_further(lenders: Lenders) -> None:
    """Its sender recalls it while it comes: nobody has it, and what came is erased."""
    lenders.cut_after = [2 * PIECE]
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    (copy,) = lenders.chu.copies()

    said = await Withdrawing(lenders.chu.desk, lenders.chu.notices).withdraw(copy, "labo")
    lenders.world.clock.advance(hours=1)
    await lenders.settle()

    assert said.positive
    assert State.CANCELLED in lenders.chu.states()
    assert (0, 0) == lenders.wanted.fetches.standing()
    assert [] == await lenders.chu.inbox("accueil")


async def test_one_large_part_alone_crosses_too(lenders: Lenders) -> None:
    """A message need not have parts to be too large."""
    content = letter("dr@labo.example", ["accueil@chu.example"], body="x\r\n" * 70_000)
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], content)
    await lenders.settle()

    (found,) = await lenders.chu.inbox("accueil")
    assert found.endswith(content)


async def test_a_peer_that_fetches_nothing_is_sent_nothing(lenders: Lenders) -> None:
    """Its limit is said in words, and remembered."""
    clinic = await lenders.world.play(offer=Offer.parse(["SIZE 100000"]))
    await lenders.labo.submit("dr@labo.example", ["a@clinique.example"], large_letter())
    await lenders.settle()

    assert [] == clinic.heard
    assert State.FAILED in lenders.labo.states()
    known = lenders.lent.hops.of("clinique.example")
    assert known is not None
    assert (100_000, 0) == (known.size, known.large)


async def test_what_need_not_be_fetched_goes_as_it_is(lenders: Lenders) -> None:
    """Longer than ``above``, but of small parts alone, or beyond the quota: their server takes it whole."""
    few = lenders.lent.settings
    for changes in ({"above": 30_000}, {"above": 30_000, "part": 10_000, "quota": 10}):
        lenders.lent.settings = few.model_copy(update=changes)
        await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], _of_small_parts())
        await lenders.settle()

    assert [State.DELIVERED] * 2 == lenders.labo.states()
    assert [] == lenders.asked


def _of_small_parts() -> bytes:
    line = b"%064d\r\n" % 7
    part = b"--b\r\nContent-Type: image/png\r\n\r\n" + line * 230 + b"\r\n"
    head = letter(
        "dr@labo.example",
        ["accueil@chu.example"],
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="b"',
        body="",
    )
    return head + part * 3 + b"--b--\r\n"


async def test_a_peer_may_say_any_number(lenders: Lenders) -> None:
    """How large a message it takes is its own word: what no row can hold stops no mail."""
    clinic = await lenders.world.play(offer=Offer.parse(["SIZE 9999999999999999999"]))
    await lenders.labo.submit("dr@labo.example", ["a@clinique.example"])
    await lenders.settle()

    assert 1 == len(clinic.heard)


async def test_one_sender_leaves_the_others_a_place(lenders: Lenders) -> None:
    """A gateway that gives an octet now and then holds up no other's documents."""
    clinic = await lenders.world.play()
    heard, both = [], asyncio.Barrier(3)

    async def slow(
        url: str, _start: int, _size: int, _entitled: Entitled
    ) -> AsyncGenerator[bytes, None]:
        heard.append(urlsplit(url).hostname)
        if len(heard) <= 2:
            await both.wait()
        if heard:
            raise FetchError(FetchState.UNREACHABLE, "cut by the test")
        yield b""

    lenders.collecting["chu.example"].draw = slow
    others = replace(peer(lenders.labo), certificate=clinic.certificate)
    for who, sender in (
        (peer(lenders.labo), "dr@labo.example"),
        (peer(lenders.labo), "dr@labo.example"),
        (others, "dr@clinique.example"),
    ):
        content = Mark(new_token(), 443, 200_000, "a" * 64).encode()
        content += letter(sender, ["accueil@chu.example"])
        said = await lenders.chu.take(who, sender, ["accueil@chu.example"], content, large=200_000)
        assert said.positive, said
    async with asyncio.timeout(5):
        await both.wait()

    assert {"127.0.0.1", "mx.clinique.example"} == set(heard)  # labo's, and the clinic's
    await lenders.settle()


async def test_a_piece_that_takes_for_ever_is_put_off(lenders: Lenders) -> None:
    """An octet before each silence is too long keeps no place for days."""
    waited = lenders.wanted.settings
    lenders.wanted.settings = waited.model_copy(update={"timeout": 0.001})
    lenders.collecting["chu.example"].draw = _dripping
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()

    assert ["download-timeout"] == _put_off(lenders)
    assert [State.FETCHING] == lenders.chu.states()


async def _dripping(
    _url: str, _start: int, _size: int, _entitled: Entitled
) -> AsyncGenerator[bytes, None]:
    yield b"x"
    await asyncio.Event().wait()


def _put_off(lenders: Lenders) -> list[object]:
    return [facts["reason"] for event, facts in lenders.chu.events if event == "large.put_off"]


async def test_a_disk_that_is_full_when_all_is_here_is_no_bug(lenders: Lenders) -> None:
    """The whole is made beside its pieces: it waits for room, and none of them comes twice."""
    vault, asked = lenders.chu.rest.vault, []

    async def draw(
        _url: str, start: int, size: int, _entitled: Entitled
    ) -> AsyncGenerator[bytes, None]:
        asked.append(start)
        for at in range(0, size, PIECE):
            if at + PIECE >= size:
                vault._reserve = 1 << 60
            yield b"x" * min(PIECE, size - at)

    lenders.collecting["chu.example"].draw = draw
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    before, vault._reserve = _put_off(lenders), 0
    lenders.world.clock.advance(hours=1)
    await lenders.settle()

    assert ["storage-full"] == before
    assert [0] == asked
    events = [event for event, _ in lenders.chu.events]
    assert "large.crashed" not in events
    assert "large.corrupt" in events  # the whole was made, of what is no message


async def test_gone_is_what_no_host_has(lenders: Lenders, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of two gateways is down, the other never had it: it is asked for again."""
    states = [FetchState.UNREACHABLE, FetchState.NOT_FOUND]

    async def hosts(_self: Collecting, _domain: str) -> list[str]:
        return ["mx1.labo.example", "mx2.labo.example"]

    async def draw(
        _url: str, _start: int, _size: int, _entitled: Entitled
    ) -> AsyncGenerator[bytes, None]:
        if states:
            raise FetchError(states.pop(0), "by the test")
        yield b""

    monkeypatch.setattr(Collecting, "_hosts", hosts)
    lenders.collecting["chu.example"].draw = draw
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()

    assert [] == states
    assert [State.FETCHING] == lenders.chu.states()


async def test_what_is_taken_back_while_it_comes_comes_no_further(lenders: Lenders) -> None:
    """Not to the end of its half a gigabyte; and what came is erased at once, not at the next try."""
    given = []

    async def draw(
        _url: str, _start: int, size: int, _entitled: Entitled
    ) -> AsyncGenerator[bytes, None]:
        for at in range(0, size, PIECE):
            if at == PIECE:
                (copy,) = lenders.chu.copies()
                said = await Withdrawing(lenders.chu.desk, lenders.chu.notices).withdraw(copy, "l")
                assert said.positive
            given.append(at)
            yield b"x" * min(PIECE, size - at)

    lenders.collecting["chu.example"].draw = draw
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()

    assert len(given) < 4
    assert (0, 0) == lenders.wanted.fetches.standing()
    assert "large.crashed" not in [event for event, _ in lenders.chu.events]


async def test_what_waits_for_another_try_is_erased_when_it_is_taken_back(
    lenders: Lenders,
) -> None:
    """What came of it does not lie there until the try that is not made any more."""
    lenders.cut_after = [2 * PIECE]
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    (copy,) = lenders.chu.copies()
    await Withdrawing(lenders.chu.desk, lenders.chu.notices).withdraw(copy, "labo")
    await lenders.settle()

    assert (0, 0) == lenders.wanted.fetches.standing()


async def test_what_is_waited_for_is_not_forgotten(lenders: Lenders) -> None:
    """Final deliveries are kept a shorter time than large documents: its sender is told all the same."""
    lenders.labo.desk.large.port = 1  # type: ignore[union-attr]  # nobody listens there
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    lenders.world.clock.advance(days=1, hours=12)
    await lenders.labo.books.spool.forget(lenders.world.clock(), timedelta(days=1))
    assert State.RELAYED in lenders.labo.states()

    lenders.world.clock.advance(hours=12)
    await Ending(lenders.labo.desk, lenders.lent.links, lenders.labo.notices).round()

    assert ["accepted", "relayed", "failed"] == lenders.labo.receipts()


async def test_what_they_fetched_has_not_failed(lenders: Lenders) -> None:
    """It may lie in quarantine there, longer than here: they say what became of it."""
    lenders.labo.desk.large.port = 1  # type: ignore[union-attr]  # nobody listens there
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    (link,) = lenders.lent.links.all()
    taken = lenders.lent.links.taking(link.id, lenders.world.clock())
    await lenders.labo.rest.database.commit([taken])

    lenders.world.clock.advance(days=2)
    await Ending(lenders.labo.desk, lenders.lent.links, lenders.labo.notices).round()

    assert [State.RELAYED] == lenders.labo.states()
    assert [] == lenders.lent.links.all()


async def test_a_stub_that_says_two_things_is_refused(lenders: Lenders) -> None:
    """What MAIL says of the whole and what its field says must agree, or it is no stub."""
    mark = Mark("t" * 43, 443, 200_000, "a" * 64).encode()
    content = mark + letter("dr@labo.example", ["accueil@chu.example"])
    for large in (200_001, 200_000_000):
        said = await lenders.chu.take(
            peer(lenders.labo), "dr@labo.example", ["accueil@chu.example"], content, large=large
        )
        assert (554, "5.6.0") == (said.code, said.enhanced)
    bare = await lenders.chu.take(
        peer(lenders.labo),
        "dr@labo.example",
        ["accueil@chu.example"],
        letter("dr@labo.example", ["accueil@chu.example"]),
        large=200_000,
    )
    assert 554 == bare.code
    below = b"Subject: IRM\r\n" + mark + letter("dr@labo.example", ["accueil@chu.example"])
    said = await lenders.chu.take(
        peer(lenders.labo), "dr@labo.example", ["accueil@chu.example"], below, large=200_000
    )
    assert 554 == said.code
    huge = Mark("t" * 43, 443, 3_000_000, "a" * 64).encode() + content
    said = await lenders.chu.take(
        peer(lenders.labo), "dr@labo.example", ["accueil@chu.example"], huge, large=3_000_000
    )
    assert 552 == said.code
    assert [] == lenders.chu.states()
