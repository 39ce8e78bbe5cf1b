"""Operators see what directories say of addresses, and of ours."""

from pathlib import Path

import pytest

from gateway.demo.pki import Authority
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from smtp.address import parse
from tests.gateway.operations.conftest import Ask
from tests.trust.extraction import finess, row, rpps, text
from tests.world.clock import Clock
from tests.world.lists import Lists
from tests.world.site import Site
from trust.directory.report import Report
from trust.formats import annuaire, fhir

ZOE = f"rpps:{rpps(7)}"
_SECTIONS = """
[[trust.directory]]
name = "annuaire"
file = "annuaire.txt"
"""


@pytest.fixture
def site(tmp_path: Path, authority: Authority, lists: Lists) -> Site:
    """A site with an extraction dropped in its folder."""
    made = Site.make(tmp_path / "labo", "labo.example", authority, lists, _SECTIONS)
    lists.add("labo.example", made.issued)
    (made.folder / "annuaire.txt").write_bytes(
        text(
            row(adresse="zoe@labo.example", identification_nationale=f"8{rpps(7)}", nom="BARBER"),
            row(adresse="gone@labo.example"),
            row(adresse="paul@chu.example", identification_nationale=f"8{rpps(8)}"),
            row(adresse="paul@chu.example"),
            "nonsense",
        )
    )
    return made


async def test_how_a_directory_stands(ask: Ask, rooms: Rooms, clock: Clock) -> None:
    """Before the first look, after it, and when nobody has published for long."""
    (before,) = await ask("directory.status")
    assert (0, True, None) == (before["addresses"], before["stale"], before["outcome"])
    (look,) = await ask("directory.refresh", name="annuaire")
    assert "accepted" == look["outcome"]

    (after,) = await ask("directory.status")
    assert (3, 2, False) == (after["addresses"], after["domains"], after["stale"])
    assert "5 rows, 2 left out (columns 1, repeated 1)" == after["rows"]
    assert rooms.keeper.current is None or rooms.keeper.current.directories
    clock.advance(days=13)
    assert (await ask("directory.status"))[0]["stale"]


async def test_kept_over_a_restart(ask: Ask, rooms: Rooms) -> None:
    """What was taken in is there again before the first look."""
    await ask("directory.refresh")
    rooms.directories._shelves["annuaire"].directory = None
    rooms.directories._restored = False

    assert 3 == (await ask("directory.status"))[0]["addresses"]


async def test_what_is_said_of_an_address_or_a_holder(ask: Ask) -> None:
    """Operators ask by either."""
    await ask("directory.refresh")

    (found,) = await ask("directory.show", about="ZOE@labo.example")
    assert ("zoe@labo.example", ZOE, "BARBER") == (
        found["address"], found["person"], found["name"]
    )  # fmt: skip
    assert [found] == await ask("directory.show", about=ZOE)
    assert [] == await ask("directory.show", about="nobody@labo.example")


@pytest.mark.parametrize(
    ("verb", "arguments", "words"),
    [
        ("show", {"about": "rpps:12"}, "neither an address nor a holder"),
        ("refresh", {"name": "other"}, "no directory is called other"),
        ("publish", {"format": "xml"}, "xml is no format"),
    ],
)
async def test_asked_wrongly(ask: Ask, verb: str, arguments: dict[str, str], words: str) -> None:
    """The answer says what would be right."""
    with pytest.raises(OperationError, match=words):
        await ask(f"directory.{verb}", **arguments)


async def test_ours_as_a_directory_has_them(ask: Ask) -> None:
    """Open mailboxes are published with whose they are; applications and hidden ones are not."""
    await ask("mailbox.add", address="zoe@labo.example", name="Zoé", holder=ZOE)
    ward = f"finess:{finess(3)}"
    await ask("mailbox.add", address="ward@labo.example", kind="ORG", name="Labo", holder=ward)
    await ask("mailbox.add", address="machine@labo.example", kind="APP")
    await ask("mailbox.add", address="shy@labo.example")
    await ask("mailbox.describe", address="shy@labo.example", hidden=True)
    await ask("mailbox.add", address="old@labo.example")
    await ask("mailbox.close", address="old@labo.example")

    flat = await ask("directory.publish")
    told = await ask("directory.publish", format="fhir")
    found = list(annuaire.entries(flat["content"].encode(), Report()))
    assert (2, 2) == (flat["mailboxes"], told["mailboxes"])
    assert [("zoe@labo.example", ZOE), ("ward@labo.example", ward)] == [
        (entry.address, entry.holder) for entry in found
    ]
    assert tuple(found) == fhir.page(told["content"].encode(), Report()).entries


async def test_where_they_differ(ask: Ask) -> None:
    """Listed but closed, open but unlisted, and whose: each is a line."""
    await ask("directory.refresh")
    await ask("mailbox.add", address="zoe@labo.example", kind="CAB", holder=f"rpps:{rpps(9)}")
    await ask("mailbox.add", address="new@labo.example")

    rows = await ask("directory.reconcile")
    assert [
        ("gone@labo.example", "listed-closed"),
        ("new@labo.example", "open-unlisted"),
        ("zoe@labo.example", "holder"),
        ("zoe@labo.example", "kind"),
    ] == [(each["address"], each["finding"]) for each in rows]


async def test_a_holder_is_checked(ask: Ask, rooms: Rooms) -> None:
    """A wrong check digit is noticed when the mailbox is made, or described anew."""
    with pytest.raises(OperationError, match="names no holder"):
        await ask("mailbox.add", address="x@labo.example", holder="rpps:10003456789")
    assert rooms.accounts.find(parse("x@labo.example")) is None

    await ask("mailbox.add", address="x@labo.example", name="X")
    made = await ask("mailbox.describe", address="x@labo.example", holder=ZOE)
    assert ("X", ZOE, False) == (made["name"], made["holder"], made["hidden"])
    await ask("mailbox.close", address="x@labo.example")
    with pytest.raises(OperationError, match="closed"):
        await ask("mailbox.describe", address="x@labo.example", name="Y")
