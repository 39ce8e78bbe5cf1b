"""``sceau keys``: the key ring."""

from pathlib import Path
from typing import Any

import click

from gateway.cli import export, show
from gateway.cli.call import Asking, Verbs, asking


@click.group("keys", cls=Verbs)
def command() -> None:
    """The key ring that opens everything at rest."""


@command.command("create")
@asking
def create(call: Asking) -> None:
    """Make the key ring, once, before the first start. Keep a copy of it in a safe place.

    Without it nothing of what the gateway keeps can ever be read again. With [paths]
    passphrase_file the ring is itself sealed with the passphrase in that file.
    """
    from gateway import app

    def told(made: dict[str, str]) -> None:
        click.echo(f"The key ring is {made['path']}. Keep a copy in a safe place, apart from")
        click.echo("every copy of the data: without it nothing kept can be read again.")

    call.answer(app.create_keys(call.config), told)


@command.command("list")
@asking
def list_(call: Asking) -> None:
    """List the keys of the ring, and how much each still opens."""

    def told(found: dict[str, Any]) -> None:
        columns = ("ring", "created", "current", "wraps", "values", "journal")
        show.table(found["keys"], columns, "The ring is empty.")
        click.echo(f"\nPublic key of the journal's head: {found['journal_key']}")

    call.answer(call.perform("keys.list"), told)


@command.command("rotate")
@asking
def rotate(call: Asking) -> None:
    """Make a new key for all that comes.

    What is kept follows in the background while the gateway runs: `sceau keys list` shows how far.
    """
    call.answer(
        call.perform("keys.rotate"),
        lambda made: click.echo(f"Key {made['ring']} is in use. Copy the ring to its safe place."),
    )


@command.command("escrow")
@click.option("--reason", required=True, help="Who keeps it, and why, for the journal.")
@export.escrowing
@asking
def escrow(call: Asking, keys: tuple[str, ...], out: Path | None, **arguments: Any) -> None:
    """Hand out the key ring, encrypted for named OpenPGP keys alone.

    Whoever decrypts it, and has a copy of the data, can read everything. A ring with a passphrase
    stays sealed with it.
    """
    export.escrowed(call, "keys.escrow", keys, out, **arguments)
