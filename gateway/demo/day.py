"""What happens on an ordinary day between a laboratory, a hospital and the world: a plan, hour by hour.

The same plan each time, in the order of its minutes; nothing of it is done here. Nobody in it exists.
``gateway.demo.past`` lives it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

STEP = 5  # minutes between two moments of the plan
# How busy each hour is: laboratories send from six to ten, doctors answer until the evening.
_RESULTS = (
    2,
    1,
    1,
    1,
    2,
    8,
    40,
    90,
    150,
    170,
    140,
    110,
    60,
    70,
    90,
    100,
    90,
    70,
    40,
    20,
    10,
    6,
    4,
    3,
)
_LETTERS = (1, 0, 0, 0, 0, 1, 4, 12, 34, 48, 46, 36, 18, 26, 40, 44, 38, 28, 14, 8, 5, 4, 3, 2)
_HOURS = 24

WARDS = ("dr.durand", "dr.lefevre", "dr.petit", "dr.moreau", "dr.garcia", "sf.roy")
OFFICES = ("accueil", "urgences", "cardiologie", "pharmacie")
BENCH = ("dr.martin", "dr.bernard")
HOSPITAL = tuple((name, "PER") for name in WARDS) + tuple((name, "ORG") for name in OFFICES)
LABORATORY = (("resultats", "APP"), *((name, "PER") for name in BENCH))


class Deed(StrEnum):
    """What somebody does."""

    RESULT = "result"  # the laboratory's software sends one
    ANSWER = "answer"  # a doctor writes to the laboratory
    INSIDE = "inside"  # a doctor writes to a ward
    OUTSIDE = "outside"  # a doctor writes to somebody on no list
    SLIP = "slip"  # ... or to an address that is not there
    SILENT = "silent"  # ... or to a member that is not reached
    STRANGER = "stranger"  # somebody on no list knocks
    SUSPENDED = "suspended"  # a suspended member writes
    RISKY = "risky"  # a partner sends what should be looked at
    GUESS = "guess"  # somebody guesses a password
    READ = "read"  # somebody opens their mail
    DECIDE = "decide"  # an operator decides two cases
    DENY = "deny"  # an operator denies a domain ...
    ALLOW = "allow"  # ... and lifts that again


# Hour and slot: an operator hears of a stolen key by telephone, and later that it was found.
_TRUST = {(10, 2): Deed.DENY, (10, 9): Deed.ALLOW}


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happens, so many minutes after the day began; ``number`` makes it differ."""

    minute: int
    deed: Deed
    number: int
    who: str = ""
    whom: str = ""


def plan() -> Iterator[Moment]:
    """Yield the day's moments, in order."""
    for minute in range(0, _HOURS * 60, STEP):
        hour, slot = divmod(minute, 60)
        yield from _usual(minute, hour, slot // STEP)
        yield from _unusual(minute, hour, slot // STEP)


def _usual(minute: int, hour: int, slot: int) -> Iterator[Moment]:
    for n in _share(_RESULTS[hour], slot):
        number = minute * 100 + n
        yield Moment(minute, Deed.RESULT, number, "resultats", _of(WARDS + OFFICES, number))
    for n in _share(_LETTERS[hour], slot):
        number = minute * 100 + n
        deed, there = (Deed.ANSWER, BENCH) if _odd(number) else (Deed.INSIDE, OFFICES)
        yield Moment(minute, deed, number, _of(WARDS, number), _of(there, number + 1))
    if slot == 6 and _LETTERS[hour]:
        yield from (Moment(minute, Deed.READ, n, name) for n, name in enumerate(WARDS))


def _unusual(minute: int, hour: int, slot: int) -> Iterator[Moment]:
    """Yield what an operator's day is made of."""
    by_day = 7 <= hour < 20
    number = minute * 100
    doctor = _of(WARDS, number)
    if by_day and slot % 4 == 1:
        yield Moment(minute, Deed.OUTSIDE, number, doctor)
    if by_day and slot % 6 == 2:
        yield Moment(minute, Deed.SLIP, number, doctor)
    if hour in {8, 9, 10, 14, 15} and slot % 5 == 3:
        yield Moment(minute, Deed.SILENT, number, doctor)
    if slot in {4, 9} and hour % 2:
        yield Moment(minute, Deed.STRANGER, number)
    if hour in {9, 11, 13, 16} and slot == 7:
        yield Moment(minute, Deed.SUSPENDED, number, "dr.roux", _of(OFFICES, number))
    if hour in {8, 9, 10, 11, 14, 15, 16, 17} and slot == 5:
        yield Moment(minute, Deed.RISKY, hour, "documents", _of(OFFICES, number))
    if hour in {2, 3, 4} and slot % 3 == 0:
        yield from (Moment(minute, Deed.GUESS, number + n, doctor) for n in range(4))
    if by_day and slot == 8:
        yield Moment(minute, Deed.GUESS, number, doctor)  # a telephone with last year's password
    if hour in {12, 18} and slot == 0:
        yield Moment(minute, Deed.DECIDE, hour)
    if (hour, slot) in _TRUST:
        yield Moment(minute, _TRUST[hour, slot], hour)


def _share(hourly: int, slot: int) -> range:
    """Return a slot's part of an hour's number: what is left over goes to the first ones."""
    slots = 60 // STEP
    return range(hourly // slots + (slot < hourly % slots))


def _of(names: tuple[str, ...], number: int) -> str:
    return names[_drawn(number) % len(names)]


def _odd(number: int) -> bool:
    return bool(_drawn(number, "odd") & 1)


def _drawn(number: int, why: str = "") -> int:
    """Return a number that looks drawn and is the same each time."""
    return int.from_bytes(hashlib.sha256(f"{why}{number}".encode()).digest()[:4], "big")
