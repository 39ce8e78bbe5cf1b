"""``sceau mailbox receipts``: what a mailbox's owner chose about receipts and Sent."""

import click

from gateway.cli import show
from gateway.cli.call import Asking, asking


@click.command("receipts")
@click.argument("address")
@click.option(
    "--read",
    type=click.Choice(["never", "ask", "always"]),
    help="Whether senders who ask are told that a message was opened; ask: by the mail program.",
)
@click.option(
    "--file",
    type=click.Choice(["inbox", "folder"]),
    help="Where reports on what was sent are filed: in INBOX, or in a folder of their own.",
)
@click.option(
    "--sent",
    type=click.Choice(["client", "server"]),
    help="Who files what was sent: the mail program, or the gateway.",
)
@asking
def receipts(
    call: Asking, address: str, read: str | None, file: str | None, sent: str | None
) -> None:
    """Show or change what ADDRESS does about receipts, and about what it sends."""
    call.answer(
        call.perform("mailbox.receipts", address=address, read=read, file=file, sent=sent),
        show.pairs,
    )


VERBS = (receipts,)
