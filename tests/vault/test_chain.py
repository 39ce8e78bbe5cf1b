"""The chain: whatever is done to a row, the verdict names the place."""

import hashlib
import struct
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.chain import Head, Signed, Verdict, content, link, verify

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
    octets,
)
Fields = tuple[float, str, str, str | None, bytes | None, bytes | None, bytes, bytes]
Row = tuple[
    int, float, str, str, str | None, bytes | None, bytes | None, bytes | None, bytes, bytes
]


def chained(entries: list[Fields]) -> list[Row]:
    rows: list[Row] = []
    previous = None
    for seq, fields in enumerate(entries, 1):
        previous = link(previous, seq, *fields[:4], content(*fields[4:]))
        rows.append((seq, *fields, previous))
    return rows


def check(rows: Sequence[tuple[Any, ...]], head: Head | None, **more: Any) -> Verdict:
    return verify(rows, Signed(head, **more))


def erased(row: Row) -> Row:
    seq, at, event, actor, message, who, whom, detail, proof, digest = row
    assert detail is not None
    left = content(who, whom, detail, proof)
    return (seq, at, event, actor, message, None, None, None, left, digest)


ENTRIES: list[Fields] = [
    (float(n), "message.accepted", "gateway", f"M{n}", b"who", None, b"sealed", b"proof")
    for n in range(5)
]
ROWS = chained(ENTRIES)
HEAD = Head(5, ROWS[-1][-1])


def test_a_row_is_hashed_as_the_specification_says() -> None:
    """An auditor gets the same from docs/journal.md alone."""
    inner = b"\0\0\0\1w" + b"\xff" * 4
    for value in (hashlib.sha256(b"sealed").digest(), b"proof"):
        inner += struct.pack(">I", len(value)) + value
    told = hashlib.sha256(inner).digest()
    covered = bytes(32) + struct.pack(">q", 1) + struct.pack(">d", 1.5)
    for value in (b"login.failed", "é".encode()):
        covered += struct.pack(">I", len(value)) + value
    covered += b"\xff" * 4 + b"\0\0\0\x20" + told

    assert told == content(b"w", None, b"sealed", b"proof")
    assert hashlib.sha256(covered).digest() == link(None, 1, 1.5, "login.failed", "é", None, told)


@given(st.lists(rows_of, max_size=5))
def test_what_was_written_is_good(entries: list[Fields]) -> None:
    """A journal that nobody touched passes, signed up to any of its rows."""
    rows = chained(entries)
    for seq, *_, digest in rows:
        assert Verdict(len(rows), seq) == check(rows, Head(seq, digest))
    assert check(rows, Head(0, b"")).good


@given(row=st.integers(0, 4), column=st.integers(1, 9), value=octets)
def test_a_changed_field_is_found(row: int, column: int, value: bytes) -> None:
    """No field of a row can be changed, its hash included."""
    changed = list(ROWS[row])
    changed[column] = 99.0 if column == 1 else value + b"?"
    rows = [*ROWS[:row], tuple(changed), *ROWS[row + 1 :]]

    assert f"row {row + 1} is not the one that was written" == check(rows, HEAD).problem


def test_fields_cannot_lend_each_other_octets() -> None:
    """'ab' and 'c' are not 'a' and 'bc', and nothing is not the empty text."""
    assert link(None, 1, 0.0, "ab", "c", "", b"") != link(None, 1, 0.0, "a", "bc", "", b"")
    assert link(None, 1, 0.0, "a", "b", "", b"") != link(None, 1, 0.0, "a", "b", None, b"")
    assert content(b"ab", b"c", b"", b"") != content(b"a", b"bc", b"", b"")


@pytest.mark.parametrize("row", range(4))
def test_a_removed_row_is_found(row: int) -> None:
    """A row cannot be taken out of the middle."""
    problem = check([*ROWS[:row], *ROWS[row + 1 :]], HEAD).problem
    assert f"row {row + 1} is missing" == problem


def test_an_inserted_row_is_found() -> None:
    """A row cannot be put in, even with the numbers moved and the chain computed anew."""
    forged = chained([*ENTRIES[:2], ENTRIES[0], *ENTRIES[2:]])
    assert "row 5 is not the one that was signed" == check(forged, HEAD).problem


def test_rewriting_everything_misses_the_head() -> None:
    """The chain has no secret, but the head was signed."""
    nothing: Fields = (0.0, "nothing", "happened", None, None, None, b"", b"")
    forged = chained([nothing, *ENTRIES[1:]])
    assert "row 5 is not the one that was signed" == check(forged, HEAD).problem


@pytest.mark.parametrize(
    ("left", "problem"), [(4, "rows 5 to 5"), (2, "rows 3 to 5"), (0, "rows 1")]
)
def test_a_cut_end_is_found(left: int, problem: str) -> None:
    """Rows up to the signed one cannot be cut off."""
    verdict = check(ROWS[:left], HEAD)
    assert verdict.problem.startswith(problem)
    assert left == verdict.rows
    assert not verdict.good


def test_without_a_head_nobody_vouches() -> None:
    """A chain alone does not show what was cut off its end."""
    assert "there is no signed head" in check(ROWS, None).problem


@pytest.mark.parametrize("value", [None, 7, "text", 1.5])
@pytest.mark.parametrize("column", range(1, 9))
def test_values_of_another_table_are_found(column: int, value: object) -> None:
    """Whoever made the table anew without its types is found, and stops nobody."""
    changed: list[object] = list(ROWS[2])
    if changed[column] == value:
        return
    changed[column] = value
    assert "row 3" in check([*ROWS[:2], tuple(changed), *ROWS[3:]], HEAD).problem


def test_what_was_purged_was_signed() -> None:
    """The chain goes on from the last row that was purged."""
    purged = Head(2, ROWS[1][-1])
    assert Verdict(5, 5, purged=2) == check(ROWS[2:], HEAD, purged=purged)
    assert "row 1 is missing" == check(ROWS[2:], HEAD).problem
    assert "row 3 is missing" == check(ROWS[3:], HEAD, purged=purged).problem
    assert "row 3 is not the one" in check(ROWS[2:], HEAD, purged=Head(2, bytes(32))).problem


def test_all_was_purged() -> None:
    """A purge up to the head leaves nothing, and nothing else may be missing."""
    assert check([], HEAD, purged=HEAD).good
    assert "is not the one that was signed" in check([], HEAD, purged=Head(5, b"x")).problem
    older = Head(3, ROWS[2][-1])
    assert "before rows up to 5 were purged" in check([], older, purged=HEAD).problem


def test_a_row_whose_content_was_erased() -> None:
    """It stays in the chain; that it was erased must have been signed, and leaves no address."""
    rows = [*ROWS[:2], erased(ROWS[2]), *ROWS[3:]]
    assert Verdict(5, 5, erased=1) == check(rows, HEAD, erased={3})
    assert "row 3 was erased, and nobody signed that" == check(rows, HEAD, erased={2}).problem
    kept = (*erased(ROWS[2])[:5], b"who", *erased(ROWS[2])[6:])
    assert "row 3 is not" in check([*ROWS[:2], kept, *ROWS[3:]], HEAD, erased={3}).problem


def test_the_heads_of_other_days_count_too() -> None:
    """What any day's head names cannot be another row, whatever the last head says."""
    assert check(ROWS, HEAD, more=[Head(2, ROWS[1][-1])]).good
    assert "row 2 is not the one that was signed" == check(ROWS, HEAD, more=[Head(2, b"x")]).problem
