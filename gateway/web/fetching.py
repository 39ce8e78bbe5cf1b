"""Fetching over HTTPS with pinned anchors alone; the one importer of httpx and its httpcore.

Nothing is taken from the environment (no proxy, no netrc), no system CA is ever loaded, an answer
is read as it comes and no further than its limit, compressed ones are refused (a small file can be a
huge list), and a redirect is followed only within the host that was asked. Where strangers say whom
to ask, ``Outside`` bounds it, and what it looked at is what is connected to. R-C5, RFC 9110 §13.1.2.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import lru_cache
from io import BytesIO
from typing import Any

import httpcore
import httpx

from gateway.web.outside import Outside
from smtp import tls
from trust.fetching import NO_HEADERS, Fetched, FetchError, FetchState, NotModified

# Given a server's leaf and the certificates by which it was verified (DER); returns an objection.
Judge = Callable[[bytes, tuple[bytes, ...]], Awaitable[object]]

_REDIRECTS = 3
_MOVED = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({404, 410})
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9a-f:.]+")
_ETAG = 512  # octets; a longer one is not worth keeping


class Fetching:
    """Fills ``trust.fetching.Fetch``; holds nothing between two calls."""

    def __init__(self, outside: Outside | None = None) -> None:
        self._outside = (
            outside  # bounds what is asked in the clear; by TLS who answers proves itself
        )

    async def get(
        self,
        url: str,
        *,
        limit: int,
        within: float,
        anchors: bytes = b"",
        etag: str = "",
        plain: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Fetched | NotModified:
        """Return the document at this address; with its ``etag``, perhaps that it is the same."""
        place = _place(url, plain=plain, pinned=bool(anchors))
        asked = dict(headers) | ({"If-None-Match": etag} if etag else {})
        async with _within(within, place), _client(anchors, place) as client:
            for _ in range(1 + _REDIRECTS):
                answer = await self._answer(client, "GET", place, asked)
                try:
                    if answer.status_code == 304 and etag:
                        return NotModified(_etag(answer) or etag)
                    if answer.status_code not in _MOVED:
                        return await _read(answer, place, limit)
                    place = _onward(place, answer)
                finally:
                    await answer.aclose()
        raise FetchError(FetchState.REDIRECTED, f"{_named(place)} redirects without end")

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        media_type: str,
        limit: int,
        within: float,
        anchors: bytes = b"",
        plain: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Fetched:
        """Return what is answered to these octets; never redirected."""
        place = _place(url, plain=plain, pinned=bool(anchors))
        asked = dict(headers) | {"Content-Type": media_type}
        async with _within(within, place), _client(anchors, place) as client:
            answer = await self._answer(client, "POST", place, asked, body)
            try:
                return await _read(answer, place, limit)
            finally:
                await answer.aclose()

    async def draw(
        self,
        url: str,
        start: int,
        size: int,
        *,
        context: ssl.SSLContext,
        within: float,
        judge: Judge,
    ) -> AsyncGenerator[bytes]:
        """Yield a document from an octet on, over mutual TLS; ``within`` bounds each silence.

        ``judge`` is given the server's certificate, and those by which TLS verified it, before
        anything is asked; what it returns is why nothing is.
        """
        place = _place(url, plain=False, pinned=True)
        asked = {"Range": f"bytes={start}-"} if start else {}
        limits = httpx.Timeout(within)
        with _in_words(place):
            async with _asking(context, limits) as client:
                request = client.build_request(
                    "GET", place, headers=asked, extensions={"trace": _Judged(judge, place)}
                )
                answer = await client.send(request, stream=True)
                try:
                    _check(answer, place, start, size)
                    async for block in answer.aiter_raw():
                        yield block
                finally:
                    await answer.aclose()

    async def _answer(
        self,
        client: httpx.AsyncClient,
        method: str,
        place: httpx.URL,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> httpx.Response:
        """Return the answer's beginning, from the first address of the host that can be reached."""
        doors = [place]
        if self._outside is not None and place.scheme == "http":
            found = await self._outside.addresses(place.host, place.port or 80)
            doors = [place.copy_with(host=address) for address in found]
            headers = {**headers, "Host": place.netloc.decode("ascii")}
        for door in doors[:-1]:
            with suppress(httpx.ConnectError):
                return await client.send(_request(client, method, door, headers, body), stream=True)
        return await client.send(_request(client, method, doors[-1], headers, body), stream=True)


def _request(
    client: httpx.AsyncClient,
    method: str,
    place: httpx.URL,
    headers: Mapping[str, str],
    body: bytes | None,
) -> httpx.Request:
    line = {"trace": _Line()}
    return client.build_request(method, place, content=body, headers=dict(headers), extensions=line)


class _Line:
    """Closes a connection whose TLS handshake is cut short, which the library then forgets open."""

    def __init__(self) -> None:
        self._open: httpcore.AsyncNetworkStream | None = None

    async def __call__(self, event: str, found: Mapping[str, Any]) -> None:
        """Hear what the library does (its ``trace`` extension)."""
        if event == "connection.connect_tcp.complete":
            self._open = found["return_value"]
        elif event == "connection.start_tls.failed" and self._open is not None:
            await self._open.aclose()


class _Judged(_Line):
    """Has a server's certificate judged before anything is asked of it."""

    def __init__(self, judge: Judge, place: httpx.URL) -> None:
        super().__init__()
        self._judge, self._place = judge, place

    async def __call__(self, event: str, found: Mapping[str, Any]) -> None:
        """Hear what the library does."""
        await super().__call__(event, found)
        if event != "connection.start_tls.complete":
            return
        stream: httpcore.AsyncNetworkStream = found["return_value"]
        secured = stream.get_extra_info("ssl_object")
        der = secured.getpeercert(binary_form=True) or b""
        if (objection := await self._judge(der, tls.issuers(secured))) is not None:
            await stream.aclose()
            raise FetchError(FetchState.TLS_FAILED, f"{_named(self._place)}: {objection}")


def _check(answer: httpx.Response, place: httpx.URL, start: int, size: int) -> None:
    """Refuse what is not that very document, from that very octet on."""
    status, named = answer.status_code, _named(place)
    if status in _GONE:
        raise FetchError(FetchState.NOT_FOUND, f"there is nothing at {named}", status=status)
    if status != (206 if start else 200):
        raise FetchError(FetchState.HTTP_ERROR, f"{named} answered {status}", status=status)
    said = answer.headers.get("Content-Range", "")
    if start and said != f"bytes {start}-{size - 1}/{size}":
        raise FetchError(FetchState.HTTP_ERROR, f"{named} gave another part than was asked for")
    if answer.headers.get("Content-Length", "") != str(size - start):
        raise FetchError(FetchState.HTTP_ERROR, f"{named} has another length than was announced")


def _place(url: str, *, plain: bool, pinned: bool) -> httpx.URL:
    try:
        place = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise FetchError(FetchState.BAD_ADDRESS, "that is no web address") from None
    if not _HOST.fullmatch(place.host) or place.userinfo or not 1 <= (place.port or 443) <= 65535:
        raise FetchError(FetchState.BAD_ADDRESS, f"{_named(place)} is no web address to ask")
    if place.scheme == "http" and plain:
        return place
    if place.scheme != "https":
        raise FetchError(FetchState.BAD_ADDRESS, f"{_named(place)} is not asked: not by TLS")
    if not pinned:
        raise FetchError(FetchState.BAD_ADDRESS, f"{_named(place)} is not asked: no anchors")
    return place


def _onward(place: httpx.URL, answer: httpx.Response) -> httpx.URL:
    try:
        there = place.join(answer.headers.get("Location", ""))
    except (httpx.InvalidURL, ValueError):
        there = None
    here = (place.scheme, place.host, place.port)
    if there is None or (there.scheme, there.host, there.port) != here or there.userinfo:
        raise FetchError(
            FetchState.REDIRECTED,
            f"{_named(place)} redirects to another place: not followed",
            status=answer.status_code,
        )
    return there


async def _read(answer: httpx.Response, asked: httpx.URL, limit: int) -> Fetched:
    place, status = _named(asked), answer.status_code
    if status in _GONE:
        raise FetchError(FetchState.NOT_FOUND, f"there is nothing at {place}", status=status)
    if status != 200:
        raise FetchError(FetchState.HTTP_ERROR, f"{place} answered {status}", status=status)
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchError(FetchState.HTTP_ERROR, f"{place} answered compressed, unasked")
    too_big = FetchError(FetchState.TOO_BIG, f"{place} has more than {limit} octets")
    declared = answer.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_big
    held = BytesIO()
    async for block in answer.aiter_raw():
        if held.tell() + len(block) > limit:
            raise too_big
        held.write(block)
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Fetched(held.getvalue(), _etag(answer), media_type)


def _etag(answer: httpx.Response) -> str:
    found: str = answer.headers.get("ETag", "")
    return found if len(found) <= _ETAG and found.isascii() and found.isprintable() else ""


@asynccontextmanager
async def _within(seconds: float, place: httpx.URL) -> AsyncIterator[None]:
    """Bound the whole, however slowly each part comes, and put what went wrong into our words."""
    try:
        async with asyncio.timeout(seconds):
            with _in_words(place):
                yield
    except TimeoutError:
        sentence = f"{_named(place)} was not here within {seconds:g} s"
        raise FetchError(FetchState.TIMEOUT, sentence) from None


@contextmanager
def _in_words(place: httpx.URL) -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        if (fault := _tls_fault(error)) is not None:
            sentence = f"{_named(place)} did not prove who it is: {fault}"
            raise FetchError(FetchState.TLS_FAILED, sentence) from None
        if isinstance(error, httpx.TransportError) and not isinstance(error, httpx.ProtocolError):
            sentence = f"{_named(place)} cannot be reached, or the line was cut"
            raise FetchError(FetchState.UNREACHABLE, sentence) from None
        sentence = f"{_named(place)} does not speak HTTP as it should, or stopped before the end"
        raise FetchError(FetchState.HTTP_ERROR, sentence) from None


def _tls_fault(error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        if isinstance(error, ssl.SSLError):
            return (error.reason or "handshake failed").replace("_", " ").lower()
        error = error.__cause__ or error.__context__
    return None


@asynccontextmanager
async def _client(anchors: bytes, place: httpx.URL) -> AsyncIterator[httpx.AsyncClient]:
    try:
        context = _context(anchors)
    except tls.TlsError as error:
        raise FetchError(FetchState.TLS_FAILED, f"{_named(place)}: {error}") from None
    async with httpx.AsyncClient(
        verify=context,
        trust_env=False,
        timeout=None,  # noqa: S113 - ``_within`` bounds the whole
        headers={"Accept-Encoding": "identity", "User-Agent": "sceau"},
    ) as client:
        yield client


def _asking(context: ssl.SSLContext, limits: httpx.Timeout) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=context,
        trust_env=False,
        timeout=limits,
        headers={"Accept-Encoding": "identity", "User-Agent": "sceau"},
    )


@lru_cache(maxsize=64)
def _context(anchors: bytes) -> ssl.SSLContext:
    return tls.asking_context(anchors)


def _named(place: httpx.URL) -> str:
    """Return an address as operators may read it, without what its query may hold."""
    return f"{place.scheme}://{place.netloc.decode('ascii', 'replace')}{place.path}"
