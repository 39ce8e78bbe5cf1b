"""A whole look: sealed message in, findings out, with the scanner played."""

from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from gateway.documents import coherence
from gateway.relay.delivery import holder
from gateway.relay.looking import Looking
from gateway.relay.message import Copy
from quarantine.budget import Limits
from quarantine.letter import Letter
from quarantine.policy import Finding
from quarantine.scanner import Scanned, Silent
from tests.quarantine.files import EXE, bomb, mail, zipped
from tests.world.world import World

DR, DOWN = "dr@labo.example", "a@clinique.example"


@dataclass
class Played:
    """A scanner that a test plays."""

    said: Scanned | Silent = field(default_factory=Scanned)
    heard: bytes = b""

    async def scan(self, blocks: AsyncIterator[bytes]) -> Scanned | Silent:
        async for block in blocks:
            self.heard += block
        return self.said


async def kept(world: World, content: bytes) -> list[Copy]:
    """Have a message in the spool that stays there."""
    await world.play(down=True)
    await world.labo.submit(DR, [DOWN], content)
    await world.settle()
    return world.labo.copies()


def looking(world: World, **how: object) -> Looking:
    threads = ThreadPoolExecutor(1, "sceau-look")
    how.setdefault("also", coherence.findings)
    return Looking(world.labo.rest.vault, threads=threads, **how)  # type: ignore[arg-type]


async def test_what_lies_in_a_message(world: World) -> None:
    """It is found in the sealed message, as its recipient would find it."""
    copies = await kept(world, mail(("compte-rendu.pdf", zipped({"a.exe": EXE}))))
    found = await looking(world).look(copies)
    assert {"disguised", "executable"} == {each.reason for each in found}


async def test_a_large_message(world: World) -> None:
    """One that is not kept in the database is read in ranges."""
    copies = await kept(world, mail(("a.bin", bytes(3 << 20)), ("b.pdf", EXE)))
    assert Finding("executable", "3 b.pdf") in await looking(world).look(copies)


async def test_the_scanner_has_every_octet(world: World) -> None:
    """And says what it says."""
    content = mail(("a.pdf", EXE))
    copies = await kept(world, content)
    scanner = Played(Scanned("Sceau.Test"))
    assert Scanned("Sceau.Test") == await looking(world, scanner=scanner).scan(copies)
    vault = world.labo.rest.vault
    assert scanner.heard == await vault.read(holder(copies[0].delivery.id))


async def test_without_a_scanner(world: World) -> None:
    """Nothing is malware that nobody looks for."""
    assert Scanned() == await looking(world).scan(await kept(world, mail()))


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"seconds": 0.0}, "not-inspected"),
        ({"limits": Limits(unpacked=1 << 20)}, "archive-bomb"),
        ({"limits": Limits(largest=1000)}, "not-inspected"),
    ],
)
async def test_limits(world: World, how: dict[str, object], reason: str) -> None:
    """Time, size and depth end a look, whatever is in the message."""
    copies = await kept(world, mail(("42.zip", bomb(2))))
    assert reason in {each.reason for each in await looking(world, **how).look(copies)}


async def test_what_documents_contradict(world: World) -> None:
    """Who reads documents is shown the same letter, in the same thread."""
    seen: list[Letter] = []

    def also(letter: Letter) -> Iterable[Finding]:
        seen.append(letter)
        return [Finding("patient-differs", "2")]

    copies = await kept(world, mail(("IHE_XDM.zip", zipped({"INDEX.HTM": b"<html>"}))))
    assert (Finding("patient-differs", "2"),) == await looking(world, also=also).look(copies)
    (letter,) = seen
    assert [DOWN] == list(letter.recipients)
    assert b"Essai" == letter.header.first("subject")


def test_a_look_ends_with_the_gateway() -> None:
    """Its threads do not outlive it."""
    threads = ThreadPoolExecutor(1, "sceau-look")
    made = Looking(None, coherence.findings, threads=threads)  # type: ignore[arg-type]
    made.close()
    with pytest.raises(RuntimeError):
        threads.submit(print)
    assert made.ended.is_set()
