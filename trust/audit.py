"""A walk through everything that was ever verified here, to see that it still is what it was.

The chain says whether an entry was altered or cut out; each version is read again, verified as on
the day it came, and must have the digest that the chain names. A version whose signers are pinned no
longer is named as well: nobody can vouch for it now, which is no fault of the history. What was
erased because it was old, as the chain says, is not looked for.
"""

from dataclasses import dataclass
from typing import Protocol

from trust.sources import Edition
from trust.trail import Entry, Kept, Step, flaw
from trust.verification import OfferError


class Past(Protocol):
    """Who keeps the history, and can read a version again."""

    async def history(self) -> tuple[Kept, ...]:
        """Return all entries, oldest first."""

    async def recall(self, source: str, digest: str) -> Edition:
        """Return a version of the past, verified anew; or ``OfferError``."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What the walk found."""

    versions: int  # read again, and as they were
    altered: int | None  # the number of the first entry that does not follow
    doubts: tuple[tuple[Entry, str], ...]  # versions that nobody can vouch for now, and why


async def audit(past: Past) -> Audit:
    """Walk the whole history."""
    history = await past.history()
    sound, doubts = 0, []
    entries = [kept.entry for kept in history if kept.entry]
    erased = {
        (each.source, each.digest): number
        for number, each in enumerate(entries)
        if each.step is Step.ERASED
    }
    for number, entry in enumerate(entries):
        later = erased.get((entry.source, entry.digest), -1) > number
        if entry.step is not Step.VERIFIED or later:
            continue
        try:
            edition = await past.recall(entry.source, entry.digest)
        except OfferError as error:
            doubts.append((entry, str(error)))
            continue
        if edition.claims.version == entry.version and edition.claims.issued == entry.issued:
            sound += 1
        else:
            doubts.append((entry, f"it says of itself that it is {edition.claims.name}"))
    return Audit(sound, flaw(history), tuple(doubts))
