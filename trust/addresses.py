"""The addresses that a list names, each with what it says of it, as one compact value.

A list may name a million. ``Addresses`` takes some fifty octets for each; a ``Listed`` is made when
one is asked for. R-D1, R-D3.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from smtp.address import Address, AddressError, key, parse
from trust.book import Book, Buffer, pack
from trust.errors import ListError
from trust.identity import pin

_HOLDER = re.compile(r"[!-~]{0,64}")


class Kind(StrEnum):
    """What sort of mailbox an address is (R-D1)."""

    PER = "PER"  # a person's
    ORG = "ORG"  # an organisation's, read by several
    APP = "APP"  # software's
    CAB = "CAB"  # a practice's


@dataclass(frozen=True, slots=True)
class Listed:
    """An address that the list names."""

    address: Address
    kind: Kind
    holder: str = ""  # who it belongs to: a national identifier, opaque to us
    pins: frozenset[str] = frozenset()  # SHA-256 of the public keys it may come with
    hidden: bool = False  # *liste rouge*: exists, receives, is never shown

    def __post_init__(self) -> None:
        _check_address(self.address)
        if not _HOLDER.fullmatch(self.holder):
            raise ListError("a holder is at most 64 visible ASCII characters")
        if len(self.pins) > _PINS:
            raise ListError(f"an address has at most {_PINS} pins")
        for text in self.pins:
            pin(text)


def _check_address(text: str) -> None:
    try:
        sound = parse(text) == text
    except AddressError as error:
        raise ListError(f"a listed address is none: {error}") from None
    if not sound:
        raise ListError("a listed address must have its domain in lower case and be composed (NFC)")


class Addresses:
    """An immutable set of listed addresses, asked by address, whichever way it is spelt."""

    __slots__ = ("_book",)

    def __init__(self, packed: Buffer) -> None:
        """Open what ``packed`` gave; raise ``ListError`` if this is no book of addresses."""
        self._book = Book(packed)

    @classmethod
    def of(cls, listed: Iterable[Listed]) -> "Addresses":
        """Make one of these; raise ``ListError`` if an address comes twice."""
        return cls(pack((each.address, _record(each)) for each in listed))

    @property
    def packed(self) -> Buffer:
        """The octets of which the same ``Addresses`` can be made, here or by another process."""
        return self._book.packed

    @property
    def domains(self) -> frozenset[str]:
        """The domains that have listed addresses."""
        return self._book.domains

    def __repr__(self) -> str:
        return f"<Addresses: {len(self)} in {len(self.domains)} domains>"

    def __len__(self) -> int:
        return len(self._book)

    def __iter__(self) -> Iterator[Listed]:
        """Yield all of them: the domains in their order, in each the addresses in theirs."""
        return (_listed(*entry) for entry in self._book)

    def __contains__(self, address: Address) -> bool:
        return self._book.find(key(address)) is not None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Addresses):
            return NotImplemented
        return self._book == other._book

    def __hash__(self) -> int:
        return hash(len(self))

    def find(self, address: Address) -> Listed | None:
        """Return what is said of an address."""
        found = self._book.find(key(address))
        return None if found is None else _listed(*found)

    def pins(self, address: Address) -> frozenset[str] | None:
        """Return the keys an address may come with, none meaning any; None: it is not listed.

        What each message asks, without making a ``Listed``.
        """
        book = self._book
        if (found := book.look(key(address))) is None:
            return None
        _, starts, ends = found
        if not book.packed[starts + 1]:
            return _NO_PINS
        record = bytes(book.packed[starts:ends])
        return _pins(record, 2 + record[1] * _PIN)

    def lacking(self, others: "Addresses") -> int:
        """Return how many of these are not among the others; one that is spelt anew is not."""
        return sum(len(self.spelt(domain) - others.spelt(domain)) for domain in self.domains)

    def spelt(self, domain: str) -> set[Address]:
        """Return those of one domain as they are written."""
        return {address for address, _ in self._book.within(domain)}

    def within(self, domain: str) -> Iterator[Listed]:
        """Yield those of one domain (lower-case A-labels)."""
        return (_listed(*entry) for entry in self._book.within(domain))


_KINDS = tuple(Kind)
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}
_HIDDEN = 0x80
_PIN, _PINS = 32, 255
_NO_PINS: frozenset[str] = frozenset()


def _record(listed: Listed) -> bytes:
    """Write kind and *liste rouge*, how many pins, the pins, the holder."""
    first = _NUMBERS[listed.kind] | (_HIDDEN if listed.hidden else 0)
    pins = b"".join(bytes.fromhex(each) for each in sorted(listed.pins))
    return bytes((first, len(listed.pins))) + pins + listed.holder.encode("ascii")


def _listed(address: Address, record: bytes) -> Listed:
    """Read it back: what was sound when it was packed is not judged once more."""
    first, count = record[0], record[1]
    end = 2 + count * _PIN
    made = object.__new__(Listed)
    put = object.__setattr__
    put(made, "address", address)
    put(made, "kind", _KINDS[first & ~_HIDDEN])
    put(made, "holder", record[end:].decode("ascii"))
    put(made, "pins", _pins(record, end) if count else _NO_PINS)
    put(made, "hidden", first >= _HIDDEN)
    return made


def _pins(record: bytes, end: int) -> frozenset[str]:
    return frozenset(record[at : at + _PIN].hex() for at in range(2, end, _PIN))


NONE = Addresses.of(())
