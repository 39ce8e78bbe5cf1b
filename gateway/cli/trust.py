"""``sceau trust``: the signed list of who may write to whom."""

import base64
from pathlib import Path
from typing import Any

import click

from gateway.cli import emergency, publish, show, trust_change, trust_denial, trust_lists
from gateway.cli.call import Asking, Verbs, asking

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group("trust", cls=Verbs)
def command() -> None:
    """The signed list of who may write to whom."""


@command.command("show")
@click.option("--domain", help="Only this member, with its identities, hosts and addresses.")
@click.option("--source", help="Only this source, and its members.")
@click.option(
    "--search", default="", help="Only members of whose domain or operator it is a piece."
)
@click.option("--after", default="", help="Members that come after this domain.")
@click.option("--limit", type=click.IntRange(0), default=50, show_default=True, help="How many.")
@asking
def show_(call: Asking, **arguments: Any) -> None:
    """Show how each source stands, and the members; or one member whole."""

    def told(result: dict[str, Any]) -> None:
        if "sources" not in result:
            show.pairs(result)
            return
        _overview(result)
        click.echo()
        columns = ("domain", "source", "open", "status", "hosts", "identities")
        show.table(result["members"], columns, "There are no members.")
        if result["next"]:
            click.echo(f"{result['total']:,} in all; go on with --after {result['next']}")

    call.answer(call.perform("trust.show", **arguments), told)


def _overview(result: dict[str, Any]) -> None:
    columns = ("rank", "source", "state", "version", "stale_after", "members", "addresses", "well")
    show.table(result["sources"], columns, "")
    for source in result["sources"]:
        if source["state"] not in {"good", "ageing"} and source["last"]:
            click.echo(f"{source['source']}: {show.words(source['last'])}")
        if source["pending"]:
            click.echo(f"{source['source']}: a change waits for approval, see sceau trust diff")
    if result["denied"]:
        click.echo(f"{result['denied']} denied by ourselves, see sceau trust denials")


@command.command("import")
@click.argument("file", type=_FILE)
@click.argument("signatures", type=_FILE, nargs=-1)
@click.option("--source", help="Of which source; the first, unless told otherwise.")
@asking
def import_(call: Asking, file: Path, signatures: tuple[Path, ...], source: str | None) -> None:
    """Put a new version (FILE) in force, if its SIGNATURES are enough.

    Where the format holds its own signature, as MSSanté's does, FILE alone is given.
    """
    beside = [_base64(path) for path in signatures]
    result = call.perform("trust.import", octets=_base64(file), signatures=beside, source=source)
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


for verb in (
    *trust_change.VERBS,
    *trust_denial.VERBS,
    *trust_lists.VERBS,
    *publish.VERBS,
    *emergency.TRUST_VERBS,
):
    command.add_command(verb)
