"""A CRL, read once and kept small: a country's names tens of thousands, and is asked about each peer.

Reading one of ten megabytes makes millions of objects, so another process does it, verifies it for
the certificate in question, and hands back the serial numbers it names, eight octets each in
order. From then on a look-up is a bisection. What it finds may be another number with the same
end: then the whole list is read again, so chance costs time and never a wrong answer.
R-A5, RFC 5280 §5.
"""

import asyncio
import hashlib
from bisect import bisect_left
from datetime import datetime
from typing import Final

import msgspec
from cryptography import x509

from trust import judge
from trust.apart import apart
from trust.book import Buffer
from trust.chain import Chain, Link, rebuilt
from trust.errors import ApartError
from trust.judge import AnswerError
from trust.revocation import Standing

SMALL: Final = 64 << 10  # octets: what a thread reads in a few milliseconds
_WITHIN = 120.0  # seconds
_WIDE = 8  # octets of a serial number that are kept


class Roll(msgspec.Struct, frozen=True):
    """What is kept of a list that was verified."""

    begins: datetime
    until: datetime
    digest: bytes  # SHA-256 of the whole
    octets: int  # of the whole
    serials: bytes = b""  # the last octets of each number that it names, in order

    def __repr__(self) -> str:
        return f"<Roll of {len(self.serials) // _WIDE}, {self.octets} octets>"

    def may_name(self, serial: int) -> bool:
        """Return whether it may name a number; ``False`` is certain."""
        number, serials = _end(serial), self.serials
        count = len(serials) // _WIDE
        at = bisect_left(range(count), number, key=lambda n: serials[n * _WIDE : (n + 1) * _WIDE])
        return serials[at * _WIDE : (at + 1) * _WIDE] == number


class Reading(msgspec.Struct, frozen=True):
    """A list that was read for one certificate."""

    roll: Roll
    standing: Standing


class _Question(msgspec.Struct, frozen=True):
    path: tuple[bytes, ...]  # DER, from the anchor to the leaf
    at: int  # which of its links is asked about
    now: datetime
    held: datetime | None


class _Answer(msgspec.Struct, frozen=True):
    reading: Reading | None = None
    why: str = ""


def read(chain: Chain, link: Link, der: bytes, now: datetime, held: datetime | None) -> Reading:
    """Verify a list for a certificate, and return what to keep of it; else ``AnswerError``."""
    standing = judge.by_crl(chain, link, der, now, held)
    crl = x509.load_der_x509_crl(der)
    assert crl.next_update_utc is not None  # or it was judged to be without an end
    try:
        serials = b"".join(sorted(_end(entry.serial_number) for entry in crl))
    except ValueError:  # signed, and yet an entry cannot be read
        raise AnswerError("not-a-crl") from None
    roll = Roll(crl.last_update_utc, crl.next_update_utc, digest(der), len(der), serials)
    return Reading(roll, standing)


def digest(der: bytes) -> bytes:
    """Return what tells one list from another."""
    return hashlib.sha256(der).digest()


async def reading(
    chain: Chain, link: Link, der: bytes, now: datetime, held: datetime | None = None
) -> Reading:
    """Do the same beside the loop: in a thread if it is small, else in another process."""
    if len(der) <= SMALL:
        return await asyncio.to_thread(read, chain, link, der, now, held)
    question = msgspec.msgpack.encode(_Question(chain.ders, chain.links.index(link), now, held))
    try:
        octets = await apart(read_apart, question, der, within=_WITHIN)
    except ApartError:
        raise AnswerError("too-much-to-read") from None
    answer = msgspec.msgpack.decode(octets, type=_Answer)
    if answer.reading is None:
        raise AnswerError(answer.why)
    return answer.reading


def read_apart(question: Buffer, der: Buffer) -> bytes:
    """Read a list as another process does: the question, then the list."""
    asked = msgspec.msgpack.decode(question, type=_Question)
    chain = rebuilt(asked.path)
    try:
        found = read(chain, chain.links[asked.at], bytes(der[:]), asked.now, asked.held)
        answer = _Answer(found)
    except AnswerError as error:
        answer = _Answer(why=str(error))
    return msgspec.msgpack.encode(answer)


def _end(serial: int) -> bytes:
    return (serial % (1 << 8 * _WIDE)).to_bytes(_WIDE, "big")
