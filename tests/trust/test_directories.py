"""The directories beside the list: the last good one stays, and grants nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from smtp.address import parse
from tests.trust.extraction import row, text
from tests.world.clock import Clock
from trust.addresses import Kind
from trust.directories import Directories, Gathered, Kept, Look, Source
from trust.directory.entry import Entry
from trust.directory.reading import Directory
from trust.errors import ApartError, ListError
from trust.formats import annuaire
from trust.verification import OfferError, Outcome
from trust.watch import Seen

FEW = annuaire.build(text(row(adresse="a@chu.example")))
MANY = annuaire.build(text(*(row(adresse=f"a{n}@chu.example") for n in range(9))))
AGE = timedelta(days=12)


@dataclass
class Origin:
    """What lies there, as the test puts it."""

    answers: list[Gathered | Exception | None] = field(default_factory=list)
    asked: list[Seen | None] = field(default_factory=list)
    looked: asyncio.Event = field(default_factory=asyncio.Event)

    async def look(self, before: Seen | None) -> Gathered | None:
        self.asked.append(before)
        self.looked.set()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Store:
    """Kept in memory."""

    kept: dict[str, Kept] = field(default_factory=dict)
    broken: bool = False

    async def load(self, name: str) -> Kept | None:
        if self.broken:
            raise OSError("disk")
        return self.kept.get(name)

    async def save(self, name: str, kept: Kept) -> None:
        if self.broken:
            raise OSError("disk")
        self.kept[name] = kept


class Scene:
    """Directories of one origin or more, and what they told."""

    def __init__(self, *answers: Gathered | Exception | None) -> None:
        self.clock = Clock()
        self.origin, self.store = Origin(list(answers)), Store()
        self.beside: Sequence[Directory] = ()
        self.told: list[Look] = []
        self.made = self.again()

    def again(self) -> Directories:
        sources = [Source("annuaire", self.origin, 3600, AGE)]
        return Directories(sources, self.store, self.clock, beside=self._put, tell=self.told.append)

    def _put(self, directories: Sequence[Directory]) -> None:
        self.beside = directories

    async def look(self, **how: bool) -> Outcome:
        return (await self.made.look("annuaire", **how)).outcome


async def test_taken_in_and_kept() -> None:
    """A new directory stands beside the list at once, and again after a restart."""
    scene = Scene(Gathered(MANY, "v1"))

    assert Outcome.ACCEPTED == await scene.look()
    assert [9] == [len(each) for each in scene.beside]
    assert ["9 addresses in 1 domains; 9 rows, 0 left out"] == [x.sentence for x in scene.told]
    later = scene.again()
    scene.beside = []
    await later.restore()
    await later.restore()
    assert [9] == [len(each) for each in scene.beside]
    assert later.standing()[0].taken == scene.made.standing()[0].taken


async def test_unchanged() -> None:
    """What has not changed is not read again, and is as fresh as if it had been."""
    scene = Scene(Gathered(FEW, "v1"), None)
    await scene.look()
    scene.clock.advance(days=13)
    assert scene.made.standing()[0].stale

    assert Outcome.UNCHANGED == await scene.look()
    assert [None, "v1"] == scene.origin.asked
    assert not scene.made.standing()[0].stale
    assert 1 == len(scene.told)


@pytest.mark.parametrize(
    ("wrong", "outcome"),
    [
        (OfferError(Outcome.NOT_FOUND, "there is none"), Outcome.NOT_FOUND),
        (ListError("mostly wrong"), Outcome.MALFORMED),
        (ApartError("broke off"), Outcome.BROKEN),
        (RuntimeError("a bug"), Outcome.BROKEN),
        (Gathered(b"no directory", "v2"), Outcome.MALFORMED),
        (Gathered(FEW, "v2"), Outcome.IMPLAUSIBLE),
    ],
)
async def test_the_last_good_one_stays(wrong: Gathered | Exception, outcome: Outcome) -> None:
    """Whatever comes, the directory in use goes on being used, and the standing says why."""
    scene = Scene(Gathered(MANY, "v1"), wrong, wrong)
    await scene.look()

    assert outcome == await scene.look()
    assert [9] == [len(each) for each in scene.made.all]
    assert outcome == (scene.made.standing()[0].last or scene.told[0]).outcome
    await scene.look()
    assert [Outcome.ACCEPTED, outcome] == [look.outcome for look in scene.told]


async def test_an_operator_believes_a_smaller_one() -> None:
    """A directory that lost most of its addresses needs a person's word."""
    scene = Scene(Gathered(MANY, "v1"), Gathered(FEW, "v2"))
    await scene.look()

    assert Outcome.ACCEPTED == await scene.look(anyway=True)
    assert [1] == [len(each) for each in scene.beside]


async def test_a_disk_that_keeps_nothing() -> None:
    """A directory that cannot be kept is used all the same."""
    scene = Scene(Gathered(MANY, "v1"))
    scene.store.broken = True
    await scene.made.restore()

    assert Outcome.NOT_SAVED == await scene.look()
    assert [Outcome.BROKEN, Outcome.NOT_SAVED] == [look.outcome for look in scene.told]
    assert [9] == [len(each) for each in scene.beside]


async def test_ten_days_without_a_publication() -> None:
    """An old directory is used, and said to be old."""
    scene = Scene(Gathered(MANY, "v1"))
    assert scene.made.standing()[0].stale
    await scene.look()
    scene.clock.advance(days=10)
    assert not scene.made.standing()[0].stale
    scene.clock.advance(days=3)

    assert scene.made.standing()[0].stale
    assert scene.beside[0].find(parse("a1@chu.example")) is not None


async def test_the_loop_looks_again_when_woken() -> None:
    """An operator need not wait for the next round."""
    scene = Scene()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(scene.made.run())
        for _ in range(3):
            await scene.origin.looked.wait()
            scene.origin.looked.clear()
            scene.made.wake()
        running.cancel()
    assert 3 <= len(scene.origin.asked)


def test_entries_are_what_the_list_would_say() -> None:
    """A directory's answer has no pins: it entitles no key."""
    entry = Entry(parse("a@chu.example"), Kind.PER)

    assert frozenset() == entry.listed.pins
