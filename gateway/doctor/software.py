"""Where software of the house meets us: folders that are watched, and servers that mail is handed to.

Nothing is written, claimed or sent: a folder is looked at, a server is met and left. R-I4.
"""

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from gateway.doctor.beliefs import Ask
from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.labs.names import CLAIMED, FAILED
from gateway.relay.handing.account import Refused
from gateway.relay.handing.lines import Caller, Line, Unusable, lines
from gateway.settings import Settings
from gateway.settings.boxes import MailboxServer
from gateway.settings.labs import WatchedFolder
from smtp.address import Address
from smtp.reply import Reply

_USED = os.R_OK | os.W_OK | os.X_OK
_PATIENCE = 10.0


def watched(settings: Settings, ask: Ask) -> Iterator[Finding]:
    """Look at the folders that laboratories write to, and at the mailboxes they send as."""
    for each in settings.labs.folder:
        if (ill := _folder(each.path, settings.paths.data)) is not None:
            sentence, cure = ill
            yield fail("watched folder", f"{each.name}: {sentence}", cure)
            continue
        found = ask("mailbox.find", search=each.mailbox)["mailboxes"]
        if not any(one["address"] == each.mailbox and one["status"] == "active" for one in found):
            yield fail(
                "watched folder",
                f"{each.name}: {each.mailbox} is no mailbox that sends",
                f"sceau mailbox add {each.mailbox} --kind APP",
            )
            continue
        yield ok("watched folder", f"{each.name}: {each.path}, sent as {each.mailbox}")
        yield from _left(each)
        yield from _open_to_all("watched folder", each.name, each.path)


def _left(watched: WatchedFolder) -> Iterator[Finding]:
    """Say what nobody has fetched, and what a move from one disk to another would break."""
    for name in (CLAIMED, FAILED):
        inner = watched.path / name
        if inner.is_dir() and _disk(inner) != _disk(watched.path):
            yield fail(
                "watched folder",
                f"{watched.name}: {name} is on another disk, so nothing can be claimed by a rename",
                f"let {inner} be a folder like any other",
            )
    failed = watched.path / FAILED
    count = sum(1 for _ in failed.iterdir()) if failed.is_dir() else 0
    if count:
        yield warn(
            "watched folder",
            f"{watched.name}: files left in {FAILED}: {count}",
            "the answer beside each says why it was not sent; then move them away",
        )


def _disk(path: Path) -> int:
    return path.stat().st_dev


def servers(settings: Settings) -> Iterator[Finding]:
    """Meet every server that takes mail of ours: connected, proven, and left again."""
    caller = Caller(settings.site.host, settings.tls, _PATIENCE)
    for each in settings.mailboxes.server:
        what = f"{each.kind} server"
        if each.path is not None and (ill := _folder(each.path, settings.paths.data)) is not None:
            yield fail(what, f"{each.name}: {ill[0]}", ill[1])
            continue
        try:
            said = asyncio.run(_met(lines(caller, (each,))[each.name], each))
        except (Refused, Unusable) as error:
            yield fail(what, f"{each.name}: {error}", _SEE)
            continue
        if said is not None:
            yield fail(what, f"{each.name}: {said}", _SEE)
        else:
            yield ok(what, f"{each.name} is there ({each.path or each.socket or each.host})")
        if each.path is not None:
            yield from _open_to_all(what, each.name, each.path)


_SEE = "see [[mailboxes.server]] in the settings; until then mail for it waits"


async def _met(line: Line, server: MailboxServer) -> str | None:
    """Return why a server cannot be used; where it asks for a log-in, one is made."""
    if line.deposits is not None:
        for who in server.mailboxes[:1]:
            async with line.deposits.within(Address(who)) as account:
                if not await account.select(server.folder):
                    return f"there is no folder {server.folder} in the account of {who}"
        return None
    link = await line.open()
    if isinstance(link, Reply):
        return str(link)
    await link.close()
    return None


def _folder(path: Path, data: Path) -> tuple[str, str] | None:
    """Return what is wrong with a folder that another program uses too, and what to do."""
    try:
        found = path.stat()
    except OSError as error:
        return f"{path}: {error.strerror}", "make it, for the program and for the gateway"
    if not stat.S_ISDIR(found.st_mode):
        return f"{path} is no folder", "name a folder"
    if path.resolve().is_relative_to(data.resolve()):
        return f"{path} lies within the data folder", "name one elsewhere"
    if not os.access(path, _USED):
        return (
            f"{path} cannot be written by this user",
            "give the gateway's user its group: chmod g+rwxs",
        )
    return None


def _open_to_all(what: str, name: str, path: Path) -> Iterator[Finding]:
    if path.stat().st_mode & stat.S_IWOTH:
        yield warn(what, f"{name}: anybody on this machine can write there", f"chmod o-w {path}")
