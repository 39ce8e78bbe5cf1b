"""Replies cannot be built so that they would break the protocol."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp import reply
from smtp.reply import Reply, printable, spoken

ALL = {name: value for name, value in vars(reply).items() if isinstance(value, Reply)}


@pytest.mark.parametrize("text", ["a\r\nb", "a\nb", "\0", "é", "a\tb", "\x7f"])
def test_a_reply_is_one_line_of_printable_ascii(text: str) -> None:
    """Nothing from a message can inject a second line."""
    with pytest.raises(ValueError, match="unprintable"):
        Reply(250, "", text)


def test_code_and_enhanced_code_agree() -> None:
    """550 4.7.1 would tell a person and a program two different things."""
    with pytest.raises(ValueError, match="disagree"):
        Reply(550, "4.7.1", "no")


@pytest.mark.parametrize("code", [0, 199, 560, 999])
def test_there_are_only_so_many_codes(code: int) -> None:
    """A code outside RFC 5321 is a bug."""
    with pytest.raises(ValueError, match="no such"):
        Reply(code, "", "")


def test_a_reply_on_the_wire() -> None:
    """Code, enhanced code if there is one, text, CRLF."""
    assert b"550 5.1.1 There\r\n" == Reply(550, "5.1.1", "There").line()
    assert b"354 Go\r\n" == Reply(354, "", "Go").line()
    assert "334 " == str(Reply(334, "", ""))


def test_what_a_reply_means_for_whoever_gets_it() -> None:
    """Go on, again later, or never so."""
    meanings = [
        (said.positive, said.transient, said.permanent)
        for said in (reply.OK, reply.START_DATA, reply.LOCAL_ERROR, reply.too_big(1))
    ]
    go_on, later, never = (True, False, False), (False, True, False), (False, False, True)
    assert [go_on, go_on, later, never] == meanings


@pytest.mark.parametrize("name", ALL)
def test_our_own_replies_fit_a_line(name: str) -> None:
    """RFC 5321 §4.5.3.1.5: a reply line has at most 512 octets."""
    assert len(ALL[name].line()) <= 512


@given(st.text(max_size=600))
def test_foreign_text_can_always_be_quoted(text: str) -> None:
    """Whatever a peer said, ``printable`` makes a reply text of it."""
    assert len(Reply(550, "5.0.0", printable(text)).text) <= 400


def test_a_refusal_may_name_its_cure() -> None:
    """The longest address there is fits into the line; what could inject another does not."""
    longest = "a" * 64 + "@" + "b" * 185 + ".fr"
    said = replace(reply.RECIPIENT_ADDRESS_NOT_LISTED, cure=longest)
    assert said.line().endswith(f"; did you mean <{longest}>?\r\n".encode())
    assert len(said.line()) <= 512
    for wrong in ("x@y.example\r\n250 OK", "é@y.example"):
        with pytest.raises(ValueError, match="unprintable"):
            replace(reply.NO_SUCH_MAILBOX, cure=wrong)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("550 5.1.1 No such mailbox", Reply(550, "5.1.1", "No such mailbox")),
        ("250 OK", Reply(250, "", "OK")),
        ("550 4.1.1 They disagree", None),
        ("999 5.1.1 No such code", None),
        ("the PDF lacks its companion", None),
        ("550 5.1.1 Caf\u00e9", None),
    ],
)
def test_a_reply_that_was_written_down_is_read(words: str, said: Reply | None) -> None:
    """Whatever else stands there is no reply."""
    assert said == spoken(words)
    assert said is None or words == str(said)
