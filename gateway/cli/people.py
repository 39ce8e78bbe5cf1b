"""``sceau mailbox share`` and its neighbours: who uses whose mailbox, and leaving."""

from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, asking


@click.command("share")
@click.argument("address")
@click.argument("person")
@click.option(
    "--rights",
    default="member",
    show_default=True,
    help="reader, member (files, marks, sends in its name), owner; or letters of RFC 4314.",
)
@asking
def share(call: Asking, address: str, person: str, rights: str) -> None:
    """Let PERSON, known by their own mailbox, use another (ADDRESS).

    They log in as themselves, find it under "Partage", and what they do is traced to them. Said
    again, it replaces the rights they had.
    """
    call.answer(
        call.perform("mailbox.share", address=address, person=person, rights=rights), show.pairs
    )


@click.command("unshare")
@click.argument("address")
@click.argument("person")
@asking
def unshare(call: Asking, address: str, person: str) -> None:
    """Take PERSON's rights on the mailbox away, and end their connections."""
    call.answer(
        call.perform("mailbox.unshare", address=address, person=person),
        lambda result: click.echo(f"{result['person']} uses {result['address']} no more."),
    )


@click.command("people")
@click.argument("address")
@asking
def people(call: Asking, address: str) -> None:
    """Show who uses the mailbox, and which others its own person uses."""

    def told(result: dict[str, Any]) -> None:
        columns = ("address", "name", "rights", "posts")
        show.table(result["used_by"], columns, "Nobody else uses this mailbox.")
        if result["uses"]:
            click.echo(f"\n{result['address']} uses:")
            show.table(result["uses"], columns, "")

    call.answer(call.perform("mailbox.people", address=address), told)


@click.command("absence")
@click.argument("address")
@click.option("--text", help="What correspondents are told; replaces what was set.")
@click.option("--since", help="From when, as 2026-12-20T18:00; else from now.")
@click.option("--until", help="Until when; else until it is ended.")
@click.option("--end", is_flag=True, help="The owner is back.")
@asking
def absence(call: Asking, address: str, **arguments: Any) -> None:
    """Show, set or end what is answered while a mailbox's owner is away.

    Only people of the trusted space are answered, who wrote to this address by name, once a week.
    """
    call.answer(call.perform("mailbox.absence", address=address, **arguments), show.pairs)


@click.command("handover")
@click.argument("address")
@click.argument("to")
@asking
def handover(call: Asking, address: str, to: str) -> None:
    """Hand the content of a closed mailbox over to another (TO).

    Two operators must ask for it, each by the same command, within a day. It then lies there under
    "Reprise", and no longer in the closed mailbox.
    """

    def told(result: dict[str, Any]) -> None:
        if result["status"] == "waiting":
            click.echo("Noted. It is done when another operator types the same command.")
        else:
            moved = show.count(result["messages"], "message")
            click.echo(f"Handed over to {result['to']}: {moved}.")

    call.answer(call.perform("mailbox.handover", address=address, to=to), told)
