"""What all answers have in common: numbered, strictly headed, bounded, and fixed in their refusals."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message

from gateway.web.problem import SENTENCES, Problem
from gateway.web.server import HEADERS, Patience, Site


@dataclass
class Desk:
    """A site of a few routes, and what it told."""

    events: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    counted: list[tuple[str, int]] = field(default_factory=list)

    def site(self, **patience: float) -> Site:
        pages: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/well": _well,
            "/kept": _kept,
            "/bug": _bug,
            "/late": _late,
            "/never": _never,
            "/stop": _stop,
            "/halfway": _halfway,
            "/one/{name}": _well,
        }
        routes = [Route(path, page, methods=["GET", "POST"]) for path, page in pages.items()]
        return Site(
            routes,
            lambda slug, facts: self.events.append((slug, facts)),
            lambda route, status: self.counted.append((route, status)),
            Patience(**({"body_size": 100} | patience)),  # type: ignore[arg-type]
        )

    async def ask(self, path: str, method: str = "GET", **more: object) -> httpx.Response:
        transport = httpx.ASGITransport(self.site())
        async with httpx.AsyncClient(transport=transport, base_url="https://x") as client:
            return await client.request(method, path, **more)  # type: ignore[arg-type]


async def _well(request: Request) -> Response:
    return PlainTextResponse(f"{len(await request.body())} canari")


async def _kept(request: Request) -> Response:
    del request
    return PlainTextResponse("x", headers={"Cache-Control": "public"})


async def _bug(request: Request) -> Response:
    raise ValueError(f"canari {request.url}")


async def _late(request: Request) -> Response:
    del request
    raise TimeoutError("canari")


async def _never(request: Request) -> Response:
    del request
    await asyncio.Event().wait()
    raise AssertionError


async def _stop(request: Request) -> Response:
    del request
    raise HTTPException(418, "canari")


async def _halfway(request: Request) -> Response:
    del request

    async def blocks() -> AsyncIterator[bytes]:
        yield b"begun"
        raise ValueError("canari")

    return StreamingResponse(blocks())


async def test_every_answer_is_numbered_and_strictly_headed() -> None:
    """Good or bad; only a room that says so itself may be kept by anybody."""
    desk = Desk()
    answers = [await desk.ask(path) for path in ("/well", "/nowhere", "/bug")]
    for answer in answers:
        assert dict(HEADERS) == {name: answer.headers[name] for name in HEADERS}
    assert 3 == len({answer.headers["x-request-id"] for answer in answers})
    assert "public" == (await desk.ask("/kept")).headers["cache-control"]


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/well/", 404, "not-found"),
        ("DELETE", "/well", 405, "wrong-method"),
        ("GET", "/bug", 500, "failed"),
        ("GET", "/stop", 418, "bad-request"),
    ],
)
async def test_a_refusal_is_a_fixed_sentence(
    method: str, path: str, status: int, reason: str
) -> None:
    """RFC 9457; nothing of the request or of the error comes back."""
    answer = await Desk().ask(path + "?q=canari", method)
    told = json.loads(answer.content)

    assert SENTENCES[reason][0] == answer.status_code or 418 == status
    assert (reason, SENTENCES[reason][1]) == (told["reason"], told["detail"])
    assert "application/problem+json" == answer.headers["content-type"]
    assert answer.headers["x-request-id"] == told["request"]
    assert b"canari" not in answer.content


async def test_a_bug_is_its_requests_own() -> None:
    """It is told of with the number that the client was given, and counted by its route."""
    desk = Desk()
    answer = await desk.ask("/bug")
    ((slug, facts),) = desk.events

    assert "web.failed" == slug
    assert answer.headers["x-request-id"] == facts["request"]
    assert isinstance(facts["exception"], ValueError)
    await desk.ask("/one/canari")
    await desk.ask("/nowhere")
    assert [("/bug", 500), ("/one/{name}", 200), ("", 404)] == desk.counted


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_has_a_bound(declared: bool) -> None:  # noqa: FBT001
    """Whether it says its size or not."""

    async def blocks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 50

    content = b"x" * 101 if declared else blocks()
    answer = await Desk().ask("/well", "POST", content=content)
    told = answer.json()
    assert (413, 100) == (answer.status_code, told["largest"])
    assert (101 if declared else 150) == told["came"]
    assert told["detail"].endswith(f"has {told['came']} octets, and 100 are allowed")
    assert b"100 canari" == (await Desk().ask("/well", "POST", content=b"x" * 100)).content


async def _played(site: Site, path: str, body: bool = True) -> list[Message]:  # noqa: FBT001, FBT002
    sent: list[Message] = []
    coming: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if not body:
            return {"type": "http.disconnect"}
        if not coming:
            await asyncio.Event().wait()
        return coming.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}
    await site(scope, receive, send)
    return sent


async def test_a_request_has_its_time() -> None:
    """What never answers is answered for."""
    desk = Desk()
    sent = await _played(desk.site(within=0.01), "/never")
    assert 408 == sent[0]["status"]
    assert [("/never", 408)] == desk.counted
    assert 500 == (await _played(desk.site(), "/late"))[0]["status"]


async def test_who_has_gone_is_told_nothing() -> None:
    """A client that hangs up is no bug of ours."""
    desk = Desk()
    assert [] == await _played(desk.site(), "/well", body=False)
    assert [] == desk.events


async def test_what_was_begun_stays_unfinished() -> None:
    """After the first octet there is no room for words; the client sees that the end is missing."""
    desk = Desk()
    sent = await _played(desk.site(), "/halfway")
    assert b"begun" == sent[1]["body"]
    assert all(message.get("more_body", True) for message in sent[1:])
    assert ["web.failed"] == [slug for slug, _ in desk.events]


def test_a_bare_status_is_a_problem_of_ours() -> None:
    """Whatever raises a number, the client has a sentence."""
    assert "failed" == Problem.of_status(599).reason
    assert "bad-request" == Problem.of_status(418).reason
    assert "too-big" == Problem.of_status(413).reason
