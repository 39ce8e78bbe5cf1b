"""One source as it stands, and when operators are told that nothing newer comes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.trust.simulator import LIFE, NOW, ListAuthority, member
from trust.change import Change, Judgement
from trust.verification import Outcome
from trust.watch import Arrival, Pending, Watch

CHU = member("chu.example")


def watch() -> Watch:
    authority = ListAuthority().add(CHU)
    return Watch(authority.source, authority.edition())


def test_a_source_without_a_list_does_not_age() -> None:
    """It never had one: that is told otherwise."""
    without = Watch(ListAuthority().source)
    assert without.ageing(NOW + LIFE) is None
    assert without.standing(NOW).stale


def test_ageing_is_told_once_and_staleness_once() -> None:
    """Before it hurts, and when it does; a newer list ends it."""
    one = watch()
    moments = [LIFE / 2, LIFE * 2 / 3 + timedelta(seconds=1), LIFE * 0.9, LIFE, 2 * LIFE]
    told = [one.ageing(NOW + after) for after in moments]
    assert [None, Outcome.AGEING, None, Outcome.STALE, None] == [
        each and each.outcome for each in told
    ]
    assert [
        "version 1 will be stale from 2026-11-29 12:00:00 UTC on",
        "version 1 is stale from 2026-11-29 12:00:00 UTC on",
    ] == [each.sentence for each in told if each]
    assert Outcome.STALE is one.standing(NOW + LIFE).age
    one.edition = ListAuthority(now=NOW + LIFE).add(CHU).edition()
    assert one.ageing(NOW + LIFE) is None
    assert one.age is None


def test_why_nothing_newer_came_is_said_with_it() -> None:
    """An operator who reads that a list ages wants to know what to repair."""
    one = watch()
    one.last = Arrival(NOW, "list", Outcome.UNREACHABLE, "nobody listens at list.example")
    told = one.ageing(NOW + LIFE)
    assert told is not None
    assert told.sentence.endswith("on: nobody listens at list.example")


def test_what_is_known_of_a_version_already() -> None:
    """In force, waiting, rejected: none of them is offered to operators again."""
    one = watch()
    other = ListAuthority().add(CHU, member("labo.example")).edition()
    assert one.edition is not None
    one.pending = Pending("list", other, Change(), Judgement(1, "large"), NOW)
    one.rejected = {"ff" * 32}
    assert [
        (Outcome.UNCHANGED, "already in force"),
        (Outcome.WAITING, "version 1 waits for operators: large"),
        (Outcome.REJECTED, "an operator has rejected this very list"),
        None,
        None,
    ] == [
        one.known_as(digest)
        for digest in (one.edition.digest, other.digest, "ff" * 32, "00" * 32, None)
    ]


@pytest.mark.parametrize(("agreed", "missing"), [((), 2), (("a",), 1), (("a", "b", "c"), 0)])
def test_how_many_must_still_agree(agreed: tuple[str, ...], missing: int) -> None:
    """No more than were asked for."""
    edition = watch().edition
    assert edition is not None
    pending = Pending("list", edition, Change(), Judgement(2), NOW, agreed)
    assert (missing, edition.digest) == (pending.missing, pending.digest)


def test_the_same_story_once_more() -> None:
    """The time alone is no news."""
    one = Arrival(NOW, "list", Outcome.NOT_FOUND, "there is no list")
    assert one.repeats(replace(one, at=NOW + LIFE))
    assert not one.repeats(replace(one, sentence="another"))
    assert not one.repeats(None)
    assert (False, False) == (one.good, one.passing)
