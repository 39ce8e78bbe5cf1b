"""``sceau init``: a first configuration."""

import sys
from pathlib import Path
from typing import Any

import click

from gateway.cli.call import Asking


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--host", default="", help="Our name in DNS.  [default: this machine's]")
@click.option("--domain", default="", help="The mail domain.  [default: what the host is in]")
@click.option("--practice", default="", help="One doctor's practice: their name.")
@click.option("--test", is_flag=True, help="A trial: with an authority and a list of its own.")
@click.option("--start", is_flag=True, help="Start it; it goes on when this command has ended.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")
def command(*, folder: Path, test: bool, start: bool, as_json: bool, **said: str) -> None:
    """Make FOLDER with an annotated gateway.toml and a key ring, and say what is next.

    At a terminal it asks what was not said: three questions. With --test the gateway can be started at
    once, on this machine alone; nobody else believes it. With --practice there is one mailbox as well.
    """
    from gateway.app import clock
    from gateway.founding import Founding

    if not (any(said.values()) or test or as_json) and sys.stdin.isatty():
        said = _asked()
    practice = said.pop("practice")
    made = Founding.of(folder, **said, test=test, practice=practice).begin(clock())
    if start:
        from msgspec import to_builtins

        from gateway.starting import start as begin

        made["running"] = to_builtins(begin(folder / "gateway.toml"))
        made["next"] = [each for each in made["next"] if not each.startswith("sceau serve")]
    Asking(folder / "gateway.toml", as_json).answer(made, _told)


def _asked() -> dict[str, str]:
    """Ask the three things that cannot be found out; nothing is an answer to each."""
    import socket

    host = click.prompt("This gateway's full name in DNS", default=socket.getfqdn())
    domain = click.prompt("The mail domain", default=host.partition(".")[2] or host)
    practice = click.prompt(
        "One doctor's practice? Then their name", default="", show_default=False
    )
    return {"host": host, "domain": domain, "practice": practice}


def _told(made: dict[str, Any]) -> None:
    click.echo(f"{made['config']} is for {', '.join(made['domains'])}, at {made['host']}.")
    click.echo(f"The key ring is {made['ring']}. Keep a copy in a safe place, apart from")
    click.echo("every copy of the data: without it nothing kept can be read again.")
    if made["test"]:
        click.echo(
            "The authority and the list are made here, for trials: nobody else believes them."
        )
    if "address" in made:
        click.echo(f"\nMailbox {made['address']}, application password {made['password']}")
        click.echo("(shown once; for a mail program's IMAP and sending).")
        click.echo(f"The console, for {made['operator']['name']}: {made['operator']['link']}")
    if "running" in made:
        running = made["running"]
        ports = ", ".join(f"{name} {port}" for name, port in running["ports"].items())
        click.echo(f"\nIt runs as process {running['pid']}, at these ports:")
        click.echo(click.wrap_text(ports, 78, "  ", "  "))
        click.echo(f"Its log is {running['log']}; kill {running['pid']} stops it.")
    click.echo("\nNext:")
    for number, step in enumerate(made["next"], 1):
        click.echo(f"  {number}. {step}")
