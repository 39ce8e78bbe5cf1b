"""``sceau init``: a first configuration."""

from pathlib import Path
from typing import Any

import click

from gateway.cli.call import Asking


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--host", default="", help="Our name in DNS.  [default: this machine's]")
@click.option("--domain", default="", help="The mail domain.  [default: what the host is in]")
@click.option("--test", is_flag=True, help="A trial: with an authority and a list of its own.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")
def command(*, folder: Path, host: str, domain: str, test: bool, as_json: bool) -> None:
    """Make FOLDER with an annotated gateway.toml and a key ring, and say what is next.

    With --test the gateway can be started at once, on this machine alone; nobody else believes it.
    """
    from gateway.app import clock
    from gateway.founding import Founding

    made = Founding.of(folder, host, domain, test=test).begin(clock())
    Asking(folder / "gateway.toml", as_json).answer(made, _told)


def _told(made: dict[str, Any]) -> None:
    click.echo(f"{made['config']} is for {', '.join(made['domains'])}, at {made['host']}.")
    click.echo(f"The key ring is {made['ring']}. Keep a copy in a safe place, apart from")
    click.echo("every copy of the data: without it nothing kept can be read again.")
    if made["test"]:
        click.echo(
            "The authority and the list are made here, for trials: nobody else believes them."
        )
    click.echo("\nNext:")
    for number, step in enumerate(made["next"], 1):
        click.echo(f"  {number}. {step}")
