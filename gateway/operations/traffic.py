"""How much of our own mail goes to and comes from each domain: what a change of trust would touch."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

from gateway.operations.rooms import Rooms
from gateway.relay.delivery import State
from smtp.envelope import earliest_message_id
from trust.change import Load

LATELY = timedelta(days=30)

_WAITING = tuple(state.value for state in (State.QUEUED, State.DEFERRED, State.HELD))
_PAIRS = f"""SELECT m.sender_domain, d.domain, count(*), sum(d.state IN {_WAITING})
    FROM delivery d JOIN message m ON m.id = d.message
    WHERE d.message >= ? OR d.state IN {_WAITING} GROUP BY 1, 2"""  # noqa: S608 - constants only


async def loads(rooms: Rooms) -> Mapping[str, Load]:
    """Return, for each domain, our mail of the last thirty days, and what of it waits now."""
    since = earliest_message_id(rooms.clock() - LATELY)
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for sender, recipient, messages, waiting in await rooms.database.query(_PAIRS, (since,)):
        for domain in {sender, recipient} - {""}:
            found[domain][0] += messages
            found[domain][1] += waiting
    return {domain: Load(*counts) for domain, counts in found.items()}
