"""How a directory's entry lies in its book: what many share by number, the rest as it is."""

import struct
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from smtp.address import Address
from trust.addresses import Kind
from trust.directory.entry import Entry
from trust.directory.strings import Strings
from trust.errors import ListError
from trust.identifiers import Scheme

# Kind, liste rouge and scheme of the person; structure, title with first names, and profession in
# one number; service. Then the person's number, and the name's last word, or where the address has it.
_HEAD = struct.Struct("=BQI")
_read_head, _pack_head = _HEAD.unpack_from, _HEAD.pack
_KINDS = tuple(Kind)
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}
_HIDDEN = 0x80
_KIND = 0x0F
_SCHEME = 4  # bits below the scheme's
_SCHEMES = ("", Scheme.RPPS.value, Scheme.ADELI.value)
_RPPS, _WIDE, _DIGITS = 1, 5, 11  # of its eleven digits the number fits in five octets
_RPPS_BEGINS = f"{_SCHEMES[_RPPS]}:"
# Where a person's number ends, by its scheme: an ADELI number has letters, in Corsica.
_ENDS = (_HEAD.size, _HEAD.size + _WIDE, _HEAD.size + 9)
# Most addresses have the name's last word in them: then the record says from where on, in an octet with
# which no text begins (10xxxxxx), and how long it is.
_THERE, _FURTHEST = 0x80, 0x40
PROFESSIONS = 1 << 16  # as many as a record can tell apart: the nomenclature has 200
STRUCTURES = GIVEN = 1 << 24


_Key = TypeVar("_Key", bound=Hashable)


class Numbers(dict[_Key, int]):
    """Numbers what comes in its order."""

    def __missing__(self, key: _Key) -> int:
        self[key] = number = len(self)
        return number


Structure = tuple[str, str]  # whose it is, and its name


@dataclass(frozen=True, slots=True)
class Numbered:
    """The texts that many entries share, while the entries come."""

    structures: Numbers[Structure] = field(default_factory=Numbers)
    given: Numbers[str] = field(default_factory=Numbers)
    professions: Numbers[str] = field(default_factory=Numbers)
    services: Numbers[str] = field(default_factory=Numbers)

    @property
    def all(self) -> tuple[Iterable[str], ...]:
        """All of them, as ``Shared`` takes them: structures of one organisation lie together."""
        structures = [f"{organisation} {name}" for organisation, name in self.structures]
        return structures, self.given, self.professions, self.services

    def check(self) -> None:
        """Raise ``ListError`` if a record cannot tell them apart."""
        limits = (self.structures, STRUCTURES), (self.given, GIVEN), (self.professions, PROFESSIONS)
        if any(len(texts) > most for texts, most in limits):
            raise ListError("a directory names more professions or names than there are")


@dataclass(frozen=True, slots=True)
class Shared:
    """The texts that many entries share."""

    structures: Strings  # "finess:540002698 CHRU NANCY"
    given: Strings  # "DR JEANNE "
    professions: Strings
    services: Strings


# By what an entry that may be shown is found: numbers of structure, title with first names, service;
# the name's last word; whose it is, empty for nobody's. A bare tuple: a million are made.
Texts = tuple[int, int, int, str, bytes]


def write(entry: Entry, numbered: Numbered) -> bytes:
    """Return an entry's record."""
    address, kind, person, organisation, name, profession, structure, service, hidden = entry
    scheme, whose = _person(person)
    cut = name.rfind(" ") + 1
    first = _NUMBERS[kind] | (scheme << _SCHEME)
    if hidden:
        first |= _HIDDEN
    place, called = numbered.structures[organisation, structure], numbered.given[name[:cut]]
    shared = ((place << 24 | called) << 16) | numbered.professions[profession]
    # What no record can tell apart is refused once all have come.
    head = _pack_head(first, shared & _ALL, numbered.services[service])
    return head + whose + _last(name[cut:], address)


def _last(last: str, address: Address) -> bytes:
    if last.isascii() and last.isupper() and 0 <= (at := address.find(last.lower())) < _FURTHEST:
        return bytes((_THERE | at, len(last)))
    return last.encode()


def _read_last(octets: bytes, address: Address) -> str:
    if not octets or octets[0] & ~(_FURTHEST - 1) != _THERE:
        return octets.decode()
    at = octets[0] - _THERE
    return address[at : at + octets[1]].upper()


_ALL = (1 << 64) - 1


def _person(person: str) -> tuple[int, bytes]:
    if person.startswith(_RPPS_BEGINS):  # as nearly all
        return _RPPS, int(person[len(_RPPS_BEGINS) :]).to_bytes(_WIDE, "big")
    scheme, _, number = person.partition(":")
    return _SCHEMES.index(scheme), number.encode("ascii")


def asked(person: str) -> bytes:
    """Return what ``whose`` returns of this person's entries; in one order for all."""
    at, whose = _person(person)
    return bytes((at,)) + whose


def whose(record: bytes) -> bytes:
    """Return whose the entry is, of one that is a person's."""
    scheme = (record[0] & ~_HIDDEN) >> _SCHEME
    return bytes((scheme,)) + record[_HEAD.size : _ENDS[scheme]]


def texts(address: Address, record: bytes) -> Texts | None:
    """Return by what an entry is found; None if it may not be shown."""
    first, shared, service = _read_head(record)
    if first >= _HIDDEN:
        return None
    scheme = first >> _SCHEME
    end = _ENDS[scheme]
    person = bytes((scheme,)) + record[_HEAD.size : end] if scheme else b""
    last = _read_last(record[end:], address)
    return shared >> 40, shared >> 16 & 0xFFFFFF, service, last, person


def read(address: Address, record: bytes, shared: Shared) -> Entry:
    """Return the entry that a record describes."""
    first, numbers, service = _read_head(record)
    scheme = (first & ~_HIDDEN) >> _SCHEME
    end = _ENDS[scheme]
    organisation, _, name = shared.structures.text(numbers >> 40).partition(" ")
    given = shared.given.text(numbers >> 16 & 0xFFFFFF)
    return Entry(
        address=address,
        kind=_KINDS[first & _KIND],
        person=_said(scheme, record[_HEAD.size : end]),
        organisation=organisation,
        name=given + _read_last(record[end:], address),
        profession=shared.professions.text(numbers & 0xFFFF),
        structure=name,
        service=shared.services.text(service),
        hidden=first >= _HIDDEN,
    )


def _said(scheme: int, whose: bytes) -> str:
    if not scheme:
        return ""
    if scheme == _RPPS:
        return f"{_SCHEMES[scheme]}:{int.from_bytes(whose, 'big'):0{_DIGITS}d}"
    return f"{_SCHEMES[scheme]}:{whose.decode('ascii')}"
