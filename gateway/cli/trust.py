"""``sceau trust``: the signed list of who may write to whom."""

import base64
from pathlib import Path
from typing import Any

import click

from gateway.cli import publish, show, trust_denial, trust_lists
from gateway.cli.call import Asking, asking

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group("trust")
def command() -> None:
    """The signed list of who may write to whom."""


@command.command("show")
@click.option("--domain", help="Only this member, with its identities, hosts and addresses.")
@asking
def show_(call: Asking, domain: str | None) -> None:
    """Show the list in force."""

    def told(result: dict[str, Any]) -> None:
        show.pairs({k: v for k, v in result.items() if k != "members"})
        click.echo()
        columns = ("domain", "open", "status", "hosts", "identities", "addresses")
        show.table(result["members"], columns, "It names no member.")

    call.answer(call.perform("trust.show", domain=domain), told)


@command.command("import")
@click.argument("file", type=_FILE)
@click.argument("signatures", type=_FILE, nargs=-1, required=True)
@asking
def import_(call: Asking, file: Path, signatures: tuple[Path, ...]) -> None:
    """Put a new version (FILE) in force, if its SIGNATURES are enough."""
    result = call.perform(
        "trust.import", octets=_base64(file), signatures=[_base64(path) for path in signatures]
    )
    call.answer(result, show.pairs)


@command.command("explain")
@click.argument("recipient")
@click.option("--from", "sender", help="The sender's address.")
@click.option("--certificate", type=_FILE, help="The peer's certificate, if it comes by relay.")
@asking
def explain(call: Asking, recipient: str, sender: str | None, certificate: Path | None) -> None:
    """Say, step by step, whether a message would pass and why."""
    octets = _base64(certificate) if certificate else None
    result = call.perform("trust.explain", sender=sender, recipient=recipient, certificate=octets)

    def told(findings: list[dict[str, str]]) -> None:
        for number, found in enumerate(findings, 1):
            click.echo(f"{number}. {found['outcome']:<10} {found['step']}: {found['sentence']}")

    call.answer(result, told)


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


for verb in (*trust_denial.VERBS, *trust_lists.VERBS, *publish.VERBS):
    command.add_command(verb)
