"""A great many addresses in one buffer: each with a few octets about it, found at once.

A million Python objects would take gigabytes, and a second of every full garbage collection. Here
they are one ``bytes`` (or one mapped file): a sorted table of 32-bit hashes, where in it those begin
that have the same first bits, beside it where each entry begins, the names of the domains once each,
then the entries, domain by domain. A swap is the swap of one reference, and the buffer can be made
by another process. The hash only says where to look: what answers is the entry that has the whole
key that was asked for.
"""

import mmap
import struct
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from operator import itemgetter
from zlib import crc32

from smtp.address import Address, key
from trust.errors import ListError

Buffer = bytes | mmap.mmap | memoryview

_MAGIC = 0x33_6B_6F_6F_62_65_63_73  # "scebook3" where, as here, the low octet comes first
_HEAD = struct.Struct("=QQQQQ")  # magic, entries, bits, domains, octets of the domains' names
_ENTRY = struct.Struct("=IBH")  # domain, octets of the local part, octets of the record
_WORD = 4
_PIECE = 1 << 20  # octets compared at once
_CROWD = 1  # bits: some two hashes share their first bits
MOST = 2**32 - 1  # octets of all entries: what a place in 32 bits can reach
RECORD = 2**16 - 1  # octets of one record

Entry = tuple[Address, bytes]  # an address and its record


class Book:
    """An immutable table from ``address.key`` to an address and its record."""

    __slots__ = (
        "_buckets",
        "_hashes",
        "_names",
        "_octets",
        "_places",
        "_shift",
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
        buckets = _HEAD.size
        hashes = buckets + ((1 << bits) + 1) * _WORD
        places = hashes + count * _WORD
        starts = places + count * _WORD
        names = starts + (domains + 1) * _WORD
        self._start = names + octets
        if len(packed) < self._start:
            raise ListError("a book of addresses was cut off")
        self._starts = view[starts:names].cast("I")
        if self._start + self._starts[domains] != len(packed):
            raise ListError("a book of addresses was cut off")
        self._buckets = view[buckets:hashes].cast("I")
        self._shift = _WORD * 8 - bits
        self._hashes = view[hashes:places].cast("I")
        self._places = view[places:starts].cast("I")
        self._names = str(view[names : self._start], "ascii").split()
        self._octets = [b"@" + each.encode() for each in self._names]
        self.domains = frozenset(self._names)

    def __len__(self) -> int:
        return len(self._hashes)

    def __iter__(self) -> Iterator[Entry]:
        """Yield all entries: the domains in their order, in each the addresses in theirs."""
        return self._between(0, self._starts[-1])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Book):
            return NotImplemented
        one, two = self._view, other._view
        if len(one) != len(two):
            return False
        # In pieces: comparing all at once would hold everybody up.
        return all(
            one[at : at + _PIECE].tobytes() == two[at : at + _PIECE]
            for at in range(0, len(one), _PIECE)
        )

    __hash__ = None  # type: ignore[assignment]

    def find(self, asked: str) -> Entry | None:
        """Return the entry with this key (``address.key``), if there is one."""
        if (found := self.look(asked)) is None:
            return None
        place, record = found
        return self.read(place)[0], record

    def look(self, asked: str) -> tuple[int, bytes] | None:
        """Return the place and the record of the entry with this key: no address is made.

        In one stroke, without calls: every message asks twice.
        """
        packed, hashes, buckets = self.packed, self._hashes, self._buckets
        octets = asked.encode()
        # Not Python's own hash: another process, with another seed, may have made the book.
        wanted = crc32(octets)
        bucket = wanted >> self._shift
        end = buckets[bucket + 1]
        at = bisect_left(hashes, wanted, buckets[bucket], end)
        while at < end and hashes[at] == wanted:
            place = self._places[at]
            begins = self._start + place
            domain, local, record = _ENTRY.unpack_from(packed, begins)
            begins += _ENTRY.size
            ends = begins + local
            same = octets[:local] == packed[begins:ends] and octets[local:] == self._octets[domain]
            # Most are written as their own key.
            if same or key(self.read(place)[0]) == asked:
                return place, bytes(packed[ends : ends + record])
            at += 1
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
            _, local, record = _ENTRY.unpack_from(self._view, self._start + place)
            place += _ENTRY.size + local + record

    def read(self, place: int) -> Entry:
        """Return the entry that begins at this place."""
        view = self._view
        at = self._start + place
        domain, local, record = _ENTRY.unpack_from(view, at)
        middle = at + _ENTRY.size + local
        name = str(view[at + _ENTRY.size : middle], "utf-8")
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
        by_domain[address.rpartition("@")[2]].append((key(address), address, record))
    names = sorted(by_domain)
    hashes, places, starts, parts = array("I"), array("I"), array("I"), bytearray()
    for number, domain in enumerate(names):
        starts.append(len(parts))
        for asked, address, record in _once(by_domain.pop(domain), repeated):
            place = len(parts)
            if place > MOST:
                raise ListError("more addresses than a book can hold")
            if len(record) > RECORD:
                raise ListError("more is said of an address than a book can hold")
            local = address[: ~len(domain)].encode()
            hashes.append(crc32(asked.encode()))
            places.append(place)
            parts += _ENTRY.pack(number, len(local), len(record)) + local + record
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
    # Each with its place as one number, which sorts faster than one by the other.
    both = sorted([hashed << 32 | place for hashed, place in zip(hashes, places, strict=True)])
    bits = max(0, len(hashes).bit_length() - _CROWD)
    shift = _WORD * 8 - bits
    counts = [0] * ((1 << bits) + 1)
    for hashed in hashes:
        counts[(hashed >> shift) + 1] += 1
    domains = "\n".join(names).encode("ascii")
    return b"".join(
        (
            _HEAD.pack(_MAGIC, len(hashes), bits, len(names), len(domains)),
            array("I", accumulate(counts)),
            array("I", [each >> 32 for each in both]),
            array("I", [each & MOST for each in both]),
            starts,
            domains,
            parts,
        )
    )
