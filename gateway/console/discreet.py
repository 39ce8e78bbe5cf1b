"""What operators and mailbox users wrote themselves, for those who may not know what a message says.

A stated reason, a note, the words to a sender, the name that somebody gave a folder: each may name a
patient, and is a reviewer's to read, as the message is. That something was done, by whom and when,
everybody in the house sees. Pure. R-I1, R-G6.
"""

from collections.abc import Mapping
from typing import Any

from quarantine.reasons import REASONS

_HIDDEN = "•••"
# The first words of events in which people speak; in all others gateways do.
_PEOPLE = frozenset({"operation", "content", "case", "critical", "mailbox", "journal", "recall"})
_OURS = frozenset({"case", "digest", "entry", "ip", "kind", "listener", "reasons", "state", "uids"})
_WRITTEN = frozenset({"note", "words"})


def discreet(value: Any) -> Any:
    """Return what a verb answered without what people wrote, wherever in it that stands."""
    if isinstance(value, dict):
        if "actor" in value and str(value.get("event", "")).partition(".")[0] in _PEOPLE:
            return _event(value)
        ruled = "by" in value
        return {
            name: _hidden(item) if ruled and name in _WRITTEN else discreet(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [discreet(item) for item in value]
    return value


def _event(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event of people: that it was, and not what they said."""
    told = {n: _hidden(item) if n in {"reason", "said"} else item for n, item in row.items()}
    if isinstance(detail := told.get("detail"), dict):
        told["detail"] = {n: i if n in _OURS else _hidden(i) for n, i in detail.items()}
    if "summary" in told:
        told["summary"] = "; ".join(filter(None, (row.get("reference"), f"by {row['actor']}")))
    return told


def _hidden(item: Any) -> Any:
    """Return a word of ours or a number as it is; of anything else, that there was something."""
    plain = not item or isinstance(item, bool | int | float)
    return item if plain or (isinstance(item, str) and item in REASONS) else _HIDDEN
