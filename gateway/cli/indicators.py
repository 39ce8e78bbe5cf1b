"""``sceau indicators``: the month's counts for the authority."""

from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, asking

_COLUMNS = ("month", "indicator", "kind", "count")


@click.command("indicators")
@click.option("--month", help="Such as 2026-11.  [default: this one]")
@click.option(
    "--months", type=click.IntRange(1, 36), default=1, show_default=True, help="Up to it."
)
@click.option("--csv", "as_file", is_flag=True, help="As a file for a spreadsheet, to stdout.")
@asking
def command(call: Asking, *, as_file: bool, **arguments: Any) -> None:
    """Count a month: mailboxes by kind, messages sent and received, connections, refusals."""
    rows = call.perform("indicators", **arguments)
    if as_file:
        from gateway.operations.indicators import as_csv

        click.echo(as_csv(rows), nl=False)
        return
    call.answer(rows, lambda found: show.table(found, _COLUMNS, "Nothing was counted."))
