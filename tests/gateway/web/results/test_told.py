"""What software is told of a message: every recipient, in codes and in words."""

from datetime import UTC, datetime, timedelta

from gateway.documents.codes import Failure
from gateway.relay.applications import Said
from gateway.relay.delivery import Delivery, State, delivery_id
from gateway.relay.message import Copy, Message, Summary
from gateway.web.results import told
from smtp.address import Address
from smtp.envelope import Mail, MessageId, Recipient
from smtp.reply import Reply

_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_ID = MessageId("01KAPYW2W0ABCDEFGHJKMNPQRS")
_MESSAGE = Message(_ID, _AT, 1, "api", Mail(None), Summary(message_id="<1@labo.example>"))


def _copy(number: int, state: State, said: Reply | None = None) -> Copy:
    expires = _AT + timedelta(days=1)
    one = Delivery(delivery_id(_ID, number), state, changed=_AT, expires=expires, said=said)
    return Copy(_MESSAGE, Recipient(Address(f"r{number}@chu.example")), one)


def test_every_copy_is_told() -> None:
    """With the key that receipts name it by, and the last reply if there was one."""
    said = Reply(450, "4.2.0", "Come again")
    copies = [_copy(1, State.DELIVERED), _copy(2, State.DEFERRED, said)]
    shown = told.message(_MESSAGE, copies, lambda address: f"key of {address}", {})
    one, two = shown["recipients"]
    assert (_ID, "<1@labo.example>", False) == (
        shown["message"],
        shown["message_id"],
        shown["final"],
    )
    assert ("delivered", "key of r1@chu.example", True) == (one["state"], one["key"], one["taken"])
    assert "code" not in one
    assert (450, "4.2.0", "Come again") == (two["code"], two["enhanced"], two["words"])


def test_the_end_is_told() -> None:
    """Once nothing more becomes of any copy."""
    assert told.message(_MESSAGE, [_copy(1, State.DELIVERED), _copy(2, State.FAILED)], str, {})[
        "final"
    ]


def test_who_was_never_taken_is_told_why() -> None:
    """In words, and as refused."""
    (one,) = told.refused([("x@inconnu.example", "550 5.7.1 not listed")])
    assert ("refused", False, "550 5.7.1 not listed") == (one["state"], one["taken"], one["words"])


def test_what_software_said_is_told() -> None:
    """Filed or by which number not; what is only asked for is not told."""
    copies = [_copy(number, State.DELIVERED) for number in (1, 2, 3)]
    answered = (Said(True, _AT, None), Said(True, _AT, Failure.NO_INS), Said(True, None, None))
    said = {str(copy.delivery.id): one for copy, one in zip(copies, answered, strict=True)}
    one, two, three = told.message(_MESSAGE, copies, str, said)["recipients"]
    assert ("filed", None) == (one["application"], one.get("failure"))
    assert ("failed", 903, Failure.NO_INS.french) == (
        two["application"],
        two["failure"],
        two["why"],
    )
    assert "application" not in three
