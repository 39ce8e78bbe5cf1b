"""``sceau address``: looking an address up before writing to it."""

from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, Verbs, asking

_COLUMNS = ("address", "kind", "name", "profession", "structure", "service")


@click.group("address", cls=Verbs)
def command() -> None:
    """Who may be written to, and at which address."""


@command.command("search")
@click.argument("question")
@click.option("--from", "sender", help="Who would write: some may not write to all.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True)
@asking
def search(call: Asking, question: str, sender: str | None, page: int) -> None:
    """Look for QUESTION: an address, or words of a name or an establishment.

    Whoever is on the *liste rouge* is never shown.
    """

    def told(found: dict[str, Any]) -> None:
        if (answer := found["answer"]) is not None:
            click.echo(f"{answer['address']}: {answer['state']} ({answer['reason']})")
            click.echo(answer["words"]["en"])
            rows = [answer["entry"]] if answer["entry"] else []
        else:
            rows = found["results"]
        if rows or answer is None:
            show.table(rows, _COLUMNS, "Nobody is found who may be shown.")
        if found["more"]:
            click.echo(f"There are more: --page {page + 1}")

    call.answer(call.perform("address.search", q=question, sender=sender, page=page), told)
