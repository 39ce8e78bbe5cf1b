"""How a directory's entry lies in its book: what many share by number, the rest as it is."""

import struct
from dataclasses import dataclass

from smtp.address import Address
from trust.addresses import Kind
from trust.directory.entry import Entry
from trust.directory.strings import Strings
from trust.identifiers import Scheme

# Kind, liste rouge and scheme of the person; structure; profession; octets of the person's number,
# of the name. Then these two, and the service.
_HEAD = struct.Struct("=BIHBH")
_KINDS = tuple(Kind)
_HIDDEN = 0x80
_KIND = 0x0F
_SCHEME = 4  # bits below the scheme's
_SCHEMES = ("", Scheme.RPPS.value, Scheme.ADELI.value)
PROFESSIONS = 1 << 16  # as many as a record can tell apart: the nomenclature has 200


@dataclass(frozen=True, slots=True)
class Shared:
    """The texts that many entries share."""

    structures: Strings  # "finess:540002698 CHRU NANCY"
    professions: Strings


def structure(entry: Entry) -> str:
    """Return a structure as one text, by which those of one organisation lie together."""
    return f"{entry.organisation} {entry.structure}"


def write(entry: Entry, structure_number: int, profession_number: int) -> bytes:
    """Return an entry's record."""
    scheme, _, number = entry.person.partition(":")
    person, name = number.encode("ascii"), entry.name.encode()
    first = _KINDS.index(entry.kind) | (_SCHEMES.index(scheme) << _SCHEME)
    if entry.hidden:
        first |= _HIDDEN
    head = _HEAD.pack(first, structure_number, profession_number, len(person), len(name))
    return head + person + name + entry.service.encode()


def hidden(record: bytes) -> bool:
    """Whether an entry may not be shown."""
    return record[0] >= _HIDDEN


def texts(record: bytes) -> tuple[int, str, str]:
    """Return the number of the structure, the name and the service."""
    _, structure_number, _, length, named = _HEAD.unpack_from(record)
    middle = _HEAD.size + length
    name, service = record[middle : middle + named], record[middle + named :]
    return structure_number, name.decode(), service.decode()


def person(record: bytes) -> str:
    """Return whose the entry is, if it is a person's: ``rpps:10003456786``."""
    first, _, _, length, _ = _HEAD.unpack_from(record)
    number = record[_HEAD.size : _HEAD.size + length].decode("ascii")
    return f"{_SCHEMES[(first & ~_HIDDEN) >> _SCHEME]}:{number}" if number else ""


def read(address: Address, record: bytes, shared: Shared) -> Entry:
    """Return the entry that a record describes."""
    first, structure_number, profession_number, length, named = _HEAD.unpack_from(record)
    middle = _HEAD.size + length
    organisation, _, name = shared.structures.text(structure_number).partition(" ")
    return Entry(
        address=address,
        kind=_KINDS[first & _KIND],
        person=person(record),
        organisation=organisation,
        name=record[middle : middle + named].decode(),
        profession=shared.professions.text(profession_number),
        structure=name,
        service=record[middle + named :].decode(),
        hidden=first >= _HIDDEN,
    )
