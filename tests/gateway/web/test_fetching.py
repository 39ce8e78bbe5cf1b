"""A document comes whole from the host that was asked, or not at all, and it is said why."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from gateway.demo.pki import Authority
from gateway.web.fetching import Fetching
from gateway.web.outside import Outside
from tests.world.web import Asked, Web, answer, serving
from trust.fetching import Fetch, Fetched, FetchError, FetchState, NotModified

_LIMIT = 1 << 20
_NOW = datetime.fromtimestamp(time.time(), UTC)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make(_NOW)


@pytest.fixture
async def web(authority: Authority) -> AsyncIterator[Web]:
    async with serving(authority) as web:
        yield web


async def _get(web: Web, path: str, etag: str = "", limit: int = _LIMIT) -> Fetched | NotModified:
    fetch: Fetch = Fetching()
    return await fetch.get(web.url(path), limit=limit, within=5, anchors=web.anchors, etag=etag)


async def _refused(web: Web, path: str, limit: int = _LIMIT) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await _get(web, path, limit=limit)
    return caught.value


async def test_a_document_comes_whole(web: Web) -> None:
    """Octet for octet, with what the server says of it."""
    content = bytes(range(256)) * 1024
    web.pages["/list"] = answer(content, ETag='"7"', Content_Type="Text/XML; charset=utf-8")
    found = await _get(web, "/list")

    assert Fetched(content, '"7"', "text/xml") == found
    assert "identity" == web.asked[0].headers["accept-encoding"]
    assert "if-none-match" not in web.asked[0].headers


async def test_what_did_not_change_does_not_come_again(web: Web) -> None:
    """RFC 9110 §13.1.2: asked with its mark, the server says only that it is the same."""

    def page(asked: Asked) -> bytes:
        if asked.headers.get("if-none-match") == '"7"':
            return answer(b"", "304 Not Modified", ETag='"7"')
        return answer(b"new", ETag='"8"')

    web.pages["/list"] = page
    assert NotModified('"7"') == await _get(web, "/list", etag='"7"')
    assert Fetched(b"new", '"8"') == await _get(web, "/list", etag='"6"')


async def test_a_304_that_was_not_asked_for_is_no_answer(web: Web) -> None:
    """Who has nothing cannot be told that it is the same."""
    web.pages["/list"] = answer(b"", "304 Not Modified")
    assert "http-error" == (await _refused(web, "/list")).state


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("404 Not Found", "not-found"),
        ("410 Gone", "not-found"),
        ("403 Forbidden", "http-error"),
        ("500 Oh", "http-error"),
        ("206 Partial Content", "http-error"),
        ("204 No Content", "http-error"),
    ],
)
async def test_any_other_status_is_none(web: Web, status: str, state: str) -> None:
    """Only 200 is a document; the status is told, the page that came with it is not."""
    web.pages["/list"] = answer(b"" if status[:3] == "204" else b"canari", status)
    error = await _refused(web, "/list")
    assert (state, int(status[:3])) == (error.state, error.status)
    assert "canari" not in str(error)


async def test_more_than_the_limit_is_not_read(web: Web) -> None:
    """Whether the server says how much it is, says too little, or does not say."""
    web.pages["/said"] = b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n"
    web.pages["/unsaid"] = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 101
    chunk = b"65\r\n" + b"x" * 101 + b"\r\n"
    web.pages["/chunked"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 9
    for path in web.pages:
        assert "too-big" == (await _refused(web, path, limit=100)).state

    web.pages["/just"] = answer(b"x" * 100)
    assert Fetched(b"x" * 100) == await _get(web, "/just", limit=100)


async def test_a_compressed_answer_is_refused(web: Web) -> None:
    """A small answer must not become a huge one here."""
    web.pages["/bomb"] = answer(gzip.compress(b"\0" * 1_000_000), Content_Encoding="gzip")
    assert "http-error" == (await _refused(web, "/bomb")).state


async def test_a_truncated_answer_is_none(web: Web) -> None:
    """Half a list is no list, though its beginning came well."""
    web.pages["/list"] = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    web.pages["/chunks"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"
    for path in web.pages:
        assert (await _refused(web, path)).state in {"http-error", "unreachable"}


@pytest.mark.parametrize("said", [b"220 mx ESMTP\r\n", b"HTTP/9 200\r\n\r\n", b"", b"\0" * 70_000])
async def test_what_is_no_http_is_an_error_of_ours(web: Web, said: bytes) -> None:
    """Anything may answer at a port."""
    web.pages["/list"] = said
    assert (await _refused(web, "/list")).state in {"http-error", "unreachable"}


async def test_the_time_is_for_the_whole(web: Web) -> None:
    """A server that sends an octet now and then holds nobody."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(FetchError) as caught:
            await Fetching().get(url, limit=_LIMIT, within=0.1, plain=True)
    assert "download-timeout" == caught.value.state


async def test_a_handshake_cut_short_leaves_no_connection_open(authority: Authority) -> None:
    """A host that takes connections and says nothing costs no descriptor each time it is asked."""
    ended = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # the handshake's first words, and then the end of the connection
        writer.close()
        ended.set()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(FetchError) as caught:
            await Fetching().get(url, anchors=authority.anchors_pem, limit=_LIMIT, within=0.1)
        assert "download-timeout" == caught.value.state
        async with asyncio.timeout(5):
            await ended.wait()


async def test_nobody_there(web: Web) -> None:
    """A closed port and a name that does not exist are the same fault."""
    fetch = Fetching()
    async with serving() as other:
        port = other.port
    for host in (f"127.0.0.1:{port}", "nobody.invalid"):
        with pytest.raises(FetchError) as caught:
            await fetch.get(f"https://{host}/", anchors=web.anchors, limit=1, within=5)
        assert "unreachable" == caught.value.state


async def test_only_the_pinned_anchors_are_believed(authority: Authority) -> None:
    """Another authority, another host's certificate, one out of date, none at all: no document."""
    stranger = Authority.make(_NOW, "Etrangere")
    late = authority.issue("web", hosts=("127.0.0.1",), starts=_NOW - timedelta(days=30), days=20)
    cases = [
        (authority, None, stranger.anchors_pem),
        (stranger, None, authority.anchors_pem),
        (authority, authority.issue("web", hosts=("elsewhere.example",)), authority.anchors_pem),
        (authority, authority.issue("127.0.0.1"), authority.anchors_pem),
        (authority, late, authority.anchors_pem),
        (authority, None, b"no certificate"),
        (authority, None, b"\xff"),
    ]
    for issuer, issued, anchors in cases:
        async with serving(issuer, issued) as web:
            web.pages["/"] = answer(b"canari")
            with pytest.raises(FetchError) as caught:
                await Fetching().get(web.url("/"), anchors=anchors, limit=_LIMIT, within=5)
            assert "tls-failed" == caught.value.state, caught.value
            assert [] == web.asked


async def test_a_stranger_sends_nobody_inside() -> None:
    """Whatever a certificate calls it: nobody is asked in our own network, unless we said so."""
    bounded: Fetch = Fetching(Outside())
    async with serving() as web:
        web.pages["/"] = answer(b"canari")
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0"):
            for port in ("", f":{web.port}"):
                with pytest.raises(FetchError) as caught:
                    await bounded.get(f"http://{host}{port}/", limit=9, within=5, plain=True)
                assert "bad-address" == caught.value.state
        with pytest.raises(FetchError, match="inside"):
            await bounded.post(
                "http://localhost/", b"x", media_type="a/b", limit=9, within=5, plain=True
            )
        assert [] == web.asked

        listed = Fetching(Outside(frozenset({"localhost"})))
        found = await listed.get(web.url("/", "LOCALHOST"), limit=9, within=5, plain=True)
        assert Fetched(b"canari") == found
        assert f"localhost:{web.port}" == web.asked[0].headers["host"]
        said = await listed.post(
            web.url("/", "localhost"), b"x", media_type="a/b", limit=9, within=5, plain=True
        )
        assert (Fetched(b"canari"), b"x") == (said, web.asked[1].body)


async def test_a_name_that_leads_elsewhere_a_moment_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was looked at is what is connected to; a redirect is looked at anew."""
    public, asked = "203.0.113.9", []

    async def turning(_self: Outside, host: str, port: int) -> tuple[str, ...]:
        asked.append((host, port))
        if len(asked) > 1:
            raise FetchError(FetchState.BAD_ADDRESS, f"{host} lies inside")
        return (public, "127.0.0.1")  # the first cannot be reached, or this would not end

    async with serving() as web:
        web.pages["/"] = answer(b"", "302 Found", Location="/again")
        monkeypatch.setattr(Outside, "addresses", turning)
        monkeypatch.setattr(httpx.AsyncClient, "send", _unreachable(public))
        with pytest.raises(FetchError) as caught:
            await Fetching(Outside()).get(
                web.url("/", "pki.example"), limit=9, within=5, plain=True
            )

    assert "bad-address" == caught.value.state
    assert [("pki.example", web.port)] * 2 == asked
    assert ["/"] == [one.path for one in web.asked]


def _unreachable(address: str) -> Callable[..., Awaitable[httpx.Response]]:
    send = httpx.AsyncClient.send

    async def sent(
        client: httpx.AsyncClient, request: httpx.Request, **how: bool
    ) -> httpx.Response:
        if request.url.host == address:
            raise httpx.ConnectError("no route")
        return await send(client, request, **how)  # type: ignore[arg-type]

    return sent


async def test_a_redirect_is_followed_at_home_only(web: Web, authority: Authority) -> None:
    """The anchors were pinned for this host; who answers there cannot send us elsewhere."""
    async with serving(authority) as other, serving() as clear:
        web.pages["/old"] = answer(b"", "302 Found", Location="/new?x=1")
        web.pages["/new"] = answer(b"there")
        web.pages["/round"] = answer(b"", "301 Moved", Location="/round")
        web.pages["/nowhere"] = answer(b"", "301 Moved")
        web.pages["/elsewhere"] = answer(b"", "301 Moved", Location=other.url("/"))
        web.pages["/clear"] = answer(b"", "301 Moved", Location=clear.url("/"))
        web.pages["/name"] = answer(b"", "301 Moved", Location="https://a:b@127.0.0.1/")
        web.pages["/broken"] = answer(b"", "301 Moved", Location="https://[")

        assert Fetched(b"there") == await _get(web, "/old")
        for path in ("/round", "/nowhere", "/elsewhere", "/clear", "/name", "/broken"):
            assert "redirected" == (await _refused(web, path)).state, path
        assert [] == other.asked == clear.asked


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://",
        "https://user:canari@127.0.0.1/",
        "https://127.0.0.1:99999/",
        "https://[::1",
        "https://a b/",
        "/list",
        "",
    ],
)
async def test_an_address_that_is_not_asked(url: str) -> None:
    """Only TLS, unless the caller takes what is signed itself in the clear."""
    with pytest.raises(FetchError) as caught:
        await Fetching().get(url, anchors=b"x", limit=1, within=1)
    assert "bad-address" == caught.value.state
    assert "canari" not in str(caught.value)


async def test_without_anchors_tls_is_not_tried() -> None:
    """Nobody falls back to the system's authorities, or to none."""
    with pytest.raises(FetchError) as caught:
        await Fetching().get("https://127.0.0.1/", limit=1, within=1, plain=True)
    assert "bad-address" == caught.value.state


async def test_no_proxy_of_the_environment(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where we fetch from is in the settings, nowhere else."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    web.pages["/list"] = answer(b"x")
    assert Fetched(b"x") == await _get(web, "/list")


async def test_what_is_signed_itself_may_come_in_the_clear() -> None:
    """CRLs and OCSP answers: the certificates name plain addresses (DOMAIN A)."""
    async with serving() as web:
        web.pages["/ocsp"] = lambda asked: answer(asked.body * 2, Content_Type="a/b")
        web.pages["/crl"] = answer(b"crl")
        web.pages["/moved"] = answer(b"", "307 Moved", Location="/ocsp")
        fetch = Fetching()
        crl = await fetch.get(
            web.url("/crl"), headers={"X-Key": "k"}, limit=10, within=5, plain=True
        )
        ocsp = await fetch.post(
            web.url("/ocsp"),
            b"abc",
            media_type="c/d",
            limit=10,
            within=5,
            plain=True,
            headers={"X-Mark": "m"},
        )
        with pytest.raises(FetchError) as caught:
            await fetch.post(
                web.url("/moved"), b"abc", media_type="c/d", limit=10, within=5, plain=True
            )

    assert Fetched(b"crl") == crl
    assert Fetched(b"abcabc", "", "a/b") == ocsp
    assert "k" == web.asked[0].headers["x-key"]
    assert "m" == web.asked[1].headers["x-mark"]
    assert ("POST", "c/d") == (web.asked[1].method, web.asked[1].headers["content-type"])
    assert "http-error" == caught.value.state


async def test_a_mark_that_could_not_be_sent_back_is_not_kept(web: Web) -> None:
    """An ETag is the server's own text, and goes into a header of ours."""
    web.pages["/long"] = answer(b"x", ETag='"' + "e" * 600 + '"')
    web.pages["/odd"] = answer(b"x", ETag='"\xe9"')
    for path in web.pages:
        assert Fetched(b"x") == await _get(web, path)
