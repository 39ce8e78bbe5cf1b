"""``sceau receipts``: what was told to software about deliveries."""

from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, Verbs, asking


@click.group("receipts", cls=Verbs)
def command() -> None:
    """What was told to software about deliveries."""


@command.command("tail")
@click.option("--mailbox", help="Only those of this mailbox: its address or its key.")
@click.option("--limit", type=click.IntRange(1, 10000), default=20, show_default=True)
@asking
def tail(call: Asking, **arguments: Any) -> None:
    """Show the latest receipts."""
    columns = ("seq", "at", "type", "subject", "mailbox", "sent")
    call.answer(
        call.perform("receipts.tail", **arguments),
        lambda rows: show.table(rows, columns, "There are no receipts."),
    )


@command.command("resend")
@click.option("--mailbox", help="Those of this mailbox: its address or its key.")
@click.option("--message", default="", help="Those of this message: reference, id or Message-ID.")
@click.option("--since", type=click.DateTime(), help="Those made since this time (UTC).")
@asking
def resend(call: Asking, mailbox: str | None, message: str, since: Any) -> None:
    """Push receipts once more; software deduplicates them by their id."""
    when = since.isoformat() if since else None
    arguments = {"mailbox": mailbox, "message": message, "since": when}
    call.answer(
        call.perform("receipts.resend", **arguments),
        lambda result: click.echo(
            f"{show.count(result['receipts'], 'receipt')} will be pushed again."
        ),
    )
