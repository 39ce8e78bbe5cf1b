"""The verb ``sceau recall``: a sender's operator takes a message back. docs/recall.md."""

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.spool import copies_of
from gateway.relay.recalls import Recalls
from smtp.address import domain_of


async def recall(rooms: Rooms, *, what: str) -> object:
    """Take back every copy of a message, or one, as far as it can be; say what became of each."""
    ours = rooms.settings.site.domains
    found = [
        copy
        for copy in copies_of(rooms, what)
        if copy.message.mail.mail_from and domain_of(copy.message.mail.mail_from) in ours
    ]
    if not found:
        raise OperationError(
            f"{what} was sent by none of ours", "only its sender's own gateway takes a message back"
        )
    recalls = Recalls(rooms.desk, rooms.notices, rooms.ask, rooms.wake)
    return [
        {
            "delivery": copy.delivery.id,
            "recipient": copy.recipient.address,
            "done": (said := await recalls.recall(copy, rooms.actor)).positive,
            "again": said.transient,
            "said": str(said),
        }
        for copy in found
    ]
