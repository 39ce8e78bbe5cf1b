"""The chain: whatever is done to a row, the verdict names the place."""

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.chain import Head, Verdict, link, verify

texts = st.text(max_size=8)
octets = st.binary(max_size=8)
rows_of = st.tuples(
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    texts,
    st.none() | texts,
    st.none() | octets,
    st.none() | octets,
    octets,
)
Fields = tuple[float, str, str, str | None, bytes | None, bytes | None, bytes]
Row = tuple[int, float, str, str, str | None, bytes | None, bytes | None, bytes, bytes]


def chained(entries: list[Fields]) -> list[Row]:
    rows: list[Row] = []
    previous = None
    for seq, fields in enumerate(entries, 1):
        previous = link(previous, seq, *fields)
        rows.append((seq, *fields, previous))
    return rows


ENTRIES: list[Fields] = [
    (float(n), "message.accepted", "gateway", f"M{n}", b"who", None, b"sealed") for n in range(5)
]
ROWS = chained(ENTRIES)
HEAD = Head(5, ROWS[-1][-1])


def test_a_row_is_hashed_as_the_specification_says() -> None:
    """An auditor gets the same from docs/journal.md alone."""
    covered = bytes(32) + struct.pack(">q", 1) + struct.pack(">d", 1.5)
    for value in (b"login.failed", "é".encode()):
        covered += struct.pack(">I", len(value)) + value
    covered += b"\xff" * 4 + b"\0\0\0\1w" + b"\xff" * 4 + b"\0\0\0\2{}"

    assert hashlib.sha256(covered).digest() == link(
        None, 1, 1.5, "login.failed", "é", None, b"w", None, b"{}"
    )


@given(st.lists(rows_of, max_size=5))
def test_what_was_written_is_good(entries: list[Fields]) -> None:
    """A journal that nobody touched passes, signed up to any of its rows."""
    rows = chained(entries)
    for seq, *_, digest in rows:
        assert Verdict(len(rows), seq) == verify(rows, Head(seq, digest))
    assert verify(rows, Head(0, b"")).good


@given(row=st.integers(0, 4), column=st.integers(1, 8), value=octets)
def test_a_changed_field_is_found(row: int, column: int, value: bytes) -> None:
    """No field of a row can be changed, its hash included."""
    changed = list(ROWS[row])
    changed[column] = 99.0 if column == 1 else value + b"?"
    rows = [*ROWS[:row], tuple(changed), *ROWS[row + 1 :]]

    assert f"row {row + 1} is not the one that was written" == verify(rows, HEAD).problem


def test_fields_cannot_lend_each_other_octets() -> None:
    """'ab' and 'c' are not 'a' and 'bc', and nothing is not the empty text."""
    assert link(None, 1, 0.0, "ab", "c", "", None, None, b"") != link(
        None, 1, 0.0, "a", "bc", "", None, None, b""
    )
    assert link(None, 1, 0.0, "a", "b", "", None, None, b"") != link(
        None, 1, 0.0, "a", "b", None, None, None, b""
    )


@pytest.mark.parametrize("row", range(4))
def test_a_removed_row_is_found(row: int) -> None:
    """A row cannot be taken out of the middle."""
    problem = verify([*ROWS[:row], *ROWS[row + 1 :]], HEAD).problem
    assert f"row {row + 1} is missing" == problem


def test_an_inserted_row_is_found() -> None:
    """A row cannot be put in, even with the numbers moved and the chain computed anew."""
    forged = chained([*ENTRIES[:2], ENTRIES[0], *ENTRIES[2:]])
    assert "row 5 is not the one that was signed" == verify(forged, HEAD).problem


def test_rewriting_everything_misses_the_head() -> None:
    """The chain has no secret, but the head was signed."""
    forged = chained([(0.0, "nothing", "happened", None, None, None, b""), *ENTRIES[1:]])
    assert "row 5 is not the one that was signed" == verify(forged, HEAD).problem


@pytest.mark.parametrize(
    ("left", "problem"), [(4, "rows 5 to 5"), (2, "rows 3 to 5"), (0, "rows 1")]
)
def test_a_cut_end_is_found(left: int, problem: str) -> None:
    """Rows up to the signed one cannot be cut off."""
    verdict = verify(ROWS[:left], HEAD)
    assert verdict.problem.startswith(problem)
    assert left == verdict.rows
    assert not verdict.good


def test_without_a_head_nobody_vouches() -> None:
    """A chain alone does not show what was cut off its end."""
    assert "there is no signed head" in verify(ROWS, None).problem
