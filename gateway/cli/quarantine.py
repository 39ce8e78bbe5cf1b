"""``sceau quarantine``: messages that wait for a person."""

from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, asking


@click.group("quarantine")
def command() -> None:
    """Messages that wait for a person."""


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Closed cases too.")
@asking
def list_(call: Asking, **arguments: Any) -> None:
    """List the cases that wait."""
    columns = ("id", "reference", "state", "opened", "sender", "recipient", "reasons")
    call.answer(
        call.perform("quarantine.list", **arguments),
        lambda rows: show.table(rows, columns, "Nothing waits."),
    )


@command.command("show")
@click.argument("case")
@asking
def show_(call: Asking, case: str) -> None:
    """Show one case: who, to whom, and why it is held. Looking is journalled."""
    call.answer(call.perform("quarantine.show", case=case), show.pairs)


@command.command("release")
@click.argument("case")
@click.option("--note", required=True, help="Why, for the journal.")
@asking
def release(call: Asking, **arguments: Any) -> None:
    """Let the message go on its way.

    Trust is still asked before each attempt.
    """
    call.answer(
        call.perform("quarantine.release", **arguments),
        lambda result: click.echo(f"Case {result['id']} is {result['state']}."),
    )


@command.command("refuse")
@click.argument("case")
@click.option("--note", required=True, help="Why, for the journal.")
@asking
def refuse(call: Asking, **arguments: Any) -> None:
    """Refuse the message for good; the sender is told."""
    call.answer(
        call.perform("quarantine.refuse", **arguments),
        lambda result: click.echo(f"Case {result['id']} is {result['state']}."),
    )
