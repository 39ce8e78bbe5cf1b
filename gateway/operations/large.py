"""The verbs of ``sceau large``: what lies here for others to fetch, and what is fetched from them."""

from typing import Any

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import told
from gateway.relay.large.ending import ENDED, Ending
from gateway.relay.large.fetches import Turn
from gateway.relay.large.large import Large
from gateway.relay.large.links import Link
from smtp.envelope import reference

_CUTS = 20  # parts of one message that are shown


async def list_(rooms: Rooms) -> object:
    """Return what lies here for others, and what is fetched from them."""
    large = _large(rooms)
    return {
        "lent": [_lent(link) for link in large.links.all()],
        "fetching": [_fetching(large, one) for one in large.fetches.all()],
    }


async def show(rooms: Rooms, *, what: str) -> object:
    """Return one of either, by its name, or by its message's id or reference."""
    large = _large(rooms)
    for link in large.links.all():
        if _meant(what, link.id, link.message):
            parts = [
                {"type": cut.type, "size": cut.octets, "sha256": cut.sha256}
                for cut in link.facts.cuts[:_CUTS]
            ]
            return _lent(link) | {"sha256": link.facts.sha256, "parts": parts}
    for one in large.fetches.all():
        if _meant(what, one.message):
            facts = large.fetches.opened(one).facts
            return _fetching(large, one) | {"sha256": facts.sha256, "port": facts.port}
    raise _unknown(what)


async def cancel(rooms: Rooms, *, what: str) -> object:
    """End what lies here: it can be fetched no more, and whoever waits for it is told."""
    large = _large(rooms)
    found = [link for link in large.links.all() if _meant(what, link.id, link.message)]
    if not found:
        raise _unknown(what)
    ending = Ending(rooms.desk, large.links, rooms.notices)
    copies = [await ending.end(link, ENDED, "large-ended", rooms.actor) for link in found]
    rooms.wake()
    return {"links": len(found), "deliveries": sum(copies)}


async def retry(rooms: Rooms, *, what: str) -> object:
    """Fetch now what waits for another try."""
    large = _large(rooms)
    found = [one for one in large.fetches.all() if _meant(what, one.message)]
    if not found:
        raise _unknown(what)
    now = rooms.clock()
    await rooms.database.commit([large.fetches.hastening(one.message, now) for one in found])
    large.fetches.bell.set()
    return {"fetches": len(found)}


def _large(rooms: Rooms) -> Large:
    if rooms.desk.large is None:
        raise OperationError(
            "large documents are neither kept nor fetched here", "see [large] enabled"
        )
    return rooms.desk.large


def _unknown(what: str) -> OperationError:
    return OperationError(
        f"nothing large here is known as {what}", "see sceau large list; it may have ended"
    )


def _meant(what: str, *names: str) -> bool:
    spoken = {reference(name) for name in names if len(name) == 26}  # type: ignore[arg-type]
    return what in names or what.upper() in {*names, *spoken}


def _lent(link: Link) -> dict[str, Any]:
    return {
        "id": link.id,
        "message": link.message,
        "reference": reference(link.message),
        "domain": link.domain,
        "for": "reader" if link.reader else "gateway",
        "size": link.size,
        "made": told(link.made),
        "expires": told(link.expires),
        "looks": link.looks,
        "taken": told(link.taken),
    }


def _fetching(large: Large, one: Turn) -> dict[str, Any]:
    return {
        "message": one.message,
        "reference": reference(one.message),  # type: ignore[arg-type]
        "size": one.size,
        "here": sum(size for _, size in large.fetches.had(one.message)),
        "due": told(one.due),
        "tries": one.tries,
        "wrong": one.wrong,
    }
