import pytest

from quarantine.budget import Budget, Exhausted, Limits

LIMITS = Limits(largest=100, unpacked=300, entries=2, depth=1)


def test_octets() -> None:
    """All archives of a message together unpack to so much."""
    budget = Budget(LIMITS)
    budget.unpack(300)
    with pytest.raises(Exhausted, match="more than 300 octets") as caught:
        budget.unpack(1)
    assert "archive-bomb" == caught.value.reason


def test_files() -> None:
    """They hold so many files."""
    budget = Budget(LIMITS)
    budget.enter()
    budget.enter()
    with pytest.raises(Exhausted, match="more than 2 files"):
        budget.enter()


def test_depth() -> None:
    """They lie so deep in one another."""
    Budget(LIMITS).descend(1)
    with pytest.raises(Exhausted, match="deeper than 1"):
        Budget(LIMITS).descend(2)


def test_time() -> None:
    """The look takes so long: that is nobody's attack, and has a reason of its own."""
    with pytest.raises(Exhausted) as caught:
        Budget(LIMITS, lambda: True).go_on()
    assert "not-inspected" == caught.value.reason
    Budget(LIMITS).go_on()


def test_memory() -> None:
    """What files in files are held open leaves less room for the next."""
    budget = Budget(LIMITS)
    assert 100 == budget.room
    with budget.holding(bytes(100)), budget.holding(bytes(60)):
        assert 40 == budget.room
        with budget.holding(bytes(100)):
            assert 0 == budget.room
    assert 100 == budget.room
