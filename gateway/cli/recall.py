"""``sceau recall``: take a message back."""

import sys
from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, asking


@click.command("recall")
@click.argument("what")
@asking
def command(call: Asking, what: str) -> None:
    """Take a message back that somebody here sent: WHAT is a reference, an id or a Message-ID.

    What has not left is stopped and its key destroyed; unopened at another Sceau it is withdrawn,
    with signed proof by mail; where it was opened, its sender is told when.
    """

    def told(rows: list[dict[str, Any]]) -> None:
        show.table(rows, ("recipient", "done", "said"), "")

    rows = call.perform("recall", what=what)
    call.answer(rows, told)
    if not any(row["done"] or row["again"] for row in rows):
        sys.exit(1)
