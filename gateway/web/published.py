"""The published trust list under ``/trust/``: for other gateways, with nothing but its bytes.

What is served is asked for by its name, one of few; a version never changes, and the current one is
asked again with its mark. Nobody logs in: a list is signed, not secret, among those who can reach us.
RFC 9110 §8.8.3, §13.1.2.
"""

import asyncio
import hashlib
import os
import re
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.web.problem import Problem
from trust.fetching import Fetch, Fetched, FetchError
from trust.published import TrailError

_NAMES = re.compile(r"(versions/[1-9][0-9]{0,15}|list)\.json(\.p7s)?|index\.json")
_BLOCK = 64 << 10
_MARKS = 512  # files whose hash is remembered

_Seen = tuple[int, int, int]  # inode, time of change, size


@dataclass(frozen=True, slots=True)
class _File:
    octets: BinaryIO  # closes itself when nobody has it any more
    size: int
    etag: str


class Published:
    """The folder that ``sceau trust publish`` writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._marks: dict[str, tuple[_Seen, str]] = {}

    def routes(self) -> list[Route]:
        """Return where it is served."""
        return [Route("/trust/{name:path}", self._serve)]

    async def _serve(self, request: Request) -> Response:
        name = request.path_params["name"]
        if not _NAMES.fullmatch(name):
            raise Problem("not-found")
        found = await asyncio.to_thread(self._open, name)
        fixed = name.startswith("versions/")
        headers = {
            "ETag": found.etag,
            "Content-Length": str(found.size),
            "Cache-Control": "public, max-age=31536000, immutable" if fixed else "no-cache",
        }
        wanted = request.headers.get("if-none-match", "")
        if found.etag in {each.strip().removeprefix("W/") for each in wanted.split(",")}:
            found.octets.close()
            del headers["Content-Length"]
            return Response(status_code=304, headers=headers)
        if request.method == "HEAD":
            found.octets.close()
            return Response(headers=headers, media_type=_media_type(name))
        return StreamingResponse(_blocks(found), headers=headers, media_type=_media_type(name))

    def _open(self, name: str) -> _File:
        """Open a file once and for all: what is served is what was hashed, whatever takes its place."""
        try:
            fd = os.open(self._folder / name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError:
            raise Problem("not-found") from None
        seen = os.fstat(fd)
        if not stat.S_ISREG(seen.st_mode):
            os.close(fd)
            raise Problem("not-found")
        octets = os.fdopen(fd, "rb")
        known = (seen.st_ino, seen.st_ctime_ns, seen.st_size)
        before, etag = self._marks.get(name, (None, ""))
        if before != known:
            etag = f'"{hashlib.file_digest(octets, "sha256").hexdigest()}"'
            octets.seek(0)
            if len(self._marks) >= _MARKS:
                self._marks.clear()
            self._marks[name] = (known, etag)
        return _File(octets, seen.st_size, etag)


def _media_type(name: str) -> str:
    return "application/pkcs7-signature" if name.endswith(".p7s") else "application/json"


async def _blocks(file: _File) -> AsyncIterator[bytes]:
    with file.octets as octets:
        while block := await asyncio.to_thread(octets.read, _BLOCK):
            yield block


async def fetched(fetch: Fetch, url: str, name: str, anchors: bytes, limit: int) -> bytes:
    """Return a file of somebody else's published folder."""
    try:
        found = await fetch.get(
            f"{url.rstrip('/')}/{name}", limit=limit, within=120, anchors=anchors
        )
    except FetchError as error:
        raise TrailError(f"{name} did not come: {error}") from None
    if not isinstance(found, Fetched):  # pragma: no cover - only who asks with a mark is told so
        raise TrailError(f"{name} did not come")
    return found.body
