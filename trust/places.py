"""Where a source's list is looked for: a path where somebody drops it, or an address of the web.

Whatever way it comes, it is an offer and nothing more: who signed it is judged elsewhere. What is
missing, or does not come, has its own word each. R-C5.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from trust import dropped
from trust.dropped import Sift
from trust.fetching import Fetch, Fetched, FetchError, FetchState, NotModified
from trust.signatures.quorum import ENVELOPE_LIMIT
from trust.verification import Offer, OfferError, Outcome
from trust.watch import Found, Seen


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file, with its signatures beside it if its format has them there."""

    path: Path
    limit: int
    sift: Sift | None = None

    @property
    def confirms(self) -> bool:
        """A file that lies there says nothing of when it was last true."""
        return False

    async def look(self, before: Seen | None) -> Found | None:
        """Read the files, off the loop."""
        # Taken before the reading: what changes in between is looked at again.
        files = await asyncio.to_thread(dropped.files, self.path)
        if files and files == before:
            return None
        try:
            found = await asyncio.to_thread(dropped.read, self.path, self.limit, self.sift)
        except FileNotFoundError:
            raise OfferError(Outcome.NOT_FOUND, f"there is no list at {self.path}") from None
        except OSError as error:
            sentence = f"{self.path} cannot be read: {error.strerror}"
            raise OfferError(Outcome.UNREADABLE, sentence) from None
        return Found(Offer(found.content, found.signatures), files, found.useless)


@dataclass(frozen=True, slots=True)
class Web:
    """An address of the web, and those of the signatures if its format has them apart."""

    fetch: Fetch
    url: str
    anchors: bytes = field(repr=False)  # PEM: the only ones that the host may chain to
    limit: int
    signatures: tuple[str, ...] = ()
    within: float = 60  # seconds for each document

    @property
    def confirms(self) -> bool:
        """Its host has just been asked."""
        return True

    async def look(self, before: Seen | None) -> Found | None:
        """Ask whether anything has changed; if so, take all of it anew, so that it fits together."""
        tags = before if isinstance(before, tuple) else ()
        answers = await self._ask(tags) if tags and all(tags) else []
        if answers and all(isinstance(answer, NotModified) for answer in answers):
            return None
        if not answers or any(isinstance(answer, NotModified) for answer in answers):
            answers = await self._ask(())
        bodies = [answer for answer in answers if isinstance(answer, Fetched)]
        content, *signatures = (answer.body for answer in bodies)
        offer = Offer(content, tuple(body for body in signatures if body))
        return Found(offer, tuple(answer.etag for answer in bodies))

    async def _ask(self, tags: tuple[str, ...]) -> list[Fetched | NotModified]:
        urls = (self.url, *self.signatures)
        tagged = zip(urls, tags or ("",) * len(urls), strict=True)
        return [await self._get(url, tag) for url, tag in tagged]

    async def _get(self, url: str, tag: str) -> Fetched | NotModified:
        apart = url != self.url
        limit = ENVELOPE_LIMIT if apart else self.limit
        try:
            return await self.fetch.get(
                url, limit=limit, within=self.within, anchors=self.anchors, etag=tag
            )
        except FetchError as error:
            if apart and error.state is FetchState.NOT_FOUND:
                return Fetched(b"")  # not signed there, or not yet: the others may be enough
            raise OfferError(Outcome(error.state), str(error)) from None
