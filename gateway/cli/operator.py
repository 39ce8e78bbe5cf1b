"""``sceau operator``: who may come to the console, and as what."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, Verbs, asking

_WAITING = "This takes two. It is done when another operator asks for the same within a day."
_ROLES = click.Choice(["viewer", "reviewer", "lists", "administrator"])


@click.group("operator", cls=Verbs)
def command() -> None:
    """The people who operate the gateway by its console."""


@command.command("invite")
@click.argument("name")
@click.option("--role", type=_ROLES, default=None, help="Of somebody new; viewer by default.")
@asking
def invite(call: Asking, name: str, role: str | None) -> None:
    """Make an operator, or let one choose anew what they log in with.

    The code is good for one day, and once. If they have factors already, or if two administrators
    are there and the role has a say, two operators must type this within a day; using the code ends
    the factors that were there.
    """

    def told(made: dict[str, Any]) -> None:
        if made["status"] == "waiting":
            click.echo(_WAITING)
            return
        click.echo(f"Operator  {made['name']}, {made['role']}")
        click.echo(f"Code      {made['code']}")
        click.echo(f"Link      {made['link']}")
        click.echo(f"Until     {made['until']}")
        click.echo("It is kept nowhere and cannot be shown again.")

    call.answer(call.perform("operator.invite", name=name, role=role), told)


@command.command("list")
@asking
def list_(call: Asking) -> None:
    """List the operators, and what they log in with."""
    columns = ("name", "role", "active", "factors", "certificates", "created", "used")
    call.answer(
        call.perform("operator.list"),
        lambda rows: show.table(rows, columns, "There are none; see sceau operator invite."),
    )


@command.command("role")
@click.argument("name")
@click.argument("role", type=_ROLES)
@asking
def role(call: Asking, name: str, role: str) -> None:
    """Give an operator another role."""
    call.answer(call.perform("operator.role", name=name, role=role), _changed)


@command.command("suspend")
@click.argument("name")
@asking
def suspend(call: Asking, name: str) -> None:
    """Let an operator go; their sessions end now."""
    call.answer(call.perform("operator.suspend", name=name), _changed)


@command.command("resume")
@click.argument("name")
@asking
def resume(call: Asking, name: str) -> None:
    """Let an operator come back."""
    call.answer(call.perform("operator.resume", name=name), _changed)


@command.command("certificate")
@click.argument("name")
@click.argument("certificate", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--remove", is_flag=True, help="It opens the console no longer.")
@asking
def certificate(call: Asking, name: str, certificate: Path, *, remove: bool) -> None:
    """Let a certificate (PEM) open the console to an operator, on its own listener."""
    octets = b64encode(certificate.read_bytes()).decode()
    result = call.perform("operator.certificate", name=name, octets=octets, remove=remove)
    call.answer(result, _changed)


def _changed(row: dict[str, Any]) -> None:
    if row["status"] == "waiting":
        click.echo(_WAITING)
        return
    state = row["role"] if row["active"] else "let go"
    click.echo(f"{row['name']}: {state}, {show.count(len(row['certificates']), 'certificate')}")
