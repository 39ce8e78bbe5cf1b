"""What opens accounts on another server: any text gives log-ins or our error."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.relay.handing.credentials import CredentialsError, LogIn, LogIns
from smtp.address import parse

FILE = """
# address          user    password
dr@chu.example     durand  a word or two
*  {local}/{address}*sceau   master
"""


def test_who_is_named_logs_in_as_named() -> None:
    """A line of one's own; else the line for all others, with one's address in its user."""
    found = LogIns.parse(FILE)

    assert LogIn("durand", "a word or two") == found.of(parse("DR@chu.example"))
    assert LogIn("ide/ide@chu.example*sceau", "master") == found.of(parse("ide@chu.example"))
    assert "master" not in repr(found)


def test_who_is_not_named_has_none() -> None:
    """Without a line for all others, nobody else is logged in."""
    assert LogIns.parse("dr@chu.example durand x").of(parse("ide@chu.example")) is None


@pytest.mark.parametrize("line", ["dr@chu.example durand", "dr durand x", "dr@chu.example a \0"])
def test_a_line_that_says_too_little_is_named(line: str) -> None:
    """The error names the line, and no secret."""
    with pytest.raises(CredentialsError, match="line 2"):
        LogIns.parse(f"# nothing\n{line}\n")


@given(st.text())
def test_any_text_is_log_ins_or_our_error(text: str) -> None:
    """Nothing else ever comes of a file."""
    with suppress(CredentialsError):
        LogIns.parse(text).of(parse("dr@chu.example"))
