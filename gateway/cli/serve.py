"""``sceau serve``: run the gateway until it is told to stop."""

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

    raise SystemExit(app.serve(call.config, as_json=call.as_json))
