"""``sceau token``: what software shows instead of a password."""

from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, Verbs, asking


@click.group("token", cls=Verbs)
def command() -> None:
    """Tokens for software that asks by HTTPS."""


@command.command("add")
@click.argument("address")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=("addresses",),
    show_default=True,
    help="addresses (look up), submit (send), read; repeat it.",
)
@click.option("--days", type=click.IntRange(1), default=365, show_default=True, help="Its life.")
@click.option("--label", default="", help="What it is for, in the owner's words.")
@asking
def add(call: Asking, address: str, scopes: tuple[str, ...], **more: Any) -> None:
    """Give a mailbox's software a token, shown this once."""

    def told(made: dict[str, Any]) -> None:
        click.echo(f"Token    {made['token']}")
        click.echo(f"Expires  {made['expires']}")
        click.echo("It is kept nowhere and cannot be shown again.")

    call.answer(call.perform("token.add", address=address, scopes=list(scopes), **more), told)


@command.command("list")
@click.argument("address", default="")
@asking
def list_(call: Asking, address: str) -> None:
    """List the tokens of a mailbox, or of all."""
    columns = ("credential", "address", "label", "scopes", "created", "expires", "revoked")
    call.answer(
        call.perform("token.list", address=address),
        lambda rows: show.table(rows, columns, "There are no tokens."),
    )


@command.command("revoke")
@click.argument("address")
@click.argument("credential")
@asking
def revoke(call: Asking, address: str, credential: str) -> None:
    """End a token (CREDENTIAL, as `sceau token list` names it) now."""
    call.answer(
        call.perform("token.revoke", address=address, credential=credential),
        lambda result: click.echo(f"{result['credential']} opens {result['address']} no more."),
    )
