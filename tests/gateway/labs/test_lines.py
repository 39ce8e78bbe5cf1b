"""Whatever ended a line, it ends as mail's do."""

import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.labs.lines import Lines


def test_every_line_ends_as_mails_do() -> None:
    """A bare CR or LF, that the next hop could take for something else, is none any more."""
    assert b"a\r\nb\r\n.\r\nc\r\n\r\nd" == Lines().feed(b"a\nb\r.\nc\r\n\rd")


def test_an_end_that_was_cut_is_one_end() -> None:
    """A CR that ends a block and the LF that begins the next are one line's end."""
    lines = Lines()
    assert b"a\r\nb" == b"".join(map(lines.feed, (b"a\r", b"", b"\n", b"b")))


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b""])))
def test_any_cut_gives_the_same(blocks: list[bytes]) -> None:
    """However it comes, nothing is lost, and no bare end is left."""
    lines, whole = Lines(), Lines().feed(b"".join(blocks))
    assert whole == b"".join(map(lines.feed, blocks))
    assert whole.count(b"\r\n") == whole.count(b"\r") == whole.count(b"\n")
    assert whole == re.sub(rb"\r\n|\r|\n", b"\r\n", b"".join(blocks))
