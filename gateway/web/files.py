"""The files that our pages fetch: styles, scripts and pictures that lie beside the templates."""

from collections.abc import Mapping
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ACCOUNT: Mapping[str, str] = {  # of pages by which people log in
    "/account.css": "text/css",
    "/account.js": "text/javascript",
    "/account.svg": "image/svg+xml",
}


def files(folder: str, kinds: Mapping[str, str]) -> list[Route]:
    """Return where the files of one folder of templates are, by path, with their media types."""

    async def answer(request: Request) -> Response:
        path = request.url.path
        octets = resources.files("gateway.web").joinpath(f"templates/{folder}{path}").read_bytes()
        return Response(octets, headers={"Cache-Control": "max-age=3600"}, media_type=kinds[path])

    return [Route(path, answer, methods=["GET"]) for path in kinds]
