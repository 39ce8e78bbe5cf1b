"""Log lines an operator may show to anyone: ids and words of ours, nothing of a message.

A value leaves only under a key of ``SAFE``; any other is withheld, so that a careless call costs
a word in the log and not a secret. Whatever looks like a mail address is masked even there: its
domain stays, its local part may be a person's name or national number (R-G6). Of an exception go
out its type and where it happened, never its text. R-I1.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from datetime import datetime
from types import TracebackType
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import FilteringBoundLogger

SAFE = frozenset(
    {
        *("at", "level", "event", "loop", "logger", "error", "where", "template"),
        *(
            "message",
            "delivery",
            "reference",
            "transfer",
            "entry",
            "case",
            "mailbox",
            "folder",
            "outbox",
        ),
        *("listener", "door", "host", "port", "ports", "ip", "tls", "certificate", "domain"),
        *("reason", "code", "enhanced", "state", "attempts", "outcome", "kind", "until"),
        *("recipients", "refused", "size", "seconds", "count", "version", "digest", "previous"),
        *("verb", "actor", "signal", "pid", "path", "setting", "ring", "seq", "tasks", "threads"),
    }
)
WITHHELD = "[withheld]"

_PLAIN = r"[^\s<>\"'(),;:=\[\]]"
_ADDRESS = re.compile(rf'(?:{_PLAIN}+|"(?:[^"\\]|\\.)*")@(?={_PLAIN})')
_CUT = re.compile(rf"{_PLAIN}+\Z")
_FIRST = ("at", "level", "event")
_LONGEST = 500
_FRAMES = 6


def mask(text: str) -> str:
    """Return the text on one line, not too long, without the local part of any address."""
    head = text[: 2 * _LONGEST]
    if head != text:  # what is cut in two may have lost the @ by which it is known
        head = _CUT.sub("…", head)
    line = "".join(c if c.isprintable() else " " for c in head)
    return _ADDRESS.sub("…@", line)[:_LONGEST]


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Let through what is known to be safe; the structlog processor before the renderer."""
    return {key: _safe(value) if key in SAFE else WITHHELD for key, value in event.items()}


def _safe(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {mask(str(key)): _safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_safe(item) for item in value]
    return mask(str(value))


def _crash(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"], event["where"] = type(error).__name__, _where(error.__traceback__)
    return event


def _where(frames: TracebackType | None) -> list[str]:
    last = traceback.extract_tb(frames)[-_FRAMES:]
    return [f"{'/'.join(f.filename.split('/')[-2:])}:{f.lineno} {f.name}" for f in last]


def _json(_logger: Any, _method: str, event: Mapping[str, Any]) -> str:
    return msgspec.json.encode({name: event[name] for name in _FIRST} | dict(event)).decode()


def _plain(_logger: Any, _method: str, event: Mapping[str, Any]) -> str:
    head = f"{event['at']} {event['level']:7} {event['event']}"
    return " ".join((head, *(f"{k}={v}" for k, v in event.items() if k not in _FIRST)))


def open_log(
    stream: TextIO, level: str = "info", *, json_lines: bool = True
) -> FilteringBoundLogger:
    """Return the one logger of the process; lines go to ``stream`` as they happen."""
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _crash,
            redact,
            _json if json_lines else _plain,
        ],
    )
    return logger


class Libraries(logging.Handler):
    """What libraries log by the standard module, told in our lines.

    Their arguments may hold anything, so only the template goes out, and only when it is one:
    a message without arguments may have had them formatted in.
    """

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Tell one record."""
        template = record.msg if record.args and isinstance(record.msg, str) else WITHHELD
        tell = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        error = record.exc_info[1] if record.exc_info else None
        tell("library", logger=record.name, template=template, exc_info=error)


def adopt_libraries(log: FilteringBoundLogger) -> None:
    """Send the standard module's records, warnings included, through ``log`` and nowhere else."""
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    root.handlers[:] = [Libraries(log)]
    root.setLevel(logging.WARNING)
