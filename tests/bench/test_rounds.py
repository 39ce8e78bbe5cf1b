"""The figures: order of play, ratios, percentiles."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.rounds import Measure, Ratio, order, percentile, ratio, typical


def _measure(rate: float) -> Measure:
    return Measure(
        system="ours",
        size=5,
        messages=10,
        rate=rate,
        accepted=rate,
        cpu=0.1,
        p99=0.2,
        harness=0.3,
    )


def test_each_goes_first_every_other_round() -> None:
    """A fixed order misleads: what ran before disturbs what runs now."""
    assert [["a", "b"], ["b", "a"], ["a", "b"]] == [order(["a", "b"], n) for n in range(3)]


def test_the_figure_is_the_median_of_the_ratios_of_the_rounds() -> None:
    """Only figures of one round are compared; the ratio of two medians would mix rounds."""
    assert Ratio(median=2.0, lowest=1.0, highest=3.0) == ratio([1, 2, 9], [1, 1, 3])


def test_a_missing_round_is_no_comparison() -> None:
    """A series that lost a round is an error, not a shorter series."""
    with pytest.raises(ValueError, match="zip"):
        ratio([1, 2], [1])


def test_typical_is_the_median_of_each_figure_and_the_sum_of_the_messages() -> None:
    """One odd round does not make the figure."""
    found = typical([_measure(1), _measure(100), _measure(2)])

    assert (30, 2) == (found.messages, found.rate)


def test_of_nothing_there_is_no_percentile() -> None:
    """An empty series has no 99th percentile, rather than a good one."""
    assert math.isnan(percentile([], 0.99))


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_the_smallest_value_that_covers_the_share(
    values: list[float], share: float
) -> None:
    """At least the share of the values lies at or below it, and it is one of them."""
    found = percentile(values, share)

    assert found in values
    assert sum(v <= found for v in values) >= share * len(values)
    assert sum(v < found for v in values) < share * len(values)
