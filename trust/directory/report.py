"""What was taken from a directory's source, and what was left out and why."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from trust.book import Buffer
from trust.errors import ListError


class Fault(StrEnum):
    """Why a row was left out."""

    COLUMNS = "columns"  # not as many as the header has
    TOO_LONG = "too-long"
    ENCODING = "encoding"  # no UTF-8
    KIND = "kind"
    ADDRESS = "address"
    PERSON = "person"  # the person's identifier: form or check digit
    ORGANISATION = "organisation"  # the same of the structure's
    FORM = "form"  # a FHIR resource that is not as FHIR says
    REPEATED = "repeated"  # a second row of one address: the first counts


@dataclass(slots=True)
class Report:
    """Counted while the rows are read."""

    rows: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def leave_out(self, fault: Fault) -> None:
        """Count a row that is not taken."""
        self.left_out[fault.value] += 1

    @property
    def taken(self) -> int:
        """How many rows made an entry."""
        return self.rows - self.left_out.total()

    def check(self) -> None:
        """Refuse a source of which more is wrong than right: it is not what we take it for."""
        wrong = self.left_out.total() - self.left_out[Fault.REPEATED.value]
        if not self.taken:
            raise ListError(f"the directory has no usable row among {self.rows}")
        if 2 * wrong > self.rows:
            raise ListError(f"the directory is mostly wrong: {self}")

    def __str__(self) -> str:
        why = ", ".join(f"{fault} {count}" for fault, count in sorted(self.left_out.items()))
        left_out = self.left_out.total()
        return f"{self.rows} rows, {left_out} left out" + (f" ({why})" if why else "")


class _Written(msgspec.Struct):
    rows: int
    left_out: dict[str, int]


def write(report: Report) -> bytes:
    """Return a report as octets."""
    return msgspec.json.encode(_Written(report.rows, dict(report.left_out)))


def read(octets: Buffer) -> Report:
    """Return the report that was written."""
    try:
        found = msgspec.json.decode(octets, type=_Written)
    except msgspec.DecodeError as error:
        raise ListError(f"a directory's report cannot be read: {error}") from None
    return Report(found.rows, Counter(found.left_out))
