"""A web server that says exactly what a test wants, over real TLS or in the clear."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.demo.pki import Authority, Issued


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that came."""

    method: str
    path: str  # with its query
    headers: dict[str, str]  # names in lower case
    body: bytes


Page = bytes | Callable[[Asked], bytes]  # the whole answer as it goes on the wire


@dataclass(slots=True)
class Web:
    """``pages`` by path without its query; one that is not there is 404."""

    port: int = 0
    scheme: str = "https"
    anchors: bytes = b""
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and close."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = head[0].split(" ", 2)
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            asked = Asked(method, path, headers, body)
            self.asked.append(asked)
            page = self.pages.get(path.partition("?")[0], answer(b"", "404 Not Found"))
            writer.write(page if isinstance(page, bytes) else page(asked))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()


def answer(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """Return a well-formed answer; ``ETag='"1"'``, ``Content_Type=`` and the like are headers."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{lines}\r\n"
    return head.encode() + body


@asynccontextmanager
async def serving(
    authority: Authority | None = None, issued: Issued | None = None
) -> AsyncIterator[Web]:
    """Serve on loopback: in the clear, or with a certificate for 127.0.0.1 of this authority."""
    web, context = Web(scheme="http"), None
    if authority is not None:
        web = Web(anchors=authority.anchors_pem)
        context = _context(issued or authority.issue("web", hosts=("127.0.0.1", "localhost")))
    server = await asyncio.start_server(web.serve, "127.0.0.1", 0, ssl=context)
    web.port = server.sockets[0].getsockname()[1]
    async with server:
        yield web


def _context(issued: Issued) -> ssl.SSLContext:
    import tempfile
    from pathlib import Path

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(*issued.write(Path(folder), "web"))
    return context
