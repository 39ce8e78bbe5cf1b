"""``sceau spool hold`` and ``resume``, ``sceau trust bridge``: when a peer's certificate ran out."""

from base64 import b64encode
from pathlib import Path

import click

from gateway.cli import show
from gateway.cli.call import Asking, asking

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("hold")
@click.argument("domain")
@click.option("--why", default="", help="For the journal.")
@asking
def hold(call: Asking, domain: str, why: str) -> None:
    """Let mail for DOMAIN not grow old: it waits, and does not expire, until resume."""
    result = call.perform("spool.hold", domain=domain, why=why)
    call.answer(result, lambda _: click.echo(f"Mail for {domain} waits, and does not expire."))


@click.command("resume")
@click.argument("domain")
@asking
def resume(call: Asking, domain: str) -> None:
    """Let mail for DOMAIN grow old again, and try it now."""
    result = call.perform("spool.resume", domain=domain)
    call.answer(result, lambda _: click.echo(f"Mail for {domain} goes on as usual."))


@click.command("holds")
@asking
def holds(call: Asking) -> None:
    """List the domains whose mail does not grow old."""
    columns = ("domain", "since", "by", "why")
    empty = "All mail grows old as usual."
    call.answer(call.perform("spool.holds"), lambda rows: show.table(rows, columns, empty))


@click.command("bridge")
@click.argument("domain")
@click.option(
    "--hours", default=24.0, show_default=True, help="How long it is to stand; 72 at most."
)
@click.option("--certificate", type=_FILE, help="The one that expired, PEM, if we never met it.")
@click.option("--why", default="", help="For the journal.")
@click.option("--remove", is_flag=True, help="Take the bridge away at once.")
@asking
def bridge(
    call: Asking, *, domain: str, hours: float, certificate: Path | None, why: str, remove: bool
) -> None:
    """Let mail with DOMAIN flow over its expired certificate; two operators must ask for it."""
    if remove:
        call.answer(call.perform("trust.unbridge", domain=domain), show.pairs)
        return
    octets = b64encode(certificate.read_bytes()).decode() if certificate else None
    result = call.perform("trust.bridge", domain=domain, hours=hours, octets=octets, why=why)
    call.answer(result, show.pairs)


@click.command("bridges")
@asking
def bridges(call: Asking) -> None:
    """List the bridges that stand, and those that wait for a second operator."""
    columns = ("domain", "stands", "asked_by", "confirmed_by", "until", "certificate", "why")
    empty = "No bridge stands."
    call.answer(call.perform("trust.bridges"), lambda rows: show.table(rows, columns, empty))


SPOOL_VERBS = (hold, resume, holds)
TRUST_VERBS = (bridge, bridges)
