"""The ``sceau`` command. One file a noun, read only when that noun is called: help must be quick."""

import importlib
from pathlib import Path
from typing import Any

import click

from gateway.operations.error import OperationError

_NOUNS = {
    "init": "A first configuration, with its key ring.",
    "serve": "Run the gateway.",
    "doctor": "Is everything as it must be, and if not, what to do.",
    "completion": "What makes a shell complete this command.",
    "demo": "Two gateways, a laboratory and clinicians on this machine.",
    "trust": "The signed list of who may write to whom.",
    "certificates": "Certificates: ours and those that were shown to us.",
    "mailbox": "Mailboxes, what they log in with, and what lies in them.",
    "address": "Who may be written to, and at which address.",
    "send": "Hand results in by HTTPS, from anywhere.",
    "lab": "What became of the results of a night.",
    "document": "Health documents: read, checked, packed for sending.",
    "citizen": "Patients: who objects, who may answer whom.",
    "directory": "What directories say of addresses, and should say of ours.",
    "token": "Tokens for software that asks by HTTPS.",
    "spool": "Messages on their way.",
    "large": "Documents too large to travel: kept here, fetched from others.",
    "recall": "Take a message back that was sent.",
    "traffic": "What happened, hour by hour.",
    "trace": "The whole story of a message, or of an address.",
    "indicators": "The month's counts for the authority.",
    "receipts": "What was told to software about deliveries.",
    "quarantine": "Messages that wait for a person.",
    "keys": "The key ring that opens everything at rest.",
    "operator": "The people who operate the gateway by its console.",
    "journal": "The audit: what happened, in a chain that cannot be cut unseen.",
}


class Failure(click.ClickException):
    """It could not be done: exit code 1, the reason on stderr and what to do about it."""

    def __init__(self, error: OperationError) -> None:
        super().__init__(str(error))
        self.hint = error.hint

    def show(self, file: Any = None) -> None:
        """Say so, to a person."""
        click.echo(f"sceau: {self.message}", file=file, err=True)
        if self.hint:
            click.echo(f"  hint: {self.hint}", file=file, err=True)


class Nouns(click.Group):
    """A group that imports a noun's file when the noun is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the nouns in the order a reader wants them."""
        del ctx
        return list(_NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the noun's file and return its command."""
        del ctx
        if cmd_name not in _NOUNS:
            return None
        module = importlib.import_module(f"gateway.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the nouns without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_NOUNS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; this is where every failure becomes words and an exit code."""
        try:
            return super().invoke(ctx)
        except OperationError as error:
            raise Failure(error) from None
        except (click.exceptions.Exit, click.Abort, click.ClickException):
            raise
        except KeyboardInterrupt:
            raise click.Abort from None
        except Exception as error:  # noqa: BLE001 - a traceback could print what it choked on
            raise Failure(_unexpected(error)) from None


def _unexpected(error: Exception) -> OperationError:
    while isinstance(error, ExceptionGroup):  # of tasks that ended together the first says most
        error = error.exceptions[0]
    if isinstance(error, OperationError):
        return error
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = ""
    if frame is not None:
        where = f" at {Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}"
    return OperationError(
        f"an unexpected {type(error).__name__}{where}",
        "this is a bug: please report it with these words",
    )


@click.command(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sceau", message="sceau %(version)s")
def main() -> None:
    """Sceau, a secure health messaging gateway: trusted peers only, sealed at rest, receipted.

    Exit codes: 0 done, 1 it could not be done, 2 wrong usage.
    """
