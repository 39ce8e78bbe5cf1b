"""Days and moments as IMAP writes them, English names of months and all. RFC 3501 §9."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

from imap.grammar.cursor import Cursor
from imap.grammar.errors import GrammarError

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_DAY = re.compile(rb'(")?(\d{1,2})-([A-Za-z]{3})-(\d{4})(?(1)")')
_MOMENT = re.compile(
    rb'"([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})"'
)
_NUMBERS = {month.upper().encode(): number for number, month in enumerate(MONTHS, 1)}


def day(cursor: Cursor) -> date:
    """Read a day: ``1-Feb-2026``, quoted or not."""
    found = _DAY.fullmatch(cursor.match(_DAY, "a day"))
    assert found is not None
    try:
        return date(int(found[4]), _month(found[3]), int(found[2]))
    except ValueError:
        raise GrammarError("there is no such day") from None


def moment(cursor: Cursor) -> datetime:
    """Read a moment: ``" 1-Feb-2026 09:00:00 +0100"``."""
    found = _MOMENT.fullmatch(cursor.match(_MOMENT, "a moment"))
    assert found is not None
    offset = timedelta(hours=int(found[8]), minutes=int(found[9]))
    hour, minute, second = map(int, found.groups()[3:6])
    try:
        zone = timezone(-offset if found[7] == b"-" else offset)
        month = _month(found[2])
        return datetime(
            int(found[3]), month, int(found[1]), hour, minute, second, tzinfo=zone
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GrammarError("there is no such moment") from None


def _month(name: bytes) -> int:
    return _NUMBERS.get(name.upper(), 0)


def written(when: datetime) -> str:
    """Return a moment as INTERNALDATE has it."""
    return f'"{when.day:2}-{MONTHS[when.month - 1]}-{when:%Y %H:%M:%S %z}"'
