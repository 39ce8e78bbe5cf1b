"""``sceau quarantine``: messages that wait for a person."""

from pathlib import Path
from typing import Any

import click

from gateway.cli import export, show
from gateway.cli.call import Asking, Verbs, asking

_STATES = ("held", "decided", "all", "released", "refused", "expired", "cancelled")
_COLUMNS = ("id", "reference", "state", "opened", "sender", "recipient", "recipients", "reasons")


@click.group("quarantine", cls=Verbs)
def command() -> None:
    """Messages that wait for a person."""


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Decided cases too.")
@click.option("--state", type=click.Choice(_STATES), default="held", show_default=True)
@click.option("--reason", default="", help="Only those held for this reason.")
@click.option("--after", default="", help="Those that follow this case.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@asking
def list_(call: Asking, *, everything: bool, **arguments: Any) -> None:
    """List the cases that wait, the longest first; decided ones the latest first."""
    if everything:
        arguments["state"] = "all"
    page = call.perform("quarantine.list", **arguments)

    def told(rows: Any) -> None:
        show.table(rows, _COLUMNS, "Nothing waits." if arguments["state"] == "held" else "None.")
        if page["next"]:
            click.echo(f"There are more: --after {page['next']}", err=True)

    call.answer(page["cases"], told)


@command.command("show")
@click.argument("case")
@asking
def show_(call: Asking, case: str) -> None:
    """Show one case: who, to whom, why it is held, and what was decided."""
    call.answer(call.perform("quarantine.show", case=case), _whole)


def _whole(case: Any) -> None:
    parts = ("copies", "notes", "preserved_by")
    show.pairs({name: value for name, value in case.items() if name not in parts})
    if case["preserved_by"]:
        click.echo(f"\nUnder a legal hold: {_signed(case['preserved_by'])}")
    click.echo()
    columns = ("recipient", "state", "stands", "reasons", "decided", "by", "note")
    show.table(case["copies"], columns, "")
    for copy in case["copies"]:
        if copy["choices"]:
            click.echo(f"\n{copy['number']} may be: {', '.join(copy['choices'])}")
            click.echo(f"  sceau quarantine choose {case['id']} MAILBOX --note WHY")
    for note in case["notes"]:
        click.echo(f"\n{_signed(note)}")


def _signed(note: Any) -> str:
    return f"{show.words(note['note'])} ({show.words(note['by'])}, {note['at']})"


@command.command("preview")
@click.argument("case")
@click.option("--reason", required=True, help="Why you must see it, for the journal.")
@asking
def preview(call: Asking, **arguments: Any) -> None:
    """Look into a held message: its text, and of its files names, kinds, sizes and hashes.

    Nothing in it can act here. Every look is journalled, with its reason.
    """
    call.answer(call.perform("quarantine.preview", **arguments), _previewed)


def _previewed(seen: Any) -> None:
    from gateway.web.reading.shown import clear

    for name, value in seen["headers"]:
        click.echo(f"{show.words(name)}: {show.words(clear(value))}")
    for text in seen["texts"]:
        click.secho(f"\n[{text['part']} {show.words(text['type'])}]", bold=True)
        click.echo(clear(text["text"]).rstrip())
        if text["cut"]:
            click.echo("[…]")
    click.echo()
    rows = [part | {"name": clear(part["name"])} for part in seen["parts"]]
    columns = ("part", "type", "name", "octets", "sha256", "reasons")
    show.table(rows, columns, "It has no parts.")
    if seen["more"]:
        click.echo(f"and {show.count(seen['more'], 'part')} more")
    for finding in seen["findings"]:
        click.echo(f"{finding['reason']}: {show.words(clear(finding['detail']))}")


@command.command("release")
@click.argument("case")
@click.option("--note", required=True, help="Why, for the journal.")
@click.option("--to", multiple=True, help="Only for this recipient; may be repeated.")
@click.option("--tell", default="", help="A word to the message's sender.")
@asking
def release(call: Asking, to: tuple[str, ...], **arguments: Any) -> None:
    """Let the message go on its way.

    Trust is still asked before each attempt. Where two operators must agree, the second one's
    command releases it.
    """
    result = call.perform("quarantine.release", to=list(to), **arguments)
    call.answer(result, _decided)


@command.command("choose")
@click.argument("case")
@click.argument("mailbox")
@click.option("--note", required=True, help="Why it is this one, for the journal.")
@click.option("--for", "number", default="", help="Of this number, where it waits for several.")
@asking
def choose(call: Asking, mailbox: str, **arguments: Any) -> None:
    """Say which MAILBOX a recipient's number stands for; the message goes on its way there."""
    call.answer(call.perform("quarantine.choose", to=mailbox, **arguments), _decided)


@command.command("refuse")
@click.argument("case")
@click.option("--note", required=True, help="Why, for the journal.")
@click.option("--to", multiple=True, help="Only for this recipient; may be repeated.")
@click.option("--tell", default="", help="A word to the message's sender.")
@asking
def refuse(call: Asking, to: tuple[str, ...], **arguments: Any) -> None:
    """Refuse the message for good; the sender is told."""
    call.answer(call.perform("quarantine.refuse", to=list(to), **arguments), _decided)


def _decided(result: Any) -> None:
    if result["status"] == "waiting":
        click.echo(f"Case {result['id']} waits for a second operator to say the same.")
    elif result["waiting"]:
        click.echo(f"Case {result['id']} still waits for {result['waiting']} of its recipients.")
    else:
        click.echo(f"Case {result['id']} is {result['state']}.")


@command.command("note")
@click.argument("case")
@click.argument("text")
@asking
def note(call: Asking, **arguments: Any) -> None:
    """Write TEXT beside a case, for whoever looks at it next."""
    result = call.perform("quarantine.note", **arguments)
    call.answer(
        result,
        lambda case: click.echo(f"Case {case['id']} has {show.count(len(case['notes']), 'note')}."),
    )


@command.command("preserve")
@click.argument("case")
@click.option("--note", required=True, help="Who asked for it, and why.")
@click.option("--lift", is_flag=True, help="End it.")
@asking
def preserve(call: Asking, **arguments: Any) -> None:
    """Put a case under a legal hold: what it holds stays, whatever is decided, until --lift."""

    def told(case: Any) -> None:
        if case["status"] == "waiting":
            click.echo(f"Case {case['id']} waits for a second operator to say the same.")
        else:
            stands = "is under a legal hold" if case["preserved"] else "is under no legal hold"
            click.echo(f"Case {case['id']} {stands}.")

    call.answer(call.perform("quarantine.preserve", **arguments), told)


@command.command("escrow")
@click.argument("case")
@click.option("--reason", required=True, help="Who may have it, and why, for the journal.")
@export.escrowing
@asking
def escrow(call: Asking, keys: tuple[str, ...], out: Path | None, **arguments: Any) -> None:
    """Hand out a case, encrypted for named OpenPGP keys alone.

    It is a tar archive of the message, octet by octet, and of what is known of it:
    gpg --decrypt FILE | tar -x
    """
    export.escrowed(call, "quarantine.escrow", keys, out, **arguments)
