"""Who may write to whom when one of the two is a citizen: the rule that stands beside ``decide``.

A professional may begin; the citizen may answer until the professional closes the thread, which
they do by ``X-MSS-MES: FIN`` or ``[FIN]`` in the subject, and each message of a professional opens it
again; where nobody writes for long it ends by itself. A pharmacy may be written to first. Pure: what was written is a value, asked at RCPT
and again with the header. R-G1, R-G2, R-G3, R-G4, R-G5.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import msgspec

from gateway.documents import marks
from gateway.documents.coherence import Citizens
from gateway.documents.ins import of_address
from smtp.address import Address, domain_of, key, local_of
from smtp.message.header import Header

_THREADS = 32  # of one pair that are remembered, those last written in
_MESSAGES = 64  # of one thread: its first, and the newest
_NAMED = 64  # messages that one message may say it answers
_MARK = 16  # characters of a message's hash


class Objection(StrEnum):
    """Why a message between a professional and a citizen does not pass; slugs for the journal."""

    NOT_BEGUN = "citizen-not-begun"
    CLOSED = "citizen-closed"
    OPPOSED = "citizen-opposed"
    AMONG_CITIZENS = "citizen-to-citizen"
    NO_CITIZEN = "citizen-address-wrong"
    TOO_LARGE = "citizen-too-large"


class Pair(NamedTuple):
    """A professional, a citizen, and which of them writes."""

    professional: Address
    citizen: Address
    by_citizen: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """What the house says of citizens; without a domain of theirs nobody is one."""

    citizens: Citizens
    pharmacies: frozenset[str] = frozenset()  # keys of addresses that a citizen may write to first
    largest: int = 25_000_000
    enforced: bool = True  # else threads are noted, and nobody is refused for them
    answer: str = ""  # what a citizen is told once a thread; nothing: they are not
    silence: timedelta | None = None  # after which a thread has ended; None: it does not by itself

    def concern(self, sender: Address | None, recipient: Address) -> bool:
        """Whether one of the two is a citizen; asked of every message, so it costs nothing."""
        domain = self.citizens.domain
        return sender is not None and (
            domain_of(recipient) == domain or domain_of(sender) == domain
        )

    def pair(self, sender: Address, recipient: Address) -> Pair | Objection | None:
        """Return who writes to whom, or why they may not; None: neither is a citizen."""
        writes, reads = self.citizens.has(sender), self.citizens.has(recipient)
        if writes and reads:
            return Objection.AMONG_CITIZENS
        if writes:
            return Pair(recipient, sender, by_citizen=True)
        if not reads:
            return None
        if self.citizens.number(recipient) is None:
            return Objection.NO_CITIZEN
        return Pair(sender, recipient, by_citizen=False)

    def name(self, citizen: Address) -> str:
        """Return what all spellings of a citizen's address share: their number, if it has one."""
        local = local_of(citizen)
        return of_address(local, 15) or of_address(local, 13) or key(citizen)

    def first(self, professional: Address) -> bool:
        """Whether a citizen may write first: to a pharmacy (R-G3)."""
        return key(professional) in self.pharmacies

    def lasting(self, threads: "Threads", now: datetime) -> "Threads":
        """Return the threads that silence has not ended."""
        if self.silence is None:
            return threads
        since = (now - self.silence).timestamp()
        return tuple(each for each in threads if each.at > since)


class Thread(msgspec.Struct, frozen=True, array_like=True):
    """What two wrote to each other under one subject."""

    messages: tuple[str, ...]  # marks: the first, and the newest
    closed: bool = False
    answered: bool = False  # the citizen was told that nobody reads this in an emergency
    at: float = 0.0  # when somebody last wrote


Threads = tuple[Thread, ...]  # of one pair; the one last written in stands last


@dataclass(frozen=True, slots=True)
class Written:
    """What the rule asks of a message."""

    mark: str
    answers: frozenset[str] = frozenset()
    closing: bool = False
    automatic: bool = False
    at: float = 0.0

    @classmethod
    def of(cls, header: Header, message_id: str, now: datetime) -> "Written":
        """Read it from a header; ``message_id`` may have been added by us."""
        named = b" ".join(header.all("in-reply-to") + header.all("references"))
        auto = (header.first("auto-submitted") or b"no").split(b";")[0].strip().lower()
        return cls(
            mark(message_id),
            frozenset(mark(each) for each in _ids(named.decode("utf-8", "replace"))),
            marks.read(header).closing,
            auto != b"no",
            now.timestamp(),
        )


def mark(message_id: str) -> str:
    """Return by what a message is known here."""
    return hashlib.sha256(message_id.strip().encode("utf-8", "replace")).hexdigest()[:_MARK]


def _ids(text: str) -> list[str]:
    """Return the newest names in a list of message ids, the first one too."""
    found = [f"<{each.partition('>')[0]}>" for each in text.split("<")[1:] if ">" in each]
    return found if len(found) <= _NAMED else [found[0], *found[1 - _NAMED :]]


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a pair's threads, and whether the citizen is to be answered by us."""

    threads: Threads
    objection: Objection | None = None
    answer: bool = False


def at_rcpt(threads: Threads, *, first: bool) -> Objection | None:
    """Return why a citizen may not write to somebody, as far as it is known before the header."""
    if first or any(not each.closed for each in threads):
        return None
    return Objection.CLOSED if threads else Objection.NOT_BEGUN


def wrote(threads: Threads, written: Written) -> Threads:
    """A professional wrote: their message opens its thread, begins one, or closes it.

    What a machine wrote for them, for who is away, opens and begins nothing.
    """
    at = _named(threads, written.answers)
    if at is None:
        if written.automatic:
            return threads
        return _kept((*threads, Thread((written.mark,), written.closing, at=written.at)))
    closed = threads[at].closed if written.automatic else written.closing
    return _moved(threads, at, written, closed=closed)


def replied(threads: Threads, written: Written, *, first: bool) -> Step:
    """A citizen wrote: to a thread that is open, or to whom they may write first.

    A message that names none of the threads is counted to the one last written in: mail programs
    forget what they answer, and nobody would be better off if it came back.
    """
    at = _named(threads, written.answers)
    if at is None:
        opened = [place for place, each in enumerate(threads) if not each.closed]
        at = opened[-1] if opened else None
    if at is not None and threads[at].closed and not first:
        return Step(threads, Objection.CLOSED)
    if at is None:
        if (objection := at_rcpt(threads, first=first)) is not None:
            return Step(threads, objection)
        threads, at = (*threads, Thread(())), len(threads)
    answer = not threads[at].answered and not written.automatic
    return Step(_moved(threads, at, written, closed=False, answered=answer), None, answer)


def _named(threads: Threads, answers: frozenset[str]) -> int | None:
    """Return the thread that a message names; of several the one last written in."""
    places = [at for at, each in enumerate(threads) if not answers.isdisjoint(each.messages)]
    return places[-1] if places else None


def _moved(
    threads: Threads, at: int, written: Written, *, closed: bool, answered: bool = False
) -> Threads:
    """Return the threads with one message more in one of them, which then stands last."""
    old = threads[at]
    messages = tuple(dict.fromkeys((*old.messages, written.mark)))
    if len(messages) > _MESSAGES:
        messages = (messages[0], *messages[1 - _MESSAGES :])
    new = Thread(messages, closed, old.answered or answered, max(old.at, written.at))
    return _kept((*threads[:at], *threads[at + 1 :], new))


def _kept(threads: Threads) -> Threads:
    return threads[-_THREADS:]
