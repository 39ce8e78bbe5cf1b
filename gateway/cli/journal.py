"""``sceau journal``: the audit."""

import sys
from pathlib import Path
from typing import IO, Any

import click

from gateway.cli import searching, show
from gateway.cli.call import Asking, Verbs, asking

_PAGE = 500
_WHY = click.option("--reason", required=True, help="For those who read the journal later.")


@click.group("journal", cls=Verbs)
def command() -> None:
    """The audit: what happened, in a chain that cannot be cut unseen."""


@command.command("verify")
@asking
def verify(call: Asking) -> None:
    """Check the chain up to its signed head.

    A row that was changed, removed or put in is found; docs/journal.md says how to check without us.
    """

    def told(found: dict[str, Any]) -> None:
        rows = show.count(found["rows"] - found["purged"], "row")
        click.echo(
            f"The journal is whole: {rows}, each chained to the one before,"
            f" signed up to row {found['signed']}."
        )
        if found["purged"]:
            click.echo(f"Rows up to {found['purged']} were purged, which is signed.")
        if found["erased"]:
            click.echo(
                f"The content of {show.count(found['erased'], 'row')} was erased, signed too."
            )

    call.answer(call.perform("journal.verify"), told)


@command.command("export")
@click.option("--after", type=click.IntRange(0), default=0, help="Only rows after this number.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it there, for its owner alone.  [default: stdout]",
)
@asking
def export(call: Asking, *, after: int, output: Path | None) -> None:
    """Write the journal, opened, one JSON object a line, with the proof that it is whole.

    Whoever has the public key (sceau keys list) checks it with one file: sceau journal verifier.
    """
    if output is None:
        _export(call, after, sys.stdout)
        return
    output.unlink(missing_ok=True)
    output.touch(mode=0o600)
    with output.open("w", encoding="utf-8") as file:
        rows = _export(call, after, file)
    call.answer(
        {"rows": rows, "path": str(output)},
        lambda _: click.echo(f"{show.count(rows, 'row')} in {output}, for your eyes alone."),
    )


def _export(call: Asking, after: int, file: IO[str]) -> int:
    from msgspec import json

    def write(line: Any) -> None:
        file.write(json.encode(line).decode() + "\n")

    count, ends = 0, None
    with show.counting("rows") as seen:
        while ends is None:
            page = call.perform("journal.export", after=after, limit=_PAGE)
            if not count:
                write(page["begins"])
            for line in page["rows"]:
                write(line)
                after, count = line["seq"], count + 1
            seen(count)
            ends = page["ends"]
    write(ends)
    return count


@command.command("verifier")
@click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")
def verifier(*, as_json: bool) -> None:
    r"""Print the file that checks an export without us: Python and cryptography are all it needs.

    \b
    sceau journal verifier > check.py
    python3 check.py EXPORT PUBLIC-KEY [HEAD ...]
    """
    from vault import standalone

    text = Path(standalone.__file__).read_text("utf-8")
    Asking(Path(), as_json).answer({"text": text}, lambda _: click.echo(text, nl=False))


@command.command("access")
@click.argument("who")
@asking
def access(call: Asking, who: str) -> None:
    """Show all that the journal says of a person: what they may ask to be given.

    WHO is an address, or a patient's INS; it is looked for by its keyed form.
    """
    found: dict[str, Any] = {}
    rows: list[Any] = []
    after: int | None = 0
    while after is not None:
        found = call.perform("journal.access", address=who, after=after)
        rows += found["rows"]
        after = found["next"]

    def told(found: dict[str, Any]) -> None:
        columns = ("at", "event", "summary")
        show.table(rows, columns, f"The journal says nothing of {' or '.join(found['addresses'])}.")
        if found["kept"]:
            kept = f"Still in the spool: {show.words(found['kept'])}"
            click.echo(click.wrap_text(kept, 78, "", "  "))
        if found["held"]:
            click.echo("A legal hold keeps what is said of them.")

    call.answer(found | {"rows": rows, "next": None}, told)


@command.command("erase")
@click.argument("who")
@_WHY
@asking
def erase(call: Asking, *, who: str, reason: str) -> None:
    """Erase what old rows say of a person; two operators must ask it.

    That there was a row, when and of which kind, stays, and the chain proves it. Traces that must be
    kept ([journal] trace_days) and what a legal hold names are not touched.
    """

    def told(found: dict[str, Any]) -> None:
        match found["status"]:
            case "waiting":
                click.echo(
                    f"{show.count(found['due'], 'row')}: another operator must ask the same."
                )
            case "nothing":
                click.echo("Nothing is there that may be erased now.")
            case _:
                click.echo(f"The content of {show.count(found['erased'], 'row')} was erased.")
        if found["kept"]:
            until = f", the youngest until {found['until']}" if found["until"] else ""
            click.echo(f"{show.count(found['kept'], 'row')} must be kept{until}.")

    call.answer(call.perform("journal.erase", address=who, reason=reason), told)


@command.command("hold")
@click.argument("what")
@_WHY
@asking
def hold(call: Asking, *, what: str, reason: str) -> None:
    """Keep all that names WHAT, whatever its age: an address, a message, or 'everything'."""
    call.answer(call.perform("journal.hold", what=what, reason=reason), show.pairs)


@command.command("unhold")
@click.argument("number", type=int)
@_WHY
@asking
def unhold(call: Asking, *, number: int, reason: str) -> None:
    """Lift a legal hold; two operators must ask it."""
    call.answer(call.perform("journal.unhold", number=number, reason=reason), show.pairs)


@command.command("holds")
@asking
def holds(call: Asking) -> None:
    """List the legal holds, those that were lifted too."""
    columns = ("number", "kind", "what", "reason", "by", "since", "lifted")
    rows = call.perform("journal.holds")
    call.answer(rows, lambda found: show.table(found, columns, "Nothing is held."))


command.add_command(searching.search)
