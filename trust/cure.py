"""A refusal carries its cure: the one listed address that the sender must have meant.

The rule is narrow on purpose. An address is named only if it is known and may be shown, a message to
it would leave now, and it is the only one that the rule finds; between two nobody guesses. It is found

- as another address of the same person: a directory names who holds the refused one, which may be
  shown itself, and they have exactly one other that may be written to; or else
- as a near miss: where the domain is no member's, the same local part at a domain one edit away;
  where it is, a local part one edit away at that very domain. One edit is a letter, hyphen, dot or
  underscore put in, left out or replaced, or two neighbours exchanged. Digits are never edited
  (``labo1`` and ``labo2`` are two mailboxes), and what is shorter than five characters is near to too much.

Only for those who logged in here: a peer would learn who has an address. R-D3, R-C8.
"""

from collections.abc import Iterator
from datetime import datetime

from smtp.address import Address, domain_of, key, local_of
from trust.decision import Action, attempt
from trust.errors import HolderError
from trust.identifiers import Identifier, Scheme
from trust.lookup import directories, shown
from trust.sources import TrustList

_SHORTEST = 5  # characters of what may be a near miss
_LONGEST = 40  # what is longer would take too long
_LETTERS = "abcdefghijklmnopqrstuvwxyz.-_"


def cure(refused: Address, sender: Address, listed: TrustList, now: datetime) -> Address | None:
    """Return the address to write to instead, if there is exactly one."""
    for rule in (_of_same_holder, _near):
        found = {
            key(entry.address): entry.address
            for each in rule(refused, listed)
            if (entry := shown(each, listed)) is not None  # of hundreds tried, hardly any is
            and attempt(sender, each, listed, now).action is Action.ALLOW
            and key(each) != key(refused)
            and each.isascii()
        }
        if found:
            return next(iter(found.values())) if len(found) == 1 else None
    return None


def _of_same_holder(refused: Address, listed: TrustList) -> Iterator[Address]:
    entry = shown(refused, listed)
    if entry is None or (holder := _identifier(entry.person)) is None:
        return
    for directory in directories(listed):
        yield from (each.address for each in directory.held(holder))


def _identifier(text: str) -> Identifier | None:
    """Return a person's number; an organisation has many mailboxes, and none stands for another."""
    scheme, _, number = text.partition(":")
    try:
        found = Identifier(Scheme(scheme), number)
    except (ValueError, HolderError):
        return None
    return found if found.scheme.person else None


def _near(refused: Address, listed: TrustList) -> Iterator[Address]:
    local, domain = local_of(refused).lower(), domain_of(refused)
    if domain not in listed.members:
        near = (each for each in edits(domain) if each in listed.members)
        yield from (Address(f"{local}@{each}") for each in near)
    elif local.isascii():
        yield from (Address(f"{each}@{domain}") for each in edits(local))


def edits(text: str) -> Iterator[str]:
    """Yield what is one edit away; some of them more than once."""
    if not _SHORTEST <= len(text) <= _LONGEST:
        return
    for at in range(len(text) + 1):
        before, after = text[:at], text[at:]
        yield from (f"{before}{letter}{after}" for letter in _LETTERS)
        if not after or after[0].isdigit():
            continue
        yield before + after[1:]
        yield from (f"{before}{letter}{after[1:]}" for letter in _LETTERS if letter != after[0])
        if len(after) > 1 and not after[1].isdigit() and after[0] != after[1]:
            yield f"{before}{after[1]}{after[0]}{after[2:]}"
