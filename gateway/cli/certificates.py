"""``sceau certificates``: who showed us which certificate, how it stands, when it ends."""

from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, Verbs, asking


@click.group("certificates", cls=Verbs)
def command() -> None:
    """Certificates: ours and those that were shown to us."""


@command.command("list")
@click.option("--within", type=int, help="Only those that end within so many days.")
@asking
def list_(call: Asking, within: int | None) -> None:
    """List them by when they end, with what their authorities say."""

    def told(rows: list[dict[str, Any]]) -> None:
        columns = ("kind", "domains", "expires", "days", "state", "source", "why", "certificate")
        show.table(rows, columns, "No certificate was met.")

    call.answer(call.perform("certificates.list", within=within), told)
