"""What is known of lists and certificates, told by how long it will do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.doctor import beliefs
from gateway.doctor.finding import Level
from gateway.operations.error import OperationError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SOURCE = {
    "source": "national",
    "state": "good",
    "version": "7",
    "issued": (NOW - timedelta(days=1)).isoformat(),
    "stale_after": (NOW + timedelta(days=6)).isoformat(),
    "pending": None,
    "last": None,
}


@pytest.mark.parametrize(
    ("change", "levels"),
    [
        ({}, {"list national": Level.OK}),
        ({"version": None, "last": "nobody answers"}, {"list national": Level.FAIL}),
        ({"stale_after": NOW.isoformat(), "state": "stale"}, {"list national": Level.FAIL}),
        ({"stale_after": (NOW + timedelta(hours=3)).isoformat()}, {"list national": Level.WARN}),
        (
            {"issued": (NOW + timedelta(hours=1)).isoformat()},
            {"clock": Level.FAIL, "list national": Level.OK},
        ),
        ({"pending": "abc"}, {"list national": Level.WARN}),
        ({"state": "timeout", "last": "not here within 5 s"}, {"list national": Level.WARN}),
    ],
)
def test_lists(change: dict[str, Any], levels: dict[str, Level]) -> None:
    """None, stale, soon stale, from the future, waiting, not renewed: each by its own words."""

    def ask(verb: str, **more: object) -> object:
        return {"sources": [SOURCE | change]}

    assert levels == {each.what: each.level for each in beliefs.lists(ask, NOW)}


@pytest.mark.parametrize(
    ("state", "level"), [("good", Level.OK), ("unknown", Level.WARN), ("revoked", Level.FAIL)]
)
def test_our_certificate(state: str, level: Level) -> None:
    """Others' certificates are their own affair."""

    def ask(verb: str, **more: object) -> object:
        others = {"kind": "peer", "state": "revoked", "why": ""}
        return [others, {"kind": "ours", "state": state, "why": ""}]

    assert [level] == [each.level for each in beliefs.revocation(ask)]


def test_a_journal_that_was_cut() -> None:
    """What verify finds is told as it found it."""

    def ask(verb: str, **more: object) -> object:
        raise OperationError("row 7 is missing", "compare with a backup")

    assert [(Level.FAIL, "row 7 is missing")] == [
        (each.level, each.sentence) for each in beliefs.journal(ask)
    ]
