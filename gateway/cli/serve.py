"""``sceau serve``: run the gateway until it is told to stop."""

import sys
from collections.abc import Mapping

import click

from gateway.cli.call import Asking, asking


@click.command("serve")
@asking
def command(call: Asking) -> None:
    """Run the gateway in the foreground; log lines go to stderr.

    SIGTERM or Ctrl-C stops it: messages in hand are finished, new ones get 421. SIGHUP reads the
    certificates and the dropped trust list again.
    """
    from gateway import app

    def announce(ports: Mapping[str, int]) -> None:
        call.answer({"ports": dict(ports)}, _told)
        sys.stdout.flush()

    raise SystemExit(app.serve(call.config, announce))


def _told(ready: Mapping[str, Mapping[str, int]]) -> None:
    listening = ", ".join(f"{name} {port}" for name, port in ready["ports"].items())
    click.echo(f"Listening: {listening or 'nowhere'}")
