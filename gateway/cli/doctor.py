"""``sceau doctor``: is everything as it must be, and if not, what to do."""

from typing import Any

import click

from gateway.cli.call import Asking, asking
from gateway.operations.error import OperationError

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command("doctor")
@click.option(
    "--dns", is_flag=True, help="Only print the DNS records that our domains should have."
)
@click.option(
    "--egress", is_flag=True, help="Only say what the gateway would connect to, and knock there."
)
@asking
def command(call: Asking, *, dns: bool, egress: bool) -> None:
    """Look at everything, inside and outside: settings, keys, certificate, lists, ports, DNS.

    Nothing is changed. A line each: ok, warn or fail, and what to do. With a fail the exit code is 1.
    """
    if dns:
        call.answer(_zone(call), lambda lines: click.echo("\n".join(lines)))
        return
    from msgspec import to_builtins

    from gateway.app import clock
    from gateway.doctor.examination import examine, reaching

    look = reaching if egress else examine
    found = []
    for each in look(call.config, call.perform, clock()):
        found.append(to_builtins(each))
        if not call.as_json:
            _told(found[-1])
    failed = sum(each["level"] == "fail" for each in found)
    call.answer({"ok": not failed, "findings": found}, lambda _: None)
    if failed:
        raise OperationError(
            f"{failed} of {len(found)} looks failed", "each line above says what to do"
        )


def _told(finding: dict[str, Any]) -> None:
    level = click.style(f"{finding['level']:<5}", _COLOURS[finding["level"]])
    click.echo(f"{level} {finding['what']:<14} {finding['sentence']}")
    if finding["cure"]:
        click.echo(f"{'':<20} → {finding['cure']}")


def _zone(call: Asking) -> list[str]:
    from gateway.app import settings_of
    from gateway.doctor.examination import bound
    from gateway.web.setup.records import records
    from gateway.web.setup.servers import Servers

    settings = settings_of(call.config)
    return [str(each) for each in records(Servers.of(settings, bound(settings)))]
