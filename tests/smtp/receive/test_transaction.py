"""One transaction after another: one answer each, and then it is over."""

import pytest

from smtp import reply
from smtp.address import parse
from smtp.envelope import Draft, Mail, Peer, Recipient
from smtp.receive.command import CommandError, Lines
from smtp.receive.events import (
    Abandoned,
    ContentBegun,
    ContentBlock,
    ContentEnded,
    ContentFailed,
    Event,
)
from smtp.receive.outlet import Outlet
from smtp.receive.transaction import Transaction

B, NOBODY = Recipient(parse("b@x.example")), Recipient(parse("nobody@x.example"))


def begun(*accepted: Recipient, max_size: int = 0) -> Transaction:
    transaction = Transaction(Outlet(), max_size)
    transaction.draft = Draft(Peer("192.0.2.1"), Mail(None))
    for recipient in accepted:
        transaction.note(recipient, reply.RECIPIENT_OK)
    return transaction


def events(transaction: Transaction) -> list[Event]:
    told = list(transaction.outlet.events)
    transaction.outlet.events.clear()
    return told


def said(transaction: Transaction) -> list[str]:
    return transaction.outlet.take().decode().splitlines()


def read(transaction: Transaction, block: bytes) -> bytes:
    """Give it these bytes; return those that it leaves."""
    lines = Lines()
    lines.push(block)
    transaction.read(lines)
    return lines.take_all()


def test_recipients_are_accepted_or_refused() -> None:
    """Both are kept: the sender will be told of both."""
    transaction = begun(B)
    transaction.note(NOBODY, reply.NO_SUCH_MAILBOX)
    assert transaction.draft is not None
    assert (B,) == transaction.draft.recipients
    assert [NOBODY] == [refusal.recipient for refusal in transaction.draft.refused]


def test_a_refusal_without_a_message_is_remembered_once() -> None:
    """The sender may not know why nothing was sent."""
    transaction = begun(B)
    transaction.note(NOBODY, reply.NO_SUCH_MAILBOX)
    draft = transaction.draft
    transaction.drop()
    transaction.drop()
    assert draft is not None
    assert [Abandoned(draft)] == events(transaction)


def test_data_needs_a_sender_and_a_recipient() -> None:
    """Nothing to send, nothing is read."""
    for transaction in (Transaction(Outlet(), 0), begun()):
        with pytest.raises(CommandError):
            transaction.begin_data()
        assert not transaction.reading


def test_the_verdict_ends_it_whatever_it_is() -> None:
    """After a refusal as after a 250, the next message needs its own MAIL."""
    for verdict in (reply.OK, reply.NOT_A_RELAY, reply.LOCAL_ERROR):
        transaction = begun(B)
        transaction.begin_data()
        assert b"NOOP\r\n" == read(transaction, b"x\r\n.\r\nNOOP\r\n")
        assert transaction.waiting
        transaction.judge(verdict)
        assert (None, None, False) == (
            transaction.draft,
            transaction.content,
            transaction.waiting,
        )
        assert str(verdict) == said(transaction)[-1]


def test_an_early_verdict_is_said_at_the_end() -> None:
    """The rest of the message is read past first, or it would be commands."""
    transaction = begun(B)
    transaction.begin_data()
    read(transaction, b"x\r\n")
    transaction.judge(reply.HEADER_TOO_BIG)
    assert ["354 Send the message, end with <CRLF>.<CRLF>"] == said(transaction)
    read(transaction, b"QUIT\r\n.\r\n")
    assert [str(reply.HEADER_TOO_BIG)] == said(transaction)


def test_a_failure_of_the_body_beats_any_verdict() -> None:
    """A smuggled message is refused even by an intake that would have it."""
    transaction = begun(B)
    transaction.begin_data()
    transaction.judge(reply.OK)
    read(transaction, b"x\n.\r\n.\r\n")
    assert str(reply.SMUGGLED) == said(transaction)[-1]


def test_a_verdict_that_nobody_asked_for_is_a_bug() -> None:
    """It would be taken for the next message's."""
    with pytest.raises(AssertionError):
        begun(B).judge(reply.OK)
    transaction = begun(B)
    transaction.begin_data()
    transaction.judge(reply.OK)
    with pytest.raises(AssertionError):
        transaction.judge(reply.OK)


def test_an_early_verdict_refuses_the_next_chunk() -> None:
    """And those after it find no transaction."""
    transaction = begun(B)
    transaction.begin_chunk(3, None, last=False)
    read(transaction, b"one")
    transaction.judge(reply.HEADER_TOO_BIG)
    transaction.begin_chunk(3, None, last=False)
    read(transaction, b"two")
    transaction.begin_chunk(5, None, last=True)
    read(transaction, b"three")
    expected = [reply.CHUNK_OK, reply.HEADER_TOO_BIG, reply.BAD_SEQUENCE]
    assert [str(answer) for answer in expected] == said(transaction)


def test_a_chunk_that_fails_ends_the_message() -> None:
    """Its reply waits until the intake has let go."""
    transaction = begun(B, max_size=4)
    transaction.begin_chunk(5, None, last=False)
    assert b"" == read(transaction, b"fives")
    assert transaction.draft is not None
    assert [ContentBegun(transaction.draft), ContentFailed("too-big")] == events(transaction)
    assert ([], True) == (said(transaction), transaction.waiting)
    transaction.judge(reply.LOCAL_ERROR)
    assert [str(reply.too_big(4))] == said(transaction)
    assert transaction.draft is None


def test_an_empty_last_chunk_ends_the_message_at_once() -> None:
    """BDAT 0 LAST."""
    transaction = begun(B)
    transaction.begin_chunk(0, None, last=True)
    assert [ContentEnded()] == events(transaction)[1:]
    assert transaction.waiting


def test_a_message_given_up_between_chunks_says_nothing_of_its_own() -> None:
    """The command that gave it up has its reply."""
    transaction = begun(B)
    transaction.begin_chunk(3, None, last=False)
    read(transaction, b"one")
    said(transaction)
    assert transaction.give_up()
    assert ContentFailed("reset") == events(transaction)[-1]
    transaction.judge(reply.LOCAL_ERROR)
    assert ([], None) == (said(transaction), transaction.draft)


def test_a_message_already_judged_is_given_up_at_once() -> None:
    """Nothing is owed for it any more."""
    transaction = begun(B)
    transaction.begin_chunk(3, None, last=False)
    read(transaction, b"one")
    transaction.judge(reply.HEADER_TOO_BIG)
    assert not transaction.give_up()
    assert transaction.content is None


def test_chunks_of_no_message_are_read_past() -> None:
    """Their octets are never commands; the fault is said at their end."""
    for transaction, fault, expected in (
        (begun(B), reply.MUST_STARTTLS, reply.MUST_STARTTLS),
        (begun(), None, reply.NO_RECIPIENTS),
        (Transaction(Outlet(), 0), None, reply.BAD_SEQUENCE),
    ):
        transaction.begin_chunk(6, fault, last=True)
        assert b"NOOP\r\n" == read(transaction, b"QUIT\r\nNOOP\r\n")
        assert [str(expected)] == said(transaction)
        assert [] == events(transaction)


def test_nobody_may_be_made_to_read_for_ever() -> None:
    """What was refused is read past, but not without end."""
    transaction = Transaction(Outlet(), 100)
    transaction.begin_chunk(1 << 40, None, last=True)
    block = b"x" * (8 << 20)
    for _ in range(8):
        read(transaction, block)
        assert not transaction.outlet.over
    read(transaction, block)
    assert [str(reply.TOO_MUCH)] == said(transaction)


def test_reading_nothing_is_nothing() -> None:
    """No bytes, no events."""
    transaction = begun(B)
    transaction.begin_data()
    events(transaction)
    assert 0 == transaction.read(Lines())
    assert [] == events(transaction)
    read(transaction, b"abc")
    assert [ContentBlock(b"abc")] == events(transaction)


def test_a_last_chunk_that_ends_in_a_bare_cr_is_smuggled() -> None:
    """The intake hears it before the message could be kept."""
    transaction = begun(B)
    transaction.begin_chunk(2, None, last=True)
    read(transaction, b"x\r")
    assert [ContentBlock(b"x"), ContentFailed("smuggled")] == events(transaction)[1:]
    transaction.judge(reply.LOCAL_ERROR)
    assert [str(reply.SMUGGLED)] == said(transaction)
