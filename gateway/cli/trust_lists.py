"""``sceau trust draft``, ``sign`` and ``verify``: what is done with a list's files, without a gateway."""

import tempfile
from datetime import timedelta
from pathlib import Path

import click

from gateway.cli import publish as published
from gateway.cli import show
from gateway.cli.call import Asking, asking
from trust.verification import Format

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
@click.option("--certificate", type=_FILE, help="The signer's, PEM.")
@click.option("--key", type=_FILE, help="Its private key, PEM.")
@click.option("--openpgp", metavar="FINGERPRINT", help="Sign with this key of GnuPG, or of a card.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The signature file.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")
def sign(
    *,
    file: Path,
    certificate: Path | None,
    key: Path | None,
    openpgp: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Check a list and sign its exact octets; needs no gateway.

    The signature lies beside the list as FILE.<certificate's name>.p7s, where the gateway looks
    for it, and can be checked with openssl cms -verify; of an OpenPGP key as FILE.<key>.asc, for
    gpg --verify.
    """
    from gateway.operations import lists

    if openpgp and not (certificate or key):
        beside = file.with_name(f"{file.name}.{openpgp.replace(' ', '')[-16:]}.asc")
        made = lists.sign_openpgp(file, openpgp.replace(" ", ""), out or beside)
    elif certificate and key and not openpgp:
        beside = file.with_name(f"{file.name}.{certificate.stem}.p7s")
        made = lists.sign(file, certificate, key, out or beside)
    else:
        raise click.UsageError("sign with --certificate and --key, or with --openpgp")
    Asking(file, as_json=as_json).answer(made, show.pairs)


@click.command("verify")
@click.argument("file", type=_FILE, required=False)
@click.argument("signatures", type=_FILE, nargs=-1)
@click.option("--source", help="As the source of this name in the configuration would.")
@click.option("--history", help="Walk all that was published instead: a folder or https address.")
@click.option("--anchors", type=_FILE, help="Whom to believe for https, PEM.")
@click.option("--holding", type=_FILE, multiple=True, help="A version you have: it must be there.")
@click.option("--signer", "signers", type=_FILE, multiple=True, help="Whom to believe, PEM.")
@click.option("--openpgp", type=_FILE, multiple=True, help="Whom to believe, a public key.")
@click.option(
    "--threshold",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many must have signed.",
)
@asking
def verify(
    call: Asking,
    *,
    file: Path | None,
    signatures: tuple[Path, ...],
    source: str | None,
    signers: tuple[Path, ...],
    openpgp: tuple[Path, ...],
    threshold: int,
    history: str | None,
    anchors: Path | None,
    holding: tuple[Path, ...],
) -> None:
    """Say who signed a list, and whether they are enough; or walk a published history.

    Needs no gateway: --signer and --openpgp name whom to believe, once for each, as [trust] does.
    With --source a list of any format is judged as that source of the configuration would be.
    """
    from gateway.app import clock
    from gateway.operations import lists
    from gateway.running import believing
    from gateway.settings import load

    if history is not None:
        found = published.walked(
            history, anchors, holding, signers=signers, openpgp=openpgp, threshold=threshold
        )
    elif file is None or (source is None and not signatures):
        raise click.UsageError("name a list and its signatures, or --history")
    else:
        with tempfile.TemporaryDirectory() as home:
            gnupg = Path(home) / "gnupg"
            if source is None:
                form: Format = lists.pinned(signers, openpgp, threshold, gnupg)
            else:
                form = believing.form_of(load(call.config), source, gnupg)
            found = lists.verify(file, signatures, form, clock())
    call.answer(found, show.pairs)


VERBS = (draft, sign, verify)
