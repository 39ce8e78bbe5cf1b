"""Where directories come from: an extraction that lies at a place, or the FHIR API, page by page.

The API is read only: writing to it is specified, and not yet in service. R-D4, R-D5.
"""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from trust.apart import apart
from trust.calm import let_go
from trust.directories import Gathered
from trust.fetching import Fetch, Fetched, FetchError
from trust.formats import annuaire, fhir
from trust.verification import OfferError, Outcome
from trust.watch import Place, Seen

_KEY = "ESANTE-API-KEY"
_PAGES = 20_000  # of one harvest: ten million mailboxes
# Every mailbox has an @; a post comes with whose it is and where.
_QUESTIONS = (
    "Practitioner?mailbox-mss:contains=%40&_count=500",
    (
        "PractitionerRole?mailbox-mss:contains=%40&_count=500"
        "&_include=PractitionerRole:practitioner&_include=PractitionerRole:organization"
    ),
    "Organization?mailbox-mss:contains=%40&_count=500",
)


@dataclass(frozen=True, slots=True)
class Extraction:
    """The Annuaire Santé's flat extraction, at a path or an address of the web."""

    place: Place

    async def look(self, before: Seen | None) -> Gathered | None:
        """Have what lies there read, if it is another than before."""
        found = await self.place.look(before)
        if found is None:
            return None
        made = Gathered(await apart(annuaire.build, found.offer.content), found.seen)
        held: list[object] = [found.offer.content, found]
        del found  # tens of MiB
        await let_go(held)
        return made


@dataclass(frozen=True, slots=True)
class Api:
    """The FHIR API: wholly read, or not at all."""

    fetch: Fetch
    base: str  # "https://gateway.api.esante.gouv.fr/fhir/v2/"
    key: str = field(repr=False)
    anchors: bytes = field(repr=False)  # PEM: the only ones that the host may chain to
    within: float = 60  # seconds for each page

    async def look(self, before: Seen | None) -> Gathered | None:
        """Ask for all mailboxes, page by page; it cannot say whether anything has changed."""
        del before
        harvest, asked = fhir.Harvest(), set[str]()
        for question in _QUESTIONS:
            url = urljoin(self.base, question)
            while url:
                if url in asked or len(asked) >= _PAGES:
                    raise OfferError(Outcome.MALFORMED, "its pages go on without end")
                asked.add(url)
                content = await self._page(url)
                following = await asyncio.to_thread(harvest.add, content)
                url = self._same(urljoin(url, following)) if following else ""
        made = await asyncio.to_thread(harvest.finish)
        return Gathered(await apart(fhir.build, *made), None)

    async def _page(self, url: str) -> bytes:
        headers = {"Accept": "application/fhir+json", _KEY: self.key}
        try:
            answer = await self.fetch.get(
                url, limit=fhir.PAGE, within=self.within, anchors=self.anchors, headers=headers
            )
        except FetchError as error:
            raise OfferError(Outcome(error.state), str(error)) from None
        assert isinstance(answer, Fetched)  # it was asked without a tag
        return answer.body

    def _same(self, url: str) -> str:
        """Return an address of the same host: our key is shown to no other."""
        if urlsplit(url)[:2] != urlsplit(self.base)[:2]:
            raise OfferError(Outcome.REDIRECTED, "its pages go on at another host")
        return url
