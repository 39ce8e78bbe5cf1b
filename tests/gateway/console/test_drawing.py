"""Pictures of numbers: nothing leaves its frame, nothing that happened is invisible."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.console.drawing import Row, ceiling, columns, shares

_VALUES = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**6)), max_size=48)


def _rows(values: list[tuple[int, int]]) -> list[Row]:
    return [Row(str(n), "t", (("one", a), ("two", b))) for n, (a, b) in enumerate(values)]


def test_an_axis_ends_with_a_round_number() -> None:
    """One digit with noughts, and never nothing."""
    found = [ceiling(value) for value in (0, 1, 2, 3, 5, 6, 10, 11, 49, 51, 999, 1001)]
    assert [1, 1, 2, 3, 6, 6, 10, 20, 60, 60, 1000, 2000] == found


@given(_VALUES)
def test_columns_stand_in_their_frame(values: list[tuple[int, int]]) -> None:
    """Each part on the one before; whatever is more than nothing can be seen."""
    chart = columns(_rows(values))
    for column, (one, two) in zip(chart.columns, values, strict=True):
        assert [value for value in (one, two) if value] == [part.value for part in column.parts]
        assert chart.left <= column.x
        assert column.x + column.width <= chart.width + 0.2
        foot = chart.bottom
        for part in column.parts:
            assert part.height >= 1
            assert abs(part.y + part.height - foot) < 0.3
            foot = part.y
        assert foot >= 0


def test_an_axis_has_its_numbers() -> None:
    """Nothing, half and all; of one alone no half."""
    assert [0, 4, 8] == [tick.value for tick in columns(_rows([(7, 0)])).ticks]
    assert [0, 1] == [tick.value for tick in columns([]).ticks]


def test_every_third_hour_is_named() -> None:
    """24 names do not fit a telephone."""
    named = [column.labelled for column in columns(_rows([(1, 1)] * 6)).columns]
    assert [True, False, False, True, False, False] == named


@given(st.lists(st.integers(0, 10**6), max_size=8))
def test_shares_make_a_whole(values: list[int]) -> None:
    """Side by side, a hundred wide; of nothing, nothing."""
    found = shares([(str(n), value) for n, value in enumerate(values)])
    whole = sum(share.width for share in found)
    assert abs(whole - (100 if any(values) else 0)) < 0.1
    assert values == [share.value for share in found]
    if found:
        assert 0 == found[0].x
