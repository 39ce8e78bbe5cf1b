"""Receipts, keys, the journal and the stories it tells."""

import base64

import pytest

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.trace import summary
from tests.gateway.operations.conftest import Ask, spooled
from tests.world.clock import START
from tests.world.lists import Lists
from vault.database import Statement
from vault.journal import Entry


async def test_receipts_are_shown_and_sent_again(rooms: Rooms, ask: Ask) -> None:
    """An integrator who lost some asks for them by mailbox or by message."""
    made = await ask("mailbox.add", address="bio@labo.example")
    await spooled(rooms)
    await ask("spool.cancel", what="<1@labo>")
    (row,) = await ask("receipts.tail", mailbox="bio@labo.example")
    await rooms.outbox.sent([row["seq"]], rooms.clock())

    assert (made["key"], "<1@labo>") == (row["mailbox"], row["subject"])
    assert [] == await ask("receipts.tail", mailbox="0000")
    later = "2030-01-01T00:00:00"
    assert {"receipts": 0} == await ask("receipts.resend", mailbox=made["key"], since=later)
    assert {"receipts": 1} == await ask("receipts.resend", message="<1@labo>")
    assert 1 == rooms.outbox.waiting()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "everything would be sent again"),
        ({"mailbox": "x@labo.example"}, "there is no mailbox"),
        ({"mailbox": "00", "since": "yesterday"}, "yesterday is no time"),
    ],
)
async def test_a_resend_is_never_of_everything(
    ask: Ask, arguments: dict[str, str], words: str
) -> None:
    """A slip must not flood every consumer."""
    with pytest.raises(OperationError, match=words):
        await ask("receipts.resend", **arguments)


async def test_a_rotated_ring_says_what_each_key_still_opens(rooms: Rooms, ask: Ask) -> None:
    """An old key may go when it opens nothing."""
    await spooled(rooms)

    assert {"ring": 2} == await ask("keys.rotate")
    found = await ask("keys.list")
    old, new = found["keys"]
    assert rooms.ring.public_key.hex() == found["journal_key"]
    assert (False, True) == (old["current"], new["current"])
    assert (1, 0) == (old["wraps"], new["wraps"])


async def test_a_journal_that_was_changed_is_found(rooms: Rooms, ask: Ask) -> None:
    """The audit proves itself."""
    await ask("mailbox.list")
    await rooms.journal.sign_head(rooms.clock())
    assert 2 == (await ask("journal.verify"))["rows"]
    await rooms.database.commit([Statement("UPDATE journal SET actor = 'nobody' WHERE seq = 1")])

    with pytest.raises(OperationError, match="tampered with or is damaged"):
        await ask("journal.verify")


async def test_the_journal_is_exported_in_pages(ask: Ask) -> None:
    """However long it has become."""
    for _ in range(3):
        await ask("mailbox.list")

    first = await ask("journal.export", limit=2)
    assert ([1, 2], None) == ([row["seq"] for row in first["rows"]], first["ends"])
    last = await ask("journal.export", after=2)
    assert ([3, 4, 5], 2) == ([row["seq"] for row in last["rows"]], last["begins"]["after"])
    assert "seq 5" in last["ends"]["head"]


async def test_a_story_is_found_by_every_name_of_the_message(rooms: Rooms, ask: Ask) -> None:
    """'Where is that message?' is asked with whatever the caller has."""
    copy = await spooled(rooms)
    heard = copy.message.reference.replace("0", "o").replace("-", " ").lower()
    names = ("1@labo", "<1@labo>", copy.message.reference, heard, copy.message.id, "dr@chu.example")
    for name in names:
        assert ["message.accepted"] == [row["event"] for row in await ask("trace", what=name)]


async def test_a_story_outlives_the_rows_of_its_message(rooms: Rooms, ask: Ask) -> None:
    """The journal is kept longer than the spool."""
    copy = await spooled(rooms)
    await rooms.database.commit(
        [Statement("DELETE FROM delivery"), Statement("DELETE FROM message")]
    )

    story = await ask("trace", what=copy.message.id.lower())
    assert ["message.accepted"] == [row["event"] for row in story]


@pytest.mark.parametrize("what", ["nobody@chu.example", "AAAA-BBBB", "<x>"])
async def test_what_the_journal_does_not_know_is_said_so(ask: Ask, what: str) -> None:
    """Rather than an empty page."""
    with pytest.raises(OperationError, match="knows nothing of"):
        await ask("trace", what=what)


def test_a_line_of_the_story_reads_like_one() -> None:
    """Who, to whom, why, in whose words; nothing empty."""
    entry = Entry(
        seq=1,
        at=START,
        event="delivery.deferred",
        actor="operator:anne",
        message="01M81T68GTTSNED2W91JQYKJAS",
        who="a@labo.example",
        whom="b@chu.example",
        detail={
            "delivery": "01M81T68GTTSNED2W91JQYKJAS.1",
            "attempts": 2,
            "said": "451 4.4.1 Not now",
            "reason": "peer-deferred",
            "hosts": ["mx1", {"port": 25}],
            "empty": "",
        },
    )

    expected = (
        "1JQY-KJAS; a@labo.example → b@chu.example; peer-deferred; 451 4.4.1 Not now;"
        " attempts 2; hosts mx1, port 25; by operator:anne"
    )
    assert expected == summary(entry)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("next-hop-not-entitled", "the trust list does not name for it; nothing was sent there"),
        ("next-hop-expired", "ask the member to renew it"),
        ("peer-unreachable", "no server of that domain could be reached"),
        ("peer-backed-off", "`sceau spool retry` tries at once"),
    ],
)
def test_what_a_reason_means_is_said(reason: str, words: str) -> None:
    """A slug is for programs; whoever reads the story must know whom to call."""
    entry = Entry(1, START, "delivery.deferred", "gateway", None, None, None, {"reason": reason})

    assert summary(entry).startswith(f"{reason}; ")
    assert words in summary(entry)


async def test_a_peers_certificate_is_explained(
    ask: Ask, lists: Lists, site_certificate: str
) -> None:
    """The answer to why that peer was turned away."""
    content, signature = (base64.b64encode(each).decode() for each in lists.published(START))
    await ask("trust.import", octets=content, signatures=[signature])
    steps = await ask(
        "trust.explain",
        recipient="x@labo.example",
        sender="x@chu.example",
        certificate=site_certificate,
    )

    assert "refuse" == steps[-1]["outcome"]
