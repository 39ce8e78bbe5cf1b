"""``sceau large``: messages too large for their next hop."""

from typing import Any

import click

from gateway.cli import show as shown
from gateway.cli.call import Asking, Verbs, asking

_LENT = ("id", "reference", "domain", "for", "size", "made", "expires", "looks", "taken")
_FETCHING = ("reference", "size", "here", "due", "tries", "wrong")


@click.group("large", cls=Verbs)
def command() -> None:
    """Documents too large to travel: what lies here for others, and what is fetched from them.

    docs/large-documents.md
    """


@command.command("list")
@asking
def list_(call: Asking) -> None:
    """List what lies here to be fetched, and what is being fetched."""

    def told(found: dict[str, Any]) -> None:
        shown.table(found["lent"], _LENT, "Nothing lies here to be fetched.")
        shown.table(found["fetching"], _FETCHING, "Nothing is being fetched.")

    call.answer(call.perform("large.list"), told)


@command.command("show")
@click.argument("what")
@asking
def show(call: Asking, what: str) -> None:
    """Show one of them: its parts, its hash, how far it is.

    WHAT is its name in the list, or its message's id or reference.
    """

    def told(found: dict[str, Any]) -> None:
        shown.pairs({name: value for name, value in found.items() if name != "parts"})
        if "parts" in found:
            shown.table(found["parts"], ("type", "size", "sha256"), "It has no large part.")

    call.answer(call.perform("large.show", what=what), told)


@command.command("cancel")
@click.argument("what")
@asking
def cancel(call: Asking, what: str) -> None:
    """End what lies here: nobody fetches it any more, and its sender is told.

    What is being fetched is stopped by sceau spool cancel.
    """
    call.answer(
        call.perform("large.cancel", what=what),
        lambda done: click.echo(
            f"Ended: {shown.count(done['links'], 'link')}; "
            f"told of {shown.count(done['deliveries'], 'delivery')}."
        ),
    )


@command.command("retry")
@click.argument("what")
@asking
def retry(call: Asking, what: str) -> None:
    """Fetch now what waits for another try."""
    call.answer(
        call.perform("large.retry", what=what),
        lambda done: click.echo(f"fetched now: {done['fetches']}"),
    )
