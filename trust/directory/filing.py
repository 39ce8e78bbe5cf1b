"""Makes a directory of its entries: one buffer, with what it takes to find them by their words.

A million entries take half a minute of one processor: for ``trust.apart``, not for the loop.
"""

import struct
from array import array
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from itertools import chain, starmap

from smtp.address import Address, local_of
from trust import book
from trust.directory import lists, record, strings
from trust.directory import report as reporting
from trust.directory.entry import Entry, words
from trust.directory.report import Fault, Report

MAGIC = 0x34_72_69_64_63_65_63_73  # "scecdir4"
# The book; structures, names but for their last word, professions, services; words, the entries of
# each word, the groups of each word, the entries of each group, people, the report. A group is a
# structure, or a title with first names: those come after all structures.
SECTIONS = 11
HEAD = struct.Struct(f"={SECTIONS + 1}Q")


def pack(entries: Iterable[Entry], report: Report) -> bytes:
    """Return the directory of these; of one address the first counts.

    The entries count themselves while they come; ``ListError`` if the report is too bad.
    """
    numbered = record.Numbered()
    index = _Index(numbered)
    filed = book.pack(
        ((entry.address, record.write(entry, numbered)) for entry in entries),
        repeated=partial(report.leave_out, Fault.REPEATED),
        placed=index.add,
    )
    report.check()
    numbered.check()
    shared = map(strings.pack, numbered.all)
    sections = (filed, *shared, *index.packed(), reporting.write(report))
    return b"".join((HEAD.pack(MAGIC, *map(len, sections)), *sections))


class _Index:
    """The words of the entries and their people, taken down while the entries are placed.

    The words of a structure, or of a title with first names, are kept once for all its entries. What
    may not be shown is in none of it: it cannot be found by mistake.
    """

    def __init__(self, numbered: record.Numbered) -> None:
        self._numbered = numbered  # complete once the first entry is placed
        self._places = defaultdict[str, "array[int]"](lists.numbers)
        self._groups: list[array[int]] = []
        self._given: list[list[str]] = []
        self._services: list[list[str]] = []
        self._words = _Words()
        self._people: list[bytes] = []
        self._theirs: list[int] = []

    def add(self, place: int, address: Address, octets: bytes) -> None:
        """Take down an entry; they come in the order of their places."""
        if (found := record.texts(address, octets)) is None:
            return
        structures = self._numbered.structures
        if not self._groups:
            self._groups = [lists.numbers() for _ in (*structures, *self._numbered.given)]
            self._given = [words(each) for each in self._numbered.given]
            self._services = [words(each) for each in self._numbered.services]
        structure, given, service, last, whose = found
        self._groups[structure].append(place)
        own = {*words(local_of(address)), *self._words[last], *self._services[service]}
        if called := self._given[given]:
            self._groups[len(structures) + given].append(place)
            own.difference_update(called)
        for word in own:
            self._places[word].append(place)
        if whose:
            self._people.append(whose)
            self._theirs.append(place)

    def packed(self) -> tuple[bytes, ...]:
        """Return the words, their entries, their groups, those one's entries, and people's."""
        having = defaultdict[str, "array[int]"](lists.numbers)
        found = chain(starmap(_structure_words, self._numbered.structures), self._given)
        shown = zip(found, self._groups, strict=False)  # none, if none is shown
        for number, (those, places) in enumerate(shown):
            if places:
                for word in dict.fromkeys(those):
                    having[word].append(number)
        ordered = sorted({*self._places, *having})  # as code points: also the order of their UTF-8
        people = sorted(range(len(self._people)), key=self._people.__getitem__)
        none = lists.numbers()
        return (
            strings.pack(ordered),
            lists.pack(self._places.get(word, none) for word in ordered),
            lists.pack(having.get(word, none) for word in ordered),
            lists.pack(self._groups),
            array("I", [self._theirs[at] for at in people]).tobytes(),
        )


class _Words(dict[str, list[str]]):
    """The words of texts that many share: the last words of names."""

    def __missing__(self, text: str) -> list[str]:
        self[text] = found = words(text)
        return found


def _structure_words(organisation: str, name: str) -> list[str]:
    """Return the words of a structure, and its number: by it, all that it holds is found."""
    return [*words(name), organisation] if organisation else words(name)
