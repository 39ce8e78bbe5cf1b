"""A web listener bears so much, tells requests who asks, and waits for nobody without end."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.demo.pki import Authority
from gateway.web.door import Bounds, WebDoor
from smtp import tls

_ASK = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"


class Slow:
    """Answers ``/slow`` when it is let, and anything else at once."""

    def __init__(self) -> None:
        self.reached, self.free = asyncio.Event(), asyncio.Event()
        self.events: list[tuple[str, str]] = []

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/slow", self._slow), Route("/", self._who)])

    def on_event(self, slug: str, facts: Mapping[str, object]) -> None:
        self.events.append((slug, str(facts["reason"])))

    async def _slow(self, request: Request) -> Response:
        del request
        self.reached.set()
        await self.free.wait()
        return PlainTextResponse("late")

    async def _who(self, request: Request) -> Response:
        peer = request.state.peer
        return PlainTextResponse(f"{peer.ip} {peer.listener} {peer.tls} {bool(peer.certificate)}")


@asynccontextmanager
async def _open(
    slow: Slow, context: ssl.SSLContext | None = None, **bounds: float
) -> AsyncIterator[tuple[WebDoor, int]]:
    door = WebDoor("web", slow.app(), context, Bounds(**bounds), slow.on_event)  # type: ignore[arg-type]
    port = door.open("127.0.0.1", 0)
    try:
        yield door, port
    finally:
        await door.stop()


async def _until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - nobody rings a bell here
            await asyncio.sleep(0)


async def test_a_request_knows_who_asks() -> None:
    """The address is the socket's, whatever a header says of it."""
    slow = Slow()
    async with _open(slow) as (door, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        forged = (
            b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 9.9.9.9\r\nConnection: close\r\n\r\n"
        )
        writer.write(forged)
        answer = await reader.read()
        assert answer.endswith(b"127.0.0.1 web  False")
        assert b"uvicorn" not in answer
        assert "<WebDoor web" in repr(door)
        writer.close()


async def test_over_tls_the_client_may_be_asked_who_it_is(tmp_path: Path) -> None:
    """Its certificate is the peer's; without one there is no connection, and it is told of."""
    authority = Authority.make(datetime.fromtimestamp(time.time(), UTC))
    server = authority.issue("web", hosts=("127.0.0.1",)).write(tmp_path, "web")
    client = authority.issue("app").write(tmp_path, "app")
    (tmp_path / "anchors.pem").write_bytes(authority.anchors_pem)
    anchors = tmp_path / "anchors.pem"
    context = tls.server_context(*server, anchors, client_certificates=True)
    known, unknown = (tls.asking_context(authority.anchors_pem) for _ in range(2))
    known.load_cert_chain(*client)
    slow = Slow()
    async with _open(slow, context) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=known)
        writer.write(_ASK % b"")
        answer = await reader.readuntil(b"True")
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=unknown)
        with suppress(ssl.SSLError, ConnectionError):
            assert b"" == await reader.read()
        writer.close()
        await _until(lambda: slow.events)

    assert b"127.0.0.1 web TLSv1.3 " in answer
    assert "tls.failed" == slow.events[0][0]


async def test_a_network_has_its_share() -> None:
    """One more is closed without a word, and told of; when one has left there is room."""
    slow = Slow()
    async with _open(slow, max_connections_per_address=1) as (door, port):
        _, first = await asyncio.open_connection("127.0.0.1", port)
        reader, second = await asyncio.open_connection("127.0.0.1", port)
        assert b"" == await reader.read()
        assert [("session.refused", "address")] == slow.events
        first.close()
        await _until(lambda: not door.porch.admitted)
        reader, third = await asyncio.open_connection("127.0.0.1", port)
        third.write(_ASK % b"")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        for writer in (second, third):
            writer.close()


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nX: "])
@pytest.mark.parametrize("before", [b"", _ASK % b""])
async def test_who_is_slow_to_ask_is_closed(before: bytes, said: bytes) -> None:
    """A head that never ends, the first or a later one, holds a place no longer than the rest."""
    async with _open(Slow(), head_timeout=0.05, idle_timeout=1) as (door, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        if before:
            writer.write(before)
            await reader.readuntil(b"False")
        writer.write(said)
        async with asyncio.timeout(5):
            with suppress(ConnectionError):
                assert b"" == await reader.read()
        await _until(lambda: not door.porch.admitted)
        writer.close()


async def test_a_head_too_long_is_refused() -> None:
    """What is kept of a request before it is understood has a bound."""
    async with _open(Slow(), head_size=1000) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 2000)
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()


async def test_stopping_finishes_what_is_under_way() -> None:
    """An answer that was begun arrives; an idle connection is closed; nobody new comes in."""
    slow = Slow()
    async with _open(slow) as (door, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        idle, quiet = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_ASK % b"slow")
        await slow.reached.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(door.stop())
            assert b"" == await idle.read()
            slow.free.set()
        assert (await reader.read()).endswith(b"late")
        with pytest.raises(OSError, match="Connect"):
            await asyncio.open_connection("127.0.0.1", port)
        for each in (writer, quiet):
            each.close()


async def test_stopping_waits_no_longer_than_its_grace() -> None:
    """A request that never ends does not keep the gateway up."""
    slow = Slow()
    async with _open(slow, grace=0.05) as (door, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_ASK % b"slow")
        await slow.reached.wait()
        await door.stop()
        assert not door.state.tasks
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readuntil(b"late")
        writer.close()


async def test_every_answer_is_dated() -> None:
    """RFC 9110 §6.6.1: who has a clock says what time it is."""
    async with _open(Slow()) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_ASK % b"")
        assert b"\r\ndate: " in await reader.readuntil(b"\r\n\r\n")
        writer.close()


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"\xff\r\n\r\n"])
async def test_a_stranger_fills_no_log(said: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """What is no request is answered so, and not written down a line each."""
    async with _open(Slow()) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()
    assert [] == caplog.records
