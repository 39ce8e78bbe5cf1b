"""The history of the lists: nobody rewrites it unseen, and all that counts is read from it."""

from collections.abc import Sequence
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trust.simulator import NOW
from trust.trail import FIRST, Entry, Kept, Past, Step, flaw, link, packed, unpacked
from trust.verification import Known


def entry(step: Step, version: int = 1, *, source: str = "list", actor: str = "") -> Entry:
    return Entry(NOW, source, step, f"{version:064x}", version, NOW, actor)


def kept(entries: Sequence[Entry]) -> list[Kept]:
    before, found = FIRST, []
    for number, each in enumerate(entries, 1):
        before = link(before, each)
        found.append(Kept(number, before, each))
    return found


_ENTRIES = st.builds(
    entry,
    st.sampled_from(Step),
    st.integers(1, 9),
    source=st.sampled_from(["list", "national"]),
    actor=st.text(max_size=9),
)
_HISTORIES = st.lists(_ENTRIES, min_size=1, max_size=8)


@given(_ENTRIES)
def test_an_entry_comes_back_as_it_was_kept(one: Entry) -> None:
    """What is hashed is what is read."""
    assert one == unpacked(packed(one))


@given(st.binary(max_size=64))
def test_any_bytes(data: bytes) -> None:
    """An entry, or ``ValueError``."""
    with suppress(ValueError):
        unpacked(data)


@given(_HISTORIES)
def test_a_history_that_nobody_touched_has_no_flaw(history: list[Entry]) -> None:
    """Each entry names all before it."""
    assert flaw(kept(history)) is None


@given(_HISTORIES, st.data())
def test_whatever_is_changed_shows(history: list[Entry], data: st.DataObject) -> None:
    """An entry altered, taken out, put in, or no longer legible: the first wrong one is named."""
    found = kept(history)
    at = data.draw(st.integers(0, len(found) - 1))
    match data.draw(st.sampled_from(["alter", "close", "cut", "double", "rehash"])):
        case "alter":
            other = msgspec.structs.replace(history[at], why="another reason")
            found[at] = Kept(at + 1, found[at].hash, other)
        case "close":
            found[at] = Kept(at + 1, found[at].hash, None)
        case "double":
            found.insert(at, found[at])
            at += 1
        case "rehash":
            found[at] = Kept(at + 1, bytes(32), history[at])
        case _:
            del found[at]
            if at == len(found):  # the end alone cannot show what came after it
                assert flaw(found) is None
                return
    assert at + 1 == flaw(found)


def test_an_empty_history() -> None:
    """Nothing was ever verified, and nothing is wrong with that."""
    assert flaw(()) is None
    assert Past() == Past.of((), "list")


V1, V2, V3 = (Known(n, f"{n:064x}", NOW) for n in (1, 2, 3))


@pytest.mark.parametrize(
    ("steps", "known", "in_force", "waiting", "approvals", "rejected"),
    [
        ([(Step.VERIFIED, 1), (Step.IN_FORCE, 1)], V1, 1, None, (), set()),
        (
            [(Step.VERIFIED, 1), (Step.IN_FORCE, 1), (Step.VERIFIED, 2), (Step.WAITING, 2)],
            V2,
            1,
            2,
            (),
            set(),
        ),
        ([(Step.WAITING, 2), (Step.APPROVED, 2)], None, None, 2, ("anne",), set()),
        ([(Step.WAITING, 2), (Step.APPROVED, 2), (Step.WAITING, 3)], None, None, 3, (), set()),
        (
            [(Step.WAITING, 2), (Step.APPROVED, 2), (Step.IN_FORCE, 2)],
            None,
            2,
            None,
            (),
            set(),
        ),
        (
            [(Step.IN_FORCE, 1), (Step.WAITING, 2), (Step.APPROVED, 2), (Step.REJECTED, 2)],
            None,
            1,
            None,
            (),
            {f"{2:064x}"},
        ),
        (
            [(Step.VERIFIED, 3), (Step.WAITING, 3), (Step.REJECTED, 3)],
            V3,
            None,
            None,
            (),
            {V3.digest},
        ),
    ],
)
def test_what_counts_after_a_restart(
    steps: list[tuple[Step, int]],
    known: Known | None,
    in_force: int | None,
    waiting: int | None,
    approvals: tuple[str, ...],
    rejected: set[str],
) -> None:
    """Which version is in force, which waits and who agreed, what was rejected, what is too old."""
    others = [entry(Step.IN_FORCE, 9, source="national")]
    entries = [entry(step, version, actor="anne") for step, version in steps]
    past = Past.of([*others, *entries], "list")
    assert (known, approvals, rejected) == (past.known, past.approvals, past.rejected)
    assert (in_force, waiting) == (
        past.in_force and past.in_force.version,
        past.waiting and past.waiting.version,
    )
    assert {each.digest for each in entries if each.step is Step.VERIFIED} == set(past.arrived)
