"""``sceau trust publish``, and ``verify --history``: an authority's folder, written and walked."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gateway.cli import show
from gateway.cli.call import Asking
from gateway.operations.error import OperationError
from trust.published import Find
from trust.signatures.quorum import Quorum

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)

_signers = click.option(
    "--signer", "signers", type=_FILE, multiple=True, help="Whom to believe, PEM."
)
_openpgp = click.option(
    "--openpgp", type=_FILE, multiple=True, help="Whom to believe, a public key."
)
_threshold = click.option(
    "--threshold",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many must have signed.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")


@click.command("publish")
@click.argument("file", type=_FILE)
@click.argument("signatures", type=_FILE, nargs=-1, required=True)
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder; [publish] folder serves it.",
)
@_signers
@_openpgp
@_threshold
@_as_json
def publish(
    *,
    file: Path,
    signatures: tuple[Path, ...],
    to: Path,
    signers: tuple[Path, ...],
    openpgp: tuple[Path, ...],
    threshold: int,
    as_json: bool,
) -> None:
    """Publish a signed list (FILE with its SIGNATURES) for other gateways.

    Refuses what they would refuse: too few signatures, a version that does not follow the last one
    published, a stale one. Every version stays in the folder. Needs no gateway.
    """
    from gateway.app import clock
    from gateway.operations import publishing

    with _quorum(signers, openpgp, threshold) as quorum:
        made = publishing.publish(file, signatures, to, quorum, clock())
    Asking(file, as_json=as_json).answer(made, show.pairs)


def walked(
    place: str,
    anchors: Path | None,
    holding: tuple[Path, ...],
    *,
    signers: tuple[Path, ...],
    openpgp: tuple[Path, ...],
    threshold: int,
) -> dict[str, object]:
    """Verify a whole published history: a folder, or an https address."""
    from gateway.operations import publishing

    find = _over_https(place, anchors) if "://" in place else publishing.within(Path(place))
    with _quorum(signers, openpgp, threshold) as quorum:
        return publishing.history(find, quorum, holding)


def _over_https(url: str, anchors: Path | None) -> Find:
    import asyncio

    from gateway.web.fetching import Fetching
    from gateway.web.published import fetched
    from trust.formats import native

    if anchors is None:
        raise OperationError("--anchors is needed for https", "the system's are never used")
    pem, fetch = anchors.read_bytes(), Fetching()

    def find(name: str) -> bytes:
        return asyncio.run(fetched(fetch, url, name, pem, native.LIMIT))

    return find


@contextmanager
def _quorum(
    signers: tuple[Path, ...], openpgp: tuple[Path, ...], threshold: int
) -> Iterator[Quorum]:
    """Pin these signers, for as long as GnuPG has a home for their keys."""
    from gateway.operations import lists

    with tempfile.TemporaryDirectory() as home:
        yield lists.pinned(signers, openpgp, threshold, Path(home) / "gnupg").quorum


VERBS = (publish,)
