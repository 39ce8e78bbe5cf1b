"""What deceives the eye goes; what is left is what was written."""

from datetime import UTC, datetime
from unicodedata import category

from hypothesis import given
from hypothesis import strategies as st

from gateway.web.reading.shown import clear, disposition, file_name, line, size, soon, when

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@given(st.text())
def test_nothing_unseen_is_left(text: str) -> None:
    """No text turns the order of letters, ends a line twice, or cannot be sent."""
    shown = clear(text)
    assert text == "" or isinstance(shown.encode(), bytes)
    assert [] == [c for c in shown if category(c) in {"Cc", "Cs"} and c not in "\n\t"]
    assert not set("\u202e\u2066\u200b\ufeff") & set(shown)


@given(st.text(), st.text(alphabet="0123456789.", min_size=1, max_size=5))
def test_any_name_can_be_kept(text: str, number: str) -> None:
    """A file's name has no path, a bounded length, and stands in a header."""
    name = file_name(text, number)
    assert 0 < len(name) <= 120
    assert not set('/\\"\r\n') & set(name)
    assert disposition(name).isascii()
    assert disposition(name).isprintable()


def test_an_ending_is_always_in_sight() -> None:
    """A mark that turns letters round, or a long name, hides no ending."""
    assert "annexe-fdp.exe" == file_name("annexe-\u202efdp.exe", "2")
    assert file_name("a" * 300 + ".pdf", "2").endswith("….pdf")
    assert 120 == len(file_name("a" * 300, "2"))
    assert 120 == len(file_name("a" * 300 + "." + "b" * 50, "2"))
    assert "part-2" == file_name(" . ", "2")


def test_joiners_stay_and_strangers_show() -> None:
    """Persian and emoji keep their joiners; a character that nobody assigned is told as such."""
    assert "\u0645\u06cc\u200c\u062e" == clear("\u0645\u06cc\u200c\u062e")
    assert "a\ufffdb" == clear("a\udc80b")
    assert "a\nb" == clear("a\r\nb")
    assert "ab" == clear("a\x07b")
    assert "abc…" == line("abcdef", 4)


def test_times_and_sizes_are_in_words() -> None:
    """As people of either language write them."""
    here = NOON.astimezone()
    assert f"{here.day} nov. 2026, {here:%H:%M}" == when(NOON, "fr")
    assert f"{here:%H:%M}" == soon(NOON, NOON, "en")
    assert f"{here.day} Nov" == soon(NOON, NOON.replace(month=12), "en")
    assert f"{here.day} Nov 2026" == soon(NOON, NOON.replace(year=2028), "en")
    assert "512\N{NO-BREAK SPACE}o" == size(512, "fr")
    assert "1,5\N{NO-BREAK SPACE}Ko" == size(1536, "fr")
    assert "25\N{NO-BREAK SPACE}MB" == size(25 << 20, "en")
