"""A form's files stream by, whatever the blocks; what is no form is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.web.problem import Problem
from gateway.web.reading.upload import Form

TYPE = "multipart/form-data; boundary=----Boundary"
FILE = b"\r\n--almost\r\n" * 20
BODY = (
    b'------Boundary\r\nContent-Disposition: form-data; name="ticket"\r\n\r\nabc\r\n'
    b'------Boundary\r\nContent-Disposition: form-data; name="files"; filename=""\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n\r\n"
    b'------Boundary\r\nContent-Disposition: form-data; name="files"; filename="a.pdf"\r\n'
    b"Content-Type: application/pdf\r\n\r\n" + FILE + b"\r\n"
    b'------Boundary\r\nContent-Disposition: form-data; name="do"\r\n\r\nsend\r\n'
    b"------Boundary--\r\n"
)


async def _blocks(body: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]
    yield b""


async def _read(body: bytes, size: int) -> tuple[dict[str, str], list[tuple[str, str, bytes]]]:
    form, fields, files = Form(TYPE, _blocks(body, size)), dict[str, str](), []
    while (piece := await form.fields(fields)) is not None:
        content = b"".join([block async for block in piece.blocks()])
        files.append((piece.file_name or "", piece.kind, content))
    assert await form.next() is None
    return fields, files


@given(st.integers(1, len(BODY) + 1))
def test_blocks_make_no_difference(size: int) -> None:
    """Fields before and behind a file, and the file octet for octet, however they were cut."""
    fields, files = asyncio.run(_read(BODY, size))
    assert {"ticket": "abc", "do": "send"} == fields
    assert [("a.pdf", "application/pdf", FILE)] == files


@given(st.binary(max_size=300))
def test_any_octets_are_a_form_or_a_problem(octets: bytes) -> None:
    """What is no form is refused in our words."""
    with suppress(Problem):
        asyncio.run(_read(octets, 7))


@pytest.mark.parametrize("size", [50, 300, 420])
async def test_a_form_that_breaks_off(size: int) -> None:
    """Half a form is none."""
    with pytest.raises(Problem):
        await _read(BODY[:size], 64)


async def test_what_is_too_much() -> None:
    """Parts, headers and fields without end are refused before they are kept."""
    part = b'------Boundary\r\nContent-Disposition: form-data; name="x"\r\n\r\n'
    for body in (
        (part + b"\r\n") * 600 + b"------Boundary--\r\n",
        b"------Boundary\r\n" + b"x" * 5000 + b": y\r\n\r\n",
        b"------Boundary\r\nx: " + b"y" * 5000 + b"\r\n\r\n",
        part + b"z" * (1 << 20) + b"z\r\n------Boundary--\r\n",
        (part + b"z" * 700_000 + b"\r\n") * 3 + b"------Boundary--\r\n",
    ):
        with pytest.raises(Problem):
            await _read(body, 65536)
    for kind in ("text/plain", "multipart/form-data", ""):
        with pytest.raises(Problem):
            Form(kind, _blocks(b"", 1))
