"""``sceau serve``: run the gateway until it is told to stop."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import click

from gateway.cli.call import Asking, asking

# structlog and httpx load them where they are installed, to paint what a gateway never prints: six
# MiB of its memory.
PAINTING = ("rich", "pygments")


@click.command("serve")
@asking
def command(call: Asking) -> None:
    """Run the gateway in the foreground; log lines go to stderr.

    SIGTERM or Ctrl-C stops it: messages in hand are finished, new ones get 421. SIGHUP reads the
    certificates and the dropped trust list again.
    """
    with without(*PAINTING):
        from gateway import app

    def announce(ports: Mapping[str, int]) -> None:
        call.answer({"ports": dict(ports)}, _told)
        sys.stdout.flush()

    raise SystemExit(app.serve(call.config, announce))


def _told(ready: Mapping[str, Mapping[str, int]]) -> None:
    listening = ", ".join(f"{name} {port}" for name, port in ready["ports"].items())
    click.echo(f"Listening: {listening or 'nowhere'}")


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Let what is imported meanwhile do without libraries that are not loaded yet."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules |= dict.fromkeys(absent)  # type: ignore[arg-type]  # None says so to an import
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
