"""The letters of RFC 4314, in words and out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.accounts.rights import LETTERS, MEMBER, OWNER, READER, Rights, RightsError, parse


@pytest.mark.parametrize(
    ("text", "rights"),
    [
        ("reader", READER),
        ("Member", MEMBER),
        ("owner", OWNER),
        ("", Rights()),
        ("rl", Rights("lr")),
        ("lrc", Rights("lrkx")),
        ("ld", Rights("lxte")),
    ],
)
def test_rights_are_read_from_words_and_from_letters(text: str, rights: Rights) -> None:
    """Whatever the order, and with the letters that RFC 2086 had."""
    assert rights == parse(text)


def test_who_may_send() -> None:
    """Only ``p`` lets somebody speak in a mailbox's name."""
    assert MEMBER.posts
    assert "p" in OWNER
    assert not READER.posts
    assert not Rights()


def test_unknown_letters_are_named() -> None:
    """An operator is told which letter is none."""
    with pytest.raises(RightsError, match="'yz' is no right"):
        parse("lryz")


@given(st.text())
def test_any_text_is_rights_or_our_error(text: str) -> None:
    """And what was read is written in one order, and reads the same again."""
    try:
        found = parse(text)
    except RightsError:
        return
    assert "".join(c for c in LETTERS if c in str(found)) == str(found)
    assert found == parse(str(found))


def test_one_spelling() -> None:
    """Letters out of order are no value."""
    with pytest.raises(RightsError):
        Rights("rl")
