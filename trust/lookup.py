"""Looking an address up before writing to it: whether it is trusted, and who has one.

An exact address is answered as the decision would answer a message to it; words are looked for in
the directories and in what the lists themselves name. Whoever is hidden (*liste rouge*) is never shown:
an exact question about them is answered as about anybody the directories do not know. R-D3, R-C8.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from smtp.address import Address, AddressError, domain_of, parse
from trust.decision import Action, attempt
from trust.directory.entry import Entry, words
from trust.directory.reading import Directory
from trust.identifiers import Scheme
from trust.sources import TrustList

LONGEST = 200  # characters of a question
_SCANNED = (
    20_000  # a list's own addresses have no index; beyond so many only directories are searched
)


class State(StrEnum):
    """Whether an address may be written to."""

    TRUSTED = "trusted"
    NOT_TRUSTED = "not-trusted"
    UNKNOWN = "unknown"  # not now: something that time or an operator repairs stands in the way


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of one address; ``entry`` only if it is known and may be shown."""

    address: Address
    state: State
    reason: str
    entry: Entry | None = None


_PEOPLE = frozenset(scheme.value for scheme in Scheme if scheme.person)
_STATES = {
    Action.ALLOW: State.TRUSTED,
    Action.HOLD: State.TRUSTED,
    Action.DEFER: State.UNKNOWN,
    Action.REFUSE: State.NOT_TRUSTED,
}


def read(text: str) -> Address | tuple[str, ...]:
    """Return what somebody typed: an address, or the words to look for; empty for too little."""
    text = text.strip()[:LONGEST]
    if "@" in text:
        try:
            return parse(text)
        except AddressError:
            pass
    return tuple(dict.fromkeys(words(text)))


def about(
    address: Address, sender: Address | None, listed: TrustList | None, now: datetime
) -> Answer:
    """Say whether a message to this address would leave, from a sender if one is named."""
    found = attempt(sender, address, listed, now)
    entry = shown(address, listed) if listed is not None else None
    reason = str(found.reason)
    if found.action is Action.ALLOW and entry is None:
        reason = "domain-trusted"
    return Answer(address, _STATES[found.action], reason, entry)


def shown(address: Address, listed: TrustList) -> Entry | None:
    """Return what is known of an address, if all who know it let it be shown."""
    entry = None
    if (said := listed.listed(address)) is not None:
        if said.hidden:
            return None
        personal = said.holder.partition(":")[0].lower() in _PEOPLE
        whose = (said.holder, "") if personal else ("", said.holder)
        entry = Entry(said.address, said.kind, *whose)
    for directory in directories(listed):
        if (found := directory.entry(address)) is None:
            continue
        if found.hidden:
            return None
        if entry is None or not entry.name:
            entry = found
    return entry


def search(
    wanted: Sequence[str], sender: Address | None, listed: TrustList, now: datetime, limit: int
) -> tuple[Entry, ...]:
    """Return whom these words find and who may be written to, at most ``limit``.

    It may take tens of milliseconds: ask it in a thread.
    """
    if not wanted:
        return ()
    found: dict[Address, Entry] = {}
    for candidate in _candidates(wanted, listed, 2 * limit):
        if len(found) >= limit:
            break
        if candidate in found or attempt(sender, candidate, listed, now).action is not Action.ALLOW:
            continue
        if (entry := shown(candidate, listed)) is not None:
            found[candidate] = entry
    return tuple(found.values())


def _candidates(wanted: Sequence[str], listed: TrustList, limit: int) -> Iterator[Address]:
    for directory in directories(listed):
        yield from (entry.address for entry in directory.search(wanted, limit))
    for edition in listed.editions:
        addresses = edition.claims.addresses
        if len(addresses) > _SCANNED:
            continue
        for each in addresses:
            have = (*words(each.address), *words(domain_of(each.address)))
            if all(any(word.startswith(one) for word in have) for one in wanted):
                yield each.address


def directories(listed: TrustList) -> Iterator[Directory]:
    """Yield the directories that can be asked for more than an address."""
    return (each for each in listed.directories if isinstance(each, Directory))
