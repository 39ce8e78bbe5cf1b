"""The sealed body: any cut gives the same bytes, any change is found, any range opens."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vault import reference
from vault import seal
from vault.errors import SealError
from vault.seal import CHUNK, HEADER, TAG, Opener, Sealer, open_whole, seal_whole, span

VECTORS = Path(__file__).with_name("vectors")
BROKEN = json.loads((VECTORS / "broken.json").read_text())
KEY, SALT, ID = b"k" * 32, b"s" * 24, "0000002a00000001"
BODY = bytes(i % 251 for i in range(3 * CHUNK + 7))
SEALED = seal_whole(KEY, ID, SALT, BODY)

sizes = st.one_of(st.integers(0, 300), st.sampled_from([CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK]))


@pytest.mark.parametrize("path", sorted(VECTORS.glob("body-*.json")), ids=lambda p: p.stem)
def test_vectors(path: Path) -> None:
    """What the specification's examples seal to is what we seal, and it opens."""
    vector = json.loads(path.read_text())
    plain, key = reference.plain_of(vector), bytes.fromhex(vector["file_key"])

    sealed = seal_whole(key, vector["body_id"], bytes.fromhex(vector["salt"]), plain)

    if "sealed" in vector:
        assert bytes.fromhex(vector["sealed"]) == sealed
    else:
        assert vector["sealed_sha256"] == hashlib.sha256(sealed).hexdigest()
    assert plain == open_whole(key, vector["body_id"], sealed)


@pytest.mark.parametrize("name", BROKEN["sealed"])
def test_broken_vectors(name: str) -> None:
    """None of the specification's broken bodies opens."""
    sealed = bytes.fromhex(BROKEN["sealed"][name])
    with pytest.raises(SealError):
        open_whole(bytes.fromhex(BROKEN["file_key"]), BROKEN["body_id"], sealed)


@given(size=sizes)
@settings(max_examples=30, deadline=None)
def test_it_is_what_the_specification_says(size: int) -> None:
    """Ours and the code written from the specification alone seal to the same bytes."""
    assert reference.sealed_body(KEY, SALT, ID, BODY[:size]) == seal_whole(
        KEY, ID, SALT, BODY[:size]
    )


@given(st.lists(st.integers(0, 2 * CHUNK), max_size=8), st.booleans())
@settings(max_examples=50, deadline=None)
def test_any_cut_gives_the_same_bytes(cuts: list[int], fed: bool) -> None:  # noqa: FBT001 - drawn
    """How the body arrived cannot be seen in what was written, nor whether its end came alone."""
    sealer, sealed, at = Sealer(KEY, ID, SALT), b"", 0
    for cut in cuts:
        sealed += sealer.feed(BODY[at : at + cut])
        at += cut
    rest = BODY[at:]
    sealed += sealer.feed(rest) + sealer.finish() if fed else sealer.finish(rest)

    assert SEALED == sealed
    assert len(BODY) == sealer.size


@given(size=sizes)
@settings(max_examples=30, deadline=None)
def test_sizes(size: int) -> None:
    """The sealed length follows from the plain one, and the plain one from it."""
    sealed = seal_whole(KEY, ID, SALT, BODY[:size])
    assert seal.sealed_size(size) == len(sealed)
    assert size == seal.plain_size(len(sealed))


@given(st.integers(0, 4 * CHUNK))
def test_lengths_that_no_body_has(length: int) -> None:
    """A length either belongs to exactly one size, or is refused."""
    try:
        size = seal.plain_size(length)
    except SealError:
        return
    assert length == seal.sealed_size(size)


@given(at=st.integers(0, len(SEALED) - 1), bit=st.integers(0, 7))
@settings(max_examples=150, deadline=None)
def test_any_flipped_bit_is_found(at: int, bit: int) -> None:
    """Not one bit of what lies there can be changed unnoticed."""
    changed = bytearray(SEALED)
    changed[at] ^= 1 << bit
    with pytest.raises(SealError):
        open_whole(KEY, ID, bytes(changed))


@given(st.integers(0, len(SEALED) - 1))
@settings(max_examples=100, deadline=None)
def test_any_cut_end_is_found(length: int) -> None:
    """A body that lost its end does not open as a shorter one."""
    with pytest.raises(SealError):
        open_whole(KEY, ID, SEALED[:length])


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_dropped_chunks_are_found(keep: int) -> None:
    """A body cut between two chunks has no last chunk."""
    with pytest.raises(SealError):
        open_whole(KEY, ID, SEALED[: HEADER + keep * (CHUNK + TAG)])


def test_swapped_chunks_are_found() -> None:
    """Chunks cannot change places."""
    first, second = HEADER, HEADER + CHUNK + TAG
    third = second + CHUNK + TAG
    swapped = SEALED[:first] + SEALED[second:third] + SEALED[first:second] + SEALED[third:]
    with pytest.raises(SealError):
        open_whole(KEY, ID, swapped)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_body_or_our_error(content: bytes) -> None:
    """Whatever lies there, nothing but our own error comes out of it."""
    with pytest.raises(SealError):
        open_whole(KEY, ID, content)


def test_another_id_does_not_open() -> None:
    """One body's bytes cannot be given out as another's."""
    with pytest.raises(SealError):
        open_whole(KEY, "0000002a00000002", SEALED)


def test_a_key_of_another_length_is_refused() -> None:
    """A cut key is an error, not a weaker cipher."""
    with pytest.raises(SealError):
        Sealer(KEY[:16], ID, SALT)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_any_range_opens_alone(data: st.DataObject) -> None:
    """A range needs the header and the chunks it lies in, and nothing else."""
    size = data.draw(sizes | st.just(len(BODY)))
    start = data.draw(st.integers(0, size))
    end = data.draw(st.integers(start, size))
    sealed = seal_whole(KEY, ID, SALT, BODY[:size])
    begin, stop = span(size, start, end)

    opened = Opener(KEY, ID, sealed[:HEADER], size).open(sealed[begin:stop], start, end)

    assert BODY[start:end] == opened
    assert stop - begin <= end - start + 2 * (CHUNK + TAG)


@pytest.mark.parametrize("size", [0, 1, CHUNK, 2 * CHUNK])
def test_nothing_can_be_read_at_the_very_end(size: int) -> None:
    """The end of a body is a place in it, even where a next chunk would begin."""
    sealed = seal_whole(KEY, ID, SALT, BODY[:size])
    begin, stop = span(size, size, size)
    assert b"" == Opener(KEY, ID, sealed[:HEADER], size).open(sealed[begin:stop], size, size)


def test_a_wrong_size_does_not_open() -> None:
    """The size lies in a row that nobody signed: a wrong one finds no last chunk."""
    for wrong in (CHUNK, 2 * CHUNK, len(BODY) - 1, len(BODY) + 1, 5 * CHUNK):
        opener = Opener(KEY, ID, SEALED[:HEADER], wrong)
        begin, stop = span(wrong, wrong - 1, wrong)
        with pytest.raises(SealError):
            opener.open(SEALED[begin:stop], wrong - 1, wrong)


@pytest.mark.parametrize(("start", "end"), [(-1, 1), (2, 1), (0, 11)])
def test_a_range_outside_is_a_bug_of_the_caller(start: int, end: int) -> None:
    """What no body has cannot be asked for."""
    with pytest.raises(ValueError, match="not within"):
        span(10, start, end)
