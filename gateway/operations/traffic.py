"""How much of our own mail goes to and comes from each domain: what a change of trust would touch.

Counted along indexes alone, so that a month of a million messages is a tenth of a second.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from gateway.operations.rooms import Rooms
from gateway.relay.delivery import State
from smtp.envelope import earliest_message_id
from trust.change import Load

LATELY = timedelta(days=30)

_WAITING = tuple(state.value for state in (State.QUEUED, State.DEFERRED, State.HELD))
_TO = "SELECT domain, count(*) FROM delivery WHERE id >= ? GROUP BY domain"
_FROM = "SELECT sender_domain, count(*) FROM message WHERE id >= ? GROUP BY sender_domain"
_PAIRS = f"""SELECT m.sender_domain, d.domain, count(*)
    FROM delivery d JOIN message m ON m.id = d.message
    WHERE d.state IN {_WAITING} GROUP BY 1, 2"""  # noqa: S608 - constants only


async def loads(rooms: Rooms) -> Mapping[str, Load]:
    """Return, for each domain, our mail of the last thirty days, and what of it waits now."""
    since = earliest_message_id(rooms.clock() - LATELY)
    lately, waiting = Counter[str](), Counter[str]()
    for statement in (_TO, _FROM):
        lately.update(dict(await rooms.database.query(statement, (since,))))
    for sender, recipient, count in await rooms.database.query(_PAIRS):
        waiting.update(dict.fromkeys({sender, recipient}, count))
    return {
        # What waits for longer is ours with them, too.
        domain: Load(max(lately[domain], waiting[domain]), waiting[domain])
        for domain in (lately | waiting).keys() - {""}
    }
