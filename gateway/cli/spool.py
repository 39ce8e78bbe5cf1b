"""``sceau spool``: messages on their way."""

from typing import Any

import click

from gateway.cli import emergency, searching, show
from gateway.cli.call import Asking, Verbs, asking

_COLUMNS = (
    "delivery",
    "reference",
    "state",
    "arrived",
    "sender",
    "recipient",
    "attempts",
    "due",
    "said",
)


@click.group("spool", cls=Verbs)
def command() -> None:
    """Messages on their way."""


@command.command("list")
@click.option("--state", help="Only deliveries in this state.")
@click.option("--domain", help="Only deliveries to this domain.")
@click.option("--all", "everything", is_flag=True, help="Final deliveries too.")
@click.option("--limit", type=click.IntRange(1, 10000), default=100, show_default=True)
@asking
def list_(call: Asking, **arguments: Any) -> None:
    """List deliveries that are not final, the newest last."""
    call.answer(
        call.perform("spool.list", **arguments),
        lambda rows: show.table(rows, _COLUMNS, "Nothing is on its way."),
    )


@command.command("show")
@click.argument("what")
@asking
def show_(call: Asking, what: str) -> None:
    """Show one message and its deliveries.

    WHAT is a reference, an id or a Message-ID.
    """

    def told(result: Any) -> None:
        show.pairs({k: v for k, v in result.items() if k != "deliveries"})
        click.echo()
        show.table(result["deliveries"], _COLUMNS, "It has no deliveries.")

    call.answer(call.perform("spool.show", what=what), told)


@command.command("retry")
@click.argument("what", required=False)
@click.option("--domain", help="Everything that waits for this domain.")
@asking
def retry(call: Asking, **arguments: Any) -> None:
    """Try again now: a message, a delivery, or a domain's.

    WHAT is a reference, an id or a Message-ID; --domain takes all that waits for a domain.
    """
    _needs_one(arguments)
    call.answer(
        call.perform("spool.retry", **arguments),
        lambda result: click.echo(
            f"{show.count(result['deliveries'], 'delivery')} will be tried now."
        ),
    )


@command.command("cancel")
@click.argument("what")
@asking
def cancel(call: Asking, what: str) -> None:
    """Give up a message or delivery; the sender is told.

    WHAT is a reference, an id or a Message-ID. What is delivered already is not called back.
    """
    call.answer(
        call.perform("spool.cancel", what=what),
        lambda result: click.echo(f"Cancelled: {show.count(result['deliveries'], 'delivery')}."),
    )


def _needs_one(arguments: dict[str, Any]) -> None:
    if (arguments["what"] is None) == (arguments["domain"] is None):
        raise click.UsageError("name either a message or --domain")


for verb in (*emergency.SPOOL_VERBS, searching.peers):
    command.add_command(verb)
