"""The verbs of ``sceau directory``: what directories say, and what they should say of us. R-D7."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from gateway.accounts.mailboxes import Mailbox, Status
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import address as read_address
from gateway.operations.words import told
from trust import identifiers
from trust.addresses import Kind
from trust.directories import DirectoryStanding
from trust.directory.entry import Entry, clean
from trust.errors import HolderError
from trust.formats import fhir
from trust.identifiers import Scheme
from trust.publication import differences, extraction, published

_MOST = 1000  # addresses of one holder that are shown


async def status(rooms: Rooms) -> object:
    """Return how each directory stands."""
    return [_standing(each) for each in await _all(rooms)]


async def show(rooms: Rooms, *, about: str) -> object:
    """Return what each directory says of an address, or of a holder: ``rpps:10003456786``."""
    directories = [(each.name, each.directory) for each in await _all(rooms) if each.directory]
    if "@" in about:
        wanted = read_address(about)
        return [
            {"directory": name} | _row(entry)
            for name, directory in directories
            if (entry := directory.entry(wanted)) is not None
        ]
    holder = _holder(about)
    return [
        {"directory": name} | _row(entry)
        for name, directory in directories
        for entry, _ in zip(directory.held(holder), range(_MOST), strict=False)
    ]


async def refresh(rooms: Rooms, *, name: str = "", anyway: bool = False) -> object:
    """Look at the directories now; ``anyway``: believe also one that lost most addresses."""
    names = [each.name for each in await _all(rooms)]
    if name and name not in names:
        raise OperationError(
            f"no directory is called {name}", f"the settings name: {', '.join(names)}"
        )
    looks = [await rooms.directories.look(each, anyway=anyway) for each in names]
    return [
        {"directory": each.source, "outcome": each.outcome.value, "sentence": each.sentence}
        for each in looks
        if not name or each.source == name
    ]


async def publish(rooms: Rooms, *, format: str = "annuaire") -> object:  # noqa: A002 - its name
    """Return our mailboxes as a directory publishes them."""
    entries = published(_ours(rooms))
    if format == "fhir":
        content = fhir.bundle(entries)
    elif format == "annuaire":
        content = extraction(entries)
    else:
        raise OperationError(f"{format} is no format", "it is annuaire or fhir")
    return {"mailboxes": len(entries), "content": content.decode()}


async def reconcile(rooms: Rooms) -> object:
    """Return where the directories say another thing of our mailboxes than we do."""
    ours = list(_ours(rooms))
    return [
        {"directory": each.name} | asdict(difference)
        for each in await _all(rooms)
        if each.directory is not None
        for difference in differences(
            ours,
            [
                entry
                for domain in rooms.settings.site.domains
                for entry in each.directory.within(domain)
            ],
        )
    ]


async def _all(rooms: Rooms) -> tuple[DirectoryStanding, ...]:
    await rooms.directories.restore()  # where no gateway runs, nobody did
    return rooms.directories.standing()


def _ours(rooms: Rooms) -> Iterator[Entry]:
    """Yield our open mailboxes as a directory would have them."""
    return (
        _entry(mailbox)
        for mailbox in rooms.accounts.mailboxes()
        if mailbox.status is not Status.CLOSED
    )


def _entry(mailbox: Mailbox) -> Entry:
    try:
        holder = identifiers.parse(mailbox.holder) if mailbox.holder else None
    except HolderError:
        holder = None  # a mailbox of before holders were checked
    person = holder is not None and holder.scheme.person
    named = clean(mailbox.name)
    people = mailbox.kind in {Kind.PER, Kind.CAB}
    return Entry(
        address=mailbox.address,
        kind=mailbox.kind,
        person=str(holder) if holder and person else "",
        organisation=str(holder) if holder and not person else "",
        name=named if people else "",
        structure="" if people else named,
        hidden=mailbox.hidden,
    )


def _holder(text: str) -> identifiers.Identifier:
    try:
        return identifiers.parse(text)
    except HolderError as error:
        schemes = ", ".join(f"{each.value}:" for each in Scheme)
        raise OperationError(
            f"{text} is neither an address nor a holder: {error}", f"holders begin with {schemes}"
        ) from None


def _standing(each: DirectoryStanding) -> dict[str, Any]:
    directory = each.directory
    return {
        "directory": each.name,
        "addresses": len(directory) if directory else 0,
        "domains": len(directory.domains) if directory else 0,
        "rows": str(directory.report) if directory else None,
        "taken": told(each.taken),
        "stale": each.stale,
        "outcome": each.last.outcome.value if each.last else None,
        "last": each.last.sentence if each.last else None,
    }


def _row(entry: Entry) -> dict[str, Any]:
    return entry._asdict() | {"kind": entry.kind.value}
