"""Who uses whose mailbox, leaving, being away, and the rule of two."""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from gateway.operations.consent import LIFE, agreed
from gateway.operations.error import OperationError
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from imap.index import index_of
from imap.store import INBOX, Arrival, Summary, holder, new_entry_id
from smtp.address import parse
from tests.gateway.operations.conftest import Ask
from tests.world.clock import Clock
from tests.world.rest import blocks

WARD, NURSE = "cardio@labo.example", "ines@labo.example"


@pytest.fixture
async def house(ask: Ask) -> None:
    """An organisation's mailbox, and a nurse's."""
    await ask("mailbox.add", address=WARD, kind="ORG")
    await ask("mailbox.add", address=NURSE, name="Inès")


async def second(rooms: Rooms, verb: str, **arguments: Any) -> Any:
    """Ask as another operator."""
    return msgspec.to_builtins(await perform(rooms, "operator:bruno", verb, arguments))


async def file(rooms: Rooms, address: str, body: bytes) -> None:
    """Put a message into a mailbox."""
    owner = rooms.accounts.find(parse(address))
    assert owner is not None
    entry = Arrival(new_entry_id(), len(body), rooms.clock(), Summary(), index_of(body))
    sealed = await rooms.vault.put(blocks(body))
    await rooms.database.commit(
        [
            *rooms.vault.holding(sealed, [holder(entry.id)]),
            *rooms.mailboxes.filing(owner.id, INBOX, entry),
        ]
    )


@pytest.mark.usefixtures("house")
async def test_a_mailbox_is_shared_and_no_more(ask: Ask) -> None:
    """Both sides are shown, and taking rights away is journalled like giving them."""
    given = await ask("mailbox.share", address=WARD, person=NURSE, rights="member")
    assert "lrswipkxte" == given["rights"]
    shown = await ask("mailbox.people", address=WARD)
    assert [(NURSE, "Inès", True)] == [
        (row["address"], row["name"], row["posts"]) for row in shown["used_by"]
    ]
    assert WARD == (await ask("mailbox.people", address=NURSE))["uses"][0]["address"]

    await ask("mailbox.unshare", address=WARD, person=NURSE)
    assert [] == (await ask("mailbox.people", address=WARD))["used_by"]
    with pytest.raises(OperationError, match="no rights on the mailbox"):
        await ask("mailbox.unshare", address=WARD, person=NURSE)


@pytest.mark.usefixtures("house")
async def test_rights_that_are_none_are_refused_in_words(ask: Ask) -> None:
    """The letters are named, and nothing is given."""
    with pytest.raises(OperationError, match="'yz' is no right"):
        await ask("mailbox.share", address=WARD, person=NURSE, rights="yz")


@pytest.mark.usefixtures("house")
async def test_what_lies_in_a_closed_mailbox_is_handed_over_by_two(rooms: Rooms, ask: Ask) -> None:
    """One operator alone, even twice, hands nothing over; the second one does."""
    await file(rooms, WARD, b"Subject: un\r\n\r\nbonjour\r\n")
    with pytest.raises(OperationError, match="its own person's"):
        await ask("mailbox.handover", address=WARD, to=NURSE)
    await ask("mailbox.close", address=WARD, successor=NURSE)

    for _ in range(2):
        asked = await ask("mailbox.handover", address=WARD, to=NURSE)
        assert ("waiting", 0) == (asked["status"], asked["messages"])
    done = await second(rooms, "mailbox.handover", address=WARD, to=NURSE)
    assert ("done", 1) == (done["status"], done["messages"])

    (row,) = await ask("mailbox.show", address=NURSE, folder="Reprise/cardio/INBOX", content=True)
    assert b"bonjour" in base64.b64decode(row["content"])
    assert [] == await ask("mailbox.show", address=WARD)


@pytest.mark.usefixtures("house")
async def test_nothing_is_handed_to_who_is_gone_too(ask: Ask) -> None:
    """Nor to oneself."""
    await ask("mailbox.close", address=WARD)
    await ask("mailbox.close", address=NURSE)
    for to in (NURSE, WARD):
        with pytest.raises(OperationError, match="cannot take it"):
            await ask("mailbox.handover", address=WARD, to=to)


@pytest.mark.usefixtures("house")
async def test_a_successor_must_fit_into_a_reply(ask: Ask) -> None:
    """An address beyond ASCII would make no reply at all."""
    with pytest.raises(OperationError, match="fits into no reply"):
        await ask("mailbox.close", address=WARD, successor="éric@labo.example")


@pytest.mark.usefixtures("house")
async def test_an_absence_is_set_shown_and_ended(ask: Ask) -> None:
    """In the owner's words, with its dates."""
    until = "2099-01-02T08:00:00Z"
    set_ = await ask("mailbox.absence", address=NURSE, text="En congé.", until=until)
    assert (True, "En congé.") == (set_["away"], set_["text"])
    assert set_ == await ask("mailbox.absence", address=NURSE)
    ended = await ask("mailbox.absence", address=NURSE, end=True)
    assert (False, None) == (ended["away"], ended["text"])
    with pytest.raises(OperationError, match="ends before it begins"):
        await ask("mailbox.absence", address=NURSE, text="x", until="2001-01-01")


async def test_an_asking_lapses(rooms: Rooms, clock: Clock) -> None:
    """After a day the first operator's word is worth nothing."""
    anne, bruno = (replace(rooms, actor=f"operator:{who}") for who in ("anne", "bruno"))
    assert not await agreed(anne, "x", "y")
    clock.advance(seconds=LIFE.total_seconds() + 1)
    assert not await agreed(bruno, "x", "y")
    clock.advance(seconds=timedelta(hours=1).total_seconds())
    assert await agreed(anne, "x", "y")
    assert not await agreed(anne, "x", "y")
