"""``sceau citizen``: what patients want, and whom they may answer."""

from typing import Any

import click

from gateway.cli import show as shown
from gateway.cli.call import Asking, Verbs, asking


@click.group("citizen", cls=Verbs)
def command() -> None:
    """Patients: who objects to being written to, and who may answer whom.

    A patient is named by their address or by their INS number. docs/citizens.md
    """


@command.command("show")
@click.argument("address")
@asking
def show(call: Asking, address: str) -> None:
    """Show whether a patient objects, and the threads that stand open."""

    def told(result: dict[str, Any]) -> None:
        click.echo(f"{result['address']} {_said(objects=result['objects'])}")
        if result["objections"]:
            columns = ("since", "reason", "by", "withdrawn", "withdrawn_by")
            shown.table(result["objections"], columns, "")
        shown.table(result["threads"], ("with", "open", "closed", "last"), "No threads.")

    call.answer(call.perform("citizen.show", address=address), told)


@command.command("list")
@asking
def list_(call: Asking) -> None:
    """List the objections that were ever noted; whose they are is not shown."""
    columns = ("since", "address", "reason", "by", "withdrawn", "withdrawn_by")
    call.answer(
        call.perform("citizen.list"),
        lambda found: shown.table(found["objections"], columns, "No objections."),
    )


@command.command("oppose")
@click.argument("address")
@click.option("--reason", required=True, help="How and when the patient said so.")
@asking
def oppose(call: Asking, address: str, reason: str) -> None:
    """Note that a patient objects to being written to.

    From then on every message to them is refused at once, in words, whoever writes it.
    """
    call.answer(
        call.perform("citizen.oppose", address=address, reason=reason),
        lambda row: click.echo(f"{row['address']} {_said(objects=True)}"),
    )


@command.command("allow")
@click.argument("address")
@click.option("--reason", default="", help="How and when they changed their mind, for the journal.")
@asking
def allow(call: Asking, address: str, reason: str) -> None:
    """Note that a patient no longer objects."""
    call.answer(
        call.perform("citizen.allow", address=address, reason=reason),
        lambda row: click.echo(f"{row['address']} {_said(objects=False)}"),
    )


def _said(*, objects: bool) -> str:
    return "objects to being written to." if objects else "does not object to being written to."
