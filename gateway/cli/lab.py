"""``sceau lab``: laboratories that send by themselves."""

import os
from pathlib import Path
from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, Verbs, asking
from gateway.operations.error import OperationError

_COLUMNS = ("answer", "recipient", "reference", "why", "do")


@click.group("lab", cls=Verbs)
def command() -> None:
    """Laboratories that send by themselves, and what became of their results."""


@command.command("morning")
@click.option(
    "--since", metavar="TIME", help="Such as 2026-11-22T18:00:00+01:00.  [default: a day ago]"
)
@click.option(
    "--mailbox",
    metavar="ADDRESS",
    help="Of this one alone.  [default: all that software sends from]",
)
@click.option("--files", is_flag=True, help="With the names of files and the keys of results.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Into this file, as CSV."
)
@asking
def morning(call: Asking, output: Path | None, **arguments: Any) -> None:
    """Show which results must go another way: to whom, why, and what to do.

    One row for each recipient who does not have a result, or may not; then a count of all.
    """
    told = call.perform("lab.morning", **arguments)
    if output is not None:
        _write(output, told)

    def shown(found: dict[str, Any]) -> None:
        if output is None:
            show.table(found["rows"], _COLUMNS, "Nothing must go another way.")
        else:
            click.echo(f"{output}: {show.count(len(found['rows']), 'row')}, for your eyes alone.")
        click.echo(found["words"])

    call.answer(told, shown)


@command.command("critical")
@click.option("--all", "everything", is_flag=True, help="Those that arrived, too.")
@asking
def critical(call: Asking, *, everything: bool) -> None:
    """List critical results that did not arrive and that nobody takes care of yet."""
    rows = call.perform("lab.critical", everything=everything)
    columns = ("reference", "state", "sender", "due", "person", "recipients", "by", "note")
    call.answer(rows, lambda found: show.table(found, columns, "Nothing critical waits."))


@command.command("acknowledge")
@click.argument("references", metavar="REFERENCE...", nargs=-1, required=True)
@click.option("--note", default="", help="What was done, for the journal: no patient's name.")
@asking
def acknowledge(call: Asking, references: tuple[str, ...], note: str) -> None:
    """Note that you take care of critical results that did not arrive.

    Each is said when it is noted; one that waits for nobody ends the command there.
    """
    for reference in references:
        row = call.perform("lab.acknowledge", reference=reference, note=note)
        call.answer(row, lambda one: click.echo(f"{one['reference']}: noted, by {one['by']}."))


def _write(output: Path, told: dict[str, Any]) -> None:
    """Write the file for its owner alone, and never over another."""
    from gateway.labs.morning import as_csv

    try:
        with open(output, "xb", opener=_private) as file:
            file.write(as_csv(told).encode())
    except OSError as error:
        raise OperationError(
            f"{output} was not written: {error.strerror}", "name a file that is not there yet"
        ) from None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
