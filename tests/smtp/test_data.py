"""The body scanner: one answer however the bytes were cut, and no way to smuggle."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtp.data import ChunkScanner, DataScanner, Stuffer

MANY = b"etc. " * 70  # more dots than are looked at one by one
WIRE = st.lists(
    st.sampled_from(
        [b"\r", b"\n", b".", b"a", b"\r\n", b"\r\n.", b"\r\n.\r\n", b"\0", b"xy z", MANY]
    ),
    max_size=30,
).map(b"".join)
TEXT = st.lists(
    st.sampled_from([b"a", b".", b"..", b"\r\n", b"line\r\n", b"", MANY]), max_size=30
).map(b"".join)


def scan(scanner: DataScanner, *blocks: bytes) -> tuple[bytes, bool, bytes | None]:
    body = b""
    for n, block in enumerate(blocks):
        body += scanner.feed(block)
        if scanner.rest is not None:
            return body, scanner.poisoned, scanner.rest + b"".join(blocks[n + 1 :])
    return body, scanner.poisoned, None


def split(wire: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(wire) + 1) for cut in cuts), len(wire)]
    return [wire[a:b] for a, b in itertools.pairwise(edges)]


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"hello\r\n.\r\n", b"hello\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"..dot\r\n...\r\n.\r\n", b".dot\r\n..\r\n"),
        (b".a\r\n.\r\n", b"a\r\n"),
        (b"a.\r\nb\r\n.\r\n", b"a.\r\nb\r\n"),
        (MANY + b"\r\n.\r\n", MANY + b"\r\n"),
        (MANY + b"\r\n..a\r\n.\r\n", MANY + b"\r\n.a\r\n"),
    ],
)
def test_the_body_is_what_was_meant(wire: bytes, body: bytes) -> None:
    """Stuffed dots go, the final dot ends, and an empty body is a body."""
    assert (body, False, b"") == scan(DataScanner(), wire)


@pytest.mark.parametrize(
    "wire",
    [
        b"a\n.\r\nMAIL FROM:<x@y.example>\r\n.\r\n",
        b"a\r\n.\nMAIL\r\n.\r\n",
        b"a\r.\r\n.\r\n",
        b"a\n.\n.\r\n.\r\n",
        b"a\r.\r.\r\n.\r\n",
        b"a\r\n.\rb\r\n.\r\n",
        b"a\r\r\n.\r\n",
        b"a\n\r\n.\r\n",
        b"\n.\r\n.\r\n",
        b"nul\0\r\n.\r\n",
        b"a\rb\nc\r\n.\r\n",
        b"a\n\rb\r\n.\r\n",
    ],
)
def test_bare_cr_lf_or_nul_poisons_and_is_read_to_the_true_end(wire: bytes) -> None:
    """Nothing but CRLF . CRLF ends a body, and what looks like an end poisons it."""
    body, poisoned, rest = scan(DataScanner(), wire)
    assert (True, b"") == (poisoned, rest)
    assert body


@given(WIRE, st.lists(st.integers(0, 200), max_size=8))
@example(b"a\r\n.\r\n", [1, 2, 3, 4, 5])
@example(b"a\r\n.\rb\r\n.\r\nNOOP\r\n", [2, 3, 4, 5])
def test_how_the_blocks_were_cut_does_not_matter(wire: bytes, cuts: list[int]) -> None:
    """Any split of the same bytes gives the same body, verdict and rest, once it ended."""
    wire += b"\r\n.\r\nNOOP\r\n"
    assert scan(DataScanner(), wire) == scan(DataScanner(), *split(wire, cuts))


@given(WIRE)
def test_byte_by_byte(wire: bytes) -> None:
    """The finest cut gives the same as the whole."""
    wire += b"\r\n.\r\nRSET\r\n"
    assert scan(DataScanner(), wire) == scan(
        DataScanner(), *(wire[n : n + 1] for n in range(len(wire)))
    )


@given(TEXT, st.lists(st.integers(0, 200), max_size=8))
def test_what_is_stuffed_comes_out_as_it_was(text: bytes, cuts: list[int]) -> None:
    """A body crosses the wire unchanged but for a final CRLF that it lacked."""
    stuffer = Stuffer()
    wire = b"".join(stuffer.feed(block) for block in split(text, cuts)) + stuffer.finish()
    ended = text if not text or text.endswith(b"\r\n") else text + b"\r\n"
    assert (ended, False, b"NOOP") == scan(DataScanner(), wire + b"NOOP")


@given(WIRE)
def test_a_clean_verdict_means_clean_bytes(wire: bytes) -> None:
    """An unpoisoned body has no CR, LF or NUL outside CRLF."""
    body, poisoned, _ = scan(DataScanner(), wire, b"\r\n.\r\n")
    bare = body.replace(b"\r\n", b"")
    if not poisoned:
        assert not set(b"\r\n\0") & set(bare)
    elif b"\r\n.\r\n" not in b"\r\n" + wire:
        assert set(b"\r\n\0") & set((b"\r\n" + wire + b"\r\n").replace(b"\r\n", b""))


def test_chunks_are_counted_and_dots_are_text() -> None:
    """BDAT ends where its count ends, whatever the bytes look like."""
    scanner = ChunkScanner()
    scanner.expect(7)
    assert (b"a\r\n.", None) == (scanner.feed(b"a\r\n."), scanner.rest)
    assert (b"\r\nb", b"NOOP\r\n") == (scanner.feed(b"\r\nbNOOP\r\n"), scanner.rest)
    scanner.finish()
    assert not scanner.poisoned


def test_a_crlf_may_be_cut_by_two_chunks() -> None:
    """The CR that ends a chunk waits for the LF that starts the next."""
    scanner = ChunkScanner()
    scanner.expect(2)
    assert b"a" == scanner.feed(b"a\r")
    scanner.expect(2)
    assert b"\r\nb" == scanner.feed(b"\nb")
    scanner.finish()
    assert not scanner.poisoned


@pytest.mark.parametrize("body", [b"a\r", b"a\nb", b"\rb", b"\0", b"\n"])
def test_what_poisons_data_poisons_chunks(body: bytes) -> None:
    """The next hop may speak DATA, so chunks obey its rule."""
    scanner = ChunkScanner()
    scanner.expect(len(body))
    scanner.feed(body)
    scanner.finish()
    assert scanner.poisoned


def test_an_empty_chunk_is_complete_at_once() -> None:
    """BDAT 0 LAST waits for nothing."""
    scanner = ChunkScanner()
    scanner.expect(0)
    assert b"" == scanner.rest


@given(WIRE, st.lists(st.integers(0, 200), max_size=8))
def test_chunks_do_not_depend_on_the_cuts_either(wire: bytes, cuts: list[int]) -> None:
    """Any split of a chunk gives the same body and verdict."""
    whole, cut = ChunkScanner(), ChunkScanner()
    for scanner, blocks in ((whole, [wire]), (cut, split(wire, cuts))):
        scanner.expect(len(wire))
        assert (None if wire else b"") == scanner.rest
        body = b"".join(scanner.feed(block) for block in blocks)
        scanner.finish()
        assert wire == body + (b"\r" if wire.endswith(b"\r") else b"")
    assert whole.poisoned == cut.poisoned
