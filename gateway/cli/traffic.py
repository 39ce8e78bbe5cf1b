"""``sceau traffic``: what happened hour by hour."""

from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, asking

_LEAST = ("sent", "came", "delivered", "relayed", "refused", "held", "failed")


@click.command("traffic")
@click.option("--hours", type=click.IntRange(1, 744), default=24, show_default=True)
@asking
def command(call: Asking, *, hours: int) -> None:
    """Count what was sent, came, was delivered, refused, held, failed, in each of the last hours."""

    def told(rows: list[dict[str, Any]]) -> None:
        others = {name for row in rows for name in row} - {"hour", *_LEAST}
        columns = ("hour", *_LEAST, *sorted(others & {"deferred", "login-failed", "tls-failed"}))
        full = [{column: row.get(column, 0) for column in columns} for row in rows]
        show.table(full, columns, "Nothing was counted.")

    call.answer(call.perform("traffic.hours", hours=hours), told)
