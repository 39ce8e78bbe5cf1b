"""What is handed out encrypted: fetched from the data folder to where it was asked for."""

import shutil
from pathlib import Path
from typing import Any

import click

from gateway.cli import show
from gateway.operations.error import OperationError


def fetched(result: dict[str, Any], out: Path | None) -> dict[str, Any]:
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


def told(result: dict[str, Any]) -> None:
    """Say where it is, and who can read it."""
    if result["status"] == "waiting":
        click.echo(f"Case {result['case']} waits for a second operator to say the same.")
        return
    whom = ", ".join(show.words(key["holder"] or key["fingerprint"]) for key in result["keys"])
    click.echo(f"{result['path']} ({result['octets']:,} octets) can be read by {whom}.")
