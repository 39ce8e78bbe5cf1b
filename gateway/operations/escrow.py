"""``quarantine.escrow``: a case handed out, encrypted for named OpenPGP keys, for a stated reason.

One tar archive: ``case.json`` (the case, what was found, who decided what, the message's story from
the journal) and ``message.eml``, octet by octet as it came. It is encrypted while it streams: on
the disk lies only what the named keys can read, in the data folder's ``exports``, for a day.
"""

import secrets
import tarfile
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import json

from gateway.operations import trace
from gateway.operations.consent import agreed
from gateway.operations.error import OperationError
from gateway.operations.preview import findings, looked, readable_by
from gateway.operations.quarantine import facts, find, needs_two
from gateway.operations.rooms import Rooms
from quarantine.case import Case
from vault import openpgp
from vault.openpgp import OpenPgpError

_FOLDER = "exports"
_LIFE = timedelta(days=1)
_BLOCK = 512  # of a tar archive


async def escrow(rooms: Rooms, *, case: str, reason: str, keys: list[str] | None = None) -> object:
    """Write a case for the named keys, or all that the settings name; the journal knows why.

    Where a release needs two operators, so does this. The answer says where the file lies.
    """
    found = find(rooms, case)
    holder = readable_by(rooms, found, reason)
    wanted = keys_named(rooms, keys)
    subject = "\0".join((found.id, *sorted(wanted)))
    if needs_two(rooms, found.copies) and not await agreed(rooms, "quarantine.escrow", subject):
        return {"case": found.id, "status": "waiting", "keys": sorted(wanted)}
    what = f"everything, for {', '.join(sorted(wanted))}"
    await rooms.database.commit([looked(rooms, found, "content.exported", reason, what)])
    about = json.encode(await _about(rooms, found))
    made = await handed_out(rooms, f"case-{found.id}.tar.gpg", _tar(rooms, holder, about), wanted)
    return {"case": found.id, "status": "done", **made}


async def handed_out(
    rooms: Rooms, name: str, content: AsyncIterator[bytes], keys: Mapping[str, bytes]
) -> dict[str, Any]:
    """Write something for these keys alone; return where it lies, and who can read it."""
    target = _target(rooms, name)
    try:
        written = await openpgp.encrypt(content, keys, target)
    except OpenPgpError as error:
        raise OperationError(str(error), "see [quarantine] escrow_keys in the settings") from None
    return {
        "name": name,
        "path": str(target),
        "octets": target.stat().st_size,
        "keys": [
            {"name": key.name, "fingerprint": key.fingerprint, "holder": key.holder}
            for key in written
        ],
    }


async def sweep(rooms: Rooms) -> int:
    """Remove exports that nobody needs any more; a chore."""
    before, gone = (rooms.clock() - _LIFE).timestamp(), 0
    for path in _folder(rooms).glob("*.gpg"):
        if path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def _folder(rooms: Rooms) -> Path:
    return rooms.settings.paths.data / _FOLDER


def _target(rooms: Rooms, name: str) -> Path:
    folder = _folder(rooms)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{secrets.token_hex(6)}-{name}"  # two exports at once are two files


def keys_named(rooms: Rooms, names: list[str] | None) -> Mapping[str, bytes]:
    """Return the public keys that are meant, by the names of their files."""
    known = {path.stem: path for path in rooms.settings.quarantine.escrow_keys}
    if unknown := sorted(set(names or ()) - set(known)):
        raise OperationError(
            f"no key is called {', '.join(unknown)}",
            f"the keys of [quarantine] escrow_keys are: {', '.join(known) or 'none'}",
        )
    if not known:
        raise OperationError(
            "nobody is named who could read an exported case",
            "name their OpenPGP public keys in [quarantine] escrow_keys",
        )
    try:
        return {name: known[name].read_bytes() for name in names or known}
    except OSError as error:
        raise OperationError(
            f"a key of [quarantine] escrow_keys cannot be read: {error.strerror}",
            "it must be readable by the user that the gateway runs as",
        ) from None


async def _about(rooms: Rooms, case: Case) -> dict[str, object]:
    story = await rooms.journal.by_message(case.message)
    return {
        "case": facts(rooms, case) | {"findings": findings(case)},
        "journal": [trace.row(entry) for entry in story],
    }


async def _tar(rooms: Rooms, holder: str, about: bytes) -> AsyncIterator[bytes]:
    """Yield the archive: the facts, then the message as it streams out of the vault."""
    now = rooms.clock()
    yield _head("case.json", len(about), now) + about + _rest(len(about))
    size = rooms.vault.size(holder)
    yield _head("message.eml", size, now)
    async with aclosing(rooms.vault.stream(holder)) as blocks:
        async for block in blocks:
            yield block
    yield _rest(size) + bytes(2 * _BLOCK)


def _head(name: str, size: int, at: datetime) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, int(at.timestamp()), 0o600
    return info.tobuf(tarfile.USTAR_FORMAT)


def _rest(size: int) -> bytes:
    return bytes(-size % _BLOCK)
