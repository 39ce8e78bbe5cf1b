"""A ready mail too large for memory goes by the watched folder like any other."""

import os
from pathlib import Path

import pytest

from gateway.labs import folder as labs_folder
from gateway.labs import streaming
from gateway.labs.composing import Offer
from gateway.labs.names import Form
from tests.gateway.labs.test_folder import CHU, LABO, lab
from tests.world.world import letter

_LETTER = letter(LABO, [CHU], body="Ligne.\r\n" * 40_000)


@pytest.fixture(autouse=True)
def _streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labs_folder, "_LARGE", 10_000)


@pytest.mark.parametrize("companion", [None, b"{}"])
def test_it_is_known_by_what_a_small_one_is_known_by(
    companion: bytes | None, tmp_path: Path
) -> None:
    """Read at once or piece by piece, the same bytes are the same result."""
    (tmp_path / "a").write_bytes(_LETTER)
    file = os.open(tmp_path / "a", os.O_RDONLY)
    try:
        assert Offer(Form.MAIL, _LETTER, companion).digest == streaming.digest(file, companion)
    finally:
        os.close(file)


async def test_it_arrives_as_it_lay_there_and_once(tmp_path: Path) -> None:
    """To whom its header names, or to whom its companion says; offered again, it is known."""
    async with lab(tmp_path) as labo:
        await labo.world.chu.add("autre")
        labo.put("a.eml", _LETTER.replace(b"\r\n", b"\n"))
        labo.put("b.eml", _LETTER.replace(b"<1@", b"<2@"), to=["autre@chu.example"], critical=True)
        await labo.settle()
        labo.put("c.eml", _LETTER.replace(b"\r\n", b"\n"))
        await labo.settle()

        (found,) = await labo.world.chu.inbox("accueil")
        (other,) = await labo.world.chu.inbox("autre")
        assert found.endswith(_LETTER)
        assert b"X-Sceau-Priority: critical" in other
        assert labo.said("c.eml", "accepted")["again"]
        assert not any(name.endswith(".eml") for name in labo.lying())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Subject: x\r\n\r\n" + b"y" * 20_000, "nobody gets it"),
        (_LETTER.replace(LABO.encode(), b"other@labo.example"), "From"),
        (b"no header " * 2_000, "cannot be sent"),
    ],
)
async def test_what_cannot_be_sent_is_answered_in_words(
    content: bytes, words: str, tmp_path: Path
) -> None:
    """Large or small, a laboratory reads why."""
    async with lab(tmp_path) as labo:
        labo.put("a.eml", content)
        await labo.settle()
        assert words in labo.said("a.eml", "failed")["why"]
