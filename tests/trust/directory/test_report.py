"""What was left out of a directory is counted and said."""

import pytest

from trust.directory import report as reporting
from trust.directory.report import Fault, Report
from trust.errors import ListError


def test_said() -> None:
    """An operator reads how many rows were left out, and why."""
    report = Report(9)
    report.leave_out(Fault.COLUMNS)
    report.leave_out(Fault.PERSON)
    report.leave_out(Fault.PERSON)

    assert "9 rows, 3 left out (columns 1, person 2)" == str(report)
    assert 6 == report.taken
    assert report == reporting.read(reporting.write(report))
    report.check()


@pytest.mark.parametrize(("rows", "wrong"), [(0, 0), (3, 3), (9, 5)])
def test_mostly_wrong(rows: int, wrong: int) -> None:
    """A source of which more is wrong than right is not what we take it for."""
    report = Report(rows)
    for _ in range(wrong):
        report.leave_out(Fault.ADDRESS)

    with pytest.raises(ListError):
        report.check()


def test_repeated_rows_are_not_wrong() -> None:
    """Somebody with three practices has three rows and one address."""
    report = Report(9)
    for _ in range(8):
        report.leave_out(Fault.REPEATED)

    report.check()


def test_what_is_no_report() -> None:
    """Octets that are none are our error."""
    with pytest.raises(ListError):
        reporting.read(b"{")
