"""A directory as a value: one buffer, asked by address, by holder, by words. R-D1 to R-D6."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from smtp.address import Address, key
from trust.addresses import Listed
from trust.book import Book, Buffer
from trust.directory import record
from trust.directory import report as reporting
from trust.directory.entry import Entry
from trust.directory.filing import HEAD, MAGIC, pack
from trust.directory.lists import Lists
from trust.directory.record import Shared
from trust.directory.report import Report
from trust.directory.strings import Strings
from trust.errors import ListError
from trust.identifiers import Identifier

_MOST = 100_000  # entries of one word looked at: "hospital" finds nothing, quickly


class Directory:
    """An immutable directory; hidden addresses are found by the address alone."""

    __slots__ = (
        "_book",
        "_entries",
        "_having",
        "_packed",
        "_people",
        "_shared",
        "_under",
        "_words",
        "report",
    )

    def __init__(self, packed: Buffer) -> None:
        """Open what ``filing.pack`` made; raise ``ListError`` if this is not one."""
        self._packed = packed
        if len(packed) < HEAD.size or (head := HEAD.unpack_from(packed))[0] != MAGIC:
            raise ListError("these octets are no directory")
        sections, at = list[memoryview](), HEAD.size
        for length in head[1:]:
            sections.append(memoryview(packed)[at : at + length])
            at += length
        if at != len(packed):
            raise ListError("a directory was cut off")
        filed, *shared, words, entries, having, under, people, report = sections
        self._book = Book(filed)
        self._shared = Shared(*map(Strings, shared))
        self._words = Strings(words)
        self._entries, self._having, self._under = Lists(entries), Lists(having), Lists(under)
        self._people = people.cast("I")
        self.report = reporting.read(report)

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "Directory":
        """Make one of these; of one address the first counts."""
        return cls(pack(entries, Report(len(entries))))

    @property
    def packed(self) -> Buffer:
        """The octets of which the same directory can be made again."""
        return self._packed

    @property
    def domains(self) -> frozenset[str]:
        """The domains that have addresses in it."""
        return self._book.domains

    def __repr__(self) -> str:
        return f"<Directory: {len(self)} addresses in {len(self.domains)} domains>"

    def __len__(self) -> int:
        return len(self._book)

    def __iter__(self) -> Iterator[Entry]:
        """Yield all entries, hidden ones too: for comparisons, not for people."""
        return (record.read(*entry, self._shared) for entry in self._book)

    def within(self, domain: str) -> Iterator[Entry]:
        """Yield the entries of one domain, hidden ones too."""
        return (record.read(*entry, self._shared) for entry in self._book.within(domain))

    def entry(self, address: Address) -> Entry | None:
        """Return what is said of an address; a hidden one says that it is."""
        found = self._book.find(key(address))
        return None if found is None else record.read(*found, self._shared)

    def find(self, address: Address) -> Listed | None:
        """Return the same as the trust list would say it; it grants nothing."""
        found = self.entry(address)
        return None if found is None else found.listed

    def held(self, holder: Identifier) -> Iterator[Entry]:
        """Yield the addresses of one person, or of one organisation, that may be shown."""
        text = str(holder)
        places = self._of_person(text) if holder.scheme.person else self._of_word(text).places
        return map(self._at, places)

    def search(self, words: Sequence[str], limit: int) -> list[Entry]:
        """Return entries that may be shown and have each of these words, or one beginning so.

        The words are as ``entry.words`` makes them. Whole words come before mere beginnings. It
        may take 20 ms: ask it in a thread.
        """
        if not words:
            return []
        whole, begun = self._all(words, whole=True), self._all(words, whole=False)
        places = dict.fromkeys(chain(sorted(whole), sorted(begun)))
        return list(map(self._at, islice(places, limit)))

    def _all(self, words: Sequence[str], *, whole: bool) -> set[int]:
        """Return the places of the entries that have all these words."""
        found_by = sorted((self._of_word(word, whole=whole) for word in words), key=len)
        found = set(islice(found_by[0].places, _MOST))
        for other in found_by[1:]:
            found.intersection_update(other.places)
        return found

    def _of_word(self, word: str, *, whole: bool = True) -> "_Places":
        """Return the places of a word's entries; those of a beginning are those of many words."""
        if whole:
            number = self._words.number(word)
            numbers = range(0) if number is None else range(number, number + 1)
        else:
            numbers = self._words.beginning(word)
        groups = set(self._having.of(numbers))
        under = [self._under.of(range(each, each + 1)) for each in sorted(groups)]
        return _Places([self._entries.of(numbers), *under])

    def _of_person(self, text: str) -> memoryview:
        people, asked = self._people, record.asked(text)
        start = bisect_left(people, asked, key=self._whose)
        end = start
        while end < len(people) and self._whose(people[end]) == asked:
            end += 1
        return people[start:end]

    def _whose(self, place: int) -> bytes:
        return record.whose(self._book.read(place)[1])

    def _at(self, place: int) -> Entry:
        return record.read(*self._book.read(place), self._shared)


class _Places:
    """Where the entries of a word lie: its own, and those of the groups that have it."""

    def __init__(self, parts: Sequence[memoryview]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    @property
    def places(self) -> Iterator[int]:
        """Return all of them; some may come twice."""
        return chain.from_iterable(self._parts)
