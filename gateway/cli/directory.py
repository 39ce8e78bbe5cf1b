"""``sceau directory``: what directories say of addresses, and what they should say of ours."""

from pathlib import Path
from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, Verbs, asking

_ENTRY = ("directory", "address", "kind", "person", "organisation", "name", "structure", "hidden")


@click.group("directory", cls=Verbs)
def command() -> None:
    """Directories: whose an address is, and whether it may be shown. They grant nothing."""


@command.command("status")
@asking
def status(call: Asking) -> None:
    """Say how each directory stands."""
    columns = ("directory", "addresses", "taken", "stale", "outcome", "last")
    call.answer(
        call.perform("directory.status"),
        lambda rows: show.table(rows, columns, "The settings name no directory."),
    )


@command.command("show")
@click.argument("about")
@asking
def show_(call: Asking, about: str) -> None:
    """Show what directories say of an address, or of a holder such as rpps:10003456786.

    A holder's addresses that are on the *liste rouge* are not among them.
    """
    call.answer(
        call.perform("directory.show", about=about),
        lambda rows: show.table(rows, _ENTRY, "No directory says anything of it."),
    )


@command.command("refresh")
@click.argument("name", required=False, default="")
@click.option("--anyway", is_flag=True, help="Believe also one that lost most of its addresses.")
@asking
def refresh(call: Asking, **arguments: Any) -> None:
    """Look at the directories now, or at one of them."""
    columns = ("directory", "outcome", "sentence")
    call.answer(
        call.perform("directory.refresh", **arguments),
        lambda rows: show.table(rows, columns, "The settings name no directory."),
    )


@command.command("publish")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--format",
    "format_",
    type=click.Choice(["annuaire", "fhir"]),
    default="annuaire",
    show_default=True,
    help="The Annuaire Santé's flat extraction, or FHIR resources in a Bundle.",
)
@asking
def publish(call: Asking, out: Path, format_: str) -> None:
    """Write our mailboxes to OUT as a directory publishes them.

    Applications' mailboxes, and those of the *liste rouge*, are not among them.
    """
    made = call.perform("directory.publish", format=format_)
    out.write_text(made["content"], encoding="utf-8", newline="")

    def told(result: dict[str, Any]) -> None:
        click.echo(f"Mailboxes written to {out}: {result['mailboxes']}")

    call.answer({"mailboxes": made["mailboxes"], "file": str(out)}, told)


@command.command("reconcile")
@asking
def reconcile(call: Asking) -> None:
    """Compare our mailboxes with what the directories say of them."""
    columns = ("directory", "address", "finding", "ours", "theirs")
    call.answer(
        call.perform("directory.reconcile"),
        lambda rows: show.table(rows, columns, "The directories say of our mailboxes what we do."),
    )
