"""A book of addresses answers for the address that was asked for, and for no other."""

from operator import itemgetter
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp.address import Address, AddressError, domain_of, key, parse
from trust import book
from trust.book import Book, pack
from trust.errors import ListError


def _addresses(local: str, domain: str) -> list[Address]:
    try:
        return [parse(f"{local}@{domain}.example")]
    except AddressError:
        return []


local_parts = st.text(min_size=1, max_size=12)
domains = st.sampled_from(["chu", "labo", "a.chu", "zz", "patient"])
addresses = st.builds(_addresses, local_parts, domains).filter(bool).map(itemgetter(0))
books = st.lists(
    st.tuples(addresses, st.binary(max_size=20)), unique_by=lambda entry: key(entry[0])
)


@given(books)
def test_what_goes_in_comes_out(entries: list[book.Entry]) -> None:
    """Every address is found by any spelling, with its record, and the others stay apart."""
    made = Book(pack(entries))

    assert len(entries) == len(made)
    assert sorted(entries) == sorted(made)
    assert {domain_of(address) for address, _ in entries} == made.domains
    for address, record in entries:
        assert (address, record) == made.find(key(address))
    for domain in made.domains:
        inside = [entry for entry in entries if domain_of(entry[0]) == domain]
        assert sorted(inside, key=lambda e: key(e[0])) == list(made.within(domain))


@given(books)
def test_one_content_has_one_form(entries: list[book.Entry]) -> None:
    """In whichever order the entries come, the octets are the same, and equal books are equal."""
    one, other = pack(entries), pack(sorted(entries, key=itemgetter(1)))

    assert one == other
    assert Book(one) == Book(other)
    assert Book(pack([*entries, (Address("x@more.example"), b"")])) != Book(one)
    assert Book(one) != one


@given(st.binary(max_size=200) | books.map(pack).map(lambda packed: packed[:-1]))
def test_what_is_no_book(octets: bytes) -> None:
    """What was cut off, or never was one, is our error and not a wrong answer."""
    with pytest.raises(ListError):
        Book(octets)


def test_parts_without_end() -> None:
    """A head that promises more than there are octets is not believed."""
    octets = bytearray(pack([(Address("dr@chu.example"), b"")]))
    octets[16] = 60
    with pytest.raises(ListError, match="more parts"):
        Book(bytes(octets))


def test_twice() -> None:
    """Two spellings of one mailbox are one address."""
    with pytest.raises(ListError, match="twice"):
        pack([(Address("dr@chu.example"), b""), (Address("DR@chu.example"), b"")])


def test_nobody() -> None:
    """What is not in the book is not found, nor is a domain."""
    made = Book(pack([(Address("dr@chu.example"), b"x")]))

    assert Book(pack([])).find("dr@chu.example") is None
    assert made.find("dr@labo.example") is None
    assert [] == list(made.within("aaa.example"))
    assert [] == list(made.within("zzz.example"))


def test_a_collision_answers_for_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash only says where to look: the whole key decides."""
    monkeypatch.setattr(book, "crc32", lambda _: 7)
    entries = [(Address(f"dr{n}@chu.example"), b"%d" % n) for n in range(5)]
    made = Book(pack(entries))

    assert entries == [made.find(key(address)) for address, _ in entries]
    assert made.find("dr9@chu.example") is None


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than the form can hold is refused, never cut."""
    dr = Address("dr@chu.example")
    with pytest.raises(ListError, match="more is said"):
        pack([(dr, bytes(book.RECORD + 1))])
    assert (dr, bytes(book.RECORD)) == Book(pack([(dr, bytes(book.RECORD))])).find(dr)
    monkeypatch.setattr(book, "MOST", 8)
    with pytest.raises(ListError, match="more addresses"):
        pack([(dr, b"")])


def alike(count: int) -> list[Address]:
    """Return addresses of one CRC-32: it is linear, so changes that undo each other are solved for."""
    plain = b"a" * 48 + b"@chu.example"
    basis: dict[int, tuple[int, int]] = {}
    undone: list[int] = []
    for at in range(48):
        changed = plain[:at] + b"c" + plain[at + 1 :]
        left, places = crc32(changed) ^ crc32(plain), 1 << at
        while left and (known := basis.get(left.bit_length())):
            left, places = left ^ known[0], places ^ known[1]
        if left:
            basis[left.bit_length()] = left, places
        else:
            undone.append(places)
    found = []
    for number in range(count):
        changes = 0
        for bit, each in enumerate(undone):
            changes ^= each if number >> bit & 1 else 0
        local = "".join("c" if changes >> at & 1 else "a" for at in range(48))
        found.append(Address(f"{local}@chu.example"))
    return found


def neighbours(count: int) -> list[Address]:
    """Return addresses that each begin at a slot of their own, all side by side."""
    shift, found = 32 - (count.bit_length() + 1), dict[int, Address]()
    for number in range(100_000):
        asked = Address(f"u{number}@chu.example")
        found.setdefault(crc32(asked.encode()) >> shift, asked)
    return [found[slot] for slot in range(count)]


@pytest.mark.parametrize("chosen", [alike(book.RUN + 2), neighbours(book.RUN)])
def test_addresses_chosen_to_be_slow_make_no_book(chosen: list[Address]) -> None:
    """Else each look-up of one, at every message to it, would hold the loop up for all of them."""
    assert len(chosen) == len(set(chosen))
    with pytest.raises(ListError, match="slow to find"):
        pack((one, b"") for one in chosen)
    few = pack((one, b"") for one in chosen[:500])
    assert 500 == len(Book(few))
