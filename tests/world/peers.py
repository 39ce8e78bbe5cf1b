"""A next hop that a test plays itself: what it answers is written down beforehand."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from smtp.reply import Reply
from smtp.send.client import UNREACHABLE, Entitled
from smtp.send.outgoing import Offer, Outcome, Outgoing

TAKEN = Reply(250, "2.0.0", "Queued")


@dataclass(slots=True)
class Peer:
    """Answers to every message what ``says`` says; remembers what it was told."""

    certificate: bytes
    says: Reply = TAKEN
    dsn: bool = True
    down: bool = False
    hangs_up: bool = False  # after each message
    recipients_max: int | None = None
    offer: Offer = field(default_factory=Offer)  # what it says at EHLO
    breaks: Exception | None = None  # what sending raises: a bug of ours
    dials: int = 0
    heard: list[tuple[Outgoing, bytes]] = field(default_factory=list)
    closed: int = 0
    stale: bool = False  # it hung up on the idle connection meanwhile
    gate: asyncio.Event | None = None  # it answers when this is set
    asked: asyncio.Event = field(default_factory=asyncio.Event)  # it was given a message

    async def dial(self, name: str, port: int, entitled: Entitled) -> "Open | Reply":
        self.dials += 1
        if self.down:
            return UNREACHABLE
        if (refusal := await entitled(self.certificate, ())) is not None:
            return refusal
        return Open(self)


@dataclass(slots=True)
class Open:
    """A connection to it."""

    peer: Peer
    idle_since: float = 0.0
    usable: bool = True
    used: bool = False

    @property
    def certificate(self) -> bytes:
        return self.peer.certificate

    @certificate.setter
    def certificate(self, value: bytes) -> None:
        self.peer.certificate = value

    @property
    def offer(self) -> Offer:
        return self.peer.offer

    @property
    def recipients_max(self) -> int | None:
        return self.peer.recipients_max

    async def send(self, outgoing: Outgoing, body: AsyncIterator[bytes]) -> Outcome:
        self.peer.asked.set()
        if self.peer.gate is not None:
            await self.peer.gate.wait()
        if self.peer.breaks is not None:
            raise self.peer.breaks
        if self.used and self.peer.stale:
            self.peer.stale = self.usable = False
            replies = tuple((one.address, UNREACHABLE) for one in outgoing.recipients)
            return Outcome(replies, dsn=False, reusable=False, stale=True)
        self.used = True
        content = b"".join([block async for block in body])
        self.peer.heard.append((outgoing, content))
        self.idle_since = asyncio.get_running_loop().time()
        self.usable = not self.peer.hangs_up
        replies = tuple((one.address, self.peer.says) for one in outgoing.recipients)
        return Outcome(replies, dsn=self.peer.dsn, reusable=self.usable)

    async def close(self) -> None:
        self.usable = False
        self.peer.closed += 1
