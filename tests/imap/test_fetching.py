"""What FETCH says of messages that go, or do not open, while it is at them."""

from datetime import timedelta, timezone
from pathlib import Path

import pytest

from imap.rules import Rules
from tests.imap.stage import HOST, PLAIN, USER, Core, Scene
from tests.imap.test_rights import tell
from tests.world.rest import Rest
from vault.database import Statement

IMAP = Rules.of("imap", HOST, max_size=1 << 20)
LONG = b"Subject: long\r\n\r\n" + b"x" * 300_000 + b"\r\n"
UNKNOWN = (
    b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: x-secret\r\n"
    b"\r\nabc\r\n"
)


async def reading(rest: Rest, *letters: bytes) -> Core:
    scene = await Scene.make(rest)
    await scene.deliver(*letters)
    core = Core(scene, IMAP)
    await core.response()
    await tell(core, f"a LOGIN {USER} right")
    await tell(core, "b SELECT INBOX")
    return core


@pytest.mark.parametrize("letter", [PLAIN, LONG])
async def test_a_body_that_goes_meanwhile_is_nil(rest: Rest, letter: bytes) -> None:
    """The answer can be read to its end: no literal is announced that does not come."""
    core = await reading(rest, letter)
    await rest.commit([Statement("DELETE FROM wrap")])

    assert [
        "* 1 FETCH (BODY[] NIL BINARY.SIZE[1] 0 BINARY[1] NIL UID 1)",
        "c NO [EXPUNGEISSUED] Some of the messages no longer exist",
    ] == await tell(core, "c FETCH 1 (BODY.PEEK[] BINARY.SIZE[1] BINARY.PEEK[1] UID)")
    assert ["d OK Done"] == await tell(core, "d NOOP")


async def test_a_part_in_an_unknown_encoding_is_nil(rest: Rest) -> None:
    """And the answer says why, behind a line that a client can read (RFC 3516 §4.3)."""
    core = await reading(rest, UNKNOWN)

    line, answer = await tell(core, "c FETCH 1 (BINARY.PEEK[1] UID)")
    assert "* 1 FETCH (BINARY[1] NIL UID 1)" == line
    assert answer.startswith("c NO [UNKNOWN-CTE]")


async def test_a_body_that_does_not_open_ends_in_a_fixed_sentence(
    rest: Rest, tmp_path: Path
) -> None:
    """From its first octet: nothing of it is said, and the session goes on."""
    core = await reading(rest, LONG)
    spoil(tmp_path, 0)

    line, answer = await tell(core, "c FETCH 1 BODY.PEEK[]")
    assert "* 1 FETCH (BODY[] NIL)" == line
    assert answer.startswith("c NO [SERVERBUG]")


async def test_a_body_that_breaks_off_ends_the_connection(rest: Rest, tmp_path: Path) -> None:
    """Whatever came behind half a literal would be taken for the rest of it."""
    core = await reading(rest, LONG * 10)
    spoil(tmp_path, 1)

    core.receive(b"c FETCH 1 BODY.PEEK[]\r\n")
    await core.ended()

    assert core.closed
    assert b"c NO" not in core.out
    assert "session.error" in [event for event, _ in core.scene.notes]


def spoil(folder: Path, half: int) -> None:
    """Change an octet in the first or second half of the only blob."""
    (blob,) = (path for path in (folder / "blobs").rglob("*") if path.is_file())
    octets = bytearray(blob.read_bytes())
    octets[len(octets) * (1 + 2 * half) // 4 if half else 200] ^= 1
    blob.write_bytes(octets)


async def test_days_begin_where_the_gateway_stands(rest: Rest) -> None:
    """What came at half past midnight came on the day that people's clocks showed."""
    scene = await Scene.make(rest)
    scene.zone = timezone(timedelta(hours=2))
    core = Core(scene, IMAP)
    await core.response()
    await tell(core, f"a LOGIN {USER} right")
    core.receive(b'b APPEND INBOX "25-Mar-2026 00:30:00 +0200" {3+}\r\na\r\n\r\n')
    assert b"b OK" in await core.response()
    await tell(core, "c SELECT INBOX")

    assert (
        '* 1 FETCH (INTERNALDATE "25-Mar-2026 00:30:00 +0200")'
        == (await tell(core, "d FETCH 1 INTERNALDATE"))[0]
    )
    assert "* SEARCH 1" == (await tell(core, "e SEARCH ON 25-Mar-2026"))[0]
    assert "* SEARCH" == (await tell(core, "f SEARCH BEFORE 25-Mar-2026"))[0]
