"""A great many addresses in one buffer: each with a few octets about it, found at once.

A million Python objects would take gigabytes, and a second of every full garbage collection. Here
they are one ``bytes`` (or one mapped file): a table of slots, in each where an entry is, the
names of the domains once each, then the entries, domain by domain. A swap is the swap of one
reference, and the buffer can be made by another process. The hash only says at which slot to begin:
what answers is the entry that has the whole key that was asked for, and an empty slot says there is
none (open addressing; at least half of the slots are empty). Who writes a list can choose addresses
that all begin at one slot: a book in which a look-up would be long is not made.
"""

import mmap
import struct
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from zlib import crc32

from smtp.address import Address, key
from trust.errors import ListError
from trust.pace import unhurried

Buffer = bytes | mmap.mmap | memoryview

_MAGIC = 0x34_6B_6F_6F_62_65_63_73  # "scebook4" where, as here, the low octet comes first
_HEAD = struct.Struct("=QQQQQ")  # magic, entries, bits, domains, octets of the domains' names
_ENTRY = struct.Struct("=IBH")  # domain, octets of the local part (and a mark), of the record
_LOCAL, _SPELT = 0x7F, 0x80  # the mark: it is not written as its own key
_entry_at, _AFTER = _ENTRY.unpack_from, _ENTRY.size
_WORD = 4
_PIECE = 64 << 10  # octets compared at once: a mebibyte never read before took milliseconds
MOST = 2**32 - 1 - _AFTER  # octets of all entries: what a slot can reach
RECORD = 2**16 - 1  # octets of one record
RUN = 1024  # slots side by side, none empty; a million addresses that nobody chose have some thirty

Entry = tuple[Address, bytes]  # an address and its record


class Book:
    """An immutable table from ``address.key`` to an address and its record."""

    __slots__ = (
        "_count",
        "_names",
        "_octets",
        "_shift",
        "_slots",
        "_start",
        "_starts",
        "_view",
        "domains",
        "packed",
    )

    def __init__(self, packed: Buffer) -> None:
        """Open what ``pack`` made; raise ``ListError`` if this is not one."""
        self.packed = packed
        self._view = view = memoryview(packed)
        if len(packed) < _HEAD.size or (head := _HEAD.unpack_from(packed))[0] != _MAGIC:
            raise ListError("these octets are no book of addresses")
        _, count, bits, domains, octets = head
        if bits > _WORD * 8 or (1 << bits) > len(packed):
            raise ListError("a book of addresses has more parts than octets")
        if count >= 1 << bits and count:
            raise ListError("a book of addresses has no empty slot")
        starts = _HEAD.size + (1 << bits) * _WORD
        names = starts + (domains + 1) * _WORD
        self._start = names + octets
        if len(packed) < self._start:
            raise ListError("a book of addresses was cut off")
        self._starts = view[starts:names].cast("I")
        if self._start + self._starts[domains] != len(packed):
            raise ListError("a book of addresses was cut off")
        self._count: int = count
        self._slots = view[_HEAD.size : starts].cast("I")
        self._shift = _WORD * 8 - bits
        self._names = str(view[names : self._start], "ascii").split()
        self._octets = [b"@" + each.encode() for each in self._names]
        self.domains = frozenset(self._names)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Entry]:
        """Yield all entries: the domains in their order, in each the addresses in theirs."""
        return self._between(0, self._starts[-1])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Book):
            return NotImplemented
        one, two = self._view, other._view
        if len(one) != len(two):
            return False
        # In pieces: comparing all at once would hold everybody up. A view is compared octet by octet.
        return all(
            one[at : at + _PIECE].tobytes() == two[at : at + _PIECE].tobytes()
            for at in unhurried(range(0, len(one), _PIECE))
        )

    __hash__ = None  # type: ignore[assignment]

    def find(self, asked: str) -> Entry | None:
        """Return the entry with this key (``address.key``), if there is one."""
        if (found := self.look(asked)) is None:
            return None
        place, starts, ends = found
        return self.read(place)[0], bytes(self.packed[starts:ends])

    def look(self, asked: str) -> tuple[int, int, int] | None:
        """Return the place of the entry with this key; where in ``packed`` its record is, from and to.

        In one stroke, without calls, and nothing is made: every message asks twice.
        """
        packed, slots = self.packed, self._slots
        octets = asked.encode()
        # Not Python's own hash: another process, with another seed, may have made the book.
        at = crc32(octets) >> self._shift
        while place := slots[at]:
            begins = self._start + place
            domain, size, record = _entry_at(packed, begins - _AFTER)
            ends = begins + (size & _LOCAL)
            if size > _LOCAL:
                same = key(self.read(place - _AFTER)[0]) == asked
            else:
                same = octets == b"".join((packed[begins:ends], self._octets[domain]))
            if same:
                return place - _AFTER, ends, ends + record
            at = (at + 1) % len(slots)
        return None

    def within(self, domain: str) -> Iterator[Entry]:
        """Yield the entries of one domain."""
        at = bisect_left(self._names, domain)
        if at == len(self._names) or self._names[at] != domain:
            return iter(())
        return self._between(self._starts[at], self._starts[at + 1])

    def _between(self, place: int, end: int) -> Iterator[Entry]:
        while place < end:
            yield self.read(place)
            _, local, record = _entry_at(self._view, self._start + place)
            place += _AFTER + (local & _LOCAL) + record

    def read(self, place: int) -> Entry:
        """Return the entry that begins at this place."""
        view = self._view
        at = self._start + place
        domain, local, record = _entry_at(view, at)
        middle = at + _AFTER + (local & _LOCAL)
        name = str(view[at + _AFTER : middle], "utf-8")
        return Address(f"{name}@{self._names[domain]}"), bytes(view[middle : middle + record])


Placed = Callable[[int, Address, bytes], None]  # where an entry lies, and the entry


def pack(
    entries: Iterable[Entry],
    repeated: Callable[[], None] | None = None,
    placed: Placed | None = None,
) -> bytes:
    """Return the book of these.

    Where an address comes again, ``repeated`` is called and the first counts; without it that
    raises ``ListError``. ``placed`` is called with each entry that is taken, in their order.
    """
    by_domain: defaultdict[str, list[_Keyed]] = defaultdict(list)
    for address, record in entries:
        if (asked := key(address)) == address:
            asked = address  # one object, and not two that are equal: there are a million
        by_domain[address.rpartition("@")[2]].append((asked, address, record))
    names = sorted(by_domain)
    hashes, places, starts, parts = array("I"), array("I"), array("I"), bytearray()
    entry = _ENTRY.pack
    for number, domain in enumerate(names):
        starts.append(len(parts))
        without = ~len(domain)
        for asked, address, record in _once(by_domain.pop(domain), repeated):
            place = len(parts)
            if place > MOST:
                raise ListError("more addresses than a book can hold")
            if len(record) > RECORD:
                raise ListError("more is said of an address than a book can hold")
            octets = asked.encode()
            hashes.append(crc32(octets))
            places.append(place)
            if asked == address:
                local, spelt = octets[:without], 0
            else:
                local, spelt = address[:without].encode(), _SPELT
            parts += entry(number, len(local) | spelt, len(record)) + local + record
            if placed is not None:
                placed(place, address, record)
    if len(parts) > MOST:
        raise ListError("more addresses than a book can hold")
    starts.append(len(parts))
    return _bound(names, hashes, places, starts, parts)


_Keyed = tuple[str, Address, bytes]
_key_of = itemgetter(0)


def _once(keyed: list[_Keyed], repeated: Callable[[], None] | None) -> Iterator[_Keyed]:
    """Yield a domain's entries in their order, of those with one key the first that came."""
    keyed.sort(key=_key_of)
    before = ""
    for entry in keyed:
        if entry[0] != before:
            before = entry[0]
            yield entry
        elif repeated is None:
            raise ListError("an address is listed twice")
        else:
            repeated()


def _bound(
    names: list[str],
    hashes: "array[int]",
    places: "array[int]",
    starts: "array[int]",
    parts: bytearray,
) -> bytes:
    bits = len(hashes).bit_length() + 1 if hashes else 0
    shift, last = _WORD * 8 - bits, (1 << bits) - 1
    slots = array("I", bytes(_WORD << bits))
    for hashed, place in zip(hashes, places, strict=True):
        first = at = hashed >> shift
        while slots[at]:
            at = (at + 1) & last
        if (at - first) & last >= RUN:
            raise ListError("a list's addresses are chosen to be slow to find")
        slots[at] = place + _AFTER
    full = bytes(map(bool, slots))
    if bytes([1]) * RUN in full + full[:RUN]:  # the last slot's neighbour is the first
        raise ListError("a list's addresses are chosen to be slow to find")
    domains = "\n".join(names).encode("ascii")
    return b"".join(
        (
            _HEAD.pack(_MAGIC, len(hashes), bits, len(names), len(domains)),
            slots,
            starts,
            domains,
            parts,
        )
    )
