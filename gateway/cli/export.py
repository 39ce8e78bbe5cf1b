"""What is handed out encrypted: asked for, and fetched from the data folder to where it is wanted."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking
from gateway.operations.error import OperationError

_OPTIONS = (
    click.option("--key", "keys", multiple=True, help="For this one of [quarantine] escrow_keys."),
    click.option(
        "-o",
        "--out",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Where to write it; default: the name it has, in this folder.",
    ),
)


def escrowing(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of all that hand something out to OpenPGP keys."""
    for option in reversed(_OPTIONS):
        verb = option(verb)
    return verb


def escrowed(
    call: Asking, verb: str, keys: tuple[str, ...], out: Path | None, **arguments: Any
) -> None:
    """Perform a verb that hands something out, fetch it, and say who can read it."""
    result = call.perform(verb, keys=list(keys), **arguments)
    call.answer(_fetched(result, out), _told)


def _fetched(result: dict[str, Any], out: Path | None) -> dict[str, Any]:
    """Return the answer with the file where it was asked for; never over another file."""
    if result["status"] != "done":
        return result
    source, target = Path(result["path"]), out or Path(result["name"])
    try:
        with source.open("rb") as sealed, target.open("xb") as file:
            shutil.copyfileobj(sealed, file)
    except OSError as error:
        raise OperationError(
            f"the export was not written to {target}: {error.strerror}",
            f"for a day it lies in {source}",
        ) from None
    source.unlink()
    return result | {"path": str(target)}


def _told(result: dict[str, Any]) -> None:
    """Say where it is, and who can read it."""
    if result["status"] == "waiting":
        click.echo(f"Case {result['case']} waits for a second operator to say the same.")
        return
    whom = ", ".join(show.words(key["holder"] or key["fingerprint"]) for key in result["keys"])
    click.echo(f"{result['path']} ({result['octets']:,} octets) can be read by {whom}.")
