"""Makes a directory of its entries: one buffer, with what it takes to find them by their words.

A million entries take half a minute of one processor: for ``trust.apart``, not for the loop.
"""

import struct
from array import array
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from itertools import accumulate

from smtp.address import local_of
from trust import book
from trust.book import Book
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
    )
    report.check()
    if len(professions) > record.PROFESSIONS:
        raise ListError("a directory names more professions than there are")
    shared = (strings.pack(structures), strings.pack(professions))
    sections = (filed, *shared, *_index(Book(filed), structures), reporting.write(report))
    return b"".join((HEAD.pack(MAGIC, *map(len, sections)), *sections))


def _index(filed: Book, structures: Iterable[str]) -> tuple[bytes, bytes, bytes, bytes]:
    """Return the words, where each one's entries end, those entries, and people's by number.

    What may not be shown is in none of them: it cannot be found by mistake.
    """
    found: defaultdict[str, array[int]] = defaultdict(partial(array, "I"))
    people: list[tuple[str, int]] = []
    shared = [_structure_words(structure) for structure in structures]
    services = _Services()
    for place, (address, octets) in filed.placed():
        if record.hidden(octets):
            continue
        structure, name, service = record.texts(octets)
        own = words(f"{local_of(address)} {name}")
        for word in {*own, *shared[structure], *services[service]}:
            found[word].append(place)
        if person := record.person(octets):
            people.append((person, place))
    people.sort()
    ordered = sorted(found)  # as code points, which is also the order of their UTF-8
    ends = array("I", accumulate(len(found[word]) for word in ordered))
    return (
        strings.pack(ordered),
        ends.tobytes(),
        b"".join(found[word] for word in ordered),
        array("I", (place for _, place in people)).tobytes(),
    )


class _Services(dict[str, list[str]]):
    """The words of services, which many share."""

    def __missing__(self, service: str) -> list[str]:
        self[service] = found = words(service)
        return found


def _structure_words(structure: str) -> list[str]:
    """Return the words of a structure, and its number: by it, all that it holds is found."""
    organisation, _, name = structure.partition(" ")
    return [*words(name), organisation] if organisation else words(name)
