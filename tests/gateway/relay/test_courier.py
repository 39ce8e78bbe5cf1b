"""The door out, against peers of every kind."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.accounts.mailboxes import Status as Standing
from gateway.relay import carrier, courier
from gateway.relay.carrier import Carrier
from gateway.relay.courier import Courier
from gateway.relay.delivery import State
from gateway.relay.lanes import Attempt
from gateway.relay.message import Copy
from gateway.relay.notices import Notices
from gateway.relay.recorder import Done, Recorder
from gateway.relay.results import Result
from gateway.relay.results import outgoing as honest_outgoing
from gateway.relay.routes import Hosts
from smtp import reply
from smtp.address import parse
from smtp.envelope import Notify, Recipient, Ret
from smtp.reply import Reply
from smtp.send.client import Entitled
from smtp.send.outgoing import Outgoing
from tests.world.peers import Open, Peer
from tests.world.world import Gateway, World, letter
from trust.members import Status
from vault.database import Database, Row, Statement
from vault.errors import VaultError

DR, ACCUEIL = "dr@labo.example", "accueil@chu.example"
DOWN, URGENCES = "garde@clinique.example", "urgences@clinique.example"
NO = Reply(550, "5.1.1", "No such person here")


def break_disk(
    monkeypatch: pytest.MonkeyPatch, gateway: Gateway, peer: Peer, times: int
) -> list[VaultError]:
    """Let commits fail so many times, once the peer has a message."""
    database = gateway.rest.database
    honest_commit, failures = Database.commit, [VaultError("the disk failed")] * times

    async def commit(self: Database, statements: Sequence[Statement]) -> list[list[Row]]:
        if self is database and peer.heard and failures:
            raise failures.pop()
        return await honest_commit(self, statements)

    monkeypatch.setattr(Database, "commit", commit)
    return failures


async def test_what_goes_out_asks_for_reports_and_names_itself(world: World) -> None:
    """ENVID, ORCPT, NOTIFY and a transfer id go with every message of ours (RFC 3461)."""
    clinic = await world.play()
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    ((said, content),) = clinic.heard
    (copy,) = world.labo.copies()
    assert (copy.message.id, copy.message.id, Ret.HDRS) == (said.envid, said.transfer, said.ret)
    (one,) = said.recipients
    assert f"rfc822;{DOWN}" == one.orcpt
    assert frozenset({Notify.SUCCESS, Notify.FAILURE, Notify.DELAY}) == one.notify
    assert said.size == len(content)
    assert State.RELAYED is copy.delivery.state
    assert 0 == world.labo.bodies()


async def test_recipients_of_one_domain_travel_together(world: World) -> None:
    """One transaction a next hop, not one a recipient."""
    clinic = await world.play()
    await world.labo.submit(DR, [DOWN, ACCUEIL, URGENCES])
    await world.settle()
    ((said, _),) = clinic.heard
    assert [DOWN, URGENCES] == [one.address for one in said.recipients]
    assert 1 == len(await world.chu.inbox("accueil"))


async def test_a_peer_that_takes_few_recipients_gets_few_at_a_time(world: World) -> None:
    """LIMITS RCPTMAX is kept to, over the same connection (RFC 9422)."""
    clinic = await world.play(recipients_max=1)
    await world.labo.submit(DR, [DOWN, URGENCES])
    await world.settle()
    assert [1, 1] == [len(said.recipients) for said, _ in clinic.heard]
    assert 1 == clinic.dials


async def test_a_connection_serves_the_next_message(world: World) -> None:
    """A handshake is paid once, not once a message; after a while it is closed."""
    clinic = await world.play()
    for _ in range(3):
        await world.labo.submit(DR, [DOWN])
        await world.settle()
    assert (3, 1) == (len(clinic.heard), clinic.dials)


async def test_a_peer_that_hung_up_is_called_again_at_once(world: World) -> None:
    """An idle connection that died costs no delay."""
    clinic = await world.play()
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    clinic.stale = True
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert (2, 2) == (len(clinic.heard), clinic.dials)
    assert [State.RELAYED] * 2 == world.labo.states()


async def test_a_connection_that_is_spent_is_closed(world: World) -> None:
    """A peer that ends the connection after each message gets a new one each time."""
    clinic = await world.play(hangs_up=True)
    for _ in range(2):
        await world.labo.submit(DR, [DOWN])
        await world.settle()
    assert (2, 2) == (clinic.dials, clinic.closed)


async def test_a_peer_that_is_down_is_backed_off_once(world: World) -> None:
    """A hundred messages for a dead peer knock once, and all go when it is back."""
    clinic = await world.play(down=True)
    for _ in range(5):
        await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert 1 == clinic.dials
    assert [State.DEFERRED] * 5 == world.labo.states()
    clinic.down = False
    await world.later(minutes=1)
    await world.settle()
    assert [State.RELAYED] * 5 == world.labo.states()
    assert [("peer.unreachable", "clinique.example")] == [
        (event, facts["domain"]) for event, facts in world.labo.events
    ]


async def test_an_operator_or_a_new_list_ends_the_waiting(world: World) -> None:
    """Who knows that the peer is back need not wait for our back-off."""
    clinic = await world.play(down=True)
    for _ in range(3):
        await world.labo.submit(DR, [DOWN])
    await world.settle()
    database, spool = world.labo.rest.database, world.labo.books.spool
    await database.commit([spool.waking(world.clock(), "clinique.example")])
    world.labo.courier.hasten()
    await world.settle()
    assert 2 == clinic.dials
    clinic.down = False
    await world.publish()
    await world.settle()
    assert 3 == clinic.dials
    assert [State.RELAYED] * 3 == world.labo.states()


async def test_what_comes_while_a_peer_is_backed_off_is_not_taken_up(world: World) -> None:
    """It enters as put off, and goes with the others when the peer is back."""
    clinic = await world.play(down=True)
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    world.clock.advance(seconds=1)
    await world.labo.submit(DR, [DOWN, ACCUEIL])
    first, waits, _ = world.labo.copies()
    assert (State.DEFERRED, 0) == (waits.delivery.state, waits.delivery.attempts)
    assert first.delivery.due == waits.delivery.due
    await world.settle()
    assert 1 == len(await world.chu.inbox("accueil"))
    (accepted,) = await world.labo.books.journal.by_address(parse(DOWN), 1)
    assert ("message.accepted", "peer-backed-off") == (accepted.event, accepted.detail["reason"])
    clinic.down = False
    await world.later(minutes=1)
    assert 2 == len(clinic.heard)


async def test_who_waits_behind_others_is_told_of_the_delay_and_of_the_end(world: World) -> None:
    """Though nobody ever knocked for this very message."""
    await world.play(down=True)
    await world.labo.submit(DR, [URGENCES])
    await world.later(minutes=6)
    await world.labo.submit(DR, [DOWN])
    assert [State.DEFERRED] * 2 == world.labo.states()
    await world.later(minutes=15)
    reports = [one for one in await world.labo.inbox("dr") if DOWN.encode() in one]
    assert [1] == [one.count(b"Action: delayed\r\n") for one in reports]
    for _ in range(50):
        await world.later(minutes=30)
    reports = [one for one in await world.labo.inbox("dr") if DOWN.encode() in one]
    assert [1, 0] == [one.count(b"Action: delayed\r\n") for one in reports]
    assert b"Status: 4.4.7\r\n" in reports[-1]


async def test_what_waits_for_a_dead_peer_is_put_off_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction for all of it, not one a message."""
    async with World.opened(tmp_path, connections_per_peer=1) as world:
        clinic = await world.play(down=True)
        honest, gate, knocked = clinic.dial, asyncio.Event(), asyncio.Event()
        records: list[int] = []
        honest_record = Recorder.record

        async def dial(name: str, port: int, entitled: Entitled) -> Open | Reply:
            knocked.set()
            await gate.wait()
            return await honest(name, port, entitled)

        async def record(self: Recorder, done: Sequence[Done]) -> bool:
            records.append(len(done))
            return await honest_record(self, done)

        monkeypatch.setattr(Recorder, "record", record)
        world.labo.links["mx.clinique.example", 25] = dial
        for _ in range(6):
            await world.labo.submit(DR, [DOWN])
        await knocked.wait()
        gate.set()
        await world.settle()
        assert [State.DEFERRED] * 6 == world.labo.states()
    assert [1, 5] == records
    assert 1 == clinic.dials


async def test_a_bug_over_what_waits_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The boundary of the item holds there too."""
    clinic = await world.play(down=True)
    await world.labo.submit(DR, [DOWN])
    await world.settle()

    def waits(*_: object) -> list[Result]:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Carrier, "waits", waits)
    monkeypatch.setattr(Courier, "pause", lambda *_: None)
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert [State.DEFERRED] * 2 == world.labo.states()
    assert [0, 1] == sorted(copy.delivery.lost for copy in world.labo.copies())
    assert "courier.crashed" in dict(world.labo.events)
    assert 1 == clinic.dials


async def test_the_schedule_is_kept(world: World) -> None:
    """After 1, 5, 15 minutes; being there to tell of the delay is no attempt."""
    clinic = await world.play(down=True)
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    for minutes, dials in ((1, 2), (4, 2), (1, 3), (9, 3), (5, 3), (1, 4)):
        await world.later(minutes=minutes)
        assert dials == clinic.dials, minutes


async def test_the_sender_is_told_of_a_delay_once_and_of_the_end(world: World) -> None:
    """After a quarter of an hour; and after a day, that it is given up."""
    await world.play(down=True)
    await world.labo.submit(DR, [DOWN])
    for _ in range(60):
        await world.later(minutes=30)
    delayed, expired = await world.labo.inbox("dr")
    assert b"Action: delayed\r\n" in delayed
    assert b"Will-Retry-Until: " in delayed
    assert b"Action: failed\r\n" in expired
    assert b"Status: 4.4.7\r\n" in expired
    assert b"Message-ID: <1@test.example>" in expired
    assert ["accepted", "delayed", "expired"] == world.labo.receipts()
    assert State.EXPIRED in world.labo.states()


async def test_a_refusal_comes_back_as_a_report(world: World) -> None:
    """What the peer said, in the sender's mailbox, with the header of what was sent."""
    clinic = await world.play(says=NO)
    await world.labo.submit(DR, [DOWN, URGENCES])
    await world.settle()
    (report,) = await world.labo.inbox("dr")
    assert 2 == report.count(b"Diagnostic-Code: smtp; 550 5.1.1 No such person here\r\n")
    assert b"Subject: Compte rendu\r\n" in report
    assert b"Bonjour" not in report
    assert ["accepted", "accepted", "failed", "failed"] == world.labo.receipts()
    assert 1 == clinic.dials


async def test_ret_full_gives_the_message_back(world: World) -> None:
    """A sender who asked for it gets the whole message back (RFC 3461 §4.3)."""
    await world.play(says=NO)
    await world.labo.submit(DR, [DOWN], ret=Ret.FULL)
    await world.settle()
    (report,) = await world.labo.inbox("dr")
    assert b"Bonjour" in report


async def test_a_sender_who_wants_no_reports_gets_none(world: World) -> None:
    """NOTIFY=NEVER is kept to; its software still has the receipts."""
    await world.play(says=NO)
    never = Recipient(parse(DOWN), frozenset({Notify.NEVER}))
    await world.labo.submit(DR, [], letter(DR, [DOWN]), recipients=[never])
    await world.settle()
    assert [] == await world.labo.inbox("dr")
    assert ["accepted", "failed"] == world.labo.receipts()


async def test_a_peer_that_puts_off_is_tried_again(world: World) -> None:
    """4yz is not the end, nor the peer's: it was reached."""
    clinic = await world.play(says=Reply(451, "4.2.1", "Later"))
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    clinic.says = Reply(250, "2.0.0", "Now")
    await world.later(minutes=1)
    assert [State.RELAYED] == world.labo.states()


async def test_a_peer_without_reports_leaves_it_at_relayed(world: World) -> None:
    """RELAYED is final then, and who asked to know is told so (RFC 3461 §6.2.3)."""
    await world.play(dsn=False)
    asked = Recipient(parse(DOWN), frozenset({Notify.SUCCESS}))
    await world.labo.submit(DR, [], letter(DR, [DOWN]), recipients=[asked])
    await world.settle()
    (report,) = await world.labo.inbox("dr")
    assert b"Action: relayed\r\n" in report
    assert ["accepted", "relayed"] == world.labo.receipts()


async def test_a_wrong_certificate_defers_and_raises_the_alarm(world: World) -> None:
    """Valid, of our own authority, and not the one the list names: not a word of mail (R-C2)."""
    clinic = await world.play()
    clinic.certificate = world.authority.issue("mx.evil.example", days=3500).der
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert [] == clinic.heard
    assert [State.DEFERRED] == world.labo.states()
    (copy,) = world.labo.copies()
    ((event, facts),) = world.labo.events
    assert ("peer.wrong_certificate", "next-hop-not-entitled") == (event, facts["reason"])
    assert copy.message.id == facts["message"]
    entries = await world.labo.books.journal.by_message(copy.message.id)
    assert "next-hop-not-entitled" == entries[-1].detail["reason"]
    page = world.labo.desk.metrics.page().decode()
    assert 'sceau_put_off_total{reason="next-hop-not-entitled"} 1.0' in page


async def test_a_certificate_outside_its_dates_has_its_own_reason(world: World) -> None:
    """The right one, too old: the member has forgotten to renew it."""
    clinic = await world.play()
    old = world.authority.issue("mx.clinique.example", organisation="clinique.example", days=1)
    clinic.certificate = old.der
    world.clock.advance(days=2)
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    ((event, facts),) = world.labo.events
    assert ("peer.wrong_certificate", "next-hop-expired") == (event, facts["reason"])


async def test_an_unreachable_peers_words_stay_out_of_the_log(world: World) -> None:
    """Code, enhanced code and our own word: a greeting may say anything."""
    await world.play()
    greeting = Reply(451, "4.3.2", "Dr Canari est absent")

    async def dial(name: str, port: int, entitled: Entitled) -> Open | Reply:
        return greeting

    world.labo.links["mx.clinique.example", 25] = dial
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    ((event, facts),) = world.labo.events
    told = {"domain": "clinique.example", "code": 451, "enhanced": "4.3.2"}
    assert ("peer.unreachable", told | {"reason": "peer-unreachable"}) == (event, facts)
    (copy,) = world.labo.copies()
    assert greeting == copy.delivery.said


async def test_our_own_stale_list_is_no_alarm_about_a_peer(world: World) -> None:
    """It went stale between our question and the handshake: nobody else is at fault."""
    clinic = await world.play()
    honest = clinic.dial

    async def dial(name: str, port: int, entitled: Entitled) -> Open | Reply:
        world.clock.advance(days=31)
        return await honest(name, port, entitled)

    world.labo.links["mx.clinique.example", 25] = dial
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert [] == [event for event, _ in world.labo.events if event == "peer.wrong_certificate"]
    assert [] == clinic.heard


async def test_an_open_connection_is_judged_again_for_each_message(world: World) -> None:
    """A certificate that left the list since is not used again."""
    clinic = await world.play()
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    world.lists.add(
        "clinique.example",
        world.authority.issue("mx2.clinique.example", days=3500),
        [("mx.clinique.example", 25)],
    )
    await world.publish()
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert 1 == len(clinic.heard)
    assert {State.RELAYED, State.DEFERRED} == set(world.labo.states())


async def test_a_member_removed_since_is_not_sent_to(world: World) -> None:
    """A removal takes effect on queued mail, and the sender is told (R-C7)."""
    clinic = await world.play(down=True)
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    clinic.down = False
    world.lists.remove("clinique.example")
    await world.publish()
    await world.settle()
    assert [] == clinic.heard
    assert {State.REFUSED, State.DELIVERED} == set(world.labo.states())
    (report,) = await world.labo.inbox("dr")
    assert b"not on the trust list" in report
    assert ["accepted", "refused"] == world.labo.receipts()


async def test_a_suspended_member_is_waited_for(world: World) -> None:
    """A suspension ends; what is meant for it waits."""
    clinic = await world.play(down=True)
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    clinic.down = False
    world.lists.change("clinique.example", status=Status.SUSPENDED)
    await world.publish()
    await world.settle()
    assert [State.DEFERRED] == world.labo.states()
    assert [] == clinic.heard
    world.lists.change("clinique.example", status=Status.ACTIVE)
    await world.publish()
    await world.later(minutes=1)
    assert [State.RELAYED] == world.labo.states()


async def test_a_stale_list_stops_everything_and_ages_nothing(world: World) -> None:
    """Our own stale list defers, for as long as it takes; a new one lets all go at once."""
    clinic = await world.play(down=True)
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    clinic.down = False
    world.clock.advance(days=31)
    await world.settle()
    (copy,) = [c for c in world.labo.copies() if c.recipient.address == DOWN]
    assert State.DEFERRED is copy.delivery.state
    assert copy.delivery.said == reply.LIST_STALE
    for _ in range(20):
        await world.later(hours=2)
    await world.publish()
    await world.settle()
    assert 1 == len(clinic.heard)


async def test_a_bug_over_one_message_stops_no_other(world: World) -> None:
    """The boundary of the item: told, put off, and after three times a person's business."""
    clinic = await world.play(breaks=RuntimeError("a bug"))
    await world.labo.submit(DR, [DOWN])
    await world.labo.submit(DR, [ACCUEIL])
    await world.settle()
    assert 1 == len(await world.chu.inbox("accueil"))
    assert {State.DEFERRED, State.DELIVERED} == set(world.labo.states())
    for _ in range(6):
        await world.later(hours=2)
    assert State.HELD in world.labo.states()
    crashes = [facts for event, facts in world.labo.events if event == "courier.crashed"]
    assert 3 == len(crashes)
    assert 1 == world.labo.books.review.register.count()
    assert clinic.dials >= 3


async def test_what_a_peer_took_is_written_down_though_the_disk_fails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their 250 is remembered until it can be recorded: it is not sent twice."""
    clinic = await world.play()
    failures = break_disk(monkeypatch, world.labo, clinic, times=2)
    monkeypatch.setattr(courier, "_BREATH", 0)
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert [] == failures
    assert 1 == len(clinic.heard)
    assert [State.RELAYED] == world.labo.states()


async def test_what_cannot_be_written_down_at_all_is_tried_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the claim ends: better twice than never (RFC 1047)."""
    clinic = await world.play()
    break_disk(monkeypatch, world.labo, clinic, times=1)
    monkeypatch.setattr(courier, "_LEAST_OF_LEASE", 1)  # no time left to try again
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert [State.SENDING] == world.labo.states()
    await world.later(seconds=901)
    assert [State.RELAYED] == world.labo.states()
    assert 2 == len(clinic.heard)


async def test_told_to_stop_it_waits_for_no_broken_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be recorded stays claimed: the next start takes it back."""
    async with World.opened(tmp_path) as world:
        clinic = await world.play()
        failures = break_disk(monkeypatch, world.labo, clinic, times=1000)
        monkeypatch.setattr(courier, "_BREATH", 3600)
        await world.labo.submit(DR, [DOWN])
        async with asyncio.timeout(10):
            while len(failures) == 1000:  # noqa: ASYNC110 - nobody rings a bell here
                await asyncio.sleep(0)
            await world.labo.courier.stop(3600)
        assert [State.SENDING] == world.labo.states()


async def test_a_bug_in_a_report_does_not_send_the_message_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What became of the message is recorded; that the telling failed is told to operators."""
    clinic = await world.play(says=NO, gate=asyncio.Event())
    await world.labo.submit(DR, [DOWN])

    async def reporting(*_: object) -> list[Statement]:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Notices, "reporting", reporting)
    assert clinic.gate is not None
    clinic.gate.set()
    await world.settle()
    assert [State.FAILED] == world.labo.states()
    assert "notice.crashed" in dict(world.labo.events)


async def test_an_attempt_that_takes_too_long_is_cut_before_its_claim_ends(
    tmp_path: Path,
) -> None:
    """Nobody else takes up what is still being tried."""
    async with World.opened(tmp_path, lease=0.1) as world:
        await world.play(gate=asyncio.Event())
        await world.labo.submit(DR, [DOWN])
        await world.settle()
        assert [State.DEFERRED] == world.labo.states()


async def test_a_null_mx_ends_it_at_once(world: World) -> None:
    """A domain that takes no mail is not waited for (RFC 7505)."""
    await world.play()
    world.lists.change("clinique.example", hosts=())
    await world.publish()
    world.labo.mx["clinique.example"] = Reply(556, "5.1.10", "Takes no mail")
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert State.FAILED in world.labo.states()


async def test_dns_says_where_when_the_list_does_not(world: World) -> None:
    """MX, then the same certificate check."""
    clinic = await world.play()
    world.lists.change("clinique.example", hosts=())
    await world.publish()
    world.labo.mx["clinique.example"] = Reply(451, "4.4.3", "No answer")
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert [State.DEFERRED] == world.labo.states()
    world.labo.mx["clinique.example"] = Hosts((("gone", 25), ("mx.clinique.example", 25)))
    world.labo.links["gone", 25] = Peer(b"", down=True).dial
    await world.later(minutes=1)
    assert 1 == len(clinic.heard)


async def test_mail_within_the_house_needs_no_wire(world: World) -> None:
    """Local recipients are filed in the transaction that says so, without copying the body."""
    await world.labo.add("secretariat")
    await world.labo.submit(DR, ["secretariat@labo.example"])
    await world.settle()
    assert 1 == len(await world.labo.inbox("secretariat"))
    assert ["accepted", "delivered", "delivered"] == sorted(world.labo.receipts())
    assert 1 == world.labo.bodies()


async def test_a_local_success_is_reported_when_asked(world: World) -> None:
    """NOTIFY=SUCCESS: delivered, said by us."""
    await world.labo.add("secretariat")
    asked = Recipient(parse("secretariat@labo.example"), frozenset({Notify.SUCCESS}))
    await world.labo.submit(DR, [], letter(DR, ["x@labo.example"]), recipients=[asked])
    await world.settle()
    (report,) = await world.labo.inbox("dr")
    assert b"Action: delivered\r\n" in report


async def test_a_mailbox_closed_since_fails(world: World) -> None:
    """Closed between our 250 and its delivery: the sender is told."""
    away = await world.labo.add("parti")
    world.lists.change("labo.example", status=Status.SUSPENDED)
    await world.publish()
    await world.labo.submit(DR, ["parti@labo.example"])
    await world.labo.books.accounts.set_status(away, Standing.CLOSED)
    world.lists.change("labo.example", status=Status.ACTIVE)
    await world.publish()
    await world.settle()
    assert State.FAILED in world.labo.states()
    assert b"no such mailbox" in (await world.labo.inbox("dr"))[-1]


async def test_what_a_crash_left_sending_goes_again(world: World) -> None:
    """SENDING, LOST, QUEUED: a restart needs nothing else."""
    clinic = await world.play(down=True)
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    database, spool = world.labo.rest.database, world.labo.books.spool
    clinic.down = False
    world.clock.advance(minutes=1)
    await database.commit([spool.claiming(world.clock(), timedelta(hours=1), 10)])
    assert [State.SENDING] == world.labo.states()
    await database.commit([spool.recovering(world.clock())])
    await world.settle()
    assert 1 == len(clinic.heard)
    assert 1 == world.labo.copies()[0].delivery.lost


async def test_what_was_claimed_and_not_begun_is_given_back(tmp_path: Path) -> None:
    """A stop finishes what is in hand and returns the rest, uncounted as lost."""
    async with World.opened(tmp_path, connections_per_peer=1) as world:
        gate = asyncio.Event()
        clinic = await world.play(gate=gate)
        for _ in range(3):
            await world.labo.submit(DR, [DOWN])
        await clinic.asked.wait()
        asyncio.get_running_loop().call_soon(gate.set)
        await world.labo.courier.stop(5)
        states = world.labo.states()
        assert len(clinic.heard) == states.count(State.RELAYED)
        assert {State.RELAYED, State.QUEUED} == set(states)
        assert 0 == sum(copy.delivery.lost for copy in world.labo.copies())


async def test_what_waited_too_long_for_its_turn_is_claimed_anew(tmp_path: Path) -> None:
    """A claim that could end in mid-attempt is given back: nobody sends what another may."""
    async with World.opened(tmp_path, connections_per_peer=1) as world:
        gate = asyncio.Event()
        clinic = await world.play(gate=gate)
        for _ in range(2):
            await world.labo.submit(DR, [DOWN])
        await clinic.asked.wait()
        world.clock.advance(minutes=8)
        gate.set()
        await world.settle()
        assert [State.RELAYED] * 2 == world.labo.states()
        assert [1, 2] == sorted(copy.delivery.attempts for copy in world.labo.copies())
        assert [0, 0] == [copy.delivery.lost for copy in world.labo.copies()]


def test_it_says_how_it_stands(world: World) -> None:
    """One line for operators."""
    assert "in hand" in repr(world.labo.courier)


async def test_a_row_that_does_not_open_stops_no_other(world: World) -> None:
    """A broken row is told of, and stays; what is due beside it goes."""
    clinic = await world.play(down=True)
    for _ in range(2):
        await world.labo.submit(DR, [DOWN])
    await world.settle()
    broken = world.labo.copies()[0].delivery.id
    await world.labo.rest.database.commit(
        [Statement("UPDATE delivery SET facts = x'00' WHERE id = ?", (broken,))]
    )
    clinic.down = False
    world.labo.courier.ring()
    world.clock.advance(minutes=1)
    await world.settle()
    assert 1 == len(clinic.heard)
    assert broken in [facts.get("delivery") for _, facts in world.labo.events]


async def test_what_was_sent_before_a_bug_is_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several recipients, those whose copies were taken are done, whatever comes after."""
    clinic = await world.play(recipients_max=1)

    def outgoing(one: Attempt, copies: tuple[Copy, ...]) -> Outgoing:
        if clinic.heard:
            raise RuntimeError("a bug")
        return honest_outgoing(one, copies)

    monkeypatch.setattr(carrier, "outgoing", outgoing)
    await world.labo.submit(DR, [DOWN, URGENCES])
    await world.settle()
    assert [State.RELAYED, State.DEFERRED] == world.labo.states()


async def test_a_list_that_changes_under_way_is_a_reason_to_wait(world: World) -> None:
    """Refused between our question and the handshake: put off, and asked again."""
    clinic = await world.play()
    honest = clinic.dial

    async def dial(name: str, port: int, entitled: Entitled) -> Open | Reply:
        world.lists.remove("clinique.example")
        offer = world.lists.offer(world.clock())
        await world.labo.keeper.offer("list", offer)
        return await honest(name, port, entitled)

    world.labo.links["mx.clinique.example", 25] = dial
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert [] == clinic.heard
    assert State.REFUSED in world.labo.states()


async def test_a_certificate_that_cannot_be_read_is_no_certificate(world: World) -> None:
    """Told as any wrong one."""
    clinic = await world.play()
    clinic.certificate = b"not a certificate"
    await world.labo.submit(DR, [DOWN])
    await world.settle()
    assert not dict(world.labo.events)["peer.wrong_certificate"]["certificate"]
