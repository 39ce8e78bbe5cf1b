"""A program that takes its mail from a folder says there what it made of each document."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.relay.handing.replies import Replies
from gateway.relay.integrating import Integrating
from smtp.address import parse
from tests.gateway.relay.handing.test_lines import house, lines_of, server
from tests.gateway.relay.test_integrating import DR, result
from tests.world.world import World
from vault.errors import StorageFull

APP = parse("logiciel@chu.example")


@dataclass(slots=True)
class Folder:
    """The folder, the gateway that watches it, and a laboratory that sends to it."""

    world: World
    path: Path
    replies: Replies
    rung: list[int]

    async def send(self, *, asks: bool = True) -> str:
        """Send a document; return the directory that it becomes."""
        before = set(self.path.iterdir())
        await self.world.labo.submit(DR, [APP], result(asks=asks))
        await self.world.settle()
        (made,) = set(self.path.iterdir()) - before
        return made.name

    def say(self, name: str, **said: object) -> None:
        (self.path / f"{name}.answer.json").write_text(json.dumps(said))

    def told(self) -> list[str]:
        return [one for one in self.world.labo.receipts() if one.startswith("application")]


@asynccontextmanager
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    async with World.opened(tmp_path) as world:
        path, rung = tmp_path / "recu", list[int]()
        path.mkdir()
        await world.chu.add("logiciel")
        await world.chu.add("erreurs")
        told = {"kind": "folder", "path": path, "domains": [], "mailboxes": [APP]}
        one = server(**told, errors="erreurs@chu.example")
        house(world.chu, one)
        lines = lines_of(world.chu, one)
        yield Folder(world, path, Replies(world.chu.desk, lines, lambda: rung.append(1)), rung)


async def test_what_it_could_not_file_comes_back(tmp_path: Path) -> None:
    """To the sender as a report with the number, to the error mailbox too; and the file is gone."""
    async with folder(tmp_path) as there:
        name = await there.send()
        there.say(name, application="failed", failure=904)
        assert 1 == await there.replies.round()
        there.world.chu.courier.ring()
        await there.world.settle()

        assert ["application.failed"] == there.told()
        assert [1] == there.rung
        (mail,) = [one for one in await there.world.labo.inbox("dr") if b"Error: 904^" in one]
        assert b"text/rfc822-headers" in mail
        (aside,) = await there.world.chu.inbox("erreurs")
        assert b"Error: 904^" in aside
        assert [name] == [each.name for each in there.path.iterdir()]
        assert 0 == await there.replies.round()


async def test_who_did_not_ask_is_not_told_by_mail(tmp_path: Path) -> None:
    """Nor twice, when a program says the same again; the journal has it."""
    async with folder(tmp_path) as there:
        name = await there.send(asks=False)
        for _ in range(2):
            there.say(name, application="filed")
            assert 1 == await there.replies.round()
        await there.world.settle()
        assert [] == there.told()
        story = await there.world.chu.story()
        assert 1 == story.count(("application.filed", APP))


@pytest.mark.parametrize("what", ["words", "stranger", "link", "second name"])
async def test_what_is_no_answer_is_set_aside(tmp_path: Path, what: str) -> None:
    """Under another name, for a person; nothing that it points to is read."""
    async with folder(tmp_path) as there:
        name = await there.send()
        if what == "stranger":
            name = name[:-8] + "00000000"
        place = there.path / f"{name}.answer.json"
        if what == "link":
            (tmp_path / "secret").write_text('{"application": "filed"}')
            place.symlink_to(tmp_path / "secret")
        elif what == "second name":
            (there.path / "other").write_text('{"application": "filed"}')
            place.hardlink_to(there.path / "other")
        else:
            there.say(name, application="filed" if what == "stranger" else "read")
        assert 0 == await there.replies.round()
        assert (there.path / f"{name}.answer.json.unusable").is_symlink() or (
            there.path / f"{name}.answer.json.unusable"
        ).is_file()
        assert ("handing.answer_unusable", {}) in there.world.chu.events
        assert [] == there.told()


async def test_what_cannot_be_told_now_is_told_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, a bug, a folder that is away: the answer stays where it is."""
    async with folder(tmp_path) as there:
        name = await there.send()
        there.say(name, application="failed")
        for error in (StorageFull("full"), RuntimeError("a bug")):

            async def fails(*_: object, error: Exception = error, **__: object) -> list[object]:
                raise error

            with monkeypatch.context() as patch:
                patch.setattr(Integrating, "telling", fails)
                assert 0 == await there.replies.round()
        assert "replies.crashed" in [event for event, _ in there.world.chu.events]
        away = tmp_path / "away"
        there.path.rename(away)
        assert 0 == await there.replies.round()
        away.rename(there.path)
        assert 1 == await there.replies.round()


async def test_a_program_answers_for_its_own_mailboxes_alone(tmp_path: Path) -> None:
    """Whoever has a copy of a message knows how the copies of others are called."""
    async with folder(tmp_path) as there:
        name = await there.send()
        other = there.replies.lines["house"]
        lines = {"another": replace(other, folder=there.path)}
        there.say(name, application="failed")
        assert 0 == await Replies(there.world.chu.desk, lines, lambda: None).round()
        assert [] == there.told()
        assert (there.path / f"{name}.answer.json.unusable").is_file()
