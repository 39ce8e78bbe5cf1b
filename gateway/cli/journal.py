"""``sceau journal``: the audit."""

import sys
from typing import Any

import click

from gateway.cli.call import Asking, asking

_PAGE = 1000


@click.group("journal")
def command() -> None:
    """The audit: what happened, in a chain that cannot be cut unseen."""


@command.command("verify")
@asking
def verify(call: Asking) -> None:
    """Check the chain up to its signed head.

    A row that was changed, removed or put in is found; docs/journal.md says how to check without us.
    """
    call.answer(
        call.perform("journal.verify"),
        lambda found: click.echo(
            f"The journal is whole: {found['rows']} rows, each chained to the one before,"
            f" signed up to row {found['signed']}."
        ),
    )


@command.command("export")
@click.option("--after", type=int, default=0, help="Only rows after this number.")
@asking
def export(call: Asking, after: int) -> None:
    """Write the journal to stdout, opened, one JSON object a line."""
    full = True
    while full:
        rows = call.perform("journal.export", after=after, limit=_PAGE)
        _write(rows)
        full = len(rows) == _PAGE  # the export writes rows of its own: never wait for an empty page
        after = rows[-1]["seq"] if rows else after


def _write(rows: list[Any]) -> None:
    from msgspec import json

    sys.stdout.writelines(json.encode(row).decode() + "\n" for row in rows)
