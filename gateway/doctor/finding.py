"""What an examination finds: a line each, with what to do where something is to be done."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.operations.error import OperationError


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"  # mail goes on, or will for some time
    FAIL = "fail"  # mail, or a promise, stands still


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination."""

    what: str
    level: Level
    sentence: str
    cure: str = ""


Look = Callable[[], Iterable[Finding]]


def ok(what: str, sentence: str) -> Finding:
    """Return that something is as it must be."""
    return Finding(what, Level.OK, sentence)


def warn(what: str, sentence: str, cure: str) -> Finding:
    """Return that something should be looked at."""
    return Finding(what, Level.WARN, sentence, cure)


def fail(what: str, sentence: str, cure: str) -> Finding:
    """Return that something does not work."""
    return Finding(what, Level.FAIL, sentence, cure)


def looked(what: str, look: Look) -> Iterator[Finding]:
    """Look; whatever goes wrong in looking is a finding too, and ends no other look."""
    try:
        yield from look()
    except OperationError as error:
        yield fail(what, str(error), error.hint)
    except Exception as error:  # noqa: BLE001 - one look's bug must not hide what the others see
        kind = type(error).__name__
        yield fail(what, f"it could not be looked at ({kind})", "please report this as a bug")
