"""``sceau trust deny`` and ``allow``: our own word, which wins over every list."""

from pathlib import Path
from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, asking
from gateway.operations.error import OperationError

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_COLUMNS = ("denial", "kind", "what", "reason", "by", "since", "lifted", "lifted_by")


@click.command("deny")
@click.argument("what", required=False)
@click.option("--certificate", type=_FILE, help="Deny this very certificate, PEM or DER.")
@click.option("--reason", required=True, help="Why, for whoever asks later.")
@asking
def deny(call: Asking, what: str | None, certificate: Path | None, reason: str) -> None:
    """Deny a domain, an address, an operator or a certificate, from this second on.

    WHAT is a domain, a mail address, a distinguished name as lists write it (CN=...,O=...; also
    spki:HASH or san:NAME), or the SHA-256 of a certificate. It wins over every list: open
    connections end, and what is queued is answered to its sender.
    """
    result = call.perform("trust.deny", what=_what(what, certificate), reason=reason)
    call.answer(result, _denied)


@click.command("allow")
@click.argument("what", required=False)
@click.option("--certificate", type=_FILE, help="The certificate that was denied.")
@click.option("--reason", default="", help="Why, for the journal.")
@asking
def allow(call: Asking, what: str | None, certificate: Path | None, reason: str) -> None:
    """Lift a denial: the lists alone decide again. It grants nothing that no list grants."""
    result = call.perform("trust.allow", what=_what(what, certificate), reason=reason)
    call.answer(
        result,
        lambda done: click.echo(f"{done['kind']} {done['what']} is denied here no longer."),
    )


@click.command("denials")
@click.option("--all", "everything", is_flag=True, help="Also those that were lifted.")
@asking
def denials(call: Asking, *, everything: bool) -> None:
    """List whom this gateway denies, by whom and why."""
    result = call.perform("trust.denials", everything=everything)
    columns = _COLUMNS if everything else _COLUMNS[:-2]
    call.answer(result, lambda rows: show.table(rows, columns, "Nobody is denied here."))


VERBS = (deny, allow, denials)


def _denied(done: dict[str, Any]) -> None:
    click.echo(f"{done['kind']} {done['what']} is denied from now on.")
    if done["kind"] == "certificate":
        click.echo("Its holder may come with another; deny the operator's name to stop that too.")
    elif not done["domains"]:
        click.echo("No list in force names it: check how it is written (sceau trust show).")
    else:
        more = "" if done["domains"] == len(done["some"]) else " ..."
        click.echo(f"It meets {done['domains']} on the lists: {', '.join(done['some'])}{more}")
    if done["ours"]:
        click.echo(f"Our own domain is among them: {', '.join(done['ours'])}", err=True)


def _what(what: str | None, certificate: Path | None) -> str:
    if (what is None) == (certificate is None):
        raise click.UsageError("Give WHAT, or --certificate with a file.")
    return what or _fingerprint(certificate or Path())


def _fingerprint(path: Path) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    octets = path.read_bytes()
    pem = octets.lstrip().startswith(b"-----BEGIN")
    try:
        found = (
            x509.load_pem_x509_certificate(octets)
            if pem
            else x509.load_der_x509_certificate(octets)
        )
    except ValueError:
        raise OperationError(f"{path} holds no certificate", "give it as PEM or DER") from None
    return found.fingerprint(SHA256()).hex()
