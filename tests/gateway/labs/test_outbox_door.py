"""An Outbox on another server: each mail is sent once, and lies where what became of it shows."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.labs import outbox
from gateway.labs.offering import Offering
from gateway.labs.offers import Offers
from gateway.labs.outbox import Outbox
from gateway.relay.handing.account import NO_CREDENTIALS, NOT_MOVED, Account, Accounts, Refused
from gateway.settings import labs
from smtp.address import Address
from smtp.reply import Reply
from smtp.send.client import UNREACHABLE
from tests.world.world import World, letter
from vault.errors import VaultError

LABO, CHU = Address("dr@labo.example"), Address("accueil@chu.example")
LOST = Address("personne@nulle-part.example")


class Server(Account):
    """A mailbox as a server holds it; what a test sets breaks the line at that step."""

    def __init__(self) -> None:
        self.folders: dict[str, dict[int, bytes]] = {"Outbox": {}, "Sent": {}, "Error": {}}
        self.next, self.validity = 1, 7
        self.breaks, self.why = "", UNREACHABLE
        self.waited: list[float] = []

    def add(self, content: bytes) -> int:
        self.folders["Outbox"][self.next] = content
        self.next += 1
        return self.next - 1

    def there(self, folder: str) -> list[bytes]:
        return list(self.folders[folder].values())

    def _step(self, name: str) -> None:
        if name == self.breaks:
            self.breaks = ""
            raise Refused(self.why)

    async def opened(self, folder: str) -> int | None:
        return self.validity if folder in self.folders else None

    async def ready(self) -> list[int]:
        self._step("ready")
        return sorted(self.folders["Outbox"])

    async def size(self, uid: int) -> int | None:
        found = self.folders["Outbox"].get(uid)
        return None if found is None else len(found)

    async def blocks(self, uid: int) -> AsyncGenerator[bytes]:
        content = self.folders["Outbox"][uid]
        for start in range(0, len(content), 64):
            yield content[start : start + 64]
            if start:
                self._step("blocks")

    async def move(self, uid: int, folder: str) -> None:
        self._step("move")
        self.folders[folder][self.next] = self.folders["Outbox"].pop(uid)
        self.next += 1

    async def file(self, folder: str, content: bytes) -> None:
        self._step("file")
        self.folders[folder][self.next] = content
        self.next += 1

    @property
    def idles(self) -> bool:
        return True

    async def changed(self, longest: float) -> None:
        self.waited.append(longest)
        raise Refused(UNREACHABLE)


def _settings(folder: Path, **more: Any) -> labs.Outbox:
    given = {
        "name": "sortie",
        "mailbox": LABO,
        "host": "127.0.0.1",
        "anchors": folder / "ca.pem",
        "credentials_file": folder / "credentials",
    }
    return labs.Outbox.model_validate(given | more)


class Door:
    """The gateway's side."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.server, self.folder = world, Server(), folder
        self.outbox = self.started()

    def started(self, **more: Any) -> Outbox:
        """Return the door as it is after a start."""
        desk = self.world.labo.desk
        offers = Offers(desk.books.database, self.world.labo.rest.ring)
        settings = _settings(self.folder, **more)
        offering = Offering(desk, self.world.labo.intake, offers)
        return Outbox(settings, Accounts(settings, b"", None), desk, offering)

    async def look(self, door: Outbox | None = None) -> int:
        return await (door or self.outbox).round(self.server)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Door]:
    async with World.opened(folder) as world:
        yield Door(world, folder)


async def test_a_mail_is_sent_and_moved(tmp_path: Path) -> None:
    """It arrives, it lies in Sent, and nothing is left in the Outbox."""
    content = letter(LABO, [CHU], body="Bonjour.\n" * 40)
    async with opened(tmp_path) as door:
        door.server.add(content)
        assert 1 == await door.look()
        await door.world.settle()
        (arrived,) = await door.world.chu.inbox("accueil")
        assert ([], [content], []) == tuple(map(door.server.there, ("Outbox", "Sent", "Error")))
    assert arrived.endswith(b"Bonjour.\r\n")


async def test_who_cannot_be_reached_is_said_beside(tmp_path: Path) -> None:
    """To nobody: it lies in Error with a notice; to some: in Sent, and the notice names the others."""
    async with opened(tmp_path) as door:
        door.server.add(letter(LABO, [LOST]))
        door.server.add(letter(LABO, [CHU, LOST]))
        door.server.add(b"From: <dr@labo.example>\r\n\r\nTo nobody\r\n")
        assert 3 == await door.look()
        await door.world.settle()
        assert 1 == len(await door.world.chu.inbox("accueil"))
        assert 1 == len(door.server.there("Sent"))
        nobody, first, some, none, last = door.server.there("Error")
    assert f"{LOST}: 550" in nobody.decode()
    assert (letter(LABO, [LOST]), b"To nobody") == (first, last[-11:-2])
    assert "did not all" not in some.decode()
    assert "was not sent to all" in some.decode()
    assert "nobody gets it" in none.decode()


async def test_a_mail_in_another_name_is_not_sent(tmp_path: Path) -> None:
    """Whoever writes into the Outbox speaks for its mailbox alone."""
    async with opened(tmp_path) as door:
        door.server.add(letter("autre@labo.example", [CHU]))
        await door.look()
        await door.world.settle()
        assert [] == await door.world.chu.inbox("accueil")
        assert 2 == len(door.server.there("Error"))


@pytest.mark.parametrize("step", ["blocks", "move"])
async def test_a_line_that_breaks_sends_nothing_twice(tmp_path: Path, step: str) -> None:
    """While it is read, and after the intake has it: it lies in the Outbox and is known again."""
    async with opened(tmp_path) as door:
        door.server.add(letter(LABO, [CHU], body="x" * 500 + "\n"))
        door.server.breaks = step
        with pytest.raises(Refused):
            await door.look()
        assert 1 == len(door.server.there("Outbox"))
        assert 1 == await door.look(door.started())
        await door.world.settle()
        assert 1 == len(await door.world.chu.inbox("accueil"))
        assert ([], 1) == (door.server.there("Outbox"), len(door.server.there("Sent")))


@pytest.mark.parametrize("named", [True, False])
async def test_a_folder_that_is_numbered_anew_sends_nothing_twice(
    tmp_path: Path,
    named: bool,  # noqa: FBT001
) -> None:
    """Between our 250 and the move: it is known by its Message-ID, or else by its octets."""
    content = letter(LABO, [CHU], body="x" * 500 + "\n")
    content = content if named else _unnamed(content)
    async with opened(tmp_path) as door:
        door.server.add(content)
        door.server.breaks = "move"
        with pytest.raises(Refused):
            await door.look()
        door.server.validity += 1
        assert 1 == await door.look(door.started())
        await door.world.settle()
        assert 1 == len(await door.world.chu.inbox("accueil"))
        assert ([], 1) == (door.server.there("Outbox"), len(door.server.there("Sent")))


async def test_the_same_words_filed_anew_are_another_mail(tmp_path: Path) -> None:
    """They bear no Message-ID, and the first was moved: a reminder is sent each time."""
    async with opened(tmp_path) as door:
        for _ in range(2):
            door.server.add(_unnamed(letter(LABO, [CHU])))
            assert 1 == await door.look()
        await door.world.settle()
        assert 2 == len(await door.world.chu.inbox("accueil"))


async def test_a_crash_behind_the_move_costs_no_other_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first was moved and not yet known by its place: the same words, filed anew, are sent too."""

    async def crashed(*_: object) -> None:
        raise VaultError("the machine stopped here")

    async with opened(tmp_path) as door:
        door.server.add(_unnamed(letter(LABO, [CHU])))
        with monkeypatch.context() as crash:
            crash.setattr(Offering, "renamed", crashed)
            await door.look()
        assert 1 == len(door.server.there("Sent"))
        door.server.add(_unnamed(letter(LABO, [CHU])))
        assert 1 == await door.look(door.started())
        await door.world.settle()
        assert 2 == len(await door.world.chu.inbox("accueil"))
        assert ([], 2) == (door.server.there("Outbox"), len(door.server.there("Sent")))


async def test_one_without_a_name_that_cannot_be_moved_is_sent_once(tmp_path: Path) -> None:
    """It is looked at again a minute later, and lies where it lay."""
    async with opened(tmp_path) as door:
        door.server.add(_unnamed(letter(LABO, [CHU])))
        door.server.breaks, door.server.why = "move", NOT_MOVED
        await door.look()
        door.world.clock.advance(seconds=61)
        await door.look()
        await door.world.settle()
        assert 1 == len(await door.world.chu.inbox("accueil"))
        assert ([], 1) == (door.server.there("Outbox"), len(door.server.there("Sent")))


async def test_two_that_are_alike_are_two_though_one_cannot_be_moved(tmp_path: Path) -> None:
    """Whichever is moved first, as many are sent as were filed."""
    async with opened(tmp_path) as door:
        for _ in range(2):
            door.server.add(_unnamed(letter(LABO, [CHU])))
        door.server.breaks, door.server.why = "move", NOT_MOVED
        await door.look()
        door.world.clock.advance(seconds=61)
        await door.look()
        await door.world.settle()
        assert 2 == len(await door.world.chu.inbox("accueil"))
        assert ([], 2) == (door.server.there("Outbox"), len(door.server.there("Sent")))


def _unnamed(content: bytes) -> bytes:
    return re.sub(rb"(?m)^Message-ID: .*\r?\n", b"", content)


async def test_what_cannot_be_moved_stops_no_other(tmp_path: Path) -> None:
    """Sent is full, say: the mail is tried again, and was sent once; the next one goes meanwhile."""
    async with opened(tmp_path) as door:
        for number in range(2):
            door.server.add(
                letter(LABO, [CHU], body=f"{number}\r\n").replace(b"<1@", b"<%d@" % number)
            )
        door.server.breaks, door.server.why = "move", NOT_MOVED
        assert 2 == await door.look()
        assert 1 == len(door.server.there("Outbox"))
        door.world.clock.advance(seconds=61)
        assert 1 == await door.look()
        await door.world.settle()
        assert 2 == len(await door.world.chu.inbox("accueil"))


async def test_a_notice_that_was_put_is_not_put_again(tmp_path: Path) -> None:
    """The mail could not be moved after it: it is tried again, the notice stays one."""
    async with opened(tmp_path) as door:
        door.server.add(letter(LABO, [LOST]))
        door.server.breaks = "move"
        with pytest.raises(Refused):
            await door.look()
        assert 1 == await door.look()
        assert 2 == len(door.server.there("Error"))


async def test_what_cannot_be_taken_now_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, a fault of ours: it stays in the Outbox and is tried again, the others go on."""
    async with opened(tmp_path) as door:
        whole = Outbox._take

        async def broken(self: Outbox, account: Account, mark: str, uid: int) -> None:
            if uid < 3:
                raise (VaultError("full"), ValueError("ours"))[uid - 1]
            await whole(self, account, mark, uid)

        monkeypatch.setattr(Outbox, "_take", broken)
        for number in range(3):
            door.server.add(letter(LABO, [CHU], body=f"{number}\n"))
        assert 3 == await door.look()
        assert (2, 1) == (len(door.server.there("Outbox")), len(door.server.there("Sent")))
        assert 0 == await door.look()
        monkeypatch.setattr(Outbox, "_take", whole)
        with pytest.raises(Refused):
            await door.outbox._rest(door.server)
        assert 60.0 == door.server.waited[-1]
        door.world.clock.advance(seconds=61)
        assert 2 == await door.look()


async def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    """It lies in Error, and the words say why."""
    async with opened(tmp_path) as door:
        door.server.add(letter(LABO, [CHU], body="x" * 900 + "\n"))
        await door.look(door.started(largest=500))
        notice, _ = door.server.there("Error")
    assert outbox._TOO_LARGE in notice.decode()


async def test_a_folder_that_is_away_is_looked_for_again(tmp_path: Path) -> None:
    """Neither a missing folder nor missing credentials end the watch; each is told once an hour."""
    async with opened(tmp_path) as door:
        del door.server.folders["Outbox"]
        with pytest.raises(Refused) as refused:
            await door.look()
        assert isinstance(refused.value.said, Reply)
        with pytest.raises(Refused) as closed:
            await door.outbox.watch()
        assert NO_CREDENTIALS == closed.value.said


async def test_an_outbox_that_is_away_is_known_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since when, until it was looked into again; that is told, and the pauses grow."""
    pauses: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if asyncio.current_task() is not ours:
            await real(seconds)
            return
        pauses.append(seconds)
        if len(pauses) > 4:
            raise asyncio.CancelledError

    async with opened(tmp_path) as door:
        ours = asyncio.current_task()
        monkeypatch.setattr(asyncio, "sleep", sleep)
        since = door.world.clock()
        with pytest.raises(asyncio.CancelledError):
            await door.outbox.run()
        monkeypatch.undo()
        assert {"outbox sortie": since} == door.world.labo.desk.away

        @asynccontextmanager
        async def within(self: Accounts, who: Address) -> AsyncIterator[Account]:
            yield door.server

        monkeypatch.setattr(Accounts, "within", within)
        with pytest.raises(Refused):
            await door.outbox.watch()
        assert {} == door.world.labo.desk.away
    assert [1.0, 2.0, 4.0, 8.0, 16.0] == pauses


async def test_a_mail_that_is_still_there_is_not_taken_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that says that it moved a mail, and did not: Sent is not filled with it."""
    async with opened(tmp_path) as door:
        door.server.add(letter(LABO, [CHU]))
        moved: list[int] = []

        async def move(uid: int, _folder: str) -> None:
            moved.append(uid)
            assert len(moved) < 5

        monkeypatch.setattr(door.server, "move", move)
        assert 1 == await door.look()
        await door.world.settle()
        assert (1, [1]) == (len(await door.world.chu.inbox("accueil")), moved)


async def test_what_is_longer_than_its_server_said_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor read without end."""
    async with opened(tmp_path) as door:
        door.server.add(letter(LABO, [CHU], body="x" * 900 + "\n"))

        async def size(_uid: int) -> int:
            return 100

        monkeypatch.setattr(door.server, "size", size)
        await door.look(door.started(largest=500))
        await door.world.settle()
        assert [] == await door.world.chu.inbox("accueil")
        notice, _ = door.server.there("Error")
    assert outbox._TOO_LARGE in notice.decode()


async def test_of_a_critical_mail_that_nobody_gets_a_person_is_told(tmp_path: Path) -> None:
    """Once, though a crash comes before it is moved."""
    async with opened(tmp_path) as door:
        content = letter(LABO, [LOST], "X-Sceau-Priority: critical")
        door.server.add(content)
        door.server.breaks = "move"
        with pytest.raises(Refused):
            await door.look()
        assert 1 == await door.look(door.started())
        criticals = door.world.labo.desk.criticals
        (found,) = criticals.look(door.world.clock())
        assert LOST == criticals.opened(found).facts.refused[0][0]
