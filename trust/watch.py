"""One source as it stands: what it said last, what of it is in force, what waits for operators."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from trust.change import Change, Judgement
from trust.sources import Edition
from trust.verification import SKEW, Demands, Known, Offer, Outcome

Seen = object  # by what a place knows that nothing has changed; opaque to others


@dataclass(frozen=True, slots=True)
class Found:
    """What lay there, and how it looked."""

    offer: Offer
    seen: Seen
    useless: int = 0  # files beside it that add no signer


class Place(Protocol):
    """Where a list is looked for."""

    @property
    def confirms(self) -> bool:
        """Whether the same as before is its author's word that nothing has changed."""

    async def look(self, before: Seen | None) -> Found | None:
        """Return what lies there; None: the same as before. ``OfferError`` says what is missing."""


@dataclass(frozen=True, slots=True)
class Source:
    """One source of trust, as the settings name it; its rank is its place among them."""

    demands: Demands
    place: Place | None = None  # none: it is brought by hand
    poll: float = 60  # seconds between two looks
    rolling: bool = False  # its signer is pinned by name: another key of that name is news
    undated: bool = False  # its lists have no date: they are as fresh as their author's last word

    @property
    def name(self) -> str:
        """What operators call it."""
        return self.demands.name


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of one offer, in a word for software and a sentence for operators."""

    at: datetime
    source: str
    outcome: Outcome
    sentence: str
    version: int | None = None
    digest: str | None = None

    @classmethod
    def of(cls, edition: Edition, now: datetime, outcome: Outcome, sentence: str) -> "Arrival":
        """Tell what became of an edition."""
        claims = edition.claims
        return cls(now, edition.source, outcome, sentence, claims.version, edition.digest)

    @classmethod
    def in_force(cls, edition: Edition, now: datetime) -> "Arrival":
        """Tell that an edition is in force, and until when."""
        claims = edition.claims
        if edition.stale(now):
            sentence = f"{claims.name} is in force but stale: mail waits for a new one"
            return cls.of(edition, now, Outcome.ACCEPTED_STALE, sentence)
        sentence = f"{claims.name} is in force until {claims.stale_after:%F %T} UTC"
        return cls.of(edition, now, Outcome.ACCEPTED, sentence)

    @property
    def good(self) -> bool:
        """Whether what was offered is (now or already) in force."""
        return self.outcome in _GOOD

    @property
    def passing(self) -> bool:
        """Whether the same bytes may fare better later."""
        return self.outcome in _PASSING

    def repeats(self, other: "Arrival | None") -> bool:
        """Whether it is the same story once more."""
        return other is not None and (self.outcome, self.sentence) == (
            other.outcome,
            other.sentence,
        )


_GOOD = frozenset({Outcome.ACCEPTED, Outcome.ACCEPTED_STALE, Outcome.UNCHANGED})
_PASSING = frozenset(
    {
        Outcome.BROKEN,
        Outcome.FUTURE,
        Outcome.NOT_SAVED,
        Outcome.SIGNER_REVOKED,
        Outcome.SIGNER_UNSETTLED,
        Outcome.UNTRUSTED_SIGNER,
    }
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A verified version that waits until operators have read what it changes."""

    source: str
    edition: Edition
    change: Change
    judgement: Judgement
    arrived: datetime
    approvals: tuple[str, ...] = ()  # who has agreed so far
    # Whom the versions that it took the place of revoked: no later one undoes that unasked.
    revoked: frozenset[str] = frozenset()

    @property
    def digest(self) -> str:
        """By which operators name it."""
        return self.edition.digest

    @property
    def missing(self) -> int:
        """How many operators have still to agree."""
        return max(0, self.judgement.approvals - len(self.approvals))


@dataclass(frozen=True, slots=True)
class SourceStanding:
    """How one source stands, for operators and for the status page."""

    name: str
    edition: Edition | None  # what of it is in force
    stale: bool  # also when there is none
    age: Outcome | None  # ageing or stale, where nothing newer has come for long
    last: Arrival | None  # what became of its last offer, or of the last look
    looked: datetime | None  # when it was last looked at
    well: datetime | None  # when a look last found a list that is in force
    useless: int  # files beside it, when it was last read, that add no signer
    pending: Pending | None
    lost: bool = False  # some version was in force, and none can be read


@dataclass(slots=True)
class Watch:
    """One source and what the keeper remembers of it; the keeper alone changes it."""

    source: Source
    edition: Edition | None = None
    known: Known | None = None
    pending: Pending | None = None
    rejected: set[str] = field(default_factory=set)  # digests
    offered: dict[str, str] = field(default_factory=dict)  # what was judged: offer's to edition's
    last: Arrival | None = None
    looked: datetime | None = None
    well: datetime | None = None
    age: Outcome | None = None
    useless: int = 0
    lost: str | None = None  # digest of what was in force and cannot be shown, for now at least
    unread: bool = False  # something waits that could not be read again
    once: bool = False  # some version of it was in force
    seen: Seen | None = None  # how its place looked when it was judged

    def known_as(self, digest: str | None) -> tuple[Outcome, str] | None:
        """Say what is known of a version already; None: nothing."""
        if digest is None:
            return None
        if self.edition is not None and digest == self.edition.digest:
            return Outcome.UNCHANGED, "already in force"
        if self.pending is not None and digest == self.pending.digest:
            name, why = self.pending.edition.claims.name, self.pending.judgement.why
            return Outcome.WAITING, f"{name} waits for operators: {why}"
        if digest in self.rejected:
            return Outcome.REJECTED, "an operator has rejected this very list"
        return None

    def due(self, now: datetime) -> bool:
        """Whether an undated list, confirmed now, is to count from now on."""
        if self.edition is None or not self.source.undated:
            return False
        claims = self.edition.claims
        if claims.issued > now + SKEW:
            return True  # our clock was ahead that day: it would never grow old
        return now - claims.issued >= (claims.stale_after - claims.issued) / 4

    @property
    def since(self) -> Known | None:
        """The version below which nothing may come.

        A list without a date counts from when it came, by our own clock: that it seems older, or of
        the same second, says something of the clock and nothing of the list.
        """
        return None if self.source.undated else self.known

    def standing(self, now: datetime) -> SourceStanding:
        """Return how it stands."""
        return SourceStanding(
            self.source.name,
            self.edition,
            self.edition is None or self.edition.stale(now),
            self.age,
            self.last,
            self.looked,
            self.well,
            self.useless,
            self.pending,
            self.lost_sight,
        )

    def enforce(self, edition: Edition) -> None:
        """Let this be in force; whatever waited or was lost is done with."""
        self.edition, self.once = edition, True
        self.pending, self.lost, self.unread = None, None, False

    @property
    def lost_sight(self) -> bool:
        """Whether it has spoken, and nobody can read now for whom."""
        return self.once and self.edition is None

    def ageing(self, now: datetime) -> Arrival | None:
        """Say, once, that nothing newer has come for so long that it will be, or is, stale."""
        if self.edition is None:
            return None
        claims = self.edition.claims
        left = claims.stale_after - now
        age = None
        if left <= timedelta(0):
            age = Outcome.STALE
        elif left < (claims.stale_after - claims.issued) / 3:
            age = Outcome.AGEING
        before, self.age = self.age, age
        if age is None or age is before:
            return None
        verb = "is" if age is Outcome.STALE else "will be"
        why = f": {self.last.sentence}" if self.last and not self.last.good else ""
        sentence = f"{claims.name} {verb} stale from {claims.stale_after:%F %T} UTC on{why}"
        return Arrival(now, self.source.name, age, sentence, claims.version, self.edition.digest)
