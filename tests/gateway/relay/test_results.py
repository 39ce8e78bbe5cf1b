"""What answers to an attempt mean for each copy."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.relay.delivery import Delivery, Schedule, State, delivery_id
from gateway.relay.lanes import Attempt
from gateway.relay.message import Copy, Message, Summary
from gateway.relay.results import GIVEN_UP_ON, Notice, Result, Scale, chance, original, outgoing
from smtp import reply
from smtp.address import parse
from smtp.envelope import Body, Mail, MessageId, Notify, Recipient, Ret
from smtp.reply import Reply
from tests.world.clock import START as NOW
from trust import decision
from trust.decision import Action, Decision, Reason

SCHEDULE = Schedule.of((60, 300), 0, 86400, 900)
SCALE = Scale(SCHEDULE, NOW, lambda: 0.5)
DR, GARDE = parse("dr@labo.example"), parse("garde@clinique.example")
NO, LATER = Reply(550, "5.1.1", "No"), Reply(451, "4.2.1", "Later")


def copy(mail: Mail | None = None, notify: frozenset[Notify] | None = None, lost: int = 0) -> Copy:
    made = Message(MessageId("0" * 26), NOW, 9, "submission", mail or Mail(DR), Summary())
    row = Delivery(
        delivery_id(made.id, 1),
        State.SENDING,
        NOW,
        NOW + timedelta(days=1),
        attempts=1,
        lost=lost,
    )
    return Copy(made, Recipient(GARDE, notify), row)


@pytest.mark.parametrize(
    ("verdict", "state", "reason"),
    [
        (decision.RECIPIENT_NOT_LISTED, State.REFUSED, "recipient-not-listed"),
        (decision.HOLD, State.HELD, "sender-suspended"),
        (decision.RECIPIENT_SUSPENDED, State.DEFERRED, "recipient-suspended"),
        (decision.LIST_STALE, State.DEFERRED, "list-stale"),
    ],
)
def test_the_trust_list_is_asked_before_each_attempt(
    verdict: Decision, state: State, reason: str
) -> None:
    """Refused ends, held waits for a person, deferred waits for time."""
    found = SCALE.checked(copy(), verdict)
    assert found is not None
    assert (state, reason) == (found.after.state, found.reason)


def test_what_is_allowed_goes() -> None:
    """Nothing stops it."""
    assert SCALE.checked(copy(), decision.ALLOW) is None


def test_only_our_own_list_stops_the_expiry_clock() -> None:
    """A suspended recipient may expire; nobody expires for our stale list."""
    stale = SCALE.checked(copy(), decision.LIST_STALE)
    suspended = SCALE.checked(copy(), decision.RECIPIENT_SUSPENDED)
    assert stale is not None
    assert suspended is not None
    assert stale.after.expires > suspended.after.expires


def test_what_was_cut_off_three_times_is_a_persons_business() -> None:
    """Whatever kills the gateway goes to quarantine, and may be released with a clean count."""
    found = SCALE.checked(copy(lost=3), decision.ALLOW)
    assert found is not None
    assert (State.HELD, GIVEN_UP_ON, 0) == (found.after.state, found.after.said, found.after.lost)
    assert SCALE.checked(copy(lost=2), decision.ALLOW) is None


@pytest.mark.parametrize(
    ("said", "state"),
    [(reply.OK, State.RELAYED), (NO, State.FAILED), (LATER, State.DEFERRED)],
)
def test_a_peers_reply_moves_the_copy(said: Reply, state: State) -> None:
    """2yz relayed, 5yz failed, 4yz later; its words are kept."""
    found = SCALE.answered(copy(), said, dsn=True)
    assert (state, said) == (found.after.state, found.after.said)


def test_a_mailbox_of_ours_is_delivered_or_fails() -> None:
    """No wire, the same two ends."""
    assert State.DELIVERED is SCALE.stored(copy()).after.state
    assert State.FAILED is SCALE.refused(copy(), NO, "no-such-mailbox").after.state


def test_a_late_copy_is_marked_as_told() -> None:
    """The delay is told once."""
    late = replace(SCALE, now=NOW + timedelta(minutes=15)).put_off(copy(), LATER, "peer-deferred")
    assert late.late
    assert late.after.warned
    assert Notice.DELAYED is late.notice
    assert SCALE.put_off(copy(), LATER, "peer-deferred").notice is None


@pytest.mark.parametrize(
    ("state", "final", "asked", "notice"),
    [
        (State.DELIVERED, True, Notify.SUCCESS, Notice.DELIVERED),
        (State.DELIVERED, True, None, None),
        (State.RELAYED, True, Notify.SUCCESS, Notice.RELAYED),
        (State.RELAYED, False, Notify.SUCCESS, None),
        (State.FAILED, True, None, Notice.FAILED),
        (State.EXPIRED, True, Notify.FAILURE, Notice.FAILED),
        (State.REFUSED, True, Notify.NEVER, None),
        (State.CANCELLED, True, None, Notice.FAILED),
        (State.HELD, True, None, Notice.HELD),
        (State.HELD, True, Notify.SUCCESS, None),
        (State.QUEUED, True, None, None),
    ],
)
def test_the_sender_is_told_by_mail_what_it_asked_for(
    state: State,
    final: bool,  # noqa: FBT001
    asked: Notify | None,
    notice: Notice | None,
) -> None:
    """Bad ends unless it said never; good ones if it asked, by us only if nobody else will."""
    one = copy(notify=frozenset({asked}) if asked else None)
    assert notice == Result(one, replace(one.delivery, state=state), final=final).notice


def test_we_ask_for_every_report_but_about_a_report() -> None:
    """Receipts need them; a report about a report would loop (RFC 3461 §4.1)."""
    asked = outgoing(Attempt(copy().message, "clinique.example", (copy(),)), (copy(),))
    assert frozenset({Notify.SUCCESS, Notify.FAILURE, Notify.DELAY}) == asked.recipients[0].notify
    assert ("0" * 26, Ret.HDRS) == (asked.envid, asked.ret)
    own = copy(Mail(None))
    report = outgoing(Attempt(own.message, "clinique.example", (own,)), (own,))
    assert frozenset({Notify.NEVER}) == report.recipients[0].notify
    assert (None, None, None) == (report.envid, report.ret, report.recipients[0].orcpt)


def test_the_senders_own_marks_are_passed_on() -> None:
    """ENVID, RET, body type and SMTPUTF8 are the sender's (RFC 3461 §5.2)."""
    one = copy(Mail(DR, None, Body.EIGHT_BIT, smtputf8=True, ret=Ret.FULL, envid="lot 7"))
    said = outgoing(Attempt(one.message, "clinique.example", (one,)), (one,))
    assert ("lot 7", Ret.FULL, Body.EIGHT_BIT, True, 9) == (
        said.envid,
        said.ret,
        said.body,
        said.smtputf8,
        said.size,
    )


@pytest.mark.parametrize(
    ("recipient", "orcpt"),
    [
        (Recipient(GARDE), "rfc822;garde@clinique.example"),
        (Recipient(GARDE, orcpt="rfc822;alias@x.example"), "rfc822;alias@x.example"),
        (Recipient(parse("é@clinique.example")), "utf-8;é@clinique.example"),
    ],
)
def test_the_original_recipient_is_named(recipient: Recipient, orcpt: str) -> None:
    """As the sender gave it, else the address itself (RFC 3461 §4.2, RFC 6533 §3)."""
    assert orcpt == original(recipient)


@given(st.sampled_from(Action), st.sampled_from(Reason))
def test_any_decision_is_carried_out(action: Action, reason: Reason) -> None:
    """Whatever the list says, the copy goes, waits or ends."""
    said = {Action.ALLOW: reply.OK, Action.HOLD: reply.OK, Action.REFUSE: NO, Action.DEFER: LATER}
    found = SCALE.checked(copy(), Decision(action, reason, said[action]))
    assert (found is None) == (action is Action.ALLOW)


def test_the_dice_stay_below_one() -> None:
    """A share of the jitter, never more than all of it."""
    assert all(0 <= chance() < 1 for _ in range(100))


def test_what_is_critical_is_tried_again_each_minute() -> None:
    """However long its peer is backed off; nothing else is."""
    late = replace(SCALE, schedule=Schedule.of((300,), 0, 86400, 86400))
    usual = copy()
    summary = msgspec.structs.replace(usual.message.summary, critical=True)
    critical = replace(usual, message=replace(usual.message, summary=summary))
    pauses = [late.put_off(one, LATER, "peer-deferred").after.due for one in (usual, critical)]
    assert [NOW + timedelta(minutes=5), NOW + timedelta(minutes=1)] == pauses
