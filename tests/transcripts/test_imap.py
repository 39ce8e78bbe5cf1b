"""Every reading, three times: the core in blocks, the core byte by byte, the real server."""

import asyncio
from pathlib import Path
from typing import Protocol

import pytest

from imap.principal import Shared
from tests.imap.stage import COLLEAGUE, LETTERS, USER, Core, Open, Scene, opened, whole
from tests.smtp.stage import LOOPS, Pki, Wire, run
from tests.transcripts.reading import Step, Transcript, matches, shown, transcripts
from tests.world.rest import Rest

ALL = list(transcripts())
LAST = b"* BYE Goodbye\r\nzz OK Logged out\r\n"


class Client(Protocol):
    """One client of a conversation."""

    async def say(self, sent: bytes) -> None: ...

    async def response(self) -> bytes: ...

    async def start_tls(self) -> None: ...

    async def go(self) -> None: ...

    async def rest(self) -> bytes: ...


class InCore:
    """Speaks to the state machine and who attends to it; no socket."""

    def __init__(self, core: Core, *, blocks: bool) -> None:
        self.core, self.blocks = core, blocks

    async def say(self, sent: bytes) -> None:
        for block in [sent] if self.blocks else [bytes([byte]) for byte in sent]:
            self.core.receive(block)

    async def response(self) -> bytes:
        async with asyncio.timeout(20):
            return await self.core.response()

    async def start_tls(self) -> None:
        self.core.machine.secured(self.core.secure)
        self.core.pump()

    async def go(self) -> None:
        self.core.lost()
        await self.core.ended()

    async def rest(self) -> bytes:
        if not self.core.closed:
            await self.say(b"zz LOGOUT\r\n")
        await self.core.ended()
        return self.core.out.removesuffix(LAST)


class OnWire:
    """Speaks to the real server over real TLS."""

    def __init__(self, wire: Wire, at: Open, pki: Pki) -> None:
        self.wire, self.at, self.pki = wire, at, pki
        self.heard = b""
        self.over = False

    async def say(self, sent: bytes) -> None:
        await self.wire.say(sent)

    async def response(self) -> bytes:
        while (said := whole(self.heard)) is None:
            block = await self.wire.reader.read(1 << 16)
            if not block:
                return b""
            self.heard += block
        self.heard = self.heard[len(said) :]
        return said

    async def start_tls(self) -> None:
        await self.wire.writer.start_tls(self.pki.anonymous())

    async def go(self) -> None:
        self.over = True
        await self.wire.close()

    async def rest(self) -> bytes:
        if self.over:
            return b""
        await self.say(b"zz LOGOUT\r\n")
        said = self.heard + await self.wire.reader.read()
        await self.wire.close()
        return said.removesuffix(LAST)


class Conversation:
    """Holds one, whoever its clients are."""

    def __init__(self, transcript: Transcript, scene: Scene) -> None:
        self.transcript, self.scene = transcript, scene
        self.clients: dict[int, Client] = {}

    async def join(self) -> Client:
        raise NotImplementedError

    async def hold(self) -> None:
        await self.enter(1)
        for step in self.transcript.steps:
            if step.client not in self.clients:
                await self.enter(step.client)
            await self.play(step)
        for client in self.clients.values():
            assert b"" == await client.rest()

    async def enter(self, number: int) -> None:
        self.clients[number] = await self.join()
        if "raw" in self.transcript.options:
            return
        steps = ["S: * OK […] gw.chu-nord.example Sceau ready"]
        if not self.transcript.rules.implicit_tls:
            steps += ["C: 00 STARTTLS", "S: 00 OK Begin TLS", "~: tls"]
        how = "AUTHENTICATE EXTERNAL =" if self.transcript.rules.certificate else "LOGIN {} right"
        steps += [f"C: 01 {how.format(USER)}", "S: 01 OK […] Logged in"]
        if "select" in self.transcript.options:
            steps += ["C: 02 SELECT INBOX", "S> 02 OK"]
        for line in steps:
            text = line[3:]
            await self.play(Step(line[:2].rstrip(":"), text, number, text.encode() + b"\r\n"))

    async def play(self, step: Step) -> None:
        client = self.clients.get(step.client) or self.clients[1]
        match step.kind, step.text:
            case "C", _:
                await client.say(step.sent)
            case "S", expected:
                said = shown(await client.response())
                assert matches(expected, said), f"expected {expected!r}, heard {said!r}"
            case "S>", expected:
                while not (said := shown(await client.response())).startswith(expected):
                    assert said, f"never heard {expected!r}"
            case "~", "tls":
                await client.start_tls()
            case "~", "gone":
                await client.go()
            case "~", "deliver":
                await self.scene.deliver(LETTERS[0])
            case "=", "closed":
                assert b"" == await client.response()
                await client.go()
            case _:
                name, _, expected = step.text.partition(":")
                assert expected.strip() == self.note(name)

    def note(self, name: str) -> str:
        if name == "read":
            return str(len(self.scene.opened))
        return " ".join(event for event, _ in self.scene.notes)


class Inside(Conversation):
    """Held with the core."""

    def __init__(self, transcript: Transcript, scene: Scene, *, blocks: bool) -> None:
        super().__init__(transcript, scene)
        self.blocks = blocks

    async def join(self) -> Client:
        return InCore(Core(self.scene, self.transcript.rules), blocks=self.blocks)


class Outside(Conversation):
    """Held with the server."""

    def __init__(self, transcript: Transcript, scene: Scene, at: Open, pki: Pki) -> None:
        super().__init__(transcript, scene)
        self.at, self.pki = at, pki

    async def join(self) -> Client:
        rules = self.transcript.rules
        context = self.pki.client() if rules.certificate else self.pki.anonymous()
        wire = await Wire.dial(self.at.port, context if rules.implicit_tls else None)
        return OnWire(wire, self.at, self.pki)


async def scene_of(transcript: Transcript, rest: Rest) -> Scene:
    scene = await Scene.make(rest)
    if "shared" in transcript.options:
        scene.people.shared = (Shared(COLLEAGUE, 2, "lrswit"),)
        await scene.deliver(LETTERS[0], mailbox=2)
    await scene.deliver(*LETTERS)
    for mailbox in (1, 2) if "recent" not in transcript.options else ():
        for folder in scene.mailboxes.folders(mailbox):
            scene.mailboxes.recents.claim(folder.id, folder.uid_next)
    return scene


@pytest.mark.parametrize("blocks", [True, False], ids=["blocks", "bytes"])
@pytest.mark.parametrize("transcript", ALL, ids=lambda transcript: transcript.name)
async def test_the_core_says_what_is_written(
    transcript: Transcript, rest: Rest, *, blocks: bool
) -> None:
    """However the bytes are cut, the answers are those of the file."""
    await Inside(transcript, await scene_of(transcript, rest), blocks=blocks).hold()


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("transcript", ALL, ids=lambda transcript: transcript.name)
def test_the_server_says_what_is_written(
    transcript: Transcript, loop: str, pki: Pki, tmp_path: Path
) -> None:
    """Over real TLS, on both event loops, the same answers."""

    async def converse() -> None:
        rest = Rest.open(tmp_path)
        scene = await scene_of(transcript, rest)
        async with opened(transcript.rules, pki, scene) as at, asyncio.timeout(20):
            await Outside(transcript, scene, at, pki).hold()
        await rest.database.close()

    run(loop, converse())
