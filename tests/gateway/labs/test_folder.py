"""A watched folder in a whole trusted space: each result arrives once, and has its answer."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.documents import cda, cda_writer, packing
from gateway.labs import answers
from gateway.labs import folder as labs_folder
from gateway.labs.answering import Answering
from gateway.labs.folder import Folder
from gateway.labs.names import Answer
from gateway.labs.offering import Offering
from gateway.labs.offers import Offers
from gateway.labs.shelf import Shelf
from gateway.labs.telling import Telling
from gateway.labs.watched import Watched
from gateway.relay.escalating import Escalating
from gateway.relay.intake import Beside, Intake, nothing_beside
from gateway.relay.notices import Notices
from smtp.address import Address
from smtp.envelope import Draft
from smtp.reply import Reply
from tests.gateway.documents.made import PDF, document
from tests.gateway.documents.test_hprim import made as hprim
from tests.gateway.documents.test_order import ABOUT
from tests.gateway.documents.test_oru_reader import made as oru
from tests.gateway.relay.test_answers import bring, read, report
from tests.gateway.relay.test_concluding import later
from tests.world.world import World, letter
from vault.errors import StorageFull

LABO, CHU, GARDE = "dr@labo.example", "accueil@chu.example", "garde@clinique.example"


class Lab:
    """A laboratory's software, its folder, and the gateway that watches it."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.path = world, folder
        self.path.mkdir(exist_ok=True)
        self.watched = Watched("nuit", folder, Address(LABO))
        self.door = self.started()

    def started(self, **changes: Any) -> Folder:
        """Return the door as it is after a start."""
        desk = self.world.labo.desk
        offers = Offers(desk.books.database, self.world.labo.rest.ring)
        offering = Offering(desk, self.world.labo.intake, offers)
        return Folder(replace(self.watched, **changes), desk, offering)

    def put(self, name: str, content: bytes, **companion: Any) -> None:
        """Write a result as careful software does: what is said of it first, then a rename."""
        if companion:
            (self.path / f"{name}.json").write_text(json.dumps(companion))
        (self.path / f"{name}.tmp").write_bytes(content)
        (self.path / f"{name}.tmp").rename(self.path / name)

    async def look(self, door: Folder | None = None) -> int:
        """Look twice, with the time between in which a file must lie still."""
        found = await self.once(door)
        self.world.clock.advance(seconds=3)
        return found + await self.once(door)

    async def once(self, door: Folder | None = None) -> int:
        """Look once: take what lies still, then answer what is settled."""
        door = door or self.door
        found = await door.round()
        await Answering(door.watched, door.desk, door.offering).round()
        return found

    async def settle(self) -> None:
        """Let everything arrive, and be answered."""
        await self.look()
        await self.world.settle()
        await self.look()

    def said(self, name: str, which: str) -> Any:
        """Return an answer."""
        return json.loads((self.path / f"{name}.{which}.json").read_bytes())

    def lying(self) -> set[str]:
        """Return every name in the folder, at whatever depth."""
        return {each.name for each in self.path.rglob("*") if each.is_file() or each.is_symlink()}


@asynccontextmanager
async def lab(folder: Path) -> AsyncIterator[Lab]:
    async with World.opened(folder) as world:
        yield Lab(world, folder / "out")


async def test_a_pdf_arrives_and_is_answered(tmp_path: Path) -> None:
    """Taken, packed, delivered at the other gateway; nothing of it is left in the folder."""
    async with lab(tmp_path) as labo:
        labo.put("tsh.pdf", PDF, to=[CHU], key="2026-1", document=ABOUT)
        await labo.settle()
        accepted, delivered = labo.said("tsh.pdf", "accepted"), labo.said("tsh.pdf", "delivered")
        (message,) = await labo.world.chu.inbox("accueil")
        assert {"tsh.pdf.accepted.json", "tsh.pdf.delivered.json"} == labo.lying()
    (archive,) = packing.archives(message)
    assert PDF == cda.read(archive.documents[0].content).pdf
    assert ("accepted", False, True) == (
        accepted["state"],
        accepted["again"],
        accepted["recipients"][0]["taken"],
    )
    assert (CHU, "delivered") == (
        delivered["recipients"][0]["address"],
        delivered["recipients"][0]["state"],
    )
    assert accepted["reference"] == delivered["reference"]
    assert accepted["message_id"].encode() in message


async def test_a_document_and_a_ready_mail_arrive_as_they_are(tmp_path: Path) -> None:
    """Octet for octet the CDA document; the mail with the recipients its header names."""
    content = cda_writer.write(document())
    async with lab(tmp_path) as labo:
        labo.put("a.xml", content, to=[CHU])
        labo.put("b.eml", letter(LABO, [CHU], body="Ligne.\n").replace(b"\r\n", b"\n"))
        await labo.settle()
        first, second = sorted(await labo.world.chu.inbox("accueil"), key=len, reverse=True)
    (archive,) = packing.archives(first)
    assert content == archive.documents[0].content
    assert b"Ligne." in second


async def test_nothing_is_taken_before_it_lies_still(tmp_path: Path) -> None:
    """Half-written files, those that change, and a PDF whose companion has not come."""
    async with lab(tmp_path) as labo:
        labo.put("a.pdf", PDF)
        (labo.path / "b.xml").write_bytes(b"<Clin")
        (labo.path / "c.xml.part").write_bytes(b"x")
        (labo.path / ".d.xml").write_bytes(b"x")
        assert 0 == await labo.door.round()
        labo.world.clock.advance(seconds=3)
        (labo.path / "b.xml").write_bytes(b"<ClinicalDocument")
        assert 0 == await labo.door.round()
        assert {"a.pdf", "b.xml", "c.xml.part", ".d.xml"} == labo.lying()
        labo.world.clock.advance(seconds=70)
        assert 2 == await labo.door.round()
        assert "companion" in labo.said("a.pdf", "failed")["why"]


async def test_the_same_result_is_delivered_once(tmp_path: Path) -> None:
    """Offered again under its key, or as the same bytes: answered, and sent no second time."""
    async with lab(tmp_path) as labo:
        for name in ("a.pdf", "b.pdf"):
            labo.put(name, PDF, to=[CHU], key="2026-1", document=ABOUT)
            await labo.settle()
        labo.put("c.eml", letter(LABO, [CHU]))
        await labo.settle()
        labo.put("d.eml", letter(LABO, [CHU]))
        await labo.settle()
        assert 2 == len(await labo.world.chu.inbox("accueil"))
        again = [labo.said(each, "accepted") for each in ("a.pdf", "b.pdf", "c.eml", "d.eml")]
    assert [False, True, False, True] == [each["again"] for each in again]
    assert again[0]["message"] == again[1]["message"]


async def test_the_same_key_with_other_bytes_is_refused_in_words(tmp_path: Path) -> None:
    """A corrected result is another result; the first one stays as it was answered."""
    async with lab(tmp_path) as labo:
        labo.put("a.pdf", PDF, to=[CHU], key="2026-1", document=ABOUT)
        await labo.settle()
        labo.put("b.pdf", PDF + b"%corrected", to=[CHU], key="2026-1", document=ABOUT)
        await labo.settle()
        assert "under the same key" in labo.said("b.pdf", "failed")["why"]
        assert 1 == len(await labo.world.chu.inbox("accueil"))
        assert any(name.endswith(".b.pdf") for name in labo.lying())


async def test_each_recipient_is_answered(tmp_path: Path) -> None:
    """One who may not be written to, one who is not there, one who has it: all are accounted for."""
    wrong, absent = "x@nowhere.example", "nobody@chu.example"
    async with lab(tmp_path) as labo:
        labo.put("a.pdf", PDF, to=[CHU, wrong, absent], document=ABOUT)
        await labo.settle()
        accepted, last = labo.said("a.pdf", "accepted"), labo.said("a.pdf", "failed")
    assert {CHU: True, absent: True, wrong: False} == {
        each["address"]: each["taken"] for each in accepted["recipients"]
    }
    states = {each["address"]: each["state"] for each in last["recipients"]}
    assert {CHU: "delivered", absent: "failed", wrong: "refused"} == states
    assert all(each["words"] for each in last["recipients"] if each["state"] != "delivered")


async def test_nobody_may_be_written_to(tmp_path: Path) -> None:
    """Nothing is sent; each refusal is told, and the file lies where a person finds it."""
    async with lab(tmp_path) as labo:
        labo.put("a.pdf", PDF, to=["x@nowhere.example"], document=ABOUT)
        await labo.look()
        told = labo.said("a.pdf", "failed")
        labo.put("a.pdf", PDF, to=[CHU], document=ABOUT)
        await labo.settle()
        assert 1 == len(await labo.world.chu.inbox("accueil"))
        # The name has the answers of its last use alone.
        beside = {each.name for each in labo.path.iterdir() if each.is_file()}
        assert {"a.pdf.accepted.json", "a.pdf.delivered.json"} == beside
    assert told["recipients"][0]["words"].startswith("5")


@pytest.mark.parametrize(
    ("name", "content", "companion", "words"),
    [
        ("a.pdf", b"MZ", {"to": [CHU], "document": ABOUT}, "no PDF"),
        ("a.xml", b"<!DOCTYPE a><a/>", {"to": [CHU]}, "DTD"),
        ("a.xml", cda_writer.write(document()), {}, "nobody gets it"),
        ("a.eml", b"no header at all", {}, "cannot be sent"),
        ("a.eml", b"Subject: x\r\n\r\n", {}, "nobody gets it"),
        ("a.eml", letter("other@labo.example", [CHU]), {}, "From"),
        ("a.pdf", PDF, {"too": []}, "nobody knows"),
        ("a.exe", b"MZ", {}, "only .pdf"),
        ("a.pdf", PDF, {"to": ["nobody"], "document": ABOUT}, "neither an address"),
    ],
)
async def test_what_cannot_be_sent_is_answered_in_words(
    name: str, content: bytes, companion: dict[str, Any], words: str, tmp_path: Path
) -> None:
    """Each file has an answer, and none stops those after it."""
    async with lab(tmp_path) as labo:
        labo.put(name, content, **companion)
        labo.put("z.pdf", PDF, to=[CHU], document=ABOUT)
        labo.door = labo.started(patience=timedelta(seconds=1))
        await labo.settle()
        assert words in labo.said(name, "failed")["why"]
        assert "delivered" == labo.said("z.pdf", "delivered")["state"]


async def test_links_and_pipes_are_not_read(tmp_path: Path) -> None:
    """Whoever writes into the folder cannot make us send what only we may read (R-I4)."""
    secret = tmp_path / "secret"
    secret.write_bytes(PDF)
    async with lab(tmp_path) as labo:
        (labo.path / "link.pdf").symlink_to(secret)
        os.link(secret, labo.path / "hard.pdf")
        os.mkfifo(labo.path / "pipe.pdf")
        (labo.path / "folder.pdf").mkdir()
        for name in ("link", "hard", "pipe", "folder"):
            (labo.path / f"{name}.pdf.json").write_text(
                json.dumps({"to": [CHU], "document": ABOUT})
            )
        labo.put("large.pdf", PDF * 2, to=[CHU], document=ABOUT)
        await labo.look(labo.started(largest=len(PDF) + 1))
        for name in ("link", "hard", "pipe", "folder", "large"):
            assert "file" in labo.said(f"{name}.pdf", "failed")["why"]
        assert [] == await labo.world.chu.inbox("accueil")
    assert PDF == secret.read_bytes()


class KilledError(BaseException):
    """No boundary catches it: what comes after it is a start."""


class Broken(Intake):
    """An intake that stops at a chosen place, as a crash would."""

    def __init__(self, real: Intake, *, after: bool) -> None:
        self._real, self._too_late = real, after

    def mail(self, draft: Draft) -> Reply:
        return self._real.mail(draft)

    def rcpt(self, draft: Draft, recipient: Any) -> Reply:
        return self._real.rcpt(draft, recipient)

    async def accept(
        self, draft: Draft, body: AsyncIterator[bytes], beside: Beside = nothing_beside
    ) -> Reply:
        if self._too_late:
            await self._real.accept(draft, body, beside)
        raise KilledError


@pytest.mark.parametrize("after", [False, True])
async def test_a_crash_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path, *, after: bool
) -> None:
    """Before or after the intake made it ours: the next start goes on, with one message."""
    async with lab(tmp_path) as labo:
        labo.put("a.pdf", PDF, to=[CHU], document=ABOUT)
        crashing = labo.started()
        crashing.offering.intake = Broken(labo.world.labo.intake, after=after)
        await crashing.round()
        labo.world.clock.advance(seconds=3)
        with pytest.raises(BaseExceptionGroup):
            await crashing.round()
        assert not (labo.path / "a.pdf").exists()
        labo.door = labo.started()
        await labo.settle()
        assert 1 == len(await labo.world.chu.inbox("accueil"))
        assert not labo.said("a.pdf", "accepted")["again"]
        assert {"a.pdf.accepted.json", "a.pdf.delivered.json"} == labo.lying()


async def test_a_crash_between_two_renames_finds_the_companion(tmp_path: Path) -> None:
    """The file was claimed and what is said of it not yet: it follows."""
    async with lab(tmp_path) as labo:
        labo.put("a.pdf", PDF, to=[CHU], document=ABOUT)
        await labo.door.round()
        (labo.path / "a.pdf").rename(labo.path / ".claimed" / ("0" * 32 + ".a.pdf"))
        await labo.settle()
        assert "delivered" == labo.said("a.pdf", "delivered")["state"]


async def test_a_promised_time_brings_the_last_answer_and_a_failure_its_correction(
    tmp_path: Path,
) -> None:
    """Not before the time is up, whatever the folder's own patience; and what came later beside it."""
    async with lab(tmp_path) as labo:
        await labo.world.play()
        eml = letter(LABO, [GARDE], "X-Sceau-Deadline: 14400")
        labo.put("a.eml", eml)
        await labo.settle()
        labo.world.clock.advance(hours=2)
        await labo.settle()
        assert {"a.eml.accepted.json"} == labo.lying()
        await later(labo.world, hours=2)
        await labo.settle()
        assert "unconfirmed" == labo.said("a.eml", "delivered")["recipients"][0]["state"]
        message = labo.said("a.eml", "accepted")["message"]
        await bring(labo.world, report(message, "failed", "5.1.1"))
        await labo.settle()
        told = labo.said("a.eml", "corrected")
        assert ("corrected", "failed") == (told["state"], told["recipients"][0]["state"])
        (labo.path / "a.eml.corrected.json").unlink()
        await labo.settle()
        assert "a.eml.corrected.json" not in labo.lying()


async def test_without_a_trust_list_a_number_waits(tmp_path: Path) -> None:
    """Nobody can be found yet: that is not the file's fault."""
    async with lab(tmp_path) as labo:
        labo.put("a.pdf", PDF, to=["rpps:10001234565"], document=ABOUT)
        desk = labo.world.labo.desk
        labo.door.desk = replace(desk, keeper=Unlisted())  # type: ignore[arg-type]
        await labo.look()
        assert ("folder.put_off", {"folder": "nuit", "reason": "NotNowError"}) in (
            labo.world.labo.events
        )
        labo.door.desk = desk
        labo.world.clock.advance(minutes=2)
        await labo.look()
        assert "no mailbox" in labo.said("a.pdf", "failed")["why"]


class Unlisted:
    """A keeper that has nothing yet."""

    current = None


async def test_two_files_of_one_key_at_once_are_one_result(tmp_path: Path) -> None:
    """Whichever is first is sent; the other is answered as known."""
    async with lab(tmp_path) as labo:
        for name in ("a.pdf", "b.pdf"):
            labo.put(name, PDF, to=[CHU], key="1", document=ABOUT)
        await labo.settle()
        labo.world.clock.advance(minutes=2)
        await labo.settle()
        assert 1 == len(await labo.world.chu.inbox("accueil"))
        again = {labo.said(each, "accepted")["again"] for each in ("a.pdf", "b.pdf")}
    assert {False, True} == again


async def test_a_long_name_and_a_file_that_cannot_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one is taken under a shorter name, the other stops no other."""
    long = "x" * 246 + ".pdf"
    async with lab(tmp_path) as labo:
        labo.put("a.pdf", PDF, to=[CHU], document=ABOUT)
        (labo.path / long).write_bytes(PDF)
        (labo.path / f"{long}.json").write_text(json.dumps({"to": [CHU], "document": ABOUT}))
        real = Shelf.claim

        def kept(self: Shelf, offered: Any) -> Any:
            if offered.name == "a.pdf":
                raise PermissionError
            return real(self, offered)

        with monkeypatch.context() as patch:
            patch.setattr(Shelf, "claim", kept)
            await labo.settle()
        assert 1 == len([each for each in labo.lying() if each.endswith(".delivered.json")])
        put_off = ("folder.put_off", {"folder": "nuit", "reason": "PermissionError"})
        assert 1 == labo.world.labo.events.count(put_off)
        assert "a.pdf" in labo.lying()


async def test_a_mailbox_that_was_closed_sends_nothing(tmp_path: Path) -> None:
    """The folder is its door, and closes with it."""
    async with lab(tmp_path) as labo:
        accounts = labo.world.labo.books.accounts
        labo.door = labo.started(mailbox=Address("gone@labo.example"))
        labo.put("a.pdf", PDF, to=[CHU], document=ABOUT)
        await labo.look()
        assert accounts.find(Address("gone@labo.example")) is None
        assert labo.said("a.pdf", "failed")["why"]
        assert [] == await labo.world.chu.inbox("accueil")


async def test_a_bug_stops_one_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is told, the file waits, and the others go."""
    async with lab(tmp_path) as labo:
        real = answers.accepted

        def buggy(name: str, *more: Any, **how: Any) -> bytes:
            if name == "a.pdf":
                raise ZeroDivisionError
            return real(name, *more, **how)

        for name in ("a.pdf", "b.pdf"):
            labo.put(name, PDF, to=[CHU], key=name, document=ABOUT)
        with monkeypatch.context() as patch:
            patch.setattr(answers, "accepted", buggy)
            await labo.settle()
        assert "folder.crashed" in [event for event, _ in labo.world.labo.events]
        assert "delivered" == labo.said("b.pdf", "delivered")["state"]
        labo.world.clock.advance(minutes=2)
        await labo.settle()
        assert "delivered" == labo.said("a.pdf", "delivered")["state"]
        assert 2 == len(await labo.world.chu.inbox("accueil"))


async def test_while_there_is_work_there_is_no_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night's thousands are taken look after look; the pause is for an empty folder."""
    looks = [200, 7, 0]
    paused: list[tuple[float, int]] = []

    async def pause(seconds: float) -> None:
        paused.append((seconds, len(looks)))
        raise ZeroDivisionError

    class Busy(Folder):
        __slots__ = ()

        async def round(self) -> int:
            return looks.pop(0)

    async with lab(tmp_path) as labo:
        door = labo.started(poll=60)
        busy = Busy(door.watched, door.desk, door.offering)
        with monkeypatch.context() as patch:
            patch.setattr("gateway.labs.folder.asyncio.sleep", pause)
            with pytest.raises(ZeroDivisionError):
                await busy.run()
    assert [(60, 0)] == paused


async def test_answers_that_cannot_be_written_come_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was taken is ours, and stays claimed until its answer lies there; it is sent once."""
    async with lab(tmp_path) as labo:
        for name in ("a.pdf", "b.pdf"):
            labo.put(name, PDF, to=[CHU], key=name, document=ABOUT)

        def full(*_: object) -> None:
            raise OSError(28, "full")

        with monkeypatch.context() as patch:
            patch.setattr(Shelf, "answer_all", full)
            await labo.look()
        assert 2 == len(list((labo.path / ".claimed").glob("*.pdf")))
        assert not any("accepted" in name for name in labo.lying())
        labo.world.clock.advance(minutes=2)
        await labo.settle()
        assert ["delivered"] * 2 == [
            labo.said(name, "delivered")["state"] for name in ("a.pdf", "b.pdf")
        ]
        assert 2 == len(await labo.world.chu.inbox("accueil"))
        assert not list((labo.path / ".claimed").iterdir())


async def test_large_files_go_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a night of imaging does not fill the memory; all of them arrive."""
    monkeypatch.setattr(labs_folder, "_LARGE", 10)
    async with lab(tmp_path) as labo:
        for number in range(5):
            labo.put(f"{number}.pdf", PDF, to=[CHU], key=f"{number}", document=ABOUT)
        await labo.settle()
        assert 5 == len(await labo.world.chu.inbox("accueil"))


async def test_what_was_sent_long_ago_is_forgotten(tmp_path: Path) -> None:
    """The window within which a result is known ends."""
    async with lab(tmp_path) as labo:
        labo.put("a.pdf", PDF, to=[CHU], key="1", document=ABOUT)
        await labo.settle()
        database, offers = labo.world.labo.rest.database, labo.door.offering.offers
        labo.world.clock.advance(days=91)
        await database.commit([offers.forgetting(labo.world.clock(), timedelta(days=90))])
        assert [(0,)] == database.read("SELECT count(*) FROM offer")


async def test_another_program_may_be_quicker(tmp_path: Path) -> None:
    """A file that is gone when we want it was taken by somebody else."""
    folder = tmp_path / "out"
    folder.mkdir()
    shelf = Shelf.open(folder)
    try:
        (folder / "a.pdf").write_bytes(PDF)
        (found,) = shelf.offered()
        (folder / "a.pdf").unlink()
        assert () == shelf.stamp(found)
        assert shelf.claim(found) is None
    finally:
        shelf.close()


async def test_a_folder_of_claims_that_is_a_link_is_not_entered(tmp_path: Path) -> None:
    """Claimed files go nowhere else than below the folder."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / ".claimed").symlink_to(tmp_path)
    with pytest.raises(NotADirectoryError):
        Shelf.open(folder)


async def test_an_answer_is_whole_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails in the middle leaves no half of it."""
    folder = tmp_path / "out"
    folder.mkdir()
    shelf = Shelf.open(folder)

    def full(_: int) -> None:
        raise OSError(28, "full")

    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(OSError, match="full"):
                shelf.answer("a.pdf", Answer.FAILED, b"{}")
        assert {".claimed", "failed"} == {each.name for each in folder.iterdir()}
    finally:
        shelf.close()


async def test_a_full_disk_puts_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file waits, claimed, and is sent when there is room again."""
    async with lab(tmp_path) as labo:
        labo.put("a.pdf", PDF, to=[CHU], document=ABOUT)
        vault = labo.world.labo.rest.vault

        async def full(*_: Any) -> Any:
            raise StorageFull("no room")

        with monkeypatch.context() as patch:
            patch.setattr(type(vault), "put", full)
            await labo.look()
        assert not any(name.endswith("failed.json") for name in labo.lying())
        labo.world.clock.advance(minutes=2)
        await labo.settle()
        assert "delivered" == labo.said("a.pdf", "delivered")["state"]


async def test_a_folder_that_is_away_is_looked_for_again(tmp_path: Path) -> None:
    """A file server that restarts stops nothing."""
    async with lab(tmp_path) as labo:
        door = labo.started(path=tmp_path / "gone", poll=0)
        told = asyncio.Event()
        door._operators = Telling(replace(door.desk, on_event=lambda *_: told.set()), {})
        task = asyncio.ensure_future(door.run())
        await told.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        with pytest.raises(FileNotFoundError):
            await door.round()


async def test_last_answers_wait_for_a_folder_that_is_away(tmp_path: Path) -> None:
    """Operators hear of it, and what was to be said is said once it is back."""
    async with lab(tmp_path) as labo:
        labo.put("a.pdf", PDF, to=[CHU], document=ABOUT)
        await labo.look()
        await labo.world.settle()
        away, told = tmp_path / "away", asyncio.Event()
        labo.path.rename(away)
        answering = Answering(replace(labo.watched, poll=0), labo.door.desk, labo.door.offering)
        answering._operators = Telling(replace(labo.door.desk, on_event=lambda *_: told.set()), {})
        task = asyncio.ensure_future(answering.run())
        await told.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        away.rename(labo.path)
        assert 1 == await answering.round()
        assert "delivered" == labo.said("a.pdf", "delivered")["state"]


async def test_what_a_crash_left_is_removed_and_an_answer_under_way_is_not(tmp_path: Path) -> None:
    """Only the first look sweeps: others write there meanwhile."""
    async with lab(tmp_path) as labo:
        claimed = labo.path / ".claimed"
        claimed.mkdir()
        (claimed / "0123.draft").touch()
        await labo.door.round()
        assert [] == list(claimed.iterdir())
        (claimed / "4567.draft").touch()
        await labo.door.round()
        assert ["4567.draft"] == [each.name for each in claimed.iterdir()]


async def test_no_name_of_a_file_is_told_or_kept_in_clear(tmp_path: Path) -> None:
    """File names bear patients' names: not in an event, not in the database (R-G6)."""
    async with lab(tmp_path) as labo:
        labo.put("DESMAUX-279035121518989.pdf", PDF, to=[CHU], key="cle-secrete", document=ABOUT)
        labo.put("DESMAUX.xml", b"<a/>", to=[CHU])
        await labo.settle()
        told = repr(labo.world.labo.events)
        stored = b"".join(
            each.read_bytes() for each in (tmp_path / "labo").rglob("*") if each.is_file()
        )
    assert "DESMAUX" not in told
    assert not any(each in stored for each in (b"DESMAUX", b"279035121518989", b"cle-secrete"))


async def test_what_software_at_the_other_end_says_is_written_beside_it(tmp_path: Path) -> None:
    """Filed or not, by number, once each time it is said; the last answer stays as it was."""
    async with lab(tmp_path) as labo:
        await labo.world.play()
        labo.put("tsh.pdf", PDF, to=[GARDE, CHU], key="2026-1", document=ABOUT)
        await labo.settle()
        (subject,) = {copy.message.summary.message_id for copy in labo.world.labo.copies()}
        for disposition, failure in (("processed/Error: 902^x", 902), ("processed", None)):
            labo.world.clock.advance(seconds=1)
            assert (
                250
                == (await bring(labo.world, read(subject, disposition, GARDE, GARDE), to=LABO)).code
            )
            await labo.look()
            (told,) = labo.said("tsh.pdf", "answered")["recipients"]
            assert (GARDE, failure) == (told["address"], told.get("failure"))
            assert ("failed" if failure else "filed") == told["application"]
        (labo.path / "tsh.pdf.answered.json").unlink()
        await labo.look()

        assert "tsh.pdf.answered.json" not in labo.lying()


async def test_what_is_critical_is_taken_before_all_that_lies_there(tmp_path: Path) -> None:
    """It overtakes the backlog, is marked for whoever reads it, and is watched till it arrived."""
    async with lab(tmp_path) as labo:
        desk = labo.world.labo.desk
        labo.put("a.eml", letter(LABO, [CHU]))
        labo.put("z.pdf", PDF, to=[CHU], key="2026-1", document=ABOUT, critical=True)
        shelf = Shelf.open(labo.path)
        assert [] == labo.door._look(shelf)
        labo.world.clock.advance(seconds=3)
        names = [claim.name for claim, _ in labo.door._look(shelf)]
        shelf.close()
        await labo.settle()
        (watched,) = desk.criticals.latest(9)
        messages = await labo.world.chu.inbox("accueil")
    assert ["z.pdf", "a.eml"] == names
    assert "2026-1" not in repr(watched)
    assert 1 == sum(b"\r\nImportance: high\r\n" in each for each in messages)


async def test_of_a_critical_file_that_cannot_be_sent_a_person_is_told(tmp_path: Path) -> None:
    """Nobody looks at the answers at night: it is told at once, though no message came of it."""
    async with lab(tmp_path) as labo:
        desk = labo.world.labo.desk
        labo.put("a.pdf", PDF, to=["qui@nulle-part.example"], document=ABOUT, critical=True)
        labo.put("b.pdf", PDF, to=[CHU], critical=True)
        await labo.settle()
        escalating = Escalating(desk, Notices(desk), desk.criticals, "labo")
        assert 2 == await escalating.round()
        found = {each.facts.refused[0][0] for each in desk.criticals.waiting()}
    assert {"-", "qui@nulle-part.example"} == found


async def test_hl7_and_hprim_are_sent_by_what_they_say(tmp_path: Path) -> None:
    """An ORU's PDF becomes a document; an HPRIM file arrives as it is, its report to read."""
    async with lab(tmp_path) as labo:
        labo.put("a.hl7", oru(), to=[CHU])
        labo.put("b.hpr", hprim(), to=[CHU])
        labo.put("c.hl7", oru((3, "ED", "NM")), to=[CHU])
        labo.put("d.hl7", oru())  # to whom it says: neither number has a mailbox here
        await labo.settle()
        states = [labo.said(name, "delivered")["state"] for name in ("a.hl7", "b.hpr")]
        why = [labo.said(name, "failed")["why"] for name in ("c.hl7", "d.hl7")]
        messages = await labo.world.chu.inbox("accueil")
    (archive,) = [each for message in messages for each in packing.archives(message)]
    assert ["delivered", "delivered"] == states
    assert PDF == cda.read(archive.documents[0].content).pdf
    assert base64.encodebytes(hprim()).replace(b"\n", b"\r\n") in b"".join(messages)
    assert "neither a PDF nor a CDA document" in why[0]
    assert "rpps:10001234565 has no mailbox" in why[1]


async def test_who_asks_in_hl7_is_answered_in_hl7(tmp_path: Path) -> None:
    """Taken, then arrived; not taken; and what the recipient's software says, by number."""
    asks = (0, "|7|P|2.5", "|7|P|2.5|||AL|AL")
    async with lab(tmp_path) as labo:
        await labo.world.play()
        labo.put("a.hl7", oru(asks), to=[GARDE])
        labo.put("b.hl7", oru(asks, (3, "ED", "NM")), to=[CHU])
        labo.put("c.hl7", oru(), to=[CHU])
        await labo.settle()
        labo.world.clock.advance(seconds=3700)
        await labo.look()
        subject = labo.said("a.hl7", "accepted")["message_id"]
        mdn = read(subject, "processed/Error: 902^x", GARDE, GARDE)
        assert 250 == (await bring(labo.world, mdn, to=LABO)).code
        await labo.look()
        acks = sorted(name for name in labo.lying() if name.endswith(".ack"))
        codes = [(labo.path / name).read_bytes().partition(b"MSA|")[2][:2] for name in acks]
        assert b"902^Identifiant" in (labo.path / "a.hl7.answered.ack").read_bytes()

    assert [
        "a.hl7.accepted.ack",
        "a.hl7.answered.ack",
        "a.hl7.delivered.ack",
        "b.hl7.failed.ack",
    ] == acks
    assert [b"CA", b"AE", b"AA", b"CR"] == codes


async def test_a_companion_in_the_wrong_letters_stops_no_other(tmp_path: Path) -> None:
    """It is refused in words, and the result beside it goes."""
    async with lab(tmp_path) as labo:
        (labo.path / "a.pdf.json").write_bytes(b'{"key": "r\xe9sultat"}')
        labo.put("a.pdf", PDF)
        labo.put("b.pdf", PDF, to=[CHU], document=ABOUT)
        await labo.settle()
        assert {"a.pdf.failed.json", "b.pdf.delivered.json"} < labo.lying()


async def test_a_name_in_the_letters_of_another_system_is_answered(tmp_path: Path) -> None:
    """Windows' é is no UTF-8: the file goes all the same, one that cannot is told of."""
    async with lab(tmp_path) as labo:
        for name, to in ((b"r\xe9sultat.pdf", CHU), (b"refus\xe9.pdf", "qui@nulle-part.example")):
            companion = {"to": [to], "document": ABOUT}
            (labo.path / os.fsdecode(name + b".json")).write_text(json.dumps(companion))
            (labo.path / os.fsdecode(name)).write_bytes(PDF)
        await labo.settle()
        assert 1 == len(await labo.world.chu.inbox("accueil"))
        lying = labo.lying()
    (sent,) = (each for each in lying if each.endswith(".delivered.json"))
    (failed,) = (each for each in lying if each.endswith(".failed.json"))
    assert ("résultat.pdf~", "refusé.pdf~") == (sent[:13], failed[:11])


async def test_a_file_that_cannot_even_be_answered_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: it waits; and of a critical one a person is told once, not at each attempt."""
    full = True
    whole = Shelf.answer

    def answer(shelf: Shelf, *args: Any) -> None:
        if full:
            raise OSError(28, "No space left on device")
        whole(shelf, *args)

    monkeypatch.setattr(Shelf, "answer", answer)
    async with lab(tmp_path) as labo:
        labo.put("a.pdf", b"no pdf", to=[CHU], document=ABOUT, critical=True)
        labo.put("b.pdf", PDF, to=[CHU], document=ABOUT)
        await labo.settle()
        assert "b.pdf.accepted.json" in labo.lying()
        full = False
        labo.world.clock.advance(seconds=61)
        await labo.look()
        assert "a.pdf.failed.json" in labo.lying()
        assert 1 == len(labo.world.labo.desk.criticals.look(labo.world.clock()))


async def test_a_ready_mail_says_itself_that_it_was_critical(tmp_path: Path) -> None:
    """Refused for everybody: a person is told; a letter that has those words in its text is none."""
    lost = "qui@nulle-part.example"
    async with lab(tmp_path) as labo:
        mark = "X-Sceau-Priority: critical"
        labo.put("a.eml", letter(LABO, [lost], mark))
        labo.put("b.eml", letter(LABO, [lost], body=f"{mark}\n").replace(b"<1@", b"<2@"))
        await labo.settle()
        assert {"a.eml.failed.json", "b.eml.failed.json"} < labo.lying()
        assert 1 == len(labo.world.labo.desk.criticals.look(labo.world.clock()))


async def test_the_first_answer_comes_before_what_software_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder was full when it was taken: what came of it meanwhile is not lost for that."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async with lab(tmp_path) as labo:
        with monkeypatch.context() as patch:
            patch.setattr(labs_folder, "_let_go", full)
            labo.put("tsh.pdf", PDF, to=[CHU], key="2026-1", document=ABOUT)
            await labo.settle()
            books = labo.world.labo.desk.books
            (copy,) = labo.world.labo.copies()
            await books.database.commit(books.applied(copy, None, labo.world.clock()))
            await labo.look()
            assert "tsh.pdf.answered.json" not in labo.lying()
        labo.world.clock.advance(seconds=61)
        await labo.look()
        assert {"tsh.pdf.accepted.json", "tsh.pdf.answered.json"} < labo.lying()
