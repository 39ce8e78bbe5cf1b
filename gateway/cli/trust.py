"""``sceau trust``: the signed list of who may write to whom."""

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from gateway.cli import show
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


@command.command("draft")
@click.argument("source", type=_FILE)
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--before", type=_FILE, help="The version that this one follows.")
@click.option("--days", type=click.IntRange(1), default=7, show_default=True, help="Its life.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")
def draft(*, source: Path, out: Path, before: Path | None, days: int, as_json: bool) -> None:
    """Make the next version to be signed (OUT) of SOURCE.

    SOURCE is a list as people write it, JSON in any layout: docs/trust-list.md shows one. Version, dates
    and the hash of the version before are set here; needs no gateway.
    """
    from gateway.app import clock
    from gateway.operations import lists

    made = lists.draft(source, out, clock(), timedelta(days=days), before)
    Asking(source, as_json=as_json).answer(made, show.pairs)


@command.command("sign")
@click.argument("file", type=_FILE)
@click.option("--certificate", type=_FILE, required=True, help="The signer's, PEM.")
@click.option("--key", type=_FILE, required=True, help="Its private key, PEM.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The signature file.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")
def sign(*, file: Path, certificate: Path, key: Path, out: Path | None, as_json: bool) -> None:
    """Check a list and sign its exact octets; needs no gateway.

    The signature lies beside the list as FILE.<certificate's name>.p7s, where the gateway looks
    for it, and can be checked with openssl cms -verify.
    """
    from gateway.operations import lists

    found = out or file.with_name(f"{file.name}.{certificate.stem}.p7s")
    made = lists.sign(file, certificate, key, found)
    Asking(file, as_json=as_json).answer(made, show.pairs)


@command.command("verify")
@click.argument("file", type=_FILE)
@click.argument("signatures", type=_FILE, nargs=-1, required=True)
@click.option(
    "--signer", "signers", type=_FILE, multiple=True, required=True, help="Whom to believe, PEM."
)
@click.option(
    "--threshold",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many must have signed.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")
def verify(
    *,
    file: Path,
    signatures: tuple[Path, ...],
    signers: tuple[Path, ...],
    threshold: int,
    as_json: bool,
) -> None:
    """Say who signed a list, and whether they are enough.

    Needs no gateway: --signer names whom to believe, once for each, as [trust] signers does.
    """
    from gateway.operations import lists

    found = lists.verify(file, signatures, signers, threshold)
    Asking(file, as_json=as_json).answer(found, show.pairs)


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
