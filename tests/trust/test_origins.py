"""Where directories come from: read wholly, by another process, or not at all."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.trust.extraction import row, text, zipped
from tests.trust.test_fhir import CHU, ROLE, ZOE, answer
from trust.directory.reading import Directory
from trust.errors import ListError
from trust.fetching import NO_HEADERS, Fetched, FetchError, FetchState
from trust.origins import Api, Extraction
from trust.places import Dropped
from trust.verification import OfferError, Outcome

BASE = "https://api.example/fhir/v2/"


async def test_an_extraction(tmp_path: Path) -> None:
    """A file is read when it is new, and not again until it changes."""
    path = tmp_path / "annuaire.zip"
    path.write_bytes(zipped(text(row(adresse="a@chu.example"))))
    origin = Extraction(Dropped(path, 10_000))

    found = await origin.look(None)
    assert found is not None
    assert 1 == len(Directory(found.packed))
    assert await origin.look(found.seen) is None


class Stub:
    """The API, as far as it is asked here."""

    def __init__(self, *pages: bytes | FetchError) -> None:
        self.pages = list(pages)
        self.asked: list[tuple[str, Mapping[str, str], bytes]] = []

    async def get(
        self,
        url: str,
        *,
        limit: int,
        within: float,
        anchors: bytes = b"",
        etag: str = "",
        plain: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Fetched:
        self.asked.append((url, headers, anchors))
        page = self.pages.pop(0)
        if isinstance(page, FetchError):
            raise page
        return Fetched(page)

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        media_type: str,
        limit: int,
        within: float,
        anchors: bytes = b"",
        plain: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Fetched:
        raise NotImplementedError


async def test_the_api_page_by_page() -> None:
    """People, their posts and organisations are asked for, each to its last page, with our key."""
    stub = Stub(
        answer(ZOE, following=f"{BASE}page/2"), answer(following="?page=3"), answer(),
        answer(ROLE, ZOE, CHU), answer(CHU),
    )  # fmt: skip
    found = await Api(stub, BASE, "secret", b"PEM").look("before")

    assert found is not None
    assert found.seen is None
    assert 4 == len(Directory(found.packed))
    assert [
        "Practitioner?mailbox-mss:contains=%40", "page/2", "page/2?page=3",
        "PractitionerRole?mailbox-mss:contains=%40", "Organization?mailbox-mss:contains=%40",
    ] == [url.removeprefix(BASE).partition("&")[0] for url, _, _ in stub.asked]  # fmt: skip
    assert {("secret", b"PEM")} == {
        (headers["ESANTE-API-KEY"], at) for _, headers, at in stub.asked
    }
    assert "secret" not in repr(Api(stub, BASE, "secret", b"PEM"))


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        (FetchError(FetchState.TIMEOUT, "too slow"), Outcome.TIMEOUT),
        (answer(following="https://elsewhere.example/2"), Outcome.REDIRECTED),
        (answer(following="http://api.example/fhir/v2/2"), Outcome.REDIRECTED),
        (answer(following=f"{BASE}again"), Outcome.MALFORMED),
    ],
)
async def test_partly_is_not_at_all(page: bytes | FetchError, outcome: Outcome) -> None:
    """What fails in the middle gives nothing; our key goes to no other host, nor in clear."""
    stub = Stub(answer(ZOE, following=f"{BASE}again"), page)
    with pytest.raises(OfferError) as caught:
        await Api(stub, BASE, "secret", b"PEM").look(None)

    assert outcome == caught.value.outcome


async def test_an_answer_that_is_none() -> None:
    """What is no Bundle, or has no mailbox, is refused."""
    with pytest.raises(ListError):
        await Api(Stub(b"<html>"), BASE, "k", b"PEM").look(None)
    with pytest.raises(ListError):
        await Api(Stub(answer(), answer(), answer()), BASE, "k", b"PEM").look(None)
