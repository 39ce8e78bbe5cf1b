"""``sceau trace``: the whole story of a message."""

from typing import Any

import click

from gateway.cli.call import Asking, asking
from gateway.cli.searching import domain
from gateway.cli.show import words

_NAMES_A_MESSAGE = frozenset("@<> ")


@click.command("trace")
@click.argument("what")
@click.option("--limit", type=click.IntRange(1, 100000), default=1000, show_default=True)
@asking
def command(call: Asking, **arguments: Any) -> None:
    """Tell the story of a message, one line an event: refusals and failed log-ins included.

    WHAT is the reference that the sender was given (K3VD-90QT), the Message-ID of the header, our
    own id, or an address: then all that it sent, was sent, or tried. Of a domain its latest messages
    are listed, with what befell it.
    """
    what = arguments["what"].removeprefix("@")
    if "." in what and not _NAMES_A_MESSAGE & set(what):
        domain(call, what, arguments["limit"])
        return

    def told(rows: Any) -> None:
        width = max(len(row["event"]) for row in rows)
        for row in rows:
            click.echo(f"{row['at']}  {row['event']:<{width}}  {words(row['summary'])}")

    call.answer(call.perform("trace", **arguments), told)
