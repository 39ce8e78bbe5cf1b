"""How a verb is called: by the running gateway if there is one, else here under its lock."""

import os
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from gateway.cli.show import waiting
from gateway.operations.error import OperationError

Show = Callable[[Any], None]

_LONGEST = 300  # characters of a sentence in a list of verbs
_PATIENCE = 10.0  # seconds for another short command to finish


class Verbs(click.Group):
    """A noun's verbs; its help says of each what it does, whole."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs, on as many lines as their sentences take."""
        named = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, each.get_short_help_str(_LONGEST)) for name, each in named if each]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@dataclass(frozen=True, slots=True)
class Asking:
    """What every verb has: where the configuration is, and in which form to answer."""

    config: Path
    as_json: bool

    def perform(self, verb: str, **arguments: Any) -> Any:
        """Perform one operation, wherever it can be done; return its result as plain values."""
        with waiting(verb):
            return self._perform(verb, arguments)

    def _perform(self, verb: str, arguments: dict[str, Any]) -> Any:
        from gateway.control.client import ask

        folder = data_folder(self.config)
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return ask(folder, verb, arguments)
            except ConnectionError:
                pass
            except PermissionError:
                raise OperationError(
                    f"{folder} belongs to another user",
                    "run the command as the user that the gateway runs as",
                ) from None
            from gateway import app

            done, result = app.alone(self.config, verb, arguments)
            if done:
                return result
            if time.monotonic() > deadline:
                raise OperationError(
                    "another process works in the data folder and does not answer",
                    f"{folder / 'lock'} says which",
                )
            time.sleep(0.1)

    def answer(self, result: Any, show: Show) -> None:
        """Print a result: one line of JSON, or what ``show`` makes of it for a person."""
        if self.as_json:
            from msgspec import json

            sys.stdout.write(json.encode(result).decode() + "\n")
        else:
            show(result)


def asking(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all have; its first argument becomes an ``Asking``."""

    @click.option(
        "-c",
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        default=Path("gateway.toml"),
        envvar="SCEAU_CONFIG",
        show_default=True,
        show_envvar=True,
        help="The gateway's configuration.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")
    @wraps(verb)
    def wrapped(*, config: Path, as_json: bool, **others: Any) -> None:
        verb(Asking(config, as_json), **others)

    return wrapped


def data_folder(config: Path) -> Path:
    """Return the data folder that a configuration names, without the cost of checking it all."""
    if override := os.environ.get("SCEAU_PATHS__DATA"):
        return Path(override)
    try:
        table = tomllib.loads(config.read_text("utf-8"))
        return config.resolve().parent / str(table["paths"]["data"])
    except OSError as error:
        raise OperationError(
            f"cannot read {config}: {error.strerror}",
            "name the gateway's configuration with -c, or in SCEAU_CONFIG",
        ) from None
    except ValueError as error:  # no TOML, or no UTF-8
        raise OperationError(
            f"{config} cannot be understood: {error}",
            "mend that line; sceau doctor checks the rest",
        ) from None
    except (KeyError, TypeError):
        raise OperationError(
            f"{config} does not say where the data lies", "it needs [paths] data, see the example"
        ) from None
