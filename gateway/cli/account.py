"""``sceau mailbox invite`` and ``factors``: how a person comes to their account's pages."""

from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, asking


@click.command("invite")
@click.argument("address")
@asking
def invite(call: Asking, address: str) -> None:
    """Give a code by which a person sets a passphrase and a second factor.

    It is good for one day, and once. Hand it over to the person, not by mail. If they have factors
    already (a telephone was lost), two operators must type this within a day, and using the code
    ends what was there.
    """

    def told(made: dict[str, Any]) -> None:
        if made["status"] == "waiting":
            click.echo(
                "There are factors already. It is done when another operator types the same."
            )
            return
        click.echo(f"Code   {made['code']}")
        click.echo(f"Link   {made['link']}")
        click.echo(f"Until  {made['until']}")
        click.echo("It is kept nowhere and cannot be shown again.")

    call.answer(call.perform("mailbox.invite", address=address), told)


@click.command("factors")
@click.argument("address")
@asking
def factors(call: Asking, address: str) -> None:
    """List what a person logs in to their account's pages with."""
    columns = ("factor", "kind", "label", "created", "used")
    call.answer(
        call.perform("mailbox.factors", address=address),
        lambda rows: show.table(rows, columns, "There are none; see sceau mailbox invite."),
    )
