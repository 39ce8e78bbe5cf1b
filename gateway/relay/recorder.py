"""What came of an attempt, written down: one transaction with all that it means.

The rows, the receipts, the journal, the reports to the sender, the case of what is held. Where a
neighbour was quicker (a peer's report may settle a copy while we still write down its 250), each
copy is recorded by itself, and what was settled stays as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from gateway.observe.metrics import Metrics
from gateway.relay.away import Away
from gateway.relay.claims import Claims, Onward
from gateway.relay.delivery import State
from gateway.relay.desk import Desk
from gateway.relay.integrating import Integrating
from gateway.relay.lanes import Attempt
from gateway.relay.notices import Notices
from gateway.relay.results import Result
from vault.database import Statement
from vault.errors import Conflict, Gone, SealError, VaultError

Done = tuple[Attempt, Sequence[Result]]  # an attempt, and what came of it


@dataclass(frozen=True, slots=True)
class Recorder:
    """One a gateway."""

    desk: Desk
    notices: Notices
    onward: Onward

    async def record(self, done: Sequence[Done]) -> bool:
        """Commit what came of attempts, together; return whether there is something new to claim."""
        done = [(one, [await self._unhanded(one, each) for each in found]) for one, found in done]
        reports = [await self._reports(one, results) for one, results in done]
        found = [(one, result) for one, results in done for result in results]
        statements = [s for _, result in found for s in self._meaning(result)]
        waits = any(claims.waits for _, claims in reports)
        try:
            told = [s for some, _ in reports for s in some]
            await self.desk.books.database.commit([*statements, *told])
        except Conflict:
            waits, found = True, [each for each in found if await self._record_alone(*each)]
        else:
            for _, claims in reports:
                claims.hand_over()
        self.desk.books.outbox.bell.set()
        for _, result in found:
            tally(self.desk.metrics, result)
        return waits or any(result.sends for _, result in found)

    async def _unhanded(self, one: Attempt, result: Result) -> Result:
        """Return it with what puts before a person a document that its program never took in time."""
        if result.after.state is not State.EXPIRED:
            return result
        errors = self.desk.servers.errors_of(result.copy.recipient.address)
        if errors is None:
            return result
        try:
            aside = await Integrating(self.desk).expired(one, result, errors)
        except (Gone, SealError) as error:  # it is too late all the same, and its sender is told
            self._crashed(one, error)
            return result
        return replace(result, also=(*result.also, *aside), sends=result.sends or bool(aside))

    async def _record_alone(self, one: Attempt, result: Result) -> bool:
        """Commit one result of several of which another is past; return whether it counted.

        A peer's report may have settled the copy while we were still writing down its 250.
        """
        reports, claims = await self._reports(one, [result])
        try:
            await self.desk.books.database.commit([*self._meaning(result), *reports])
        except Conflict:
            return False
        claims.hand_over()
        return True

    async def _reports(
        self, one: Attempt, results: Sequence[Result]
    ) -> tuple[list[Statement], Claims]:
        """Return what tells the sender, and answers for who is away; and what of it goes at once.

        A bug in the telling, or what is damaged, must not undo what was done.
        """
        told = [result for result in results if result.notice]
        claims = Claims(self.onward)
        notices = self.notices.claiming(claims)
        try:
            answers = await Away(self.desk, notices).answering(results)
            reports = await notices.reporting(one.message, told, one.returned)
        except Exception as error:
            if isinstance(error, VaultError) and not isinstance(error, Gone | SealError):
                raise  # the machine's fault: all of it is written down once that is over
            self._crashed(one, error)  # else the message would be sent again
            return [], Claims(self.onward)
        return [*reports, *answers], claims

    def _crashed(self, one: Attempt, error: Exception) -> None:
        self.desk.on_event("notice.crashed", {"exception": error, "message": one.message.id})

    def _meaning(self, result: Result) -> list[Statement]:
        copy, after = result.copy, result.after
        # First what needs the body's key, then the step, which may drop it.
        moving = self.desk.books.moving(copy, after, reason=result.reason, found=result.found)
        statements = [*result.also, *moving]
        if result.late:
            statements += self.desk.books.delayed(copy, after, result.reason)
        return statements


def tally(metrics: Metrics, result: Result) -> None:
    """Count a result that was written down."""
    state = result.after.state
    metrics.deliveries.labels(state).inc()
    if state is State.DEFERRED:
        metrics.put_off.labels(result.reason).inc()
    if state in {State.RELAYED, State.DELIVERED}:
        took = result.after.changed - result.copy.message.arrived
        metrics.delivery_seconds.observe(took.total_seconds())
