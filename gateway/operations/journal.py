"""The verbs of ``sceau journal``."""

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.trace import row


async def verify(rooms: Rooms) -> object:
    """Check every row against the chain, and the chain against its signed head."""
    verdict = await rooms.journal.verify()
    if verdict.problem:
        raise OperationError(
            f"the journal was tampered with or is damaged: {verdict.problem}",
            "keep the data folder as it is and compare with a backup; an intruder is possible",
        )
    return {"rows": verdict.rows, "signed": verdict.signed}


async def export(rooms: Rooms, *, after: int = 0, limit: int = 1000) -> object:
    """Return a page of the journal, opened."""
    return [row(entry) for entry in await rooms.journal.page(after, limit)]
