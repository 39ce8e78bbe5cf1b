"""``sceau trust diff``, ``approve``, ``reject``, ``history``: a change is read, then decided."""

from collections.abc import Iterator
from textwrap import fill
from typing import Any

import click

from gateway.cli import show
from gateway.cli.call import Asking, asking

_SHORT = 12  # digits of a digest in a table
_SAYS = 32  # by which one says what was read: fewer can be made to begin alike
_INDENT = " " * 19  # below the sentence of a row
_WIDTH = 100


@click.command("diff")
@click.argument("version", required=False)
@click.argument("against", required=False)
@click.option("--source", help="Only of this source.")
@click.option("--domains", is_flag=True, help="Name every domain of every row.")
@asking
def diff(call: Asking, **arguments: Any) -> None:
    """Show what waits for approval, by cause, with the mail it touches.

    VERSION, a number or the first digits of a digest, shows what that version changed after the
    one before it, or after AGAINST.
    """
    result = call.perform("trust.diff", **arguments)
    call.answer(result, lambda changes: _lines(_told(changes)))


@click.command("approve")
@click.argument("digest")
@asking
def approve(call: Asking, digest: str) -> None:
    """Agree to a change that waits. Read it first: sceau trust diff.

    DIGEST is that of what was read, or its first 32 digits: nothing else is approved. Where two
    operators must agree, each is another user of this machine.
    """

    def told(done: dict[str, Any]) -> None:
        click.echo(f"{done['source']}: {done['sentence']}.")
        if done["missing"]:
            short = done["digest"][:_SAYS]
            click.echo(f"{_others(done['missing'])} must agree: sceau trust approve {short}")

    call.answer(call.perform("trust.approve", digest=digest), told)


@click.command("reject")
@click.argument("digest", required=False)
@click.option("--reason", required=True, help="Why, for whoever asks later.")
@asking
def reject(call: Asking, **arguments: Any) -> None:
    """Refuse a change that waits: the version before it stays in force."""
    call.answer(
        call.perform("trust.reject", **arguments),
        lambda done: click.echo(f"{done['source']}: {done['sentence']}."),
    )


@click.command("history")
@click.option("--source", help="Only of this source.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@click.option("--verify", is_flag=True, help="Read and verify each of them again.")
@asking
def history(call: Asking, **arguments: Any) -> None:
    """List every version ever verified here: when, who signed, what changed, who decided."""

    def told(result: dict[str, Any]) -> None:
        rows = [{**one, "digest": one["digest"][:_SHORT]} for one in result["history"]]
        columns = ("at", "source", "version", "step", "by", "why", "digest")
        show.table(rows, columns, "No list was ever verified here.")
        if result["verified"] is not None:
            click.echo(f"{show.count(result['verified'], 'version')} verified again: as they were.")
        if result["altered"]:
            click.echo(f"The history was altered at entry {result['altered']}.", err=True)

    call.answer(call.perform("trust.history", **arguments), told)


VERBS = (diff, approve, reject, history)


def _lines(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line)


def _told(changes: list[dict[str, Any]]) -> Iterator[str]:
    if not changes:
        yield "No change waits for approval."
    for number, change in enumerate(changes):
        if number:
            yield ""
        yield from _pending(change) if "needed" in change else _past(change)
        yield ""
        yield from _rows(change["rows"])


def _pending(change: dict[str, Any]) -> Iterator[str]:
    agreed = ", ".join(change["approvals"])
    first = "An operator" if change["missing"] == 1 else f"{change['missing']} operators"
    short = change["digest"][:_SAYS]
    yield f"{change['source']}: {change['version']}, here since {change['arrived']}"
    yield f"It waits because {change['why'] or 'an operator asked to be asked'}."
    if change["domains_waiting"]:
        yield f"Mail of {show.count(change['domains_waiting'], 'domain')} is put off meanwhile."
    if agreed:
        yield f"Agreed so far: {agreed}. {_others(change['missing'])} must agree."
    else:
        yield f"{first} must agree:"
    yield f"  sceau trust approve {short}"
    yield f"  sceau trust reject {short} --reason ..."


def _past(change: dict[str, Any]) -> Iterator[str]:
    after = f" after {change['against']}" if change["against"] else ", the first"
    yield f"{change['source']}: {change['version']}{after}"


def _rows(rows: list[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        yield "Nothing of it concerns whom we believe."
        return
    yield "messages  waiting  change"
    for row in rows:
        yield f"{row['messages']:>8,}  {row['waiting']:>7,}  {show.words(row['sentence'])}"
        yield from _named(row)
    if any(row["count"] > len(row["domains"]) for row in rows):
        yield ""
        yield "--domains names every domain of every row."


def _named(row: dict[str, Any]) -> Iterator[str]:
    if not row["domains"]:
        return
    left = row["count"] - len(row["domains"])
    more = f" and {left:,} more" if left else ""
    text = ", ".join(row["domains"]) + more
    yield fill(text, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)


def _others(number: int) -> str:
    return "Another operator" if number == 1 else f"{number} operators"
