"""From and Sender at both doors, and what a submission lacks."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.relay.authors import (
    FROM_IS_FOREIGN,
    FROM_IS_NOT_YOU,
    ONE_FROM,
    ONE_SENDER,
    Authors,
    authors,
    completed,
    message_id,
    own,
)
from smtp.address import parse
from smtp.envelope import MessageId
from smtp.header import Header
from smtp.reply import Reply

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
ID = MessageId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
DR = parse("dr.martin@labo.example")


def header(*lines: str) -> Header:
    return Header.parse("".join(f"{line}\r\n" for line in (*lines, "")).encode())


def said(*lines: str) -> Authors:
    found = authors(header(*lines))
    assert isinstance(found, Authors)
    return found


def test_from_and_sender_are_read_whatever_their_case_and_names() -> None:
    """The addresses count, not how a client decorates them."""
    found = said('FROM: "Dr Martin" <dr.martin@labo.example>', "Sender: robot@labo.example")
    assert Authors((DR,), parse("robot@labo.example")) == found
    assert frozenset({"labo.example"}) == found.domains


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        (("Subject: x",), ONE_FROM),
        (("From: a@labo.example", "From: b@labo.example"), ONE_FROM),
        (("From:",), ONE_FROM),
        (("From: a@b.example", "Sender: a@b.example", "Sender: a@b.example"), ONE_SENDER),
        (("From: a@b.example", "Sender: a@b.example, c@b.example"), ONE_SENDER),
    ],
)
def test_two_froms_are_refused(lines: tuple[str, ...], refusal: Reply) -> None:
    """Two From fields show one reader another sender than the one that was checked."""
    assert refusal == authors(header(*lines))


def test_a_from_nobody_can_read_is_refused_without_repeating_it() -> None:
    """Nothing of a message gets into a reply."""
    refusal = authors(header("From: <secret-canary"))
    assert isinstance(refusal, Reply)
    assert refusal.permanent
    assert "canary" not in refusal.text


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        (("From: dr.martin@labo.example",), None),
        (("From: DR.Martin@LABO.example",), None),
        (("From: chef@labo.example", "Sender: dr.martin@labo.example"), None),
        (("From: dr.martin@labo.example", "Sender: robot@labo.example"), None),
        (("From: dr.martin@labo.example", "Sender: robot@labo2.example"), FROM_IS_FOREIGN),
        (("From: chef@labo2.example", "Sender: dr.martin@labo.example"), FROM_IS_FOREIGN),
        (("From: chef@labo.example",), FROM_IS_NOT_YOU),
        (("From: chef@labo.example", "Sender: robot@labo.example"), FROM_IS_NOT_YOU),
        (("From: dr.martin@labo.example, chef@labo.example",), FROM_IS_NOT_YOU),
        (("From: x@chu.example", "Sender: dr.martin@labo.example"), FROM_IS_FOREIGN),
        (("From: dr.martin@labo.example", "Sender: x@chu.example"), FROM_IS_FOREIGN),
    ],
)
def test_a_submission_is_from_the_mailbox_that_logged_in(
    lines: tuple[str, ...], verdict: Reply | None
) -> None:
    """From is the mailbox that logged in, or Sender is; and no name of another house (R-J1)."""
    assert verdict == own(said(*lines), DR)


def test_a_missing_date_and_message_id_are_added_and_bcc_goes() -> None:
    """A submission is completed and nothing else of it is touched (RFC 6409 §8)."""
    lacking = header(
        "From: dr.martin@labo.example",
        "Bcc: a@b.example,",
        " c@d.example",
        "X: y",
        "Resent-bcc: e@b.example",
    )
    added, kept = completed(lacking, "mx.labo.example", ID, NOW)
    assert (
        b"Date: Mon, 02 Mar 2026 08:30:00 +0000\r\n"
        b"Message-ID: <01ARZ3NDEKTSV4RRFFQ69G5FAV@mx.labo.example>\r\n"
    ) == added
    assert b"From: dr.martin@labo.example\r\nX: y\r\n\r\n" == kept


@given(st.lists(st.sampled_from(["To: a@b.example", "X-Odd:   two  spaces", "Subject: ="])))
def test_a_complete_header_is_left_as_it_is(lines: list[str]) -> None:
    """Not one byte changes without need."""
    complete = header("Date: x", "Message-Id: <1@b.example>", *lines)
    assert (b"", complete.raw) == completed(complete, "mx.labo.example", ID, NOW)


def test_the_message_id_is_kept_as_it_stands() -> None:
    """Receipts name a message as its sender did."""
    assert message_id(header("Message-ID:  <1@b.example> ")) == "<1@b.example>"
    assert not message_id(header("Subject: x"))
