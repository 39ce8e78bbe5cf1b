"""Whom a laboratory means: an address, or a national number that the directories know.

A number stands for one mailbox or for none: a result must not go to whichever comes first. One that has
several is held, if the house wants that: until an operator says which, it goes by an address that is
none (``gateway.relay.ambiguous``). Whoever is hidden (*liste rouge*) is not found by a number, only
written to by address. Pure. R-D3, R-D6.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from gateway.documents.errors import DocumentError
from gateway.relay import ambiguous
from smtp.address import Address, AddressError, key, parse
from trust import identifiers
from trust.addresses import Kind
from trust.decision import Action, attempt
from trust.directory.entry import Entry
from trust.errors import HolderError
from trust.identifiers import Identifier
from trust.lookup import directories, shown
from trust.sources import TrustList

Resolve = Callable[[str], Address]
_NAMED = 5  # mailboxes of one number that are told


class NotNowError(Exception):
    """There is no trust list in force: nobody can be found, yet."""


def resolving(
    sender: Address, listed: TrustList | None, now: datetime, *, hold: bool = False
) -> Resolve:
    """Return what finds a recipient by what a companion says; it raises ``DocumentError``.

    ``hold``: a number that has several mailboxes is not refused.
    """

    def resolve(text: str) -> Address:
        return address(text) if "@" in text else _found(text, sender, listed, now, hold=hold)

    return resolve


def address(text: str) -> Address:
    """Read an address; ``DocumentError`` if it is none."""
    try:
        found = parse(text)
    except AddressError:
        raise DocumentError("a recipient is no mail address") from None
    if ambiguous.number(found) is not None:
        raise DocumentError("a recipient is no mail address")
    return found


def _found(
    text: str, sender: Address, listed: TrustList | None, now: datetime, *, hold: bool
) -> Address:
    try:
        holder = identifiers.parse(text)
    except HolderError as error:
        raise DocumentError(f"a recipient is neither an address nor a number: {error}") from None
    if listed is None:
        raise NotNowError
    meant = mailboxes(holder, sender, listed, now)
    if not meant:
        raise DocumentError(f"{holder} has no mailbox that may be written to, in any directory")
    if len(meant) > 1 and hold:
        return ambiguous.standing(holder)
    if len(meant) > 1:
        named = ", ".join(meant[:_NAMED])
        raise DocumentError(f"{holder} has several mailboxes, name one of them: {named}")
    return meant[0]


def mailboxes(
    holder: Identifier, sender: Address, listed: TrustList, now: datetime
) -> list[Address]:
    """Return the mailboxes that a number may stand for."""
    found = {key(each.address): each for each in _mailboxes(holder, sender, listed, now)}
    # A person's own mailbox comes before those that they share with others.
    own = [each for each in found.values() if each.kind is Kind.PER]
    meant = own if holder.scheme.person and len(own) == 1 else found.values()
    return [each.address for each in meant]


def _mailboxes(
    holder: Identifier, sender: Address, listed: TrustList, now: datetime
) -> Iterator[Entry]:
    """Yield the mailboxes of one holder, for people to read, that may be shown and written to."""
    for directory in directories(listed):
        for candidate in directory.held(holder):
            entry = shown(candidate.address, listed)
            if entry is None or entry.kind is Kind.APP:
                continue
            if attempt(sender, entry.address, listed, now).action is Action.ALLOW:
                yield entry
