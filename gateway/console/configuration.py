"""*Settings*: what is in force, and where it comes from. It is changed in the file, and read at the start."""

import os
import platform
import sqlite3
import ssl
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.accounts.operators import Role
from gateway.console.around import Entry
from gateway.console.frame import Frame
from gateway.settings.origin import Key, Origin, keys

SETTINGS = "/console/settings"
ENTRY = Entry(SETTINGS, "settings", Role.ADMINISTRATOR)
WORDS: Mapping[str, tuple[str, str]] = {
    "settings": ("Réglages", "Settings"),
    "in-force": ("En vigueur", "In force"),
    "operators": ("Exploitants", "Operators"),
    "settings-why": (
        "On les change dans le fichier ; la passerelle les lit à son démarrage.",
        "They are changed in the file; the gateway reads them when it starts.",
    ),
    "only-changed": ("Ce qui est réglé ici", "What is set here"),
    "all-keys": ("Tout", "Everything"),
    "key": ("Clé", "Key"),
    "value": ("Valeur", "Value"),
    "origin": ("Origine", "Origin"),
    "origin-default": ("par défaut", "default"),
    "origin-file": ("fichier", "file"),
    "origin-environment": ("environnement", "environment"),
    "not-set": ("non réglé", "not set"),
    "file": ("Fichier", "File"),
    "version": ("Version de Sceau", "Version of Sceau"),
    "under": ("Repose sur", "Stands on"),
    "find-key": ("Chercher une clé", "Find a key"),
    "choice": ("Que montrer", "What to show"),
    "no-key": ("Aucune clé ne correspond.", "No key matches."),
}


class Configuration:
    """The page."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where it is."""
        return [Route(SETTINGS, self._page, methods=["GET"])]

    async def _page(self, request: Request) -> Response:
        await self._frame.operator(request, Role.ADMINISTRATOR)
        settings = self._frame.rooms.settings
        everything, wanted = "all" in request.query_params, request.query_params.get("q", "")[:60]
        found = [
            each
            for each in keys(settings, os.environ)
            if (everything or each.origin is not Origin.DEFAULT) and _matches(each, wanted)
        ]
        return self._frame.page(
            request,
            "settings.html",
            WORDS,
            sections=sections(found),
            everything=everything,
            q=wanted,
            file=str(settings.file or ""),
            version=metadata.version("sceau"),
            under=_under(),
        )


def sections(found: Iterable[Key]) -> list[tuple[str, list[Key]]]:
    """Return keys by their section, in the order of the settings."""
    return [(name, list(each)) for name, each in groupby(found, key=lambda key: key.section)]


def _matches(key: Key, wanted: str) -> bool:
    return wanted.lower() in f"{key.section}.{key.name} {key.value}".lower()


@cache
def _under() -> str:
    parts = (
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        ssl.OPENSSL_VERSION.partition("  ")[0],
    )
    return ", ".join(parts)
