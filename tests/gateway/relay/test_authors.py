"""From and Sender at both doors, and what a submission lacks."""

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.relay.authors import (
    FROM_IS_FOREIGN,
    FROM_IS_NOT_YOU,
    NAME_IS_NOT_YOURS,
    ONE_FROM,
    ONE_SENDER,
    Authors,
    authors,
    completed,
    message_id,
    misleading,
    own,
)
from smtp.address import parse
from smtp.envelope import MessageId
from smtp.message.header import Header, Named
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


ME = "dr.martin@labo.example"


def coded(text: str, charset: str = "utf-8") -> str:
    return f"=?{charset}?b?{b64encode(text.encode(charset)).decode()}?="


@pytest.mark.parametrize(
    "name",
    [
        '"Dr Martin <chef@labo.example>"',
        '"chef@labo.example"',
        '"chef@LABO.example" "via Labo"',
        '"chef\uff20labo.example"',
        '"chef\ufe6blabo\uff0eexample"',
        '"chef@labo\u3002example"',
        '"chef\u200b@\u2060labo.exam\u00adple"',
        '"chef @ labo.example"',
        '"chef" "@labo.example"',
        '"chef@labo .example"',
        '"chef@labo_nord.example"',
        r'"chef\@labo.example"',
        coded("Dr Martin <chef@labo.example>"),
        coded("chef\uff20labo.example"),
        coded("chef@labo.example", "iso-8859-1"),
        coded("chef@labo.example", "utf-16-le"),
        f'"{coded("chef@labo.example")}"',
        "=?utf-8?q?chef=40labo=2Eexample?=",
        "=?utf-8?q?Dr chef=40labo.example?=",
        "=?utf-8?q?chef=40?= =?utf-8?q?labo.example?=",
        '"xdr.martin@labo.example"',
        '"dr.martin@labo.example.evil.example"',
        '"dr.martin@labo.examples"',
        f'"{ME}, chef@labo.example"',
        "(chef@labo.example)",
    ],
)
@pytest.mark.parametrize("field", ["From: {}", f"From: {ME}\r\nSender: {{}}"])
def test_no_name_shows_another_address(field: str, name: str) -> None:
    """Many clients show the name alone, however it is written or coded."""
    assert NAME_IS_NOT_YOURS == authors(header(field.format(f"{name} <{ME}>")))


@pytest.mark.parametrize(
    "written",
    [
        '"chef@labo.example": dr.martin@labo.example;',
        "dr.martin@labo.example (Dr Martin \uff1cchef\uff20labo.example\uff1e)",
        '"chef@labo.example"@evil.example',
        "chef\uff20labo.example@evil.example",
    ],
)
def test_nor_do_a_group_a_comment_or_a_local_part(written: str) -> None:
    """Whatever stands beside the address may be shown instead of it."""
    assert NAME_IS_NOT_YOURS == authors(header(f"From: {written}"))


@pytest.mark.parametrize(
    "written",
    [
        ME,
        f"<{ME}>",
        f"{ME} <{ME}>",
        f'"{ME}" <{ME}>',
        f"\"'{ME}'\" <{ME}>",
        f'"Dr Martin ({ME})" <{ME}>',
        f'"Dr Martin|{ME}" <{ME}>',
        f'"DR.MARTIN@Labo.example." <{ME}>',
        f"Dr Martin <{ME}> (mailto:{ME})",
        f'"Martin, Jean (biologiste)" <{ME}>',
        f"Hélène Lefèvre-Noël <{ME}>",
        coded("Hélène, Cabinet médical \uff20 Lyon") + f" <{ME}>",
        f"=?utf-8?q?J=C3=A9r=C3=B4me?= <{ME}>",
        f'"Cabinet @ Lyon" <{ME}>',
        f'"@labo" <{ME}>',
        f'"a=b =?x" <{ME}>',
        '"élan@hôpital.example" <élan@hôpital.example>',
        '"élan@xn--hpital-ixa.example" <élan@hôpital.example>',
        "Labo: dr.martin@labo.example;",
        '"jean martin"@labo.example',
    ],
)
def test_ordinary_names_pass(written: str) -> None:
    """Accents, commas, a name that is the address itself: people are called what they are."""
    assert isinstance(authors(header(f"From: {written}")), Authors)


def test_a_name_without_end_is_refused() -> None:
    """Nobody has such a name, and it would have to be searched."""
    refusal = authors(header(f'From: "{"x" * 1001}" <{ME}>'))
    assert isinstance(refusal, Reply)
    assert refusal.permanent


@given(st.text(max_size=60))
def test_any_name_is_misleading_or_not(name: str) -> None:
    """No name makes the check fail in a way of its own."""
    shown = f"{name} chef@labo.example"
    assert misleading(Named(DR, name)) in {True, False}
    assert misleading(Named(DR, f"{shown} ")) or "=?" in name


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
