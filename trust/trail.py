"""What became of every list that was ever verified here, as a chain that nobody can rewrite.

Each entry's hash covers the one before it, so a history that was altered, or has a piece cut out,
shows where. What counts after a restart is read from it: which version was in force, which waits,
who has approved it, which were rejected, and below which number nothing may come. R-C4, R-C6.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

import msgspec

from trust.sources import Edition
from trust.verification import Known, Offer

FIRST = bytes(32)  # what the first entry follows


class Step(StrEnum):
    """What happened to a version."""

    VERIFIED = "verified"
    IN_FORCE = "in-force"
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    ERASED = "erased"  # its content: that it was, and what became of it, stays


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One line of the history."""

    at: datetime
    source: str
    step: Step
    digest: str  # SHA-256 of what was verified, in hex
    version: int | None
    issued: datetime
    actor: str = ""  # the operator who said so; none: the policy
    why: str = ""
    revoked: tuple[str, ...] = ()  # by versions that it took the place of, while they waited

    @classmethod
    def of(
        cls,
        edition: Edition,
        step: Step,
        now: datetime,
        *,
        why: str = "",
        actor: str = "",
        revoked: Iterable[str] = (),
    ) -> Self:
        """Return the line about an edition."""
        said, domains = edition.claims, tuple(sorted(revoked))
        return cls(
            now,
            edition.source,
            step,
            edition.digest,
            said.version,
            said.issued,
            actor,
            why,
            domains,
        )


def packed(entry: Entry) -> bytes:
    """Return the bytes that are hashed and kept."""
    return msgspec.msgpack.encode(entry)


def unpacked(data: bytes) -> Entry:
    """Return an entry as it was kept; raise ``ValueError`` if it is none."""
    return msgspec.msgpack.decode(data, type=Entry)


def link(before: bytes, entry: Entry) -> bytes:
    """Return the hash by which the next entry names this one, and all before it."""
    return hashlib.sha256(before + packed(entry)).digest()


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it was found, with the hash beside it; no entry: it no longer opens."""

    number: int
    hash: bytes
    entry: Entry | None


class TrustStore(Protocol):
    """Where versions and their history are kept for good; the floors above fill it."""

    async def history(self) -> Sequence[Kept]:
        """Return all entries ever kept, in order."""

    async def offer(self, source: str, digest: str) -> Offer | None:
        """Return a version as it was offered; None if it cannot be had."""

    async def keep(self, entries: Sequence[Entry], offer: Offer | None = None) -> None:
        """Go on with the history, and keep what was offered; return once it is durable.

        Where an entry says that a version was erased, its content goes in the same stroke.
        """


def flaw(history: Iterable[Kept]) -> int | None:
    """Return the number of the first entry that does not follow from those before it."""
    before = FIRST
    for expected, kept in enumerate(history, 1):
        before = link(before, kept.entry) if kept.entry else b""
        if kept.number != expected or kept.hash != before:
            return expected
    return None


@dataclass(slots=True)
class Past:
    """What the history says of one source."""

    known: Known | None = None
    in_force: Entry | None = None
    waiting: Entry | None = None
    approvals: tuple[str, ...] = ()
    rejected: set[str] = field(default_factory=set)
    arrived: dict[str, datetime] = field(default_factory=dict)  # by digest

    @classmethod
    def of(cls, entries: Iterable[Entry], source: str) -> "Past":
        """Read a source's past from the whole history."""
        found = cls()
        for entry in entries:
            if entry.source == source:
                found.add(entry)
        return found

    def add(self, entry: Entry) -> None:
        """Go one entry further."""
        match entry.step:
            case Step.VERIFIED:
                self.known = Known(entry.version, entry.digest, entry.issued)
                self.arrived[entry.digest] = entry.at
            case Step.IN_FORCE:
                self.in_force, self.waiting, self.approvals = entry, None, ()
            case Step.WAITING:
                self.waiting, self.approvals = entry, ()
            case Step.APPROVED:
                self.approvals += (entry.actor,)
            case Step.REJECTED:
                self.rejected.add(entry.digest)
                self.waiting, self.approvals = None, ()
            case Step.ERASED:
                pass


def outdated(entries: Sequence[Entry], before: datetime, versions: int) -> list[Entry]:
    """Return the versions, as they were verified, whose content need not be kept any longer.

    Verified before that date, neither in force nor waiting, and not of its source's last ones.
    """
    found: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        if entry.step is Step.VERIFIED:
            found.pop((entry.source, entry.digest), None)  # it came again: now it is the last
            found[entry.source, entry.digest] = entry
        elif entry.step is Step.ERASED:
            found.pop((entry.source, entry.digest), None)
    for source in {source for source, _ in found}:
        past = Past.of(entries, source)
        last = [key for key in found if key[0] == source][-versions:]
        standing = [(source, each.digest) for each in (past.in_force, past.waiting) if each]
        for key in {*last, *standing}:
            found.pop(key, None)
    return [entry for entry in found.values() if entry.at < before]
