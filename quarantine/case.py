"""A quarantined message: who may still decide what about it.

::

            ┌── RELEASE ──► released   the delivery goes on as if it had never been held
    held ───┼── REFUSE ───► refused    the delivery ends; its sender is told
            └── EXPIRE ───► expired    nobody decided in time; its sender is told

A decision is taken once. A release needs a reason in words, because it lets pass what a rule
stopped, and the journal must be able to say why.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class QuarantineError(Exception):
    """What was asked of a case cannot be done; the message is for the reviewer."""


class State(StrEnum):
    """Where a case stands."""

    HELD = "held"
    RELEASED = "released"
    REFUSED = "refused"
    EXPIRED = "expired"


class Event(StrEnum):
    """What ends a case."""

    RELEASE = "release"
    REFUSE = "refuse"
    EXPIRE = "expire"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.HELD, Event.RELEASE): State.RELEASED,
    (State.HELD, Event.REFUSE): State.REFUSED,
    (State.HELD, Event.EXPIRE): State.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Case:
    """One held delivery, why it was held, and what became of it."""

    id: str
    delivery: str
    reasons: tuple[str, ...]  # stable slugs
    opened: datetime
    expires: datetime
    state: State = State.HELD
    decided: datetime | None = None
    note: str = ""  # the reviewer's words


def step(case: Case, event: Event, now: datetime, note: str = "") -> Case:
    """Return the case after the event; raise ``QuarantineError`` if it may not happen."""
    state = TRANSITIONS.get((case.state, event))
    if state is None:
        raise QuarantineError(
            f"Case {case.id} was already {case.state}: a decision is taken once. Nothing changed."
        )
    if event is Event.RELEASE and not note.strip():
        raise QuarantineError(
            f"Case {case.id} stays held: a release needs a note that says why it may pass."
        )
    return replace(case, state=state, decided=now, note=note.strip())
