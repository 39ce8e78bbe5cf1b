"""The status pages: ``/metrics``, ``/healthz`` (it runs), ``/readyz`` (it can do its work).

For monitors on the inside: the listener binds loopback unless told otherwise, and no page holds
anything of a message.
"""

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.observe.metrics import Metrics

Ready = Callable[[], dict[str, str]]  # what is not as it should be: a slug → words; empty is well


def pages(metrics: Metrics, ready: Ready) -> Starlette:
    """Return the application with its three pages."""

    async def _metrics(_request: Request) -> Response:
        return Response(metrics.page(), media_type=CONTENT_TYPE_LATEST)

    async def _healthz(_request: Request) -> Response:
        return JSONResponse({"ok": True})

    async def _readyz(_request: Request) -> Response:
        problems = ready()
        status = 503 if problems else 200
        return JSONResponse({"ok": not problems, "problems": problems}, status)

    return Starlette(
        routes=[
            Route("/metrics", _metrics),
            Route("/healthz", _healthz),
            Route("/readyz", _readyz),
        ]
    )
