"""``sceau mailbox``: mailboxes, what they log in with, and what lies in them."""

import base64
import sys
from pathlib import Path
from typing import Any

import click

from gateway.cli import account, habits, people, show
from gateway.cli.call import Asking, Verbs, asking

_COLUMNS = ("address", "kind", "status", "name", "key", "created")


@click.group("mailbox", cls=Verbs)
def command() -> None:
    """Mailboxes, what they log in with, and what lies in them."""


@command.command("add")
@click.argument("address")
@click.option(
    "--kind",
    type=click.Choice(["PER", "ORG", "APP", "CAB"], case_sensitive=False),
    default="PER",
    show_default=True,
    help="A person, an organisation, an application, a practice.",
)
@click.option("--name", default="", help="Whose it is, in words.")
@click.option("--holder", default="", help="Whose: rpps:…, finess:…, siret:…")
@asking
def add(call: Asking, **arguments: Any) -> None:
    """Make a mailbox in one of our domains."""
    call.answer(call.perform("mailbox.add", **arguments), show.pairs)


@command.command("describe")
@click.argument("address")
@click.option("--name", help="Whose it is, in words.")
@click.option("--holder", help="Whose: rpps:…, finess:…, siret:…")
@click.option("--hidden/--shown", default=None, help="Whether it is on the liste rouge.")
@asking
def describe(call: Asking, **arguments: Any) -> None:
    """Say anew whose a mailbox is, and whether directories may have it."""
    call.answer(call.perform("mailbox.describe", **arguments), show.pairs)


@command.command("list")
@asking
def list_(call: Asking) -> None:
    """List the mailboxes."""
    call.answer(
        call.perform("mailbox.list"),
        lambda rows: show.table(rows, _COLUMNS, "There are no mailboxes."),
    )


@command.command("find")
@click.argument("words", nargs=-1)
@click.option("--status", type=click.Choice(["active", "suspended", "closed"]), help="Only these.")
@click.option("--after", type=int, help="Where the page before ended.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@asking
def find(call: Asking, words: tuple[str, ...], **arguments: Any) -> None:
    """Find mailboxes by any WORDS of the address, the name or the holder; the newest first."""

    def told(result: dict[str, Any]) -> None:
        show.table(result["mailboxes"], _COLUMNS, "No mailbox fits.")
        if result["next"]:
            click.echo(f"There are more: go on with --after {result['next']}")

    call.answer(call.perform("mailbox.find", search=" ".join(words), **arguments), told)


@command.command("show")
@click.argument("address")
@click.argument("uid", type=int, required=False)
@click.option("--folder", default="INBOX", show_default=True)
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
@click.option("--before", type=int, help="Only what came before this UID: the page before.")
@click.option("--content", is_flag=True, help="With --json: each message's octets, in base64.")
@click.option("--parts", is_flag=True, help="List what the message is made of.")
@click.option("--part", "number", help="Write this part alone, decoded.")
@asking
def show_(
    call: Asking,
    address: str,
    uid: int | None,
    folder: str,
    number: str | None,
    *,
    parts: bool,
    **page: Any,
) -> None:
    """List a mailbox, the newest last, or write one message.

    With a UID that message goes to stdout, octet for octet. Looking is journalled.
    """
    if uid is None:
        rows = call.perform("mailbox.show", address=address, folder=folder, **page)
        columns = ("uid", "arrived", "from", "subject", "size", "flags")
        call.answer(rows, lambda found: show.table(found, columns, f"{folder} is empty."))
        return
    where = {"address": address, "uid": uid, "folder": folder}
    if number is not None:
        call.answer(call.perform("mailbox.part", **where, number=number), _raw)
        return
    message = call.perform("mailbox.message", **where)
    call.answer(message, _parts if parts else _raw)


@command.command("folders")
@click.argument("address")
@asking
def folders(call: Asking, address: str) -> None:
    """List a mailbox's folders, and how full it is."""

    def told(found: dict[str, Any]) -> None:
        columns = ("folder", "messages", "unseen", "size", "special")
        show.table(found["folders"], columns, "There are no folders.")
        click.echo(f"{found['used']} octets of {found['quota'] or 'as many as the disk has'}.")

    call.answer(call.perform("mailbox.folders", address=address), told)


@command.command("password")
@click.argument("address")
@click.option("--label", default="", help="What it is for, in the owner's words.")
@click.option("--days", type=click.IntRange(1, 1100), help="It ends by itself after so many days.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["submit", "read", "addresses"]),
    multiple=True,
    help="What it is good for; said again, for more; else for all.",
)
@asking
def password(call: Asking, **arguments: Any) -> None:
    """Give the mailbox a new password, shown this once.

    The gateway makes it, at random. One for each device: the loss of one then ends one.
    """

    def told(made: dict[str, str]) -> None:
        if not made["password"]:
            click.echo("Noted. The owner has a second factor: another operator must ask the same.")
            return
        click.echo(f"Log-in    {made['address']}")
        click.echo(f"Password  {made['password']}")
        if made["expires"]:
            click.echo(f"Until     {made['expires']}")
        click.echo("It is kept nowhere and cannot be shown again.")

    call.answer(call.perform("mailbox.password", **arguments), told)


@command.command("certificate")
@click.argument("address")
@click.argument("certificate", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--label", default="", help="What it is for, in the owner's words.")
@asking
def certificate_(call: Asking, address: str, certificate: Path, label: str) -> None:
    """Let a certificate (PEM or DER) log in to the mailbox."""
    octets = base64.b64encode(certificate.read_bytes()).decode()
    made = call.perform("mailbox.certificate", address=address, certificate=octets, label=label)
    call.answer(made, show.pairs)


@command.command("credentials")
@click.argument("address")
@asking
def credentials(call: Asking, address: str) -> None:
    """List what opens the mailbox, and what did."""
    columns = ("credential", "kind", "label", "scopes", "created", "expires", "revoked")
    call.answer(
        call.perform("mailbox.credentials", address=address),
        lambda rows: show.table(rows, columns, "Nothing opens this mailbox."),
    )


@command.command("revoke")
@click.argument("address")
@click.argument("credential")
@asking
def revoke(call: Asking, address: str, credential: str) -> None:
    """End a password or certificate (CREDENTIAL) now.

    `sceau mailbox credentials` names them. The mailbox's open connections are ended too.
    """
    call.answer(
        call.perform("mailbox.revoke", address=address, credential=credential),
        lambda result: click.echo(f"{result['credential']} opens {result['address']} no more."),
    )


def _status(verb: str, words: str) -> None:
    @command.command(verb, help=words)
    @click.argument("address")
    @asking
    def change(call: Asking, address: str) -> None:
        call.answer(
            call.perform(f"mailbox.{verb}", address=address),
            lambda result: click.echo(f"{result['address']} is {result['status']}."),
        )


_status("suspend", "Let nobody log in to the mailbox; mail to it still arrives.")
_status("resume", "End a suspension.")


@command.command("close")
@click.argument("address")
@click.option("--successor", help="The address that senders are told to write to instead.")
@asking
def close(call: Asking, address: str, successor: str | None) -> None:
    """Close the mailbox for good; mail to it is refused.

    Its open connections are ended, and its address is never given to anybody else. What lies in it
    stays until it is handed over (`sceau mailbox handover`).
    """
    call.answer(
        call.perform("mailbox.close", address=address, successor=successor),
        lambda result: click.echo(f"{result['address']} is {result['status']}."),
    )


for _verb in (people.share, people.unshare, people.people, people.absence, people.handover):
    command.add_command(_verb)
for _verb in (account.invite, account.factors, *habits.VERBS):
    command.add_command(_verb)


def _parts(message: dict[str, Any]) -> None:
    columns = ("part", "type", "name", "encoding", "octets")
    show.table(message["parts"], columns, "The message has no parts.")


def _raw(message: dict[str, Any]) -> None:
    sys.stdout.buffer.write(base64.b64decode(message["content"]))
