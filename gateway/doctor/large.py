"""Whether what is too large for a next hop can stay here, and be fetched from here."""

import shutil
from collections.abc import Iterator

from gateway.doctor.finding import Finding, ok, warn
from gateway.settings import Settings

_WHAT = "large documents"


def large(settings: Settings) -> Iterator[Finding]:
    """Look at where others fetch, and at the room that fetching needs."""
    said, listen = settings.large, settings.listen
    if not said.enabled or listen.relay is None:
        return
    if listen.web_certificate is None and not said.port:
        yield warn(
            _WHAT,
            "no other gateway can fetch from here what it will not take by mail",
            "open [listen.web_certificate], or say [large] enabled = false",
        )
        return
    sentence = f"up to {said.largest >> 20:,} MiB stay here to be fetched, or are fetched"
    folder = settings.paths.data
    free = shutil.disk_usage(folder).free - settings.vault.reserve if folder.exists() else 0
    if folder.exists() and free < 2 * said.largest:
        yield warn(
            _WHAT,
            f"{sentence}; the disk has no room to put one together",
            "make room, or lower [large] largest",
        )
    else:
        yield ok(_WHAT, sentence)
