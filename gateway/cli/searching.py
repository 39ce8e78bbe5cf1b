"""``sceau journal search``, ``spool peers``, and ``trace`` of a domain: what the console's pages find."""

from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, asking

_PEERS = ("domain", "waiting", "held", "inspecting", "fetching", "since", "due", "said", "patience")
_MESSAGES = ("arrived", "reference", "sender", "recipients", "message")


@click.command("search")
@click.option(
    "--event", default="", help="One kind of event; with a dot at its end, all of a noun."
)
@click.option("--actor", default="", help="Who did it, such as operator:anne.")
@click.option("--who", default="", help="An address that it is about.")
@click.option("--message", default="", help="A message, by reference, id or Message-ID.")
@click.option("--text", default="", help="Words of it; the latest thousands of rows are opened.")
@click.option("--since", help="From then, such as 2026-11-22T08:00.")
@click.option("--until", help="Before then.")
@click.option("--before", type=int, help="Only rows before this number: the next page.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@asking
def search(call: Asking, **arguments: Any) -> None:
    """Find rows of the journal, the newest first: all that is given must fit."""

    def told(found: dict[str, Any]) -> None:
        show.table(found["rows"], ("seq", "at", "event", "actor", "summary"), "No such row.")
        if found["before"] is not None:
            click.echo(f"There may be older ones: --before {found['before']}")

    call.answer(call.perform("journal.search", **arguments), told)


@click.command("peers")
@asking
def peers(call: Asking) -> None:
    """List the domains that mail waits for, with what they last said."""

    def told(rows: list[dict[str, Any]]) -> None:
        shown = [row | {"patience": bool(row["patience"])} for row in rows]
        show.table(shown, _PEERS, "Nothing waits.")

    call.answer(call.perform("spool.peers"), told)


def domain(call: Asking, what: str, limit: int) -> None:
    """Tell what a domain sent and was sent, and what befell it."""

    def told(found: dict[str, Any]) -> None:
        rows = [
            row | {"recipients": [f"{one['address']} {one['state']}" for one in row["recipients"]]}
            for row in found["messages"]
        ]
        show.table(rows, _MESSAGES, "No messages.")
        if found["events"]:
            click.echo()
            show.table(found["events"], ("at", "event", "summary"), "")

    call.answer(call.perform("trace.find", what=what, limit=min(limit, 200)), told)
