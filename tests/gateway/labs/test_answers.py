"""What a laboratory's software reads beside its files."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.documents.acknowledgement import asked
from gateway.documents.codes import Failure
from gateway.labs import answers
from gateway.labs.names import Answer
from gateway.labs.offers import Facts, Offered
from gateway.relay.applications import Said
from gateway.relay.delivery import Delivery, State, delivery_id
from gateway.relay.message import Copy, Message, Summary
from smtp.address import Address
from smtp.envelope import Mail, MessageId, Recipient
from smtp.reply import Reply
from tests.gateway.documents.made import AT
from tests.gateway.documents.test_oru_reader import made

_ID = MessageId("01KAPYW2W0ABCDEFGHJKMNPQRS")
_ROW = Offered("O", b"", _ID, AT, Facts("a.pdf", "0" * 32))
_MESSAGE = Message(_ID, AT, 1, "folder", Mail(None), Summary(message_id="<1@labo.example>"))


def _copy(number: int, state: State, said: Reply | None = None) -> Copy:
    one = Delivery(
        delivery_id(_ID, number), state, changed=AT, expires=AT + timedelta(days=1), said=said
    )
    return Copy(_MESSAGE, Recipient(Address(f"r{number}@chu.example")), one)


def _last(*copies: Copy, row: Offered = _ROW) -> tuple[Answer, Any]:
    which, content = answers.last(row, copies, AT)
    return which, json.loads(content)


def test_everybody_has_it() -> None:
    """Or another server took it and never said: that is told apart, and is no failure."""
    which, told = _last(
        _copy(1, State.DELIVERED, Reply(250, "2.0.0", "ok")),
        _copy(2, State.RELAYED, Reply(250, "2.0.0", "queued")),
    )
    assert Answer.DELIVERED is which
    assert ["delivered", "unconfirmed"] == [each["state"] for each in told["recipients"]]
    assert "words" not in told["recipients"][0]
    assert (_ID, "<1@labo.example>") == (told["message"], told["message_id"])


@pytest.mark.parametrize("state", [State.FAILED, State.EXPIRED, State.REFUSED, State.CANCELLED])
def test_one_who_does_not_have_it_makes_it_failed(state: State) -> None:
    """With the other server's code and words."""
    said = Reply(550, "5.1.1", "no such mailbox")
    which, told = _last(_copy(1, State.DELIVERED), _copy(2, state, said))
    assert Answer.FAILED is which
    assert (state.value, 550, "5.1.1", "no such mailbox") == tuple(
        told["recipients"][1][each] for each in ("state", "code", "enhanced", "words")
    )


def test_who_was_never_taken_is_accounted_for() -> None:
    """From the first answer to the last."""
    row = replace(_ROW, facts=Facts("a.pdf", "0" * 32, (("x@nowhere.example", "550 no"),)))
    first = json.loads(answers.accepted("a.pdf", row, [_copy(1, State.QUEUED)], again=True))
    which, told = _last(_copy(1, State.DELIVERED), row=row)
    assert [True, False] == [each["taken"] for each in first["recipients"]]
    assert first["again"]
    assert (Answer.FAILED, "refused") == (which, told["recipients"][1]["state"])


def test_a_message_that_was_forgotten_still_has_its_number() -> None:
    """Its rows may be purged before somebody offers it again."""
    told = json.loads(answers.accepted("a.pdf", _ROW, [], again=True))
    assert (_ID, []) == (told["message"], told["recipients"])


def test_a_name_that_is_no_text_is_shown_as_far_as_it_goes() -> None:
    """File names are octets; an answer is UTF-8."""
    told = json.loads(answers.failed("caf\udce9.pdf", AT, "why"))
    assert ("caf�.pdf", "why") == (told["file"], told["why"])


@pytest.mark.parametrize(
    ("states", "failure", "code"),
    [
        ((State.DELIVERED, State.RELAYED), None, ""),
        ((State.DELIVERED, State.DELIVERED), None, "AA"),
        ((State.DELIVERED, State.UNCONFIRMED), Failure.NO_INS, "AE|7\rERR|||903^"),
        ((State.DELIVERED, State.FAILED), Failure.NO_INS, "AE|7\rERR|||207^"),
    ],
)
def test_who_asks_again_hears_the_newest_in_hl7(
    states: tuple[State, ...], failure: Failure | None, code: str
) -> None:
    """Nothing until it is final; that somebody does not have it goes before all else."""
    head = asked(made((0, "|7|P|2.5", "|7|P|2.5|||AL|AL")))
    row = replace(_ROW, facts=Facts("a.hl7", "0" * 32, asked=head))
    copies = [_copy(number, state) for number, state in enumerate(states, 1)]
    said: dict[str, Said] = {}
    if failure is not None:
        said[copies[0].delivery.id] = Said(asked=True, at=AT, failure=failure)
    told = answers.became(row, copies, said).decode()
    assert code == told.partition("MSA|")[2][: len(code)]
    assert bool(code) == bool(told)
