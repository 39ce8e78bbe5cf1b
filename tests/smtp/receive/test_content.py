"""One message while it arrives: limits that no way of cutting gets round."""

import pytest

from smtp import reply
from smtp.data import ChunkScanner, DataScanner
from smtp.receive.content import Content
from smtp.receive.events import ContentBlock, ContentFailed


def chunks(max_size: int = 0) -> Content:
    return Content(ChunkScanner(), max_size, begun=True)


def lines(max_size: int = 0) -> Content:
    return Content(DataScanner(), max_size, begun=True)


def test_blocks_go_on_as_they_settle() -> None:
    """What may be the final dot is held back; what is not goes to the intake at once."""
    content = lines()
    assert ContentBlock(b"one") == content.take(b"one\r\n")
    assert content.take(b".") is None
    assert ContentBlock(b"\r\n") == content.take(b"\r\nNOOP\r\n")
    assert (True, b"NOOP\r\n", None) == (content.complete, content.rest, content.finish())


@pytest.mark.parametrize("size", [9, 10, 11])
def test_the_limit_is_the_unstuffed_body(size: int) -> None:
    """Stuffing and the final dot are not counted; one octet more than the limit is too many."""
    content = lines(max_size=10)
    content.take(b".." + b"x" * (size - 3) + b"\r\n.\r\n")
    assert (reply.too_big(10) if size > 10 else None) == content.failure


def test_a_failure_is_told_once_and_nothing_goes_on_after_it() -> None:
    """The intake has been told to stop; the rest is only read past."""
    content = lines(max_size=3)
    assert ContentFailed("too-big") == content.take(b"xxxx")
    assert content.take(b"yyyy") is None
    assert content.take(b"\r\n.\r\n") is None
    assert content.complete


def test_poison_is_told_though_the_message_was_already_too_big() -> None:
    """Which was seen first depends on how the bytes were cut; what is said does not."""
    content = lines(max_size=3)
    content.take(b"xxxx")
    assert content.take(b"\n.\r\n\r\n.\r\n") is None
    assert reply.SMUGGLED == content.failure


def test_poison_first_stays_poison() -> None:
    """Size does not hide it."""
    content = lines(max_size=3)
    assert ContentFailed("smuggled") == content.take(b"\n.")
    content.take(b"xxxxxxxx\r\n.\r\n")
    assert reply.SMUGGLED == content.failure


def test_a_chunk_counts_before_it_comes() -> None:
    """A size that could only be too big is refused without waiting for it."""
    content = chunks(max_size=10)
    assert content.expect(6, last=False) is None
    content.take(b"xxxxxx")
    assert ContentFailed("too-big") == content.expect(5, last=True)


def test_chunks_without_end_are_refused() -> None:
    """One octet a chunk is no way to send mail."""
    content = chunks()
    for _ in range(10_000):
        assert content.expect(0, last=False) is None
    assert ContentFailed("too-many-chunks") == content.expect(0, last=False)
    assert content.expect(0, last=False) is None
    assert reply.TOO_MANY_CHUNKS == content.failure


def test_a_cr_at_the_very_end_of_the_last_chunk_is_bare() -> None:
    """No LF will follow it; in a chunk that is not the last one may."""
    content = chunks()
    content.expect(1, last=False)
    content.take(b"\r")
    assert content.finish() is None
    content.expect(2, last=True)
    content.take(b"\n\r")
    assert ContentFailed("smuggled") == content.finish()


def test_a_whole_last_chunk_is_good() -> None:
    """Nothing is wrong with it."""
    content = chunks()
    content.expect(2, last=True)
    assert ContentBlock(b"ab") == content.take(b"abNOOP\r\n")
    assert (None, b"NOOP\r\n") == (content.finish(), content.rest)


def test_what_was_refused_beforehand_keeps_its_reason() -> None:
    """A chunk outside any transaction is read past, poisoned or not."""
    content = Content(ChunkScanner(), 0, failure=reply.BAD_SEQUENCE)
    content.expect(3, last=True)
    assert content.take(b"\n\0x") is None
    assert content.finish() is None
    assert reply.BAD_SEQUENCE == content.failure
