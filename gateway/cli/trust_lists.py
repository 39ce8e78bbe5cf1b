"""``sceau trust draft``, ``sign`` and ``verify``: what is done with a list's files, without a gateway."""

from datetime import timedelta
from pathlib import Path

import click

from gateway.cli import publish as published
from gateway.cli import show
from gateway.cli.call import Asking

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("draft")
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


@click.command("sign")
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


@click.command("verify")
@click.argument("file", type=_FILE, required=False)
@click.argument("signatures", type=_FILE, nargs=-1)
@click.option("--history", help="Walk all that was published instead: a folder or https address.")
@click.option("--anchors", type=_FILE, help="Whom to believe for https, PEM.")
@click.option("--holding", type=_FILE, multiple=True, help="A version you have: it must be there.")
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
    file: Path | None,
    signatures: tuple[Path, ...],
    signers: tuple[Path, ...],
    threshold: int,
    history: str | None,
    anchors: Path | None,
    holding: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Say who signed a list, and whether they are enough; or walk a published history.

    Needs no gateway: --signer names whom to believe, once for each, as [trust] signers does.
    """
    from gateway.app import clock
    from gateway.operations import lists

    if history is not None:
        found = published.walked(history, anchors, holding, signers, threshold)
    elif file is None or not signatures:
        raise click.UsageError("name a list and its signatures, or --history")
    else:
        found = lists.verify(file, signatures, signers, threshold, clock())
    Asking(file or Path(), as_json=as_json).answer(found, show.pairs)


VERBS = (draft, sign, verify)
