"""A message's facts, and who is told what."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.relay.delivery import Delivery, State, delivery_id
from gateway.relay.message import (
    Copy,
    Door,
    Message,
    Summary,
    message_facts,
    read_message_facts,
    read_recipient_facts,
    read_reply_facts,
    recipient_facts,
    reply_facts,
)
from smtp import reply
from smtp.address import Address, parse
from smtp.envelope import Body, Mail, MessageId, Notify, Recipient, Ret
from tests.world.clock import START

ID = MessageId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
DR, CLINICIAN = parse("dr@labo.example"), parse("accueil@chu.example")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def copy(
    mail_from: Address | None = DR, notify: frozenset[Notify] | None = None, door: str = "relay"
) -> Copy:
    message = Message(ID, START, 1, door, Mail(mail_from), Summary())
    row = Delivery(delivery_id(ID, 1), State.QUEUED, START, START + timedelta(days=1))
    return Copy(message, Recipient(CLINICIAN, notify), row)


@given(TEXT, TEXT, st.none() | st.sampled_from(Ret), st.sampled_from(Body))
def test_a_message_reads_as_it_was_written(
    envid: str, subject: str, ret: Ret | None, body: Body
) -> None:
    """What intake sealed is what the courier opens."""
    mail = Mail(DR, 5, body, smtputf8=True, ret=ret, envid=envid)
    summary = Summary(DR, "Dr", subject)
    assert (mail, summary) == read_message_facts(message_facts(mail, summary))


@given(st.none() | st.frozensets(st.sampled_from(Notify)), st.none() | TEXT)
def test_a_recipient_reads_as_it_was_written(
    notify: frozenset[Notify] | None, orcpt: str | None
) -> None:
    """Its delivery report parameters are passed on exactly (RFC 3461 §5.2)."""
    recipient = Recipient(CLINICIAN, notify, orcpt)
    assert recipient == read_recipient_facts(recipient_facts(recipient))


def test_a_reply_reads_as_it_was_written() -> None:
    """A report quotes what was said."""
    assert reply.LIST_STALE == read_reply_facts(reply_facts(reply.LIST_STALE))


def test_reports_quote_the_senders_mark_or_else_ours() -> None:
    """ENVID is passed on if the sender gave one, and given if not (RFC 3461 §4.4)."""
    message = copy().message
    assert ID == message.envid
    assert "x" == Message(ID, START, 1, "relay", Mail(DR, envid="x"), Summary()).envid


def test_a_message_has_a_name_for_the_telephone() -> None:
    """Eight characters without I, L, O and U."""
    assert "Q69G-5FAV" == copy().message.reference


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (None, {Notify.FAILURE, Notify.DELAY}),
        (frozenset({Notify.NEVER}), set()),
        (frozenset({Notify.SUCCESS}), {Notify.SUCCESS}),
        (frozenset({Notify.FAILURE, Notify.DELAY}), {Notify.FAILURE, Notify.DELAY}),
    ],
)
def test_the_sender_is_told_what_it_asked_for(
    asked: frozenset[Notify] | None, told: set[Notify]
) -> None:
    """Failures and delays unless it said otherwise (RFC 3461 §4.1)."""
    wanted = {n for n in (Notify.SUCCESS, Notify.FAILURE, Notify.DELAY) if copy(DR, asked).wants(n)}
    assert told == wanted


@pytest.mark.parametrize("notice", list(Notify))
def test_a_null_reverse_path_is_never_answered(notice: Notify) -> None:
    """A report about a report is how loops begin (RFC 5321 §4.5.5)."""
    assert not copy(None, frozenset({notice})).wants(notice)


def test_our_own_reports_are_known() -> None:
    """They pass no inbound policy and are never answered."""
    assert copy(None, door=Door.REPORT).message.ours
    assert not copy().message.ours
