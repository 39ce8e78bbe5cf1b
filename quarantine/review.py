"""What a reviewer may do with a case: release it, refuse it, or let its time run out.

Each is one transaction: the decision, and what it means for the delivery, which the floor above
says in statements of its own (``Consequence``). If two reviewers decide at once, one is told so.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quarantine.case import Case, Event, QuarantineError, step
from quarantine.register import Register
from vault.database import Database, Statement
from vault.errors import Conflict

Consequence = Callable[[Case], Sequence[Statement]]  # delivery step, journal entry, receipts


@dataclass(frozen=True, slots=True)
class Review:
    """The reviewer's verbs."""

    database: Database
    register: Register
    keep: timedelta  # how long a case waits for a decision

    def holding(
        self, delivery_id: str, reasons: tuple[str, ...], now: datetime
    ) -> tuple[Case, list[Statement]]:
        """Return a new case and the statements that open it."""
        case = Case(secrets.token_hex(6), delivery_id, reasons, now, now + self.keep)
        return case, [self.register.holding(case)]

    async def release(self, case_id: str, note: str, now: datetime, then: Consequence) -> Case:
        """Let the delivery go on, for the reason given; it is still trust-checked on its way."""
        return await self._decide(self._case(case_id), Event.RELEASE, now, note, then)

    async def refuse(self, case_id: str, note: str, now: datetime, then: Consequence) -> Case:
        """End the delivery; its sender is told."""
        return await self._decide(self._case(case_id), Event.REFUSE, now, note, then)

    async def expire(self, case: Case, now: datetime, then: Consequence) -> Case:
        """End a delivery that nobody decided about in time."""
        return await self._decide(case, Event.EXPIRE, now, "", then)

    def _case(self, case_id: str) -> Case:
        case = self.register.find(case_id)
        if case is None:
            raise QuarantineError(
                f"There is no case {case_id}; nothing changed. See `sceau quarantine list`."
            )
        return case

    async def _decide(
        self, case: Case, event: Event, now: datetime, note: str, then: Consequence
    ) -> Case:
        decided = step(case, event, now, note)
        try:
            await self.database.commit([self.register.deciding(decided), *then(decided)])
        except Conflict:
            raise QuarantineError(
                f"Case {case.id} was decided by somebody else, or its delivery moved on,"
                " a moment ago; nothing changed. Look at it again."
            ) from None
        return decided
