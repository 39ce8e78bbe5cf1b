"""Software's mail in a folder: there whole or not at all, once, and only if the folder is there."""

import errno
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.documents import packing, xdm
from gateway.relay.delivery import State
from gateway.relay.handing import folder as room
from gateway.relay.handing.folder import AWAY, FULL, KEPT, THERE, Folders, named, put
from smtp.address import parse
from smtp.envelope import Recipient
from smtp.reply import Reply
from smtp.send.outgoing import Outgoing
from tests.gateway.documents.made import parcel
from tests.gateway.relay.handing.test_lines import DR, house, server
from tests.world.world import World

APP, ID = parse("logiciel@labo.example"), "01J0000000000000000000TEST"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World.opened(tmp_path) as made:
        await made.labo.add("logiciel")
        yield made


def software(path: Path) -> dict[str, object]:
    return {"kind": "folder", "path": path, "domains": [], "mailboxes": [APP]}


def lying(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def result() -> bytes:
    made = parcel(sender=parse(DR), recipients=(APP,), message_id="<1@labo.example>")
    return packing.pack(made, xdm.Sender("Labo", DR))


async def handed(path: Path, content: bytes = b"\r\n") -> Reply:
    """Hand one message over as the courier does; what is said of it."""

    async def body() -> AsyncIterator[bytes]:
        yield content

    link = await Folders(path).open()
    if isinstance(link, Reply):
        return link
    said = await link.send(Outgoing(parse(DR), (Recipient(APP),), 2, transfer=ID), body())
    await link.close()
    return said.replies[0][1]


async def test_software_finds_its_mail_in_a_folder(world: World, tmp_path: Path) -> None:
    """Delivered means that it lies there whole; both ends' software is told, and no name is."""
    path = tmp_path / "recu"
    path.mkdir()
    house(world.labo, server(**software(path)))

    await world.labo.submit(DR, [APP], result())
    await world.settle()

    assert [State.DELIVERED] == world.labo.states()
    (name,) = lying(path)
    there = path / name
    about = json.loads((there / "message.json").read_text())
    assert APP == about["to"]
    assert (there / "document-1.xml").read_bytes().startswith(b"<?xml")
    assert 0o770 == there.stat().st_mode & 0o777
    assert 0o660 == (there / "message.eml").stat().st_mode & 0o777
    rows = world.labo.books.outbox.tail()
    arrived = [json.loads(each.payload or b"") for each in rows]
    (event,) = (each for each in arrived if each["data"].get("reason") == "arrived")
    assert "sante.sceau.delivery.delivered" == event["type"]
    assert "logiciel" not in json.dumps(event)


async def test_a_folder_that_is_away_is_waited_for(world: World, tmp_path: Path) -> None:
    """Nothing is lost while a share is not mounted, and nothing is made in its place."""
    path = tmp_path / "nowhere"
    house(world.labo, server(**software(path)))

    await world.labo.submit(DR, [APP])
    await world.settle()

    assert [State.DEFERRED] == world.labo.states()
    assert not path.exists()


async def test_it_lies_there_once(tmp_path: Path) -> None:
    """A second attempt, after a crash, finds what the first one did."""
    assert KEPT == await handed(tmp_path)
    assert THERE == await handed(tmp_path)

    assert [named(ID, APP)] == lying(tmp_path)


async def test_half_a_message_is_begun_again(tmp_path: Path) -> None:
    """What a crash left half-written was never visible, and gives way."""
    draft = tmp_path / f".{named(ID, APP)}.draft"
    draft.mkdir()
    (draft / "message.eml").write_bytes(b"half")

    assert KEPT == await handed(tmp_path, b"Subject: x\r\n\r\n")

    assert b"Subject: x\r\n\r\n" == (tmp_path / named(ID, APP) / "message.eml").read_bytes()
    assert not draft.exists()


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, FULL), (errno.EACCES, AWAY)])
async def test_a_disk_that_takes_nothing_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: Reply
) -> None:
    """A full disk, a right that is missing: later; and nothing half lies there."""

    def full(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(room, "_fill", full)

    assert said == await handed(tmp_path)
    assert [] == lying(tmp_path)


async def test_a_folder_that_goes_away_meanwhile(tmp_path: Path) -> None:
    """It was there when we looked, and is not when we write."""
    path = tmp_path / "recu"
    path.mkdir()
    link = await Folders(path).open()
    assert not isinstance(link, Reply)
    path.rmdir()

    async def body() -> AsyncIterator[bytes]:
        yield b"\r\n"

    outcome = await link.send(Outgoing(None, (Recipient(APP),), 2, transfer=ID), body())
    assert [(APP, AWAY)] == list(outcome.replies)


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """Whoever shares the folder cannot have us write elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    theirs = elsewhere / "theirs"
    theirs.touch()
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / ".x.draft").symlink_to(elsewhere)
    folder = os.open(shared, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with pytest.raises(OSError, match=r"symbolic link|\.x\.draft"):  # Python words it anew
            put(folder, "x", {"message.eml": b"secret"})
    finally:
        os.close(folder)

    assert [theirs] == list(elsewhere.iterdir())


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": None},
        {"domains": ["labo.example"]},
        {"host": "127.0.0.1"},
        {"mailboxes": []},
        {"kind": "imap"},
    ],
)
def test_a_folder_is_for_named_mailboxes_alone(tmp_path: Path, wrong: dict[str, object]) -> None:
    """A folder that cannot be meant is refused at the start."""
    with pytest.raises(ValidationError):
        server(**(software(tmp_path) | wrong))
