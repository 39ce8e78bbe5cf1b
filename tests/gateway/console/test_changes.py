"""A change of the list is read by cause, the gravest first, in French and in English."""

from typing import Any

import pytest

from gateway.console import changes
from gateway.console.changes import amount, chapters, lines, seats, tally, whys
from trust.change import Cause, Change, Policy, Row


def row(cause: str, domains: int = 1, messages: int = 0, **more: Any) -> dict[str, Any]:
    """Return a row as ``trust.diff`` answers it."""
    return {
        "cause": cause,
        "sentence": "",
        "before": ["SISRA"],
        "after": ["SARA"],
        "count": domains,
        "domains": [f"d{n}.example" for n in range(domains)],
        "messages": messages,
        "waiting": 0,
        **more,
    }


def test_every_cause_has_its_words() -> None:
    """In both languages, with what follows from it."""
    assert set(Cause) == set(changes._SORTS)
    for sort in changes._SORTS.values():
        assert all(sort)


def test_the_gravest_comes_first() -> None:
    """Who leaves before who moves, who moves before who comes; among equals the most mail."""
    given = [row("added", messages=9), row("moved"), row("moved", messages=5), row("removed")]
    found = lines(given, "fr")
    assert [(3, "ill"), (2, "warn"), (1, "warn"), (0, "well")] == [
        (line.number, line.tone) for line in found
    ]


def test_a_thousand_domains_are_one_line() -> None:
    """Named as far as a page has room; whole where that line alone is asked for."""
    given = [row("moved", 1027, messages=40), row("added", messages=1)]
    line, other = lines(given, "fr")
    assert "Changement d'opérateur pour 1\u202f027\xa0domaines" == line.title
    assert (("SISRA",), ("SARA",), 60, 967) == (
        line.gone,
        line.come,
        len(line.domains),
        line.more,
    )
    assert (100, 2) == (line.share, other.share)
    (whole, _) = lines(given, "en", whole=0)
    assert (1027, 0, "Another operator for 1,027 domains") == (
        len(whole.domains),
        whole.more,
        whole.title,
    )


@pytest.mark.parametrize(
    ("before", "after", "title"),
    [
        (["A"], ["A"], "Other certificates for 1 domain"),
        ([], ["A"], "One more operator for 1 domain"),
        (["A"], [], "One operator fewer for 1 domain"),
        (["A"], ["B"], "Another operator for 1 domain"),
    ],
)
def test_each_way_of_moving_is_told(before: list[str], after: list[str], title: str) -> None:
    """More operators, fewer, others, or the same with other certificates."""
    (line,) = lines([row("moved", before=before, after=after)], "en")
    assert title == line.title


def test_who_stays_is_not_shown_as_leaving() -> None:
    """A suspension names its operators once."""
    (line,) = lines([row("suspended", before=["A"], after=["A"])], "fr")
    assert ((), ("A",), "Suspension de 1\xa0domaine", 0) == (
        line.gone,
        line.come,
        line.title,
        line.share,
    )


def test_a_cause_that_is_not_known_is_still_shown() -> None:
    """A gateway of another version may have one."""
    (line,) = lines([row("weather")], "en")
    assert ("Change: 1 domain", "warn") == (line.title, line.tone)


def test_the_head_says_how_much() -> None:
    """Domains, and our mail with them."""
    assert (3, 7, 1) == tally([row("added", 2, 7), row("moved", 1, waiting=1)])
    assert (0, 0, 0) == tally([])
    assert () == lines([], "fr")


def test_empty_seats_are_seen() -> None:
    """Who agreed, and for how many it waits."""
    assert ["agnes", ""] == [seat.who for seat in seats(["agnes"], 2)]
    assert ["a", "b"] == [seat.who for seat in seats(["a", "b"], 1)]


def domains(prefix: str, number: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{n}.example" for n in range(number))


def test_why_it_waits_has_its_french() -> None:
    """Every objection that a policy may raise; none is left in English."""
    rows = (
        Row(Cause.SIGNERS, ("a",), ("b",), ()),
        Row(Cause.ANCHORS, ("1",), ("2",), ()),
        Row(Cause.REINSTATED, (), (), domains("r", 1)),
        Row(Cause.LESSER, (), (), domains("l", 2)),
        Row(Cause.REMOVED, (), (), domains("x", 1027)),
    )
    why = Policy().judge(Change(rows, 5000, 90_000, 40_000)).why
    assert (
        "la liste est signée par une autre clé",
        "elle apporte d'autres autorités racines",
        "elle rétablit 1\xa0domaine, révoqués auparavant",
        "une source de moindre rang parlerait pour 2\xa0domaines",
        "1\u202f030\xa0domaines changeraient, sur 5\u202f000 aujourd'hui",
        "1\u202f027\xa0domaines seraient retirés, sur 5\u202f000 aujourd'hui",
        "40\u202f000 adresses sur 90\u202f000 disparaîtraient",
    ) == whys(why, "fr")
    assert why == "; ".join(whys(why, "en"))


def test_a_reason_without_french_stays_as_it_is() -> None:
    """An operator's own words, say; and nothing is nothing."""
    assert ("on s'est téléphoné",) == whys("on s'est téléphoné", "fr")
    assert () == whys("", "fr")


def test_numbers_are_written_as_the_language_writes_them() -> None:
    """Thousands apart."""
    assert ("1\u202f234", "1,234") == (amount(1234, "fr"), amount(1234, "en"))


def entry(version: str, step: str, why: str = "", by: str = "") -> dict[str, Any]:
    return {
        "at": "2026-11-22T12:00:00.000Z",
        "source": "list",
        "version": f"version {version}",
        "digest": version * 12,
        "step": step,
        "why": why or None,
        "by": by or None,
    }


def test_the_history_is_told_by_versions() -> None:
    """The newest first, each with all that happened to it; who signed, who agreed, why it waited."""
    told = [
        entry("1", "verified", "signed by 54ab; 3 domains of SARA added"),
        entry("1", "in-force"),
        entry("2", "verified", "signed by 54ab; it may say anything"),
        entry("2", "waiting", "41 domains would change, of 41 now"),
        entry("2", "rejected", "un doute", "operator:anne"),
    ]
    second, first = chapters(told, "fr")
    assert ("version 2", "ill", "2" * 12) == (second.version, second.tone, second.digest)
    assert [
        ("verified", "", ("signée par 54ab",)),
        ("waiting", "", ("41\xa0domaines changeraient, sur 41 aujourd'hui",)),
        ("rejected", "operator:anne", ("un doute",)),
    ] == [(one.step, one.by, one.whys) for one in second.steps]
    assert ("version 1", "well") == (first.version, first.tone)
    assert ("signed by 54ab",) == chapters(told, "en")[1].steps[0].whys
    assert "mute" == chapters(told[:1], "fr")[0].tone
