"""A document of half a gigabyte: handed in by HTTPS, too large for the next hop, fetched, read by IMAP.

Two real ``sceau serve``. Both sides take 35 MiB at once; what is longer stays with its sender and is
fetched. What the reader has in the end is compared by its hash with what was handed in.
"""

import hashlib
import imaplib
import os
import select
import ssl
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import httpx
import msgspec

from tests.bench.cell import CellError
from tests.bench.laboratory import Gateway, Watched
from tests.interop.conftest import Pair, running_pair
from tests.interop.site import Federation, Settings

SIZE = 500_000_000
_SETTINGS: Settings = {
    "labs": {"largest": 700 << 20},
    "relay": {"retry": [1, 2, 5]},
    "limits": {"stop_within": 5},
    "quarantine": {"largest": 700 << 20},
}
_PATIENCE = 300.0
_LINE = 76  # of base64, and its line end
_STEP = 8 << 20


class Large(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    size: int
    taken: float  # seconds until it was accepted here,
    crossed: float  # from then until it lay in the mailbox and that was reported,
    read: float  # and to read it by IMAP
    laboratory: Gateway
    hospital: Gateway


def measure(folder: Path, size: int = SIZE) -> Large:
    """Let it cross; raise ``CellError`` unless it arrived as it was sent."""
    with running_pair(Federation(folder / "federation"), _SETTINGS) as pair:
        sides = Watched(pair.labo), Watched(pair.hopital)
        for side in sides:
            side.early = side.rest
        began = monotonic()
        digest = _handed_in(pair, size)
        taken = monotonic()
        _delivered(pair)
        crossed = monotonic()
        found = _read(pair)
        done = monotonic()
        if found != digest:
            raise CellError("what was read is not what was handed in")
        ours, theirs = (side.told(1) for side in sides)
    return Large(
        size=size,
        taken=taken - began,
        crossed=crossed - taken,
        read=done - crossed,
        laboratory=ours,
        hospital=theirs,
    )


def letter(sender: str, to: str, size: int) -> Iterator[bytes]:
    """Yield a message with an attachment of about so many octets, never whole in memory."""
    yield (
        f"From: {sender}\r\nTo: {to}\r\nSubject: IRM\r\nMessage-ID: <irm@labo.example>\r\n"
        "Date: Mon, 02 Mar 2026 09:30:00 +0100\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nVoici.\r\n"
        "--b\r\nContent-Type: application/dicom; name=irm.dcm\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    ).encode()
    noise = os.urandom(_LINE // 2 * 1000).hex().encode()
    block = b"".join(noise[at : at + _LINE] + b"\r\n" for at in range(0, len(noise), _LINE))
    for number in range(max(1, size // len(block))):
        mark = b"%0*d" % (_LINE, number)  # no two blocks are alike
        yield mark + block[_LINE:]
    yield b"\r\n--b--\r\n"


def _handed_in(pair: Pair, size: int) -> str:
    """Hand it in as software does; return the hash of what went."""
    token = pair.labo.sceau("token", "add", pair.robot.address, "--scope", "submit")["token"]
    context = ssl.create_default_context(cafile=str(pair.federation.anchors))
    context.check_hostname = False
    hashed = hashlib.sha256()

    def blocks() -> Iterator[bytes]:
        for block in letter(pair.robot.address, pair.doctor.address, size):
            hashed.update(block)
            yield block

    answer = httpx.post(
        f"https://127.0.0.1:{pair.labo.ports['web']}/v1/messages",
        content=blocks(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "message/rfc822"},
        verify=context,
        timeout=_PATIENCE,
    )
    if not answer.is_success:
        raise CellError(f"it was not taken: {answer.text}")
    return hashed.hexdigest()


def _delivered(pair: Pair) -> None:
    """Wait until its sender's gateway was told that it arrived."""
    patience = monotonic() + _PATIENCE
    while True:
        states = {row["state"] for row in pair.labo.sceau("spool", "list", "--all")}
        if "delivered" in states:
            return
        if monotonic() > patience or states & {"failed", "expired"}:
            raise CellError(f"it is {states} at the laboratory's")
        select.select([], [], [], 0.5)


def _read(pair: Pair) -> str:
    """Read it as a mail client does; return the hash of what was sent, below what was put on top."""
    trust = ssl.create_default_context(cafile=str(pair.federation.anchors))
    trust.check_hostname = False
    hashed, above = hashlib.sha256(), -1
    with imaplib.IMAP4_SSL("127.0.0.1", pair.hopital.ports["imap"], ssl_context=trust) as box:
        box.login(pair.doctor.address, pair.doctor.password)
        box.select("INBOX", readonly=True)
        at = 0
        while True:
            _, found = box.fetch("1", f"(BODY.PEEK[]<{at}.{_STEP}>)")
            block = found[0][1] if isinstance(found[0], tuple) else b""
            if above < 0:
                above = block.index(b"From: ")
                hashed.update(block[above:])
            else:
                hashed.update(block)
            at += len(block)
            if len(block) < _STEP:
                return hashed.hexdigest()
