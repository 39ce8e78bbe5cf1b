"""``sceau document``: health documents as files, without a gateway."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli import show as shown
from gateway.cli.call import Asking, Verbs
from gateway.operations.error import OperationError

if TYPE_CHECKING:
    from gateway.documents.coherence import Citizens

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_JSON = click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")


@click.group("document", cls=Verbs)
def command() -> None:
    """Health documents: read, checked and packed for sending."""


@command.command("show")
@click.argument("file", type=_FILE)
@click.option("--patient", is_flag=True, help="Tell whom it is about, too.")
@_JSON
def show(*, file: Path, patient: bool, as_json: bool) -> None:
    """Say what FILE is: a CDA document, an IHE_XDM.zip, or a mail with either in it.

    Whom it is about is left out unless it is asked for.
    """
    from gateway.operations import documents

    def told(found: dict[str, Any]) -> None:
        for number, each in enumerate(found["documents"]):
            if number:
                click.echo()
            shown.pairs(each)
        if not found["documents"]:
            click.echo("There is no health document in it.")

    Asking(file, as_json=as_json).answer(documents.show(file, patient=patient), told)


@command.command("check")
@click.argument("file", type=_FILE)
@click.option("--to", "recipients", multiple=True, metavar="ADDRESS", help="Who would get it.")
@click.option("-c", "--config", type=_FILE, help="Whose [citizens] count; default: the national.")
@_JSON
def check(*, file: Path, recipients: tuple[str, ...], config: Path | None, as_json: bool) -> None:
    """Say whether FILE contradicts itself: header, archive, identity, addressees.

    Whatever is found ends with exit code 1, and has the name that [[quarantine.rule]] knows it by.
    """
    from gateway.operations import documents

    found = documents.check(file, recipients, _citizens(config))
    call, findings = Asking(file, as_json=as_json), found["findings"]
    call.answer(found, lambda _: _findings(findings))
    if not found["ok"]:
        raise OperationError(f"{file.name} contradicts itself", "each line above says in what")


def _citizens(config: Path | None) -> "Citizens | None":
    if config is None:
        return None
    from gateway.app import settings_of
    from gateway.running.agreed import citizens

    return citizens(settings_of(config)).citizens


def _findings(findings: Any) -> None:
    for each in findings:
        click.echo(f"{each['reason']:<26} {each['sentence']}")
    if not findings:
        click.echo("Nothing contradicts itself.")


@command.command("pack")
@click.argument("file", type=_FILE)
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--from", "sender", required=True, metavar="ADDRESS", help="The mailbox that sends.")
@click.option("--to", "recipients", multiple=True, metavar="ADDRESS", help="Who gets it.")
@click.option("--about", type=_FILE, help="What a PDF is: JSON, see docs/documents.md.")
@_JSON
def pack(
    *,
    file: Path,
    out: Path,
    sender: str,
    recipients: tuple[str, ...],
    about: Path | None,
    as_json: bool,
) -> None:
    """Make a mail (OUT) of FILE: a CDA document, or a PDF with --about.

    It holds words for people, IHE_XDM.zip for software and the PDF for both, and can be handed in
    at any of the gateway's doors.
    """
    from gateway.app import clock
    from gateway.operations import documents

    made = documents.pack(file, about, out, sender, recipients, clock())
    Asking(file, as_json=as_json).answer(made, shown.pairs)
