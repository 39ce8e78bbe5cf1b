"""A server's answers: whole, bounded and harmless, however they arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp.reply import Reply
from smtp.send.answers import AnswerReader, GarbledError


def replies(data: bytes) -> list[Reply]:
    reader = AnswerReader()
    reader.feed(data)
    found = []
    while answer := reader.next():
        found.append(answer.reply)
    return found


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (b"250 2.0.0 queued as 1\r\n", Reply(250, "2.0.0", "queued as 1")),
        (b"250\r\n", Reply(250, "", "")),
        (b"354 go\n", Reply(354, "", "go")),
        (b"550-5.1.1 no\r\n550 5.1.1  such user\r\n", Reply(550, "5.1.1", "no such user")),
        (b"550 5.1.1\r\n", Reply(550, "5.1.1", "")),
        (b"550 2.1.5 stale code\r\n", Reply(550, "", "stale code")),
        (b"250 4.0.0 stale code\r\n", Reply(250, "", "stale code")),
        (b"550 5.1.1234 odd code\r\n", Reply(550, "", "5.1.1234 odd code")),
        (b"550 caf\xc3\xa9\x00\x1b[2J\xff\r\n", Reply(550, "", "caf?  [2J?")),
    ],
)
def test_a_reply_is_made_harmless(wire: bytes, expected: Reply) -> None:
    """One printable line, and an enhanced code only where it agrees with the reply."""
    assert [expected] == replies(wire)


def test_a_long_reply_is_shortened() -> None:
    """What they say may fill a report, not a disk."""
    (reply,) = replies(b"550 " + b"x" * 2000 + b"\r\n")
    assert 400 == len(reply.text)


@pytest.mark.parametrize(
    "wire",
    [
        b"x" * 2048,
        b"250 " + b"x" * 2048 + b"\r\n",
        b"250-x\r\n" * 129,
        b"250-a\r\n251 b\r\n",
        b"hello\r\n",
        b"150 no\r\n",
        b"600 no\r\n",
        b"260 no\r\n",
        b"25\r\n",
        b"2500 no\r\n",
        b"250_no\r\n",
        b"\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
    ],
)
def test_what_is_no_reply_is_garbled(wire: bytes) -> None:
    """Endless lines, endless replies, other protocols: the conversation is over."""
    with pytest.raises(GarbledError):
        replies(wire)


def test_left_over_bytes_are_known() -> None:
    """After STARTTLS nothing may be left over: half a line, or half a reply, is something."""

    def left_over(wire: bytes) -> bool:
        reader = AnswerReader()
        reader.feed(wire)
        while reader.next():
            pass
        return not reader.empty

    assert [False, False, True, True, True] == [
        left_over(wire)
        for wire in (b"", b"220 go\r\n", b"220 go\r\n2", b"250-more\r\n", b"220 go\r\n\0")
    ]


@given(st.lists(st.integers(0, 40), max_size=6))
def test_any_split_gives_the_same(places: list[int]) -> None:
    """How the network cut the replies does not matter."""
    wire = b"250-one\r\n250 two\r\n354 go\r\n"
    reader = AnswerReader()
    found = []
    at = 0
    for place in [*sorted(places), len(wire)]:
        reader.feed(wire[at:place])
        at = max(at, min(place, len(wire)))
        while answer := reader.next():
            found.append(answer)
    assert [Reply(250, "", "one two"), Reply(354, "", "go")] == [a.reply for a in found]
    assert ("one", "two") == found[0].lines


@given(st.binary(max_size=300))
def test_any_bytes_are_replies_or_garbled(wire: bytes) -> None:
    """No server makes the reader fail in a way of its own."""
    try:
        replies(wire)
    except GarbledError:
        return
