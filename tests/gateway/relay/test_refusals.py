"""Whoever writes in French is refused in French, whatever the door says."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.accounts.mailboxes import Mailbox, Status
from gateway.relay import authors, intake, verdict
from gateway.relay.large.reach import too_large
from gateway.relay.refusals import refusal
from quarantine.reasons import REASONS, sentence
from smtp import reply
from smtp.address import parse
from smtp.reply import Reply
from trust import decision
from trust.addresses import Kind
from trust.decision import Action, Decision

# What no writer meets at a page: about certificates, the way onward, reports, recalls.
_OF_PEERS = ("PEER_", "NEXT_HOP_")
_OF_OTHERS = {"FROM_NOT_ENTITLED", "NOTHING_OF_THAT_NAME", "ONE_AT_A_TIME"}
MET = {
    name: one.reply
    for name, one in vars(decision).items()
    if isinstance(one, Decision)
    and one.action in {Action.REFUSE, Action.DEFER}
    and not name.startswith(_OF_PEERS)
}
OURS = {
    name: one
    for module in (authors, intake, verdict)
    for name, one in vars(module).items()
    if isinstance(one, Reply) and name not in _OF_OTHERS
}


@pytest.mark.parametrize("said", [*MET.values(), *OURS.values()], ids=[*MET, *OURS])
def test_what_the_door_says_is_said_in_french(said: Reply) -> None:
    """Whatever can be decided of a sender, a recipient or a letter, with its cure or without."""
    told = refusal(said, "fr")
    assert told != said.text
    assert told == refusal(replace(said, cure="claire@chu.example"), "fr")
    assert said.text == refusal(said, "en")


@pytest.mark.parametrize("slug", REASONS)
def test_so_are_the_rules_of_the_quarantine(slug: str) -> None:
    """In the words of that reason."""
    assert refusal(verdict.refusal(slug), "fr").endswith(sentence(slug, "fr"))


def test_how_much_a_server_takes_is_said_in_french() -> None:
    """The number stays, whatever the language."""
    said = too_large(25_000_000)
    assert "pas plus de 25 Mo" in refusal(said, "fr")
    assert said.text == refusal(said, "en")


def test_what_concerns_a_patient_is_said_in_french() -> None:
    """In the same words as the notice of it."""
    assert refusal(reply.CITIZEN_OBJECTS, "fr").startswith("Ce patient s'est opposé")
    assert "25 Mo au plus" in refusal(reply.citizen_too_large(25_000_000), "fr")


def test_how_much_we_take_is_said_in_french() -> None:
    """Whoever wrote the letter knows what to do."""
    assert "les 52,4 Mo que" in refusal(reply.too_big(52_428_800), "fr")


def test_who_has_left_is_named_with_who_came_after() -> None:
    """The address stays, whatever the language."""
    mailbox = Mailbox(
        id=1,
        key="k1",
        address=parse("dr.durand@chu.example"),
        kind=Kind.PER,
        holder="",
        name="",
        status=Status.CLOSED,
        created=datetime(2026, 11, 22, tzinfo=UTC),
        successor=parse("dr.roy@chu.example"),
    )
    said = verdict.missing(mailbox)
    assert said is not None
    assert "écrivez plutôt à dr.roy@chu.example." in refusal(said, "fr")


def test_what_nobody_foresaw_is_shown_as_it_was_said() -> None:
    """Rather another language than no reason."""
    assert "Too odd" == refusal(Reply(550, "5.0.0", "Too odd"), "fr")
    assert reply.UNKNOWN_COMMAND.text == refusal(reply.UNKNOWN_COMMAND, "fr")
