"""What lies here for another gateway is given out whole, or from an octet on, and to it alone."""

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from smtp import tls
from tests.world.lending import Lenders, large_letter, lending
from tests.world.world import Gateway
from trust.members import Status
from trust.overlay import Denials


def _client(gateway: Gateway) -> httpx.AsyncClient:
    folder = gateway.folder
    context = tls.client_context(
        folder / "gateway.crt", folder / "gateway.key", folder / "anchors.pem"
    )
    return httpx.AsyncClient(verify=context, trust_env=False)


async def _url(lenders: Lenders) -> str:
    """Have a document lent that was not fetched yet."""
    lenders.cut_after = [0]
    await lenders.labo.submit("dr@labo.example", ["accueil@chu.example"], large_letter())
    await lenders.settle()
    (link,) = lenders.lent.links.all()
    return f"https://127.0.0.1:{lenders.lent.port}/large/{link.facts.token}"


async def test_a_part_of_it_is_given_from_where_it_was_asked(tmp_path: Path) -> None:
    """A transfer that broke goes on; what is beyond the end is refused; each look is counted."""
    async with lending(tmp_path) as lenders:
        url = await _url(lenders)
        async with _client(lenders.chu) as chu:
            whole = await chu.get(url)
            rest = await chu.get(url, headers={"Range": "bytes=100000-"})
            about = await chu.head(url)
            beyond = await chu.get(url, headers={"Range": "bytes=99000000-"})

        (link,) = lenders.lent.links.all()
        size = link.size
        assert (200, size, f'"{link.facts.sha256}"') == (
            whole.status_code,
            len(whole.content),
            whole.headers["ETag"],
        )
        assert (206, whole.content[100_000:]) == (rest.status_code, rest.content)
        assert f"bytes 100000-{size - 1}/{size}" == rest.headers["Content-Range"]
        assert (200, str(size), b"") == (
            about.status_code,
            about.headers["Content-Length"],
            about.content,
        )
        assert (416, f"bytes */{size}") == (beyond.status_code, beyond.headers["Content-Range"])
        assert link.taken is not None
        assert 4 == link.looks


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [("chu", "x" * 43, 404), ("labo", "", 403)],
)
async def test_nobody_else_is_given_anything(
    who: str, path: str, status: int, tmp_path: Path
) -> None:
    """Neither who guesses a name, nor who has it and does not speak for its recipients."""
    async with lending(tmp_path) as lenders:
        url = await _url(lenders)
        asked = f"{url.rpartition('/')[0]}/{path}" if path else url
        async with _client(lenders.chu if who == "chu" else lenders.labo) as client:
            answer = await client.get(asked)

    assert status == answer.status_code
    assert b"IRM" not in answer.content


async def test_whose_time_is_over_is_given_to_nobody(tmp_path: Path) -> None:
    """Not even in the minute until it is swept."""
    async with lending(tmp_path) as lenders:
        url = await _url(lenders)
        lenders.world.clock.advance(days=2)
        async with _client(lenders.chu) as client:
            answer = await client.get(url)

    assert 404 == answer.status_code


async def test_who_left_the_list_is_given_nothing_more(tmp_path: Path) -> None:
    """The stub was theirs when it went; what the list says now is what counts."""
    async with lending(tmp_path) as lenders:
        url = await _url(lenders)
        lenders.world.lists.change("chu.example", status=Status.REVOKED)
        await lenders.world.publish()
        async with _client(lenders.chu) as client:
            answer = await client.get(url, headers={"Range": "bytes=100000-"})

    assert 403 == answer.status_code


async def test_who_was_denied_since_is_given_nothing_more(tmp_path: Path) -> None:
    """Their gateway is in good standing, its only recipient here is not."""
    async with lending(tmp_path) as lenders:
        url = await _url(lenders)
        keeper = lenders.labo.keeper
        denied = Denials(addresses=frozenset({"accueil@chu.example"}))
        keeper.overlaid(replace(keeper.overlay, denied=denied))
        async with _client(lenders.chu) as client:
            answer = await client.get(url)

    assert 403 == answer.status_code
