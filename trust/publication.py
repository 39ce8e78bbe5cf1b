"""Our mailboxes as directories have them: which are published, in which shape, and what differs.

R-D7: each one with whose it is; applications' mailboxes, and those of the *liste rouge*, are not.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from smtp.address import key
from trust import identifiers
from trust.addresses import Kind
from trust.directory.entry import Entry
from trust.formats.annuaire import HEADER


class Finding(StrEnum):
    """How a directory differs from what we have."""

    CLOSED = "listed-closed"  # people are sent to a mailbox that is closed, or never was
    UNLISTED = "open-unlisted"  # nobody finds a mailbox that is open
    SHOWN = "hidden-shown"  # it may not be shown, and is
    KIND = "kind"
    HOLDER = "holder"


@dataclass(frozen=True, slots=True)
class Difference:
    """One address of which a directory says another thing than we do."""

    address: str
    finding: Finding
    ours: str
    theirs: str


def published(entries: Iterable[Entry]) -> list[Entry]:
    """Return those that a directory should have."""
    return [entry for entry in entries if entry.kind is not Kind.APP and not entry.hidden]


def differences(ours: Iterable[Entry], theirs: Iterable[Entry]) -> list[Difference]:
    """Compare our open mailboxes with a directory's entries of our domains."""
    open_ones = {key(entry.address): entry for entry in ours}
    listed = {key(entry.address): entry for entry in theirs}
    found = [
        Difference(entry.address, Finding.CLOSED, "", entry.kind.value)
        for name, entry in listed.items()
        if name not in open_ones
    ]
    found += [
        Difference(entry.address, Finding.UNLISTED, entry.kind.value, "")
        for entry in published(open_ones.values())
        if key(entry.address) not in listed
    ]
    for name in open_ones.keys() & listed.keys():
        found += _compared(open_ones[name], listed[name])
    return sorted(found, key=lambda each: (each.address, each.finding))


def _compared(ours: Entry, theirs: Entry) -> Iterator[Difference]:
    address = ours.address
    if ours.hidden and not theirs.hidden:
        yield Difference(address, Finding.SHOWN, "hidden", "shown")
    if ours.kind is not theirs.kind:
        yield Difference(address, Finding.KIND, ours.kind.value, theirs.kind.value)
    if ours.holder not in {"", theirs.person, theirs.organisation}:
        yield Difference(address, Finding.HOLDER, ours.holder, theirs.holder)


def extraction(entries: Iterable[Entry]) -> bytes:
    """Return entries in the flat extraction's shape."""
    lines = ["|".join(HEADER), *("|".join(_row(entry)) for entry in entries)]
    return "".join(f"{line}\n" for line in lines).encode()


def _row(entry: Entry) -> list[str]:
    told = {
        "Type de BAL": entry.kind.value,
        "Adresse BAL": entry.address,
        "Service de rattachement": entry.service,
        "Nom": entry.name,
        "Libellé profession": entry.profession,
        "Raison Sociale": entry.structure,
        **_person(entry.person),
        **_organisation(entry.organisation),
    }
    return [told.get(column, "").replace("|", " ") for column in HEADER]


def _person(holder: str) -> Mapping[str, str]:
    if not holder:
        return {}
    found = identifiers.parse(holder)
    return {
        "Type Identifiant PP": found.national[0],
        "Identifiant PP": found.number,
        "Identification nationale PP": found.national,
    }


def _organisation(holder: str) -> Mapping[str, str]:
    if not holder:
        return {}
    found = identifiers.parse(holder)
    return {
        "Type identifiant structure": found.scheme.name,
        "Identification Structure": found.number,
    }
