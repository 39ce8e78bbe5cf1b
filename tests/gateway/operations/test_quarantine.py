"""A person decides about what is held; the sender is told, and the journal why."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from gateway.operations import ruling
from gateway.operations.error import OperationError
from gateway.operations.perform import perform
from gateway.operations.quarantine import content_holder, holder
from gateway.operations.rooms import Rooms
from gateway.relay.delivery import State
from gateway.relay.delivery import holder as delivery_holder
from gateway.relay.message import Copy
from tests.gateway.operations.conftest import Ask, held, spooled
from tests.world.clock import Clock
from vault.database import Statement
from vault.errors import VaultError


async def bruno(rooms: Rooms, verb: str, **arguments: Any) -> Any:
    """Ask as another operator."""
    return msgspec.to_builtins(await perform(rooms, "operator:bruno", verb, arguments))


def strict(rooms: Rooms, *reasons: str) -> Rooms:
    """Return rooms where a release for these reasons needs two operators."""
    quarantine = rooms.settings.quarantine.model_copy(update={"second_operator": reasons})
    return replace(rooms, settings=rooms.settings.model_copy(update={"quarantine": quarantine}))


def state(rooms: Rooms, copy: Copy) -> State:
    found = rooms.spool.find(copy.delivery.id)
    assert found is not None
    return found.delivery.state


async def letters(rooms: Rooms) -> list[str]:
    """Return what was written to senders."""
    copies = [one for one in await rooms.spool.standing([State.QUEUED]) if one.message.ours]
    return [(await rooms.vault.read(delivery_holder(c.delivery.id))).decode() for c in copies]


async def test_a_case_says_who_to_whom_and_why(rooms: Rooms, ask: Ask) -> None:
    """Everything a reviewer needs to choose; neither content nor subject."""
    case, copy = await held(rooms)

    page = await ask("quarantine.list")
    (row,) = page["cases"]
    assert (1, "") == (page["waiting"], page["next"])
    shown = await ask("quarantine.show", case=case)
    assert (case, ["sender-suspended"], copy.message.reference, "dr@chu.example") == (
        row["id"],
        row["reasons"],
        row["reference"],
        row["recipient"],
    )
    assert {**row, "decided": None}.items() <= {**shown, "decided": None}.items()
    assert ("submission", True, None, False) == (
        shown["door"],
        shown["content"],
        shown["asked"],
        shown["two_operators"],
    )
    assert "Bilan" not in str((row, shown))


async def test_cases_come_by_pages(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """However many there are; of one state, or held for one reason."""
    cases = []
    for _ in range(3):
        cases.append((await held(rooms))[0])
        clock.advance(hours=1)
    first = await ask("quarantine.list", limit=2)
    second = await ask("quarantine.list", limit=2, after=first["next"])
    assert cases == [row["id"] for row in (*first["cases"], *second["cases"])]
    assert "" == second["next"]

    await ask("quarantine.refuse", case=cases[1], note="faux")
    for which in ("decided", "refused"):
        assert [cases[1]] == [
            row["id"] for row in (await ask("quarantine.list", state=which))["cases"]
        ]
    assert [] == (await ask("quarantine.list", state="released"))["cases"]
    assert 3 == len((await ask("quarantine.list", state="all"))["cases"])
    assert [] == (await ask("quarantine.list", reason="malware"))["cases"]
    with pytest.raises(OperationError, match="lost is no state"):
        await ask("quarantine.list", state="lost")


async def test_a_citizens_number_is_not_listed(rooms: Rooms, ask: Ask) -> None:
    """Their local part is the number by which the state knows them (R-G6)."""
    settings = rooms.settings
    journal = settings.journal.model_copy(update={"citizens": "gens.example"})
    rooms = replace(rooms, settings=settings.model_copy(update={"journal": journal}))
    case, _ = await held(rooms, to=["camille.essai@gens.example"])
    assert "camille" not in str(await bruno(rooms, "quarantine.list"))
    assert "camille" not in str(await bruno(rooms, "quarantine.show", case=case))
    await ask("quarantine.refuse", case=case, note="faux")
    await held(rooms, to=["123456789012345@patient.chu.example"])
    listed = await ask("quarantine.list")
    assert "123456789012345" not in str(listed)
    shown = await ask("quarantine.show", case=listed["cases"][0]["id"])
    assert "123456789012345" not in str(shown)


async def test_a_released_message_goes_on(rooms: Rooms, ask: Ask) -> None:
    """With the reviewer's words kept, in the case and in the message's story."""
    case, copy = await held(rooms)

    decided = await ask("quarantine.release", case=case, note="vu avec le labo")
    assert ("released", "done") == (decided["state"], decided["status"])
    assert State.QUEUED is state(rooms, copy)
    assert [] == (await ask("quarantine.list"))["cases"]
    (one,) = (await ask("quarantine.show", case=case))["copies"]
    assert ("vu avec le labo", "operator:anne") == (one["note"], one["by"])
    story = {entry.event: entry.detail for entry in await rooms.journal.by_message(copy.message.id)}
    assert ("vu avec le labo", ["sender-suspended"]) == (
        story["case.released"]["note"],
        story["case.released"]["reasons"],
    )
    found = rooms.register.find(case)
    assert found is not None
    with pytest.raises(VaultError):
        rooms.vault.size(holder(found))


async def test_a_refused_message_ends_and_its_sender_is_told(rooms: Rooms, ask: Ask) -> None:
    """Silent loss is what such systems are hated for; the reviewer may add a word."""
    await ask("mailbox.add", address="bio@labo.example")
    case, copy = await held(rooms)

    refused = await ask("quarantine.refuse", case=case, note="faux", tell="Renvoyez-le en PDF.")
    assert ("refused", "done") == (refused["state"], refused["status"])
    assert State.REFUSED is state(rooms, copy)
    (letter,) = await letters(rooms)
    assert "To: <bio@labo.example>" in letter
    assert letter.replace("=\r\n", "").count("Renvoyez-le en PDF.") == 2
    assert "suspended on the trust list" in letter.replace("=\r\n", "")
    assert "faux" not in letter, "the note is for the journal"


async def test_what_is_refused_can_still_be_looked_at(rooms: Rooms, ask: Ask) -> None:
    """Until the purge: the delivery's key is gone, the case has its own."""
    case, copy = await held(rooms)
    await ask("quarantine.refuse", case=case, note="faux")
    with pytest.raises(VaultError):
        rooms.vault.size(delivery_holder(copy.delivery.id))
    found = rooms.register.find(case)
    assert found is not None
    assert (await rooms.vault.read(holder(found))).startswith(b"Subject: Bilan")
    assert (await ask("quarantine.show", case=case))["content"]


async def test_a_sender_is_told_of_a_release(rooms: Rooms, ask: Ask) -> None:
    """It was told that the message waits, and wants to know."""
    await ask("mailbox.add", address="bio@labo.example")
    case, _ = await held(rooms)
    await ask("quarantine.release", case=case, note="vu", tell="Pensez au PDF.")
    (letter,) = await letters(rooms)
    assert "Subject: Message examin" in letter
    assert "Action: delayed" in letter
    assert "Pensez au PDF." in letter.replace("=\r\n", "")


async def test_some_recipients_and_then_the_others(rooms: Rooms, ask: Ask) -> None:
    """One decision for the ward, another for the list of forty."""
    to = ["dr@chu.example", "ide@chu.example", "garde@chu.example"]
    case, copy = await held(rooms, to=to)
    copies = rooms.spool.copies(copy.message.id)

    half = await ask("quarantine.release", case=case, note="vu", to=["IDE@chu.example"])
    assert ("held", 2) == (half["state"], half["waiting"])
    assert [State.HELD, State.QUEUED, State.HELD] == [state(rooms, one) for one in copies]
    with pytest.raises(OperationError, match=r"does not wait for ide@chu\.example"):
        await ask("quarantine.refuse", case=case, note="faux", to=to[1:])
    ended = await ask("quarantine.refuse", case=case, note="faux")
    assert ("released", 0) == (ended["state"], ended["waiting"])
    assert [State.REFUSED, State.QUEUED, State.REFUSED] == [state(rooms, one) for one in copies]


async def test_a_decision_is_taken_once(rooms: Rooms, ask: Ask) -> None:
    """The second reviewer is told that there was a first."""
    case, _ = await held(rooms)
    await ask("quarantine.refuse", case=case, note="faux")
    with pytest.raises(OperationError, match="was already decided"):
        await ask("quarantine.release", case=case, note="non, vrai")


async def test_two_reviewers_who_decide_at_once(rooms: Rooms, ask: Ask) -> None:
    """One decision stands with all that it means, the other changes nothing, and is told so."""
    case, copy = await held(rooms)
    answers = await asyncio.gather(
        ask("quarantine.release", case=case, note="vu"),
        bruno(rooms, "quarantine.refuse", case=case, note="faux"),
        return_exceptions=True,
    )

    (told,) = [one for one in answers if isinstance(one, OperationError)]
    (done,) = [one for one in answers if not isinstance(one, BaseException)]
    assert "was already decided" in str(told)
    expected = {"released": State.QUEUED, "refused": State.REFUSED}[done["state"]]
    assert expected is state(rooms, copy)
    events = [entry.event for entry in await rooms.journal.by_message(copy.message.id)]
    assert 1 == sum(event in {"case.released", "case.refused"} for event in events)
    found = rooms.register.find(case)
    assert found is not None
    assert content_holder(rooms, found) is not None


async def test_two_reviewers_about_two_recipients(rooms: Rooms, ask: Ask) -> None:
    """At the same moment, about the same case: neither is in the other's way."""
    case, _ = await held(rooms, to=["dr@chu.example", "ide@chu.example"])
    await asyncio.gather(
        ask("quarantine.refuse", case=case, note="faux", to=["dr@chu.example"]),
        bruno(rooms, "quarantine.refuse", case=case, note="faux", to=["ide@chu.example"]),
    )
    shown = await ask("quarantine.show", case=case)
    assert ("refused", True) == (shown["state"], shown["content"])
    assert ["operator:anne", "operator:bruno"] == [one["by"] for one in shown["copies"]]


async def test_a_crash_before_a_decision_is_written(
    rooms: Rooms, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it happened: the case waits, the message lies where it lay, nobody was told."""
    await ask("mailbox.add", address="bio@labo.example")
    case, copy = await held(rooms)
    before = rooms.register.find(case)
    crash = _crashing(rooms, monkeypatch, "held SET", after=False)
    with pytest.raises(OperationError, match="could not do it"):
        await ask("quarantine.refuse", case=case, note="faux")
    crash.undo()

    assert (before, State.HELD) == (rooms.register.find(case), state(rooms, copy))
    assert [] == await letters(rooms)
    assert "refused" == (await ask("quarantine.refuse", case=case, note="faux"))["state"]


async def test_a_crash_after_a_decision_was_written(
    rooms: Rooms, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it happened, once: who asks again is told that it is decided."""
    await ask("mailbox.add", address="bio@labo.example")
    case, copy = await held(rooms)
    crash = _crashing(rooms, monkeypatch, "held SET", after=True)
    with pytest.raises(OperationError, match="could not do it"):
        await ask("quarantine.refuse", case=case, note="faux")
    crash.undo()

    assert State.REFUSED is state(rooms, copy)
    with pytest.raises(OperationError, match="was already decided"):
        await ask("quarantine.refuse", case=case, note="faux")
    assert 1 == len(await letters(rooms))


async def test_a_crash_between_the_two_operators_and_the_release(
    rooms: Rooms, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their agreement is used up, the message waits: they ask once more, and nothing went by itself."""
    rooms = strict(rooms, "sender-suspended")
    case, copy = await held(rooms)
    assert "waiting" == (await bruno(rooms, "quarantine.release", case=case, note="vu"))["status"]
    crash = _crashing(rooms, monkeypatch, "held SET", after=False)
    with pytest.raises(OperationError, match="could not do it"):
        await perform(rooms, "operator:anne", "quarantine.release", {"case": case, "note": "vu"})
    crash.undo()

    assert State.HELD is state(rooms, copy)
    assert "waiting" == (await bruno(rooms, "quarantine.release", case=case, note="vu"))["status"]


def _crashing(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, what: str, *, after: bool
) -> pytest.MonkeyPatch:
    """Have the machine fail at the transaction that does something, before or after its commit."""
    commit = rooms.database.commit

    async def failing(statements: Sequence[Statement]) -> object:
        meant = any(what in statement.sql for statement in statements)
        if meant and not after:
            raise VaultError("the disk is gone")
        done = await commit(statements)
        if meant:
            raise VaultError("the disk is gone")
        return done

    monkeypatch.setattr(rooms.database, "commit", failing)
    return monkeypatch


async def test_a_release_needs_a_reason(rooms: Rooms, ask: Ask) -> None:
    """It lets pass what a rule stopped."""
    case, _ = await held(rooms)
    with pytest.raises(OperationError, match="needs a note"):
        await ask("quarantine.release", case=case, note=" ")


async def test_a_release_by_two(rooms: Rooms, ask: Ask) -> None:
    """One operator, even twice, releases nothing; the second does. A refusal needs one."""
    rooms = strict(rooms, "sender-suspended")
    case, copy = await held(rooms)
    other, _ = await held(rooms)
    for _ in range(2):
        waits = await bruno(rooms, "quarantine.release", case=case, note="vu")
        assert ("waiting", "held") == (waits["status"], waits["state"])
    assert State.HELD is state(rooms, copy)
    shown = await bruno(rooms, "quarantine.show", case=case)
    assert ("operator:bruno", True) == (shown["asked"], shown["two_operators"])

    anne = await perform(
        rooms, "operator:anne", "quarantine.release", {"case": case, "note": "oui"}
    )
    assert "done" == msgspec.to_builtins(anne)["status"]
    assert State.QUEUED is state(rooms, copy)
    assert "done" == (await bruno(rooms, "quarantine.refuse", case=other, note="non"))["status"]
    assert (await ask("quarantine.show", case=case))["asked"] is None


async def test_two_must_agree_on_the_very_same(rooms: Rooms) -> None:
    """Who asked for one recipient has not asked for another."""
    rooms = strict(rooms, "sender-suspended")
    case, _ = await held(rooms, to=["dr@chu.example", "ide@chu.example"])
    for who, to in (("anne", ["dr@chu.example"]), ("bruno", ["ide@chu.example"]), ("bruno", None)):
        words = {"case": case, "note": "vu", "to": to}
        said = await perform(rooms, f"operator:{who}", "quarantine.release", words)
        assert "waiting" == msgspec.to_builtins(said)["status"]


async def test_an_unknown_case_is_refused(ask: Ask) -> None:
    """With the way to find the right one."""
    with pytest.raises(OperationError, match="there is no case 42"):
        await ask("quarantine.show", case="42")


async def test_a_case_nobody_decides_expires(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """A message is never held for ever without a word."""
    await ask("mailbox.add", address="bio@labo.example")
    case, copy = await held(rooms)

    assert 0 == await ruling.expire(rooms)
    clock.now += timedelta(days=31)
    assert 1 == await ruling.expire(rooms)
    assert State.EXPIRED is state(rooms, copy)
    (letter,) = await letters(rooms)
    assert "nobody looked at it in time" in letter.replace("=\r\n", "")
    shown = await ask("quarantine.show", case=case)
    assert ("expired", "gateway", True) == (
        shown["state"],
        shown["copies"][0]["by"],
        shown["content"],
    )


async def test_a_case_ends_with_the_message_that_is_cancelled(rooms: Rooms, ask: Ask) -> None:
    """Nobody is asked to judge what will go nowhere."""
    case, copy = await held(rooms)
    await ask("spool.cancel", what=copy.message.id)

    assert [] == (await ask("quarantine.list"))["cases"]
    shown = await ask("quarantine.show", case=case)
    assert ("cancelled", False) == (shown["state"], shown["content"])
    assert "operator:anne" == shown["copies"][0]["by"]
    with pytest.raises(OperationError, match="was already decided"):
        await ask("quarantine.release", case=case, note="vu")


async def test_a_case_that_cannot_end_stands_in_nobodys_way(
    rooms: Rooms, ask: Ask, clock: Clock
) -> None:
    """The others expire all the same."""
    _, stuck = await held(rooms)
    case, _ = await held(rooms)
    await rooms.database.commit(
        [Statement("UPDATE delivery SET state = 'cancelled' WHERE id = ?", (stuck.delivery.id,))]
    )
    clock.advance(days=31)

    assert 1 == await ruling.expire(rooms)
    assert "expired" == (await ask("quarantine.show", case=case))["state"]


async def test_words_to_the_sender_are_a_paragraph(rooms: Rooms, ask: Ask) -> None:
    """Nothing typed begins another line of the letter, and nobody writes a novel."""
    await ask("mailbox.add", address="bio@labo.example")
    case, _ = await held(rooms)
    with pytest.raises(OperationError, match="have 1001 characters"):
        await ask("quarantine.refuse", case=case, note="x", tell="y" * 1001)
    await ask("quarantine.refuse", case=case, note="x", tell="un\r\n\r\n--=_x\r\n\x1b[2Jdeux")
    (letter,) = await letters(rooms)
    assert "un --=3D_x [2Jdeux" in letter.replace("=\r\n", "")


async def test_decisions_are_counted(rooms: Rooms, ask: Ask) -> None:
    """A refusal by a person is an end like any other."""
    case, _ = await held(rooms, to=["dr@chu.example", "ide@chu.example"])
    await ask("quarantine.refuse", case=case, note="faux")
    assert 2 == rooms.metrics.deliveries.labels(State.REFUSED)._value.get()


async def test_notes_beside_a_case(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """Who looks next reads what the last one learnt."""
    case, _ = await held(rooms)
    await ask("quarantine.note", case=case, text="Le labo rappelle à 15 h.")
    clock.advance(hours=1)
    shown = await bruno(rooms, "quarantine.note", case=case, text="Rappelé : c'est bien d'eux.")
    assert [
        ("operator:anne", "Le labo rappelle à 15 h."),
        ("operator:bruno", "Rappelé : c'est bien d'eux."),
    ] == [(note["by"], note["note"]) for note in shown["notes"]]
    with pytest.raises(OperationError, match="says nothing"):
        await ask("quarantine.note", case=case, text=" ")


async def test_the_purge_destroys_the_keys_and_the_journal_stays(
    rooms: Rooms, ask: Ask, clock: Clock
) -> None:
    """After its time nobody can open what was refused, and anybody can read that it was."""
    case, copy = await held(rooms)
    waiting, _ = await held(rooms)
    await ask("quarantine.refuse", case=case, note="faux")
    found = rooms.register.find(case)
    assert found is not None
    body = rooms.vault.held(holder(found)).id
    clock.advance(days=89)
    assert 0 == await ruling.purge(rooms)
    assert (await ask("quarantine.show", case=case))["content"]

    clock.advance(days=2)
    assert 1 == await ruling.purge(rooms)
    with pytest.raises(VaultError):
        rooms.vault.size(holder(found))
    assert [] == rooms.database.read("SELECT 1 FROM body WHERE id = ?", (int(body, 16),))
    with pytest.raises(OperationError, match="there is no case"):
        await ask("quarantine.show", case=case)
    assert (await ask("quarantine.show", case=waiting))["content"]
    story = {entry.event: entry.detail for entry in await rooms.journal.by_message(copy.message.id)}
    assert "faux" == story["case.refused"]["note"]
    assert ["sender-suspended"] == story["case.purged"]["reasons"]
    assert [] == rooms.database.read("SELECT 1 FROM remark")


async def test_a_legal_hold_of_the_journal_keeps_the_case_too(
    rooms: Rooms, ask: Ask, clock: Clock
) -> None:
    """Whether it names the message or one of its people."""
    await ask("journal.hold", what="bio@labo.example", reason="réquisition")
    case, _ = await held(rooms)
    await ask("quarantine.refuse", case=case, note="faux")
    clock.advance(days=91)
    assert 0 == await ruling.purge(rooms)
    assert (await ask("quarantine.show", case=case))["content"]


async def test_a_crash_in_the_purge_keeps_the_case(
    rooms: Rooms, ask: Ask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a case without its content, nor content without its case: the next round ends it."""
    case, _ = await held(rooms)
    await ask("quarantine.refuse", case=case, note="faux")
    clock.advance(days=91)
    crash = _crashing(rooms, monkeypatch, "FROM hold", after=False)
    with pytest.raises(VaultError):
        await ruling.purge(rooms)
    crash.undo()
    assert (await ask("quarantine.show", case=case))["content"]
    assert 1 == await ruling.purge(rooms)
    assert 0 == await ruling.purge(rooms)


async def test_what_is_forgotten_of_the_spool_waits_for_the_case(
    rooms: Rooms, ask: Ask, clock: Clock
) -> None:
    """A case is shown with its message as long as it is there, and both go in the end."""
    case, copy = await held(rooms)
    await ask("quarantine.refuse", case=case, note="faux")
    clock.advance(days=91)
    await rooms.spool.forget(rooms.clock(), timedelta(days=60))
    assert rooms.spool.find(copy.delivery.id) is not None
    await ruling.purge(rooms)
    await rooms.spool.forget(rooms.clock(), timedelta(days=60))
    assert rooms.spool.find(copy.delivery.id) is None


async def test_a_legal_hold_keeps_the_content_whatever_happens(
    rooms: Rooms, ask: Ask, clock: Clock
) -> None:
    """Released, cancelled or refused, and past its time: it stays until the hold is lifted."""
    released, _ = await held(rooms)
    cancelled, copy = await held(rooms)
    for case in (released, cancelled):
        shown = await ask("quarantine.preserve", case=case, note="réquisition 12/26")
        assert (True, "done") == (shown["preserved"], shown["status"])
    with pytest.raises(OperationError, match="is under a legal hold"):
        await ask("quarantine.preserve", case=released, note="encore")
    await ask("quarantine.release", case=released, note="vu")
    await ask("spool.cancel", what=copy.message.id)
    await rooms.database.commit([Statement("UPDATE delivery SET state = 'delivered'")])
    clock.advance(days=400)

    assert 0 == await ruling.purge(rooms)
    for case in (released, cancelled):
        shown = await ask("quarantine.show", case=case)
        assert (True, "réquisition 12/26") == (shown["content"], shown["preserved_by"]["note"])
        await ask("quarantine.preserve", case=case, note="close", lift=True)
    assert 2 == await ruling.purge(rooms)
    assert [] == rooms.database.read("SELECT holder FROM wrap WHERE holder LIKE 'hold/%'")


async def test_lifting_a_legal_hold_needs_as_many_as_a_release(rooms: Rooms, ask: Ask) -> None:
    """Where two must release, one alone destroys no evidence."""
    rooms = strict(rooms, "sender-suspended")
    case, _ = await held(rooms)
    await ask("quarantine.preserve", case=case, note="réquisition")
    words = {"case": case, "note": "close", "lift": True}
    assert "waiting" == (await bruno(rooms, "quarantine.preserve", **words))["status"]
    done = msgspec.to_builtins(await perform(rooms, "operator:anne", "quarantine.preserve", words))
    assert ("done", False) == (done["status"], done["preserved"])
    with pytest.raises(OperationError, match="is under no legal hold"):
        await bruno(rooms, "quarantine.preserve", **words)
    with pytest.raises(OperationError, match="needs a note"):
        await bruno(rooms, "quarantine.preserve", case=case, note="")


async def test_a_message_in_the_spool_alone_is_no_case(rooms: Rooms, ask: Ask) -> None:
    """Only what is held waits for a person."""
    await spooled(rooms)
    assert [] == (await ask("quarantine.list", state="all"))["cases"]
