"""A quarantined message: which of its copies still wait for a person, and what became of the others.

::

            ┌── RELEASE ──► released    the copy goes on its way, its trust asked again
            ├── REFUSE ───► refused     it ends; its sender is told
    held ───┼── EXPIRE ───► expired     nobody decided in time; its sender is told
            └── CANCEL ───► cancelled   its sender or an operator stopped it: nothing is left to decide

A case is one message; each recipient's copy of it is decided once, together with the others or
alone. A copy that was released and is held again, for another reason, waits anew, in the same case
if that is still open. A release needs a reason in words, because it lets pass what a rule stopped,
and the journal must be able to say why.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from quarantine.policy import Finding


class QuarantineError(Exception):
    """What was asked of a case cannot be done; the message is for the reviewer."""


class State(StrEnum):
    """Where a copy stands; where its case stands is what its copies make of it."""

    HELD = "held"
    RELEASED = "released"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What ends the wait."""

    RELEASE = "release"
    REFUSE = "refuse"
    EXPIRE = "expire"
    CANCEL = "cancel"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.HELD, Event.RELEASE): State.RELEASED,
    (State.HELD, Event.REFUSE): State.REFUSED,
    (State.HELD, Event.EXPIRE): State.EXPIRED,
    (State.HELD, Event.CANCEL): State.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Ruling:
    """Who decided, when, and in which words."""

    by: str
    at: datetime
    note: str = ""  # why, for the journal and whoever looks at the case
    words: str = ""  # for the message's sender

    def __post_init__(self) -> None:
        object.__setattr__(self, "note", self.note.strip())
        object.__setattr__(self, "words", self.words.strip())


@dataclass(frozen=True, slots=True)
class Held:
    """One recipient's copy, why it was held, and what became of it."""

    id: str
    delivery: str
    reasons: tuple[str, ...]  # stable slugs
    since: datetime
    found: tuple[Finding, ...] = ()  # the same in detail, where there is more to say
    state: State = State.HELD
    ruling: Ruling | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One message of which copies were held."""

    id: str
    message: str
    opened: datetime
    expires: datetime
    copies: tuple[Held, ...]
    preserved: Ruling | None = None  # a legal hold: its content stays until that is lifted

    @property
    def waiting(self) -> tuple[Held, ...]:
        """The copies that wait for a decision."""
        return tuple(one for one in self.copies if one.state is State.HELD)

    @property
    def state(self) -> State:
        """Held while one copy is; else what counts most of what became of them."""
        states = {one.state for one in self.copies}
        return next(state for state in State if state in states)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is held, all of it; once it is decided, why it was."""
        return union(one.reasons for one in self.waiting or self.copies)


def union(reasons: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Return each reason once, in the order in which they came."""
    return tuple(dict.fromkeys(reason for some in reasons for reason in some))


def decide(
    case: Case, event: Event, ruling: Ruling, deliveries: Collection[str] | None = None
) -> Case:
    """Return the case after a decision about some of its copies, or about all that wait.

    Raise ``QuarantineError`` if it may not be taken: then it is taken of none.
    """
    asked = {one.delivery for one in case.waiting} if deliveries is None else set(deliveries)
    if not asked:
        raise _decided(case)
    if not asked <= {one.delivery for one in case.waiting}:
        raise _decided(case, " for one of these recipients" if case.waiting else "")
    if event is Event.RELEASE and not ruling.note:
        raise QuarantineError(
            f"Case {case.id} stays held: a release needs a note that says why it may pass."
        )
    return replace(
        case,
        copies=tuple(
            replace(one, state=TRANSITIONS[one.state, event], ruling=ruling)
            if one.delivery in asked and one.state is State.HELD
            else one
            for one in case.copies
        ),
    )


def _decided(case: Case, whom: str = "") -> QuarantineError:
    return QuarantineError(
        f"Case {case.id} was already decided{whom}: a decision is taken once. Nothing changed."
    )
