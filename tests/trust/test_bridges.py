"""A bridge carries one expired certificate over its date, and nothing else over anything else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.demo.pki import Authority
from trust.bridges import LONGEST, Bridge, BridgeError, Bridges
from trust.identity import Certificate

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AUTHORITY = Authority.make(NOW - timedelta(days=400))
EXPIRED = Certificate.parse(AUTHORITY.issue("labo", days=399).der)
VALID = Certificate.parse(AUTHORITY.issue("labo", days=500).der)


def bridge(over: Certificate = EXPIRED, lasts: timedelta = LONGEST) -> Bridge:
    return Bridge("labo.example", over.spki_sha256, over.subject, NOW, NOW + lasts, "ana", "bob")


def test_a_bridge_carries_the_expired_certificate_while_it_stands() -> None:
    """From its confirmation to its end, to the second."""
    standing = Bridges.of([bridge()])

    assert bridge() == standing.over(EXPIRED, NOW)
    assert standing.over(EXPIRED, NOW + LONGEST - timedelta(seconds=1)) is not None
    assert standing.over(EXPIRED, NOW + LONGEST) is None
    assert standing.over(EXPIRED, NOW - timedelta(seconds=1)) is None


def test_a_bridge_carries_no_other_certificate() -> None:
    """The same key and the same name, both: a new key under the old name is somebody else's."""
    other_key = Certificate.parse(AUTHORITY.issue("labo", days=399).der)
    other_name = replace(EXPIRED, subject=Certificate.parse(AUTHORITY.issue("x").der).subject)

    assert Bridges.of([bridge()]).over(other_key, NOW) is None
    assert Bridges.of([bridge()]).over(other_name, NOW) is None


def test_a_bridge_is_over_an_expiry_only() -> None:
    """A certificate in its dates needs none, and one still to come is a mistake or worse."""
    to_come = replace(
        EXPIRED, not_before=NOW + timedelta(days=1), not_after=NOW + timedelta(days=9)
    )

    assert Bridges.of([bridge(VALID)]).over(VALID, NOW) is None
    assert Bridges.of([bridge()]).over(to_come, NOW) is None


def test_one_operator_builds_no_bridge() -> None:
    """Whoever asks is not the one who confirms."""
    with pytest.raises(BridgeError, match="two operators"):
        replace(bridge(), confirmed_by="ana")


@pytest.mark.parametrize("lasts", [timedelta(), timedelta(-1), LONGEST + timedelta(seconds=1)])
def test_a_bridge_is_short(lasts: timedelta) -> None:
    """Three days at most: long enough for a Monday, too short to become a habit."""
    with pytest.raises(BridgeError, match="three days"):
        bridge(lasts=lasts)


def test_without_a_bridge_nothing_passes() -> None:
    """There is none by default."""
    assert Bridges().over(EXPIRED, NOW) is None
