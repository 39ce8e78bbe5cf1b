"""The stub that goes in place of a large message, and what another Sceau reads of it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.relay.large import stub
from gateway.relay.large.stub import Cut, Mark, StubError
from smtp.message.mime import Part, PartIndex

_TOKEN = "a" * 43
_HASH = "0123456789abcdef" * 4
_MARK = Mark(_TOKEN, 4443, 5000, _HASH)
_UNTIL = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_HEAD = b"From: dr@labo.example\r\nSubject: IRM\r\nMIME-Version: 1.0\r\n"
_MIXED = (
    _HEAD
    + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    + b"--b\r\nContent-Type: text/plain\r\n\r\nBonjour.\r\n"
    + b"--b\r\nContent-Type: application/dicom; name=irm.dcm\r\n"
    + b"Content-Transfer-Encoding: base64\r\n\r\n"
    + b"QUJD" * 1000
    + b"\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <1@x>\r\n\r\n"
    + b"x" * 2000
    + b"\r\n--b--\r\n"
)


def _parts(message: bytes) -> tuple[Part, ...]:
    index = PartIndex()
    index.feed(message)
    return index.finish()


def _written(message: bytes, cuts: tuple[Cut, ...]) -> bytes:
    instead = stub.external(_MARK, "https://mx.labo.example:4443/large/x", _UNTIL)
    if cuts[0].header == 0:
        block = message[: cuts[0].body]
        return _MARK.encode() + stub.root(block, instead(0, cuts[0], block))
    written = [_MARK.encode()]
    for piece in stub.kept(len(message), cuts):
        if isinstance(piece, int):
            cut = cuts[piece]
            written.append(instead(piece, cut, message[cut.header : cut.body]))
        else:
            written.append(message[slice(*piece)])
    return b"".join(written)


def _planned(message: bytes, limit: int, least: int) -> tuple[Cut, ...]:
    cuts = stub.plan(_parts(message), len(message), limit, least)
    assert cuts is not None
    return cuts


def test_large_parts_go_and_small_ones_stay() -> None:
    """What a reader can have at once is there: only what is large stays at home."""
    cuts = _planned(_MIXED, 10_000, 3000)

    written = _written(_MIXED, cuts)

    assert ["application/dicom"] == [cut.type for cut in cuts]
    assert b"QUJDQUJD" not in written
    assert b"Bonjour." in written
    assert b"x" * 2000 in written
    kinds = [part.type for part in _parts(written)]
    assert ["multipart/mixed", "text/plain", "message/external-body", "image/png"] == kinds
    assert b"name=irm.dcm" in written


def test_smaller_parts_go_as_well_where_the_rest_would_not_fit() -> None:
    """The next hop's limit decides, not our idea of large."""
    cuts = _planned(_MIXED, 3500, 1 << 20)
    assert ["application/dicom"] == [cut.type for cut in cuts]

    cuts = _planned(_MIXED, 3000, 1 << 20)
    assert ["application/dicom", "image/png"] == [cut.type for cut in cuts]
    assert 2000 == cuts[1].size


def test_a_part_that_has_a_content_id_keeps_it() -> None:
    """What refers to a part still finds what stands for it."""
    written = _written(_MIXED, _planned(_MIXED, 3000, 1 << 20))

    assert 1 == written.count(b"Content-ID: <1@x>")
    assert 1 == written.count(b"@sceau.invalid>")


def test_a_message_that_is_one_large_part_keeps_its_header() -> None:
    """Who wrote it, and about what, is read before the whole is fetched."""
    message = _HEAD + b"Content-Type: application/dicom\r\n\r\n" + b"x" * 5000

    written = _written(message, _planned(message, 4000, 1000))

    assert b"Subject: IRM" in written
    assert "message/external-body" == _parts(written)[0].type
    assert stub.same(written, message)


@pytest.mark.parametrize(("limit", "least"), [(500, 1000), (10_000, 10_000)])
def test_what_cannot_be_made_small_is_not_cut(limit: int, least: int) -> None:
    """A stub that would not fit either, or that stands for nothing, is no way out."""
    assert stub.plan(_parts(_MIXED), len(_MIXED), limit, least) is None


def test_the_field_on_top_says_what_the_whole_is() -> None:
    """The receiving gateway reads from it what to fetch, and puts its own trace fields back."""
    above = b"Return-Path: <dr@labo.example>\r\nReceived: here\r\n"
    written = above + _written(_MIXED, _planned(_MIXED, 10_000, 3000))

    assert (above, _MARK) == stub.trace(written)
    assert stub.same(written, _MIXED)


def test_a_whole_with_another_header_is_not_the_same() -> None:
    """What was judged at the door is what is read: no other From comes with the rest."""
    written = _written(_MIXED, _planned(_MIXED, 10_000, 3000))

    assert not stub.same(written, _MIXED.replace(b"dr@labo", b"x@labo"))
    assert not stub.same(written, b"Bcc: x@labo.example\r\n" + _MIXED)
    assert not stub.same(written, b"no header at all \r\n\r\n")
    assert not stub.same(written, _MIXED.replace(b"Subject: IRM\r\n", b""))


def test_a_field_of_the_writers_own_is_no_mark() -> None:
    """Only the first one counts, which we put on top; one in the message is text like any other."""
    forged = Mark("b" * 43, 1, 1, _HASH).encode() + _MIXED
    written = _written(forged, _planned(forged, 10_000, 3000))

    assert _MARK == stub.trace(written)[1]
    assert stub.same(written, forged)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"1; id=short; port=1; size=1; sha256=" + _HASH.encode(),
        b"1; id=" + b"a" * 43 + b"; port=0; size=1; sha256=" + _HASH.encode(),
        b"1; id=" + b"a" * 43 + b"; port=70000; size=1; sha256=" + _HASH.encode(),
        b"2; id=" + b"a" * 43 + b"; port=443; size=1; sha256=" + _HASH.encode(),
    ],
)
def test_a_field_that_is_none_of_ours_is_refused(value: bytes) -> None:
    """Nothing is guessed of what is to be fetched."""
    with pytest.raises(StubError):
        Mark.parse(value)


def test_a_message_without_the_field_is_no_stub() -> None:
    """A peer that promises one must bring one."""
    with pytest.raises(StubError):
        stub.trace(_MIXED)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_mark_or_our_error(value: bytes) -> None:
    """Whatever a peer says of the whole, it is read or refused."""
    try:
        found = Mark.parse(value)
    except StubError:
        return
    assert found == Mark.parse(found.encode().partition(b":")[2])


@given(
    st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True),
    st.integers(1, 65535),
    st.integers(0, 10**15 - 1),
    st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
)
def test_a_mark_comes_back_as_it_went(token: str, port: int, size: int, digest: str) -> None:
    """The field is read as it was written, folded or not."""
    mark = Mark(token, port, size, digest)
    assert mark == Mark.parse(mark.encode().partition(b":")[2])


@given(st.lists(st.binary(max_size=400), max_size=4), st.integers(0, 3000), st.integers(0, 1000))
def test_what_is_kept_and_what_is_cut_is_the_whole(
    bodies: list[bytes], limit: int, least: int
) -> None:
    """Nothing of a message is lost between its stub and what stays at home, whatever lies in it."""
    parts = [b"--b\r\nContent-Type: image/png\r\n\r\n" + body * 8 + b"\r\n" for body in bodies]
    message = _HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"".join(parts)
    cuts = stub.plan(_parts(message), len(message), limit, least) or ()
    back = []
    for piece in stub.kept(len(message), cuts):
        if isinstance(piece, int):
            back.append(message[cuts[piece].header : cuts[piece].end])
        else:
            back.append(message[slice(*piece)])
    assert message == b"".join(back)


def test_two_headers_that_nobody_can_read_are_not_the_same() -> None:
    """What was not judged is not what was judged."""
    broken = b"no field\r\n\r\n"
    assert not stub.same(_MARK.encode() + broken, broken)
