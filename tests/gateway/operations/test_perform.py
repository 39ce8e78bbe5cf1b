"""A verb is checked, journalled, performed; in this order."""

import inspect
from typing import Any

import pytest

from gateway.operations.error import OperationError
from gateway.operations.perform import VERBS
from gateway.operations.rooms import Rooms
from smtp.address import Address
from tests.gateway.operations.conftest import Ask


async def test_an_operation_is_journalled_with_its_caller(rooms: Rooms, ask: Ask) -> None:
    """The audit knows who asked for what, even when nothing came of it."""
    with pytest.raises(OperationError):
        await ask("mailbox.show", address="dr@labo.example")

    (entry,) = await rooms.journal.by_address(Address("dr@labo.example"))
    assert ("operation.mailbox.show", "operator:anne") == (entry.event, entry.actor)


async def test_octets_are_journalled_by_their_hash(rooms: Rooms, ask: Ask) -> None:
    """A list of a million addresses does not belong into the audit twice."""
    with pytest.raises(OperationError):
        await ask("trust.import", octets="e30=", signatures=[])

    (entry,) = await rooms.journal.page(0)
    arguments: Any = entry.detail["arguments"]
    assert arguments["octets"].startswith("sha256:44136fa355b3678a")


@pytest.mark.parametrize(
    ("verb", "arguments", "words"),
    [
        ("mailbox.paint", {}, "this gateway knows no mailbox.paint"),
        ("mailbox.add", {}, "asked wrongly"),
        ("mailbox.add", {"address": "a@labo.example", "colour": 1}, "asked wrongly"),
        ("spool.list", {"limit": "many"}, "asked wrongly"),
        ("mailbox.add", {"address": "nobody"}, "nobody is no mail address"),
    ],
)
async def test_a_wrong_question_is_refused_in_words(
    ask: Ask, verb: str, arguments: dict[str, Any], words: str
) -> None:
    """Whatever speaks on the socket, only well-formed questions are acted on."""
    with pytest.raises(OperationError, match=words) as caught:
        await ask(verb, **arguments)

    assert caught.value.hint


def test_every_verb_takes_the_rooms_and_named_arguments() -> None:
    """One shape, so that the command line and the console call them alike."""
    for verb in VERBS.values():
        rooms, *others = inspect.signature(verb).parameters.values()
        assert "rooms" == rooms.name
        assert {inspect.Parameter.KEYWORD_ONLY} >= {each.kind for each in others}
