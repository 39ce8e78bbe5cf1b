"""What is in force, key by key, and where each value comes from: the file, the environment, or nobody.

The settings hold no secret but in addresses that are one: of those only the host is told.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel

from gateway.settings import Settings

_PREFIX = "SCEAU_"
_CAPABILITIES = {"webhook", "heartbeat"}  # who knows the address can use it


class Origin(StrEnum):
    """Who says so."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"


class Key(NamedTuple):
    """One key of a section."""

    section: str
    name: str
    value: str
    origin: Origin


def keys(settings: Settings, environment: Mapping[str, str]) -> list[Key]:
    """Return every key that is in force."""
    named = {name.upper() for name in environment if name.upper().startswith(_PREFIX)}
    return list(_section(settings, (), settings.given, named))


def _section(
    model: BaseModel, path: tuple[str, ...], given: Any, environment: set[str]
) -> Iterator[Key]:
    plain, deeper = [], []
    for name in type(model).model_fields:
        value = getattr(model, name)
        said = given.get(name) if isinstance(given, dict) else None
        if isinstance(value, BaseModel):
            deeper.append(_section(value, (*path, name), said, environment))
        elif isinstance(value, tuple) and any(isinstance(each, BaseModel) for each in value):
            listed = said if isinstance(said, list) else [None] * len(value)
            deeper += [
                _section(each, (*path, f"{name} {number}"), told, environment)
                for number, (each, told) in enumerate(zip(value, listed, strict=False), 1)
            ]
        else:
            plain.append((name, value, said is not None))
    for name, value, in_file in plain:
        yield Key(
            ".".join(path), name, shown(name, value), _origin(path, name, environment, in_file)
        )
    for section in deeper:
        yield from section


def _origin(
    path: tuple[str, ...],
    name: str,
    environment: set[str],
    in_file: bool,  # noqa: FBT001
) -> Origin:
    parts = [part.upper() for part in (*path, name)]
    spelled = (_PREFIX + "__".join(parts[:length]) for length in range(1, len(parts) + 1))
    if any(each in environment for each in spelled):
        return Origin.ENVIRONMENT
    return Origin.FILE if in_file else Origin.DEFAULT


def shown(name: str, value: Any) -> str:
    """Return a value as a person reads it."""
    if name in _CAPABILITIES and value:
        found = urlsplit(str(value))
        return f"{found.scheme}://{found.hostname}/…"
    if value is None or value in ("", ()):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return ", ".join(shown("", each) for each in value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if isinstance(value, int | str | Path) else repr(value)
