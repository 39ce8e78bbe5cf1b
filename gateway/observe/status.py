"""The status pages: ``/metrics``, ``/healthz`` (it runs), ``/readyz`` (it can do its work).

For monitors on the inside: the listener binds loopback unless told otherwise, and no page holds
anything of a message. uvicorn runs in our own loop and TaskGroup, its signals and its access log
left out.
"""

import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
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


class _Quiet(uvicorn.Server):
    """uvicorn without its signal handlers: the gateway's own decide when to stop."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class StatusDoor:
    """The listener of the status pages."""

    def __init__(self, app: Starlette) -> None:
        self._server = _Quiet(
            uvicorn.Config(
                app,
                lifespan="off",
                access_log=False,
                log_config=None,
                timeout_graceful_shutdown=2,
            )
        )
        self._socket: socket.socket | None = None

    def open(self, host: str, port: int) -> int:
        """Bind and listen; return the port that was bound."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(16)
        bound: int = sock.getsockname()[1]
        return bound

    async def run(self) -> None:
        """Serve until ``stop``."""
        assert self._socket is not None
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """End ``run`` soon."""
        self._server.should_exit = True

    def close(self) -> None:
        """Listen no more, should ``run`` never have begun."""
        if self._socket is not None:
            self._socket.close()
