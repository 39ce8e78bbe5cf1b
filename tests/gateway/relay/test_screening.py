"""What the door knows of a message, and what the rules make of it there."""

import pytest

from gateway.relay.inspections import Inspections
from gateway.relay.screening import Screening
from gateway.relay.verdict import Verdict
from quarantine.policy import Action, Finding, Policy, Rule
from quarantine.rate import Rate
from smtp import reply
from smtp.address import Address, parse
from smtp.envelope import Draft, Mail, Peer, Recipient
from tests.world.clock import START
from tests.world.rest import Rest
from trust import decision

ALLOW = Verdict(decision.Action.ALLOW, "listed", reply.OK)
HOLD = Verdict(decision.Action.HOLD, "sender-suspended", reply.OK)
DEFER = Verdict(decision.Action.DEFER, "list-stale", reply.LIST_STALE)
REFUSE = Verdict(decision.Action.REFUSE, "recipient-not-listed", reply.RECIPIENT_NOT_LISTED)


def draft(listener: str = "relay", sender: str | None = "dr@labo.example") -> Draft:
    return Draft(
        Peer("192.0.2.1", tls="TLSv1.3", listener=listener),
        Mail(parse(sender) if sender else None),
    )


def asked(*verdicts: Verdict) -> list[tuple[Recipient, Verdict]]:
    return [
        (Recipient(Address(f"r{number}@chu.example")), each)
        for number, each in enumerate(verdicts, 1)
    ]


def rule(action: Action, *reasons: str) -> Rule:
    return Rule(frozenset(reasons), action)


def actions(found: list[tuple[Recipient, Verdict]]) -> list[str]:
    return [verdict.action.value for _, verdict in found]


@pytest.mark.parametrize("listener", ["relay", "submission"])
def test_without_rules_all_is_as_the_list_says(listener: str) -> None:
    """What is held for the list has that as its one reason; nothing is opened."""
    found = Screening().screen(draft(listener), asked(ALLOW, HOLD, DEFER, REFUSE), START)
    assert not found.opened
    assert ["hold", "hold", "hold", "refuse"] == actions(list(found.decided))
    assert (Finding("sender-suspended"),) == found.decided[1][1].found
    plain = Screening().screen(draft(listener), asked(ALLOW, DEFER, REFUSE), START)
    assert ["allow", "defer", "refuse"] == actions(list(plain.decided))


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Action.PASS, "allow"),
        (Action.TAG, "allow"),
        (Action.HOLD, "hold"),
        (Action.REFUSE, "refuse"),
    ],
)
def test_a_rule_about_what_the_list_holds(action: Action, expected: str) -> None:
    """It may be let pass, or refused; a tag needs the message opened, and there is nobody."""
    screening = Screening(Policy((rule(action, "sender-suspended"),)))
    found = screening.screen(draft(), asked(HOLD), START)
    assert ([expected], False) == (actions(list(found.decided)), found.opened)


async def test_a_tag_is_put_on_by_who_opens(rest: Rest) -> None:
    """Where somebody does."""
    rows = Inspections(rest.database, rest.ring)
    screening = Screening(Policy((rule(Action.TAG, "sender-suspended"),)), rows)
    found = screening.screen(draft(), asked(HOLD), START)
    assert (True, (Finding("sender-suspended"),)) == (found.opened, found.findings)
    screening.ring()
    assert rows.bell.is_set()


def test_only_what_goes_somewhere_counts() -> None:
    """Refused recipients make no list long."""
    screening = Screening(Policy((rule(Action.HOLD, "many-recipients"),)), recipients=2)
    few = screening.screen(draft(), asked(ALLOW, ALLOW, REFUSE), START)
    assert ["allow", "allow", "refuse"] == actions(list(few.decided))
    many = screening.screen(draft(), asked(ALLOW, ALLOW, DEFER), START)
    assert ["hold", "hold", "hold"] == actions(list(many.decided))


@pytest.mark.parametrize(
    ("listener", "sender", "expected"),
    [
        ("submission", "dr@labo.example", "hold"),
        ("folder", "dr@labo.example", "hold"),
        ("relay", "dr@labo.example", "allow"),
        ("submission", None, "allow"),
    ],
)
def test_whose_rate_is_counted(listener: str, sender: str | None, expected: str) -> None:
    """Our own mailboxes': a peer's have an operator of their own."""
    screening = Screening(Policy((rule(Action.HOLD, "mailbox-rate"),)), rate=Rate(1))
    found = screening.screen(draft(listener, sender), asked(ALLOW, ALLOW), START)
    assert expected == actions(list(found.decided))[0]


def test_nobody_to_ring() -> None:
    """A gateway that opens nothing has no bell."""
    Screening().ring()
