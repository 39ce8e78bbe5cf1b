"""How the gateway stands, in one line a thing."""

from dataclasses import replace

import pytest

from gateway.console.checks import DAY, Check, State, Thresholds, checks
from gateway.console.today import WORDS
from gateway.console.words import speaking
from gateway.observe.metrics import Standing

BOUNDS = Thresholds(DAY, 600, 7200, 1 << 28, broker=True)
GOOD = Standing(
    list_version={"list": 7},
    list_stale_in={"list": 20 * DAY},
    certificate_expires_in=90 * DAY,
    disk_free=80 << 30,
)


def _one(standing: Standing, key: str, bounds: Thresholds = BOUNDS) -> Check:
    (found,) = [each for each in checks(standing, bounds) if each.key == key]
    return found


def test_all_is_well() -> None:
    """Then every line is green."""
    assert {State.WELL} == {each.state for each in checks(GOOD, BOUNDS)}


@pytest.mark.parametrize(
    ("change", "key", "state", "said"),
    [
        ({"list_stale_in": {}}, "list", State.ILL, "list-missing"),
        ({"list_stale_in": {"list": -5.0}}, "list", State.ILL, "list-stale"),
        ({"list_stale_in": {"list": 3600.0}}, "list", State.WAIT, "list-good"),
        ({"list_waiting": {"list": 40}}, "list", State.WAIT, "list-waits"),
        ({"certificate_expires_in": -1.0}, "certificate", State.ILL, "certificate-over"),
        ({"certificate_expires_in": 6 * DAY}, "certificate", State.ILL, "certificate-good"),
        ({"certificate_expires_in": 20 * DAY}, "certificate", State.WAIT, "certificate-good"),
        ({"deliveries": {"queued": 3}}, "mail", State.WELL, "mail-waits"),
        (
            {"deliveries": {"queued": 3}, "oldest_delivery": 9000.0},
            "mail",
            State.WAIT,
            "mail-waits",
        ),
        ({"outbox": 5}, "broker", State.WELL, "broker-waits"),
        ({"outbox": 5, "oldest_receipt": 900.0}, "broker", State.ILL, "broker-waits"),
        ({"scanner_silent": 1}, "scanner", State.ILL, "scanner-silent"),
        ({"disk_free": 1 << 27}, "disk", State.ILL, "disk-free"),
        ({"disk_free": 1 << 29}, "disk", State.WAIT, "disk-free"),
        ({"journal_head_age": 3 * 3600.0}, "journal", State.WAIT, "journal-signed"),
    ],
)
def test_what_is_to_be_seen_to(
    change: dict[str, object], key: str, state: State, said: str
) -> None:
    """Each at its own threshold; and there are words for it."""
    found = _one(replace(GOOD, **change), key)  # type: ignore[arg-type]
    assert (state, said) == (found.state, found.said)
    for language in ("fr", "en"):
        assert speaking(WORDS)(language, said, span="2 h", free="1 Gio", **found.values)


def test_a_broker_that_is_not_set_is_not_missed() -> None:
    """A house without receipts has nothing to see to."""
    bounds = replace(BOUNDS, broker=False)
    assert State.MUTE is _one(replace(GOOD, outbox=5), "broker", bounds).state


def test_a_version_that_was_turned_away_is_said() -> None:
    """With the source, and why."""
    found = [each for each in checks(GOOD, BOUNDS, {"national": "rolled-back"}) if each.name]
    assert ("national", State.ILL) == (found[-1].name, found[-1].state)
    assert "rolled-back" in speaking(WORDS)("en", found[-1].said, **found[-1].values)
