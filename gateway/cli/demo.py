"""``sceau demo``: the whole road on one machine."""

from pathlib import Path

import click


@click.command("demo")
@click.option("--once", is_flag=True, help="End when the story is told, instead of staying up.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where everything is made.  [default: demo; with --once a temporary folder]",
)
@click.option("--day", is_flag=True, help="With a day of traffic behind both gateways.")
@click.option("--port-base", type=click.IntRange(1, 65000), help="The first of the ports to use.")
def command(
    *, once: bool, as_json: bool, folder: Path | None, day: bool, port_base: int | None
) -> None:
    """Two gateways, a laboratory, clinicians and an outsider on loopback.

    Writes DIR/demo.json, with which any tool can connect.
    """
    from gateway.demo import story

    raise SystemExit(
        story.run(once=once, as_json=as_json, folder=folder, port_base=port_base, day=day)
    )
