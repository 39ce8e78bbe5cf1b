"""Makes a directory of its entries: one buffer, with what it takes to find them by their words.

A million entries take half a minute of one processor: for ``trust.apart``, not for the loop.
"""

import struct
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from itertools import accumulate

from smtp.address import Address, local_of
from trust import book
from trust.directory import record, strings
from trust.directory import report as reporting
from trust.directory.entry import Entry, words
from trust.directory.report import Fault, Report
from trust.errors import ListError

MAGIC = 0x31_72_69_64_63_65_63_73  # "scecdir1"
# The book, structures, professions, words, where each word's entries end, those, people, the report.
SECTIONS = 8
HEAD = struct.Struct(f"={SECTIONS + 1}Q")


class Numbers(dict[str, int]):
    """Numbers texts in the order in which they come."""

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        return self[text]


def pack(entries: Iterable[Entry], report: Report) -> bytes:
    """Return the directory of these; of one address the first counts.

    The entries count themselves while they come; ``ListError`` if the report is too bad.
    """
    structures, professions = Numbers(), Numbers()
    index = _Index(structures)
    filed = book.pack(
        (
            (
                entry.address,
                record.write(
                    entry, structures[record.structure(entry)], professions[entry.profession]
                ),
            )
            for entry in entries
        ),
        repeated=partial(report.leave_out, Fault.REPEATED),
        placed=index.add,
    )
    report.check()
    if len(professions) > record.PROFESSIONS:
        raise ListError("a directory names more professions than there are")
    shared = (strings.pack(structures), strings.pack(professions))
    sections = (filed, *shared, *index.packed(), reporting.write(report))
    return b"".join((HEAD.pack(MAGIC, *map(len, sections)), *sections))


class _Index:
    """The words of the entries and their people, taken down while the entries are placed.

    What may not be shown is in none of it: it cannot be found by mistake.
    """

    def __init__(self, structures: Iterable[str]) -> None:
        self._structures = structures  # complete once the first entry is placed
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        self._shared: list[tuple[Callable[[int], None], ...]] = []
        self._words = _Words()
        self._people: list[str] = []
        self._theirs: list[int] = []

    def add(self, place: int, address: Address, octets: bytes) -> None:
        """Take down an entry; they come in the order of their places."""
        if record.hidden(octets):
            return
        if not self._shared:
            self._shared.extend(map(self._adding, self._structures))
        structure, name, service = record.texts(octets)
        for add in self._shared[structure]:
            add(place)
        own = words(local_of(address))
        for text in (*name.split(" "), service):
            own += self._words[text]
        for word in own:
            places = self._places[word]
            if not places or places[-1] != place:
                places.append(place)
        if person := record.person(octets):
            self._people.append(person)
            self._theirs.append(place)

    def _adding(self, structure: str) -> tuple[Callable[[int], None], ...]:
        """Return what files a place under each word of a structure: many entries share it."""
        return tuple(self._places[word].append for word in set(_structure_words(structure)))

    def packed(self) -> tuple[bytes, bytes, bytes, bytes]:
        """Return the words, where each one's entries end, those entries, and people's by number."""
        found = {word: places for word, places in self._places.items() if places}
        ordered = sorted(found)  # as code points, which is also the order of their UTF-8
        people = sorted(range(len(self._people)), key=self._people.__getitem__)
        return (
            strings.pack(ordered),
            array("I", accumulate(len(found[word]) for word in ordered)).tobytes(),
            b"".join(array("I", found[word]) for word in ordered),
            array("I", [self._theirs[at] for at in people]).tobytes(),
        )


class _Words(dict[str, list[str]]):
    """The words of texts that many share: services, parts of names."""

    def __missing__(self, text: str) -> list[str]:
        self[text] = found = words(text)
        return found


def _structure_words(structure: str) -> list[str]:
    """Return the words of a structure, and its number: by it, all that it holds is found."""
    organisation, _, name = structure.partition(" ")
    return [*words(name), organisation] if organisation else words(name)
