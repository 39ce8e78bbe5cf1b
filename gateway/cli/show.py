"""Results in a form for people: tables, pairs and lines; in colour where somebody looks."""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

# What a slug in a state's place means to the eye; any other word stays as it is.
_STATES = frozenset({"state", "status", "level", "outcome", "lifted", "event"})
_COLOURS = {
    "green": frozenset(
        {"active", "delivered", "done", "good", "ok", "released", "relayed", "sent"}
    ),
    "yellow": frozenset(
        {"deferred", "held", "inspecting", "queued", "sending", "stale", "suspended", "unknown"}
        | {"fetching", "unconfirmed", "waiting", "warn", "warning"}
    ),
    "red": frozenset({"alarm", "closed", "expired", "fail", "failed", "refused", "revoked"}),
}
_SOON = 1.0  # seconds until a person wonders
_showing: list[str] = []  # what already moves on the screen
_LOUD = (".refused", ".failed", ".expired", ".throttled", ".tampered", ".revoked")


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
        told = [(column, words(row.get(column))) for column in columns]
        grid.add_row(*(Text(text, style=style(column, text)) for column, text in told))
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(grid)


def style(column: str, text: str) -> str:
    """Return the colour of a state's name, nothing for whatever is none."""
    if column not in _STATES:
        return ""
    word = text.lower()
    if word.endswith(_LOUD):
        return "red"
    return next((colour for colour, known in _COLOURS.items() if word in known), "")


def pairs(values: Mapping[str, Any]) -> None:
    """Print names and values, one pair a line."""
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        text = words(value)
        click.echo(f"{name:<{width}}  {click.style(text, style(name, text) or None)}")


def count(number: int, noun: str) -> str:
    """Return how many there are of something, in words."""
    many = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"1 {noun}" if number == 1 else f"{number:,} {many}"


def words(value: Any) -> str:
    """Return a value as a person reads it, on one line and free of control characters."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(words(item) for item in value) or "-"
    return "".join(c if c.isprintable() else "?" for c in str(value))


@contextmanager
def counting(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show how far long work is, on stderr, if somebody looks there; else say nothing."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    how = (SpinnerColumn(), TextColumn("{task.completed:,.0f} {task.description}"), BarColumn())
    with Progress(*how, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        _showing.append(what)
        try:
            yield lambda done: bar.update(task, completed=done)
        finally:
            _showing.pop()


@contextmanager
def waiting(what: str, after: float = _SOON) -> Iterator[None]:
    """Show that work goes on whose end nobody knows, once it takes long; only to who looks."""
    if not sys.stderr.isatty() or _showing:
        yield
        return
    begun: list[Callable[[], None]] = []

    def begin() -> None:
        from rich.console import Console

        status = Console(stderr=True).status(f"{what} …")
        status.start()
        begun.append(status.stop)

    timer = threading.Timer(after, begin)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for stop in begun:
            stop()
