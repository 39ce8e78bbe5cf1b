"""Critical results that did not arrive: at the top of *Today* and of the *Spool*, until somebody takes care.

Who presses the button takes care of it: the alert ends, and the journal says who it was. R-F1, R-C5.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.console.critical_words import WORDS
from gateway.console.frame import Frame
from gateway.operations.critical import row
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.veil import veiled

ACKNOWLEDGE = "/console/spool/acknowledge"
_SPOOL = "/console/spool"


class Critical:
    """What can be done about one."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[Route]:
        """Return where that is asked for."""
        return [Route(ACKNOWLEDGE, self._acknowledge, methods=["POST"])]

    async def _acknowledge(self, request: Request) -> Response:
        await self._frame.operator(request)
        form = await self._frame.form(request)
        try:
            await self._frame.perform(
                request,
                "lab.acknowledge",
                reference=form.get("reference", "")[:40],
                note=form.get("note", "").strip()[:500],
            )
        except OperationError as error:
            return self._frame.refused(request, error, WORDS)
        return self._frame.elsewhere(_SPOOL, said="lab-acknowledge")


def waiting(rooms: Rooms) -> list[dict[str, Any]]:
    """Return those that nobody takes care of yet; not as a verb: pages are drawn again and again."""
    found = [row(rooms, each) for each in rooms.desk.criticals.waiting()]
    shown: list[dict[str, Any]] = veiled(found, rooms.settings.journal.citizens)
    return shown
