"""Results in a form for people: tables, pairs and lines."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], empty: str) -> None:
    """Print rows as a table, or a sentence when there are none; nothing is cut off."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    found = list(rows)
    if not found:
        click.echo(empty)
        return
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in found:
        grid.add_row(*(Text(words(row.get(column))) for column in columns))
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(grid)


def pairs(values: Mapping[str, Any]) -> None:
    """Print names and values, one pair a line."""
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        click.echo(f"{name:<{width}}  {words(value)}")


def count(number: int, noun: str) -> str:
    """Return how many there are of something, in words."""
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"


def words(value: Any) -> str:
    """Return a value as a person reads it, on one line and free of control characters."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(words(item) for item in value) or "-"
    return "".join(c if c.isprintable() else "?" for c in str(value))
