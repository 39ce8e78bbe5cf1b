"""The verbs of ``sceau journal``."""

import asyncio

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.trace import named, row
from gateway.operations.veil import veiled
from gateway.operations.words import address, moment
from vault.journal import Entry
from vault.search import Search

_MOST = 500  # rows in one answer
_STEP = 200  # rows opened in one go: mail goes on
_STEPS = 10  # of these, when words are looked for in what lies sealed


async def verify(rooms: Rooms) -> object:
    """Check every row against the chain, and the chain against its signed head."""
    verdict = await rooms.journal.verify()
    if verdict.problem:
        raise OperationError(
            f"the journal was tampered with or is damaged: {verdict.problem}",
            "keep the data folder as it is and compare with a backup; an intruder is possible",
        )
    return {
        "rows": verdict.rows,
        "signed": verdict.signed,
        "purged": verdict.purged,
        "erased": verdict.erased,
    }


async def export(rooms: Rooms, *, after: int = 0, limit: int = _MOST) -> object:
    """Return a page of the export, opened and proven; with the last one all that was signed."""
    most = max(1, min(limit, _MOST))
    begins = rooms.exporting.begins(after)
    page = await rooms.exporting.rows(begins["after"], most)
    ends = None
    if len(page) < most:
        await rooms.journal.sign_head(rooms.clock())  # what was exported is vouched for
        ends = rooms.exporting.ends()
    return {"begins": begins, "rows": page, "ends": ends}


async def search(
    rooms: Rooms,
    *,
    event: str = "",
    actor: str = "",
    who: str = "",
    message: str = "",
    text: str = "",
    since: str | None = None,
    until: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> object:
    """Return rows of the journal, the newest first; ``before`` of the answer leads to older ones.

    ``event`` may end in a dot: all of that kind. ``text`` is looked for in the rows that the rest
    leads to, which are opened one after the other, so many and no more.
    """
    start, end = moment(since), moment(until)
    what = Search(
        events=await _events(rooms, event.strip()),
        actor=actor.strip(),
        about=rooms.journal.key(address(who.strip())) if who.strip() else None,
        message=_message(rooms, message.strip()),
        since=start.timestamp() if start else None,
        until=end.timestamp() if end else None,
    )
    many, words = max(1, min(limit, _MOST)), text.strip().lower()
    rows: list[object] = []
    for _ in range(_STEPS if words else -(-many // _STEP)):
        found = await rooms.journal.find(what, min(_STEP, many) if not words else _STEP, before)
        before = found.before
        for entry in found.entries:
            if not words or words in _told(entry):
                rows.append(veiled(row(entry), rooms.settings.journal.citizens))
            if len(rows) == many:
                return {"rows": rows, "before": entry.seq}
        if before is None:
            break
        await asyncio.sleep(0)
    return {"rows": rows, "before": before}


async def events(rooms: Rooms) -> object:
    """Return the names of the events there are."""
    return await rooms.journal.events()


async def _events(rooms: Rooms, event: str) -> tuple[str, ...]:
    if not event.endswith("."):
        return (event,) if event else ()
    known = [name for name in await rooms.journal.events() if name.startswith(event)]
    return tuple(known) or (event,)


def _message(rooms: Rooms, text: str) -> str:
    return next(iter(named(rooms, text)), text.upper()) if text else ""


def _told(entry: Entry) -> str:
    return str(row(entry)["summary"]).lower()
