"""What is given out is what the courier measured, however the sender's program encoded it."""

from base64 import encodebytes
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from quopri import encodestring

import pytest

from gateway.relay.large.large import Large
from gateway.settings.large import LargeSettings
from gateway.web.document import served
from gateway.web.ranges import Span
from smtp.address import parse
from smtp.send.outgoing import Offer
from tests.world.world import World
from trust.addresses import Kind, Listed

DR, MARTIN = "dr@labo.example", "martin@clinique.example"
OCTETS = b"Compte rendu = \xc3\xa9t\xc3\xa9\r\n" * 9000
_READER = {
    "url": "https://auth.example",
    "audience": "sceau",
    "anchors": "anchors.pem",
    "origin": "https://courrier.labo.example",
}
_BASE64 = encodebytes(OCTETS).replace(b"\n", b"\r\n")


def _letter(encoding: str, encoded: bytes) -> bytes:
    return (
        (
            f"From: {DR}\r\nTo: {MARTIN}\r\nSubject: IRM\r\nMessage-ID: <1@labo.example>\r\n"
            "Date: Mon, 02 Mar 2026 09:30:00 +0100\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
            "--b\r\nContent-Type: text/plain\r\n\r\nBonjour\r\n"
            '--b\r\nContent-Type: application/zip; name="irm.zip"\r\n'
            f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
        ).encode()
        + encoded
        + b"\r\n--b--\r\n"
    )


async def _all(blocks: AsyncIterator[bytes]) -> bytes:
    return b"".join([block async for block in blocks])


@pytest.mark.parametrize(
    ("encoding", "encoded", "wanted"),
    [
        ("base64", _BASE64, OCTETS),
        ("BASE64", _BASE64.rstrip(b"=\r\n"), None),
        ("base64", b"!" + _BASE64 + b"epilogue", None),
        ("quoted-printable", encodestring(OCTETS).replace(b"\n", b"\r\n"), None),
        ("8bit", OCTETS, OCTETS),
        ("x-unknown", OCTETS, OCTETS),
    ],
    ids=["base64", "unpadded", "torn", "quoted", "8bit", "unknown"],
)
async def test_it_is_as_long_and_as_whole_as_it_was_said_to_be(
    world: World, encoding: str, encoded: bytes, wanted: bytes | None
) -> None:
    """Its length and hash, in any range; what is no base64 is something too, and the same to both."""
    clinic = await world.play()
    clinic.offer = Offer(frozenset({"SIZE", "8BITMIME"}), size=60_000)
    world.lists.addresses = [Listed(parse(MARTIN), Kind.PER, "rpps:10001234565")]
    await world.publish()
    labo, settings = world.labo, LargeSettings.model_validate({"reader": _READER})
    large = Large.of(settings, labo.rest.database, labo.rest.ring)
    object.__setattr__(labo.desk, "large", large)
    content = _letter(encoding, encoded)
    assert 250 == (await labo.submit(DR, [MARTIN], content)).code
    await world.settle()

    (link,) = large.links.all()
    (cut,) = link.facts.cuts
    vault, size = labo.books.vault, cut.octets
    found = await _all(served.part(vault, link, cut, Span(0, size, size)))
    middle = await _all(served.part(vault, link, cut, Span(size // 3, size - 7, size)))
    tail = await _all(served.part(vault, link, cut, Span(size - 7, size, size)))
    whole = await _all(served.whole(vault, link, Span(0, link.size, link.size)))

    assert (size, cut.sha256) == (len(found), sha256(found).hexdigest())
    assert found == (wanted or found)
    assert found[size // 3 :] == middle + tail
    assert link.facts.sha256 == sha256(whole).hexdigest()
    assert whole.endswith(content[content.index(b"--b\r\n") :])
    assert link.expires - link.made == timedelta(days=30)


async def test_who_breaks_off_has_taken_nothing() -> None:
    """Only what was sent to its end is said to be taken."""
    done: list[bool] = []

    async def blocks() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    async def taken() -> None:
        done.append(True)

    broken = served.ending(blocks(), taken)
    await anext(broken)
    await broken.aclose()  # type: ignore[attr-defined]
    assert [] == done
    assert b"ab" == await _all(served.ending(blocks(), taken))
    assert [True] == done
