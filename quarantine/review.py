"""What may happen to a case: a copy is held, copies are decided about, one is cancelled.

Each is part of one transaction with what it means for the deliveries, which the floor above says in
statements of its own. If two reviewers decide about the same copy at once, one is told so.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from quarantine.case import TRANSITIONS, Case, Event, QuarantineError, Ruling, decide
from quarantine.policy import Finding
from quarantine.register import Register
from vault.database import Database, Statement
from vault.errors import Conflict


@dataclass(frozen=True, slots=True)
class Review:
    """The quarantine's verbs."""

    database: Database
    register: Register
    keep: timedelta  # how long a case waits for a decision

    def opening(
        self,
        delivery: str,
        reasons: tuple[str, ...],
        now: datetime,
        found: Sequence[Finding] = (),
    ) -> list[Statement]:
        """Return the statements that hold a copy: in its message's open case, or a new one."""
        return self.register.opening(delivery, reasons, now, now + self.keep, found)

    def cancelling(self, delivery: str, ruling: Ruling) -> list[Statement]:
        """Return the statements that end the wait of a copy that goes nowhere any more."""
        one = self.register.waiting(delivery)
        if one is None:
            return []
        state = TRANSITIONS[one.state, Event.CANCEL]
        return [self.register.deciding(replace(one, state=state, ruling=ruling))]

    async def decide(
        self,
        case: Case,
        event: Event,
        ruling: Ruling,
        then: Sequence[Statement],
        deliveries: Collection[str] | None = None,
    ) -> Case:
        """Take a decision about the copies named, or all that wait, and do what it means."""
        after = decide(case, event, ruling, deliveries)
        waited = {one.id for one in case.waiting}
        decided = [one for one in after.copies if one.id in waited and one not in case.copies]
        try:
            await self.database.commit([*map(self.register.deciding, decided), *then])
        except Conflict:
            raise QuarantineError(
                f"Case {case.id} was decided by somebody else, or its delivery moved on,"
                " a moment ago; nothing changed. Look at it again."
            ) from None
        return after
