"""Clients that do anything at random, and believe nothing that the server says about its state.

Each keeps a copy of the folder from what it is told, and checks every word against it: what IMAP
promises about sequence numbers, UIDs, flags and modification sequences (RFC 3501 §2.3, §7.4.1,
RFC 7162 §3.1) must hold however many clients change the folder at once.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 - a run can be told again by its seed

from tests.imap.stage import USER, whole
from tests.smtp.stage import Pki, Wire

FLAGS = (
    *("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"),
    *("Pris_en_charge", "Fait", "$Junk"),
)
_COUNTED = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE|RECENT)\r\n\Z")
_FETCHED = re.compile(rb"\* (\d+) FETCH \((.*)\)\r\n\Z", re.DOTALL)
_UID = re.compile(rb"\bUID (\d+)")
_FLAGS = re.compile(rb"\bFLAGS \(([^)]*)\)")
_MODSEQ = re.compile(rb"\bMODSEQ \((\d+)\)")
_LITERAL = re.compile(rb"\{(\d+)\}\r\n")
_PATIENCE = 30.0
_SILENT = {"FETCH", "STORE", "SEARCH"}


@dataclass(slots=True)
class Known:
    """A message as its client knows it."""

    uid: int = 0  # 0: not told yet
    flags: frozenset[str] | None = None
    modseq: int = 0


@dataclass(eq=False)
class Client:
    """One client, and its copy of the folder."""

    pki: Pki
    port: int
    chance: Random
    recent: dict[int, "Client"]  # by UID, who was told of it first; one for all clients
    done: dict[str, int] = field(default_factory=dict)
    messages: list[Known] = field(default_factory=list)
    highest: int = 0  # the highest UID ever told: none below it comes anew
    number: int = 0
    command: str = ""
    heard: bytes = b""

    # The line.

    async def enter(self) -> None:
        """Log in and open the folder."""
        self.wire = await Wire.dial(self.port, self.pki.anonymous())
        await self.response()
        await self.tell(f"LOGIN {USER} right")
        await self.tell("ENABLE CONDSTORE")
        await self.select()

    async def response(self) -> bytes:
        while (said := whole(self.heard)) is None:
            async with asyncio.timeout(_PATIENCE):
                block = await self.wire.reader.read(1 << 16)
            assert block, f"the server left after {self.command}"
            self.heard += block
        self.heard = self.heard[len(said) :]
        return said

    async def tell(self, line: str, literal: bytes | None = None) -> bytes:
        """Say a command; check all that is said to it; return its answer without the tag."""
        self.number += 1
        tag, self.command = f"t{self.number}", line.split(" ", 1)[0]
        self.done[self.command] = self.done.get(self.command, 0) + 1
        sent = f"{tag} {line}".encode()
        if literal is not None:
            sent += b" {%d+}\r\n" % len(literal) + literal
        await self.wire.say(sent + b"\r\n")
        while not (said := await self.response()).startswith(f"{tag} ".encode()):
            self.check(said)
        answer = said[len(tag) + 1 :]
        assert not answer.startswith(b"BAD"), (line, answer)
        assert b"SERVERBUG" not in answer, (line, answer)
        return answer

    # What must hold.

    def check(self, said: bytes) -> None:
        """Compare what is said with what is known."""
        if (counted := _COUNTED.match(said)) is not None:
            self.count(int(counted[1]), counted[2].decode())
        elif (fetched := _FETCHED.match(said)) is not None:
            self.fetched(int(fetched[1]), _without_literals(fetched[2]))
        else:
            assert not said.startswith(b"* BYE"), said

    def count(self, number: int, what: str) -> None:
        if what == "EXISTS":
            assert number >= len(self.messages), "messages went without EXPUNGE"
            self.messages += [Known() for _ in range(number - len(self.messages))]
        elif what == "EXPUNGE":
            assert self.command not in _SILENT, "EXPUNGE while messages are named by number"
            assert 1 <= number <= len(self.messages), "EXPUNGE of what is not there"
            del self.messages[number - 1]

    def fetched(self, number: int, told: bytes) -> None:
        assert 1 <= number <= len(self.messages), "FETCH of what is not there"
        known = self.messages[number - 1]
        if (uid := _UID.search(told)) is not None:
            self.named(number, int(uid[1]))
        modseq = _MODSEQ.search(told)
        if modseq is not None:
            assert int(modseq[1]) >= known.modseq, "a modification sequence went back"
        if (flags := _FLAGS.search(told)) is not None:
            known.flags = frozenset(flags[1].decode().split()) - {"\\Recent"}
            if known.uid and b"\\Recent" in flags[1].split():
                assert self.recent.setdefault(known.uid, self) is self, "recent to two clients"
            known.modseq = int(modseq[1]) if modseq is not None else known.modseq

    def named(self, number: int, uid: int) -> None:
        known = self.messages[number - 1]
        assert known.uid in {0, uid}, "a message changed its UID"
        if known.uid:
            return
        before = max((each.uid for each in self.messages[: number - 1]), default=0)
        after = [each.uid for each in self.messages[number:] if each.uid]
        assert before < uid < min(after, default=1 << 32), "UIDs do not ascend"
        known.uid = uid

    # What it does.

    async def select(self) -> None:
        """Begin anew: what was known must still be so, unless it was told to have gone."""
        self.messages = []
        answer = await self.tell("SELECT INBOX")
        assert answer.startswith(b"OK [READ-WRITE]")
        await self.tell("FETCH 1:* (UID FLAGS MODSEQ)") if self.messages else None

    def some(self) -> str:
        """Return a sequence set of messages that are there."""
        size = len(self.messages)
        ends = [self.chance.randint(1, size) for _ in range(2)]
        return f"{ends[0]}:{ends[1]}" if self.chance.random() < 0.3 else str(ends[0])

    async def append(self) -> None:
        """Put a message there."""
        body = b"Subject: %d\r\n\r\n" % self.chance.randint(0, 99)
        body += b"x" * self.chance.choice((0, 10, 5000, 70_000)) + b"\r\n"
        flags = " ".join(self.chance.sample(FLAGS, 2))
        assert (await self.tell(f"APPEND INBOX ({flags})", body)).startswith(b"OK [APPENDUID")

    async def store(self) -> None:
        """Change flags; what is told of these messages has what was asked for."""
        mode = self.chance.choice(("+FLAGS", "-FLAGS", "FLAGS", "+FLAGS.SILENT"))
        flags = self.chance.sample(FLAGS, self.chance.randint(1, 3))
        where = self.some()
        answer = await self.tell(f"STORE {where} {mode} ({' '.join(flags)})")
        low, high = sorted(map(int, (where.split(":") * 2)[:2]))
        if not answer.startswith(b"OK"):
            return
        for known in self.messages[low - 1 : high]:
            if mode == "+FLAGS.SILENT" and known.flags is not None:
                known.flags |= frozenset(flags)

    async def expunge(self) -> None:
        """Erase what is marked."""
        await self.tell("EXPUNGE")

    async def fetch(self) -> None:
        """Read."""
        what = self.chance.choice(
            ("FLAGS", "(UID FLAGS MODSEQ)", "ENVELOPE", "BODYSTRUCTURE", "BODY.PEEK[]", "BODY[1]")
        )
        await self.tell(f"FETCH {self.some()} {what}")

    async def uid_fetch(self) -> None:
        """Read by UID, among those that are not there."""
        low = self.chance.randint(1, 1 + max((each.uid for each in self.messages), default=1))
        await self.tell(f"UID FETCH {low}:* (FLAGS MODSEQ)")

    async def search(self) -> None:
        """Look for something."""
        key = self.chance.choice(("ALL", "UNSEEN", "KEYWORD Fait", "SUBJECT 7", "NOT DELETED"))
        await self.tell(f"SEARCH RETURN (COUNT MIN MAX) {key}")

    async def copy(self) -> None:
        """Copy within the folder, or move there and back."""
        name = self.chance.choice(("INBOX", "Sub"))
        await self.tell(f"{self.chance.choice(('COPY', 'MOVE'))} {self.some()} {name}")

    async def idle(self) -> None:
        """Wait for others."""
        self.number += 1
        tag, self.command = f"t{self.number}", "IDLE"
        await self.wire.say(f"{tag} IDLE\r\n".encode())
        while not (said := await self.response()).startswith(b"+"):
            self.check(said)
        with suppress(TimeoutError):
            async with asyncio.timeout(self.chance.random() / 20):
                while True:
                    self.check(await self.response())
        await self.wire.say(b"DONE\r\n")
        while not (said := await self.response()).startswith(tag.encode()):
            self.check(said)

    async def live(self, until: Callable[[], bool]) -> None:
        """Do anything, for a while."""
        await self.enter()
        always: tuple[Callable[[], Coroutine[None, None, None]], ...] = (
            *(self.append, self.append, self.uid_fetch, self.search, self.idle, self.select),
            self.expunge,
        )
        named = (self.store, self.store, self.store, self.fetch, self.fetch, self.copy)
        while not until():
            await self.chance.choice((*always, *named) if self.messages else always)()

    async def settle(self) -> None:
        """When nobody changes anything any more: all that is known is as it is."""
        await self.tell("NOOP")
        known = [(each.uid, each.flags, each.modseq) for each in self.messages]
        self.command = ""
        if self.messages:
            await self.tell("UID FETCH 1:* (UID FLAGS MODSEQ)")
        for (uid, flags, modseq), now in zip(known, self.messages, strict=True):
            assert uid in {0, now.uid}
            assert flags in {None, now.flags}, f"a change of {now.uid} was never told"
            assert modseq <= now.modseq


def _without_literals(told: bytes) -> bytes:
    kept, at = [], 0
    while (literal := _LITERAL.search(told, at)) is not None:
        kept.append(told[at : literal.start()])
        at = literal.end() + int(literal[1])
    return b"".join([*kept, told[at:]])
