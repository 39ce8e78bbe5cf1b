r"""What a laboratory's system that speaks HL7 v2 is answered, where its message asks for it. Pure.

MSH-15 asks whether the message was taken (CA, CR), MSH-16 what became of it (AA, AE): always (AL), of
errors only (ER), of successes only (SU), never (NE). Without either nothing is asked for. HL7 v2.5 §2.9.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.documents import er7
from gateway.documents.codes import Failure
from gateway.documents.errors import DocumentError

_LONGEST = 2000  # characters of a head that is kept
_READ = 4 * _LONGEST  # octets in which it ends, whatever letters it has
_COMMIT, _APPLICATION = 15, 16
_INTERNAL = "207^Application error^HL70357"
_WANTED = {"AL": (True, False), "ER": (False,), "SU": (True,)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to be said: that a message was taken or not, or what became of it."""

    good: bool
    at: datetime
    commit: bool = False  # it is only about taking it
    failure: Failure | None = None
    words: str = ""


def asked(content: bytes) -> str:
    """Return the head of a message that asks for an answer; empty: it asks for none.

    Nothing else of it is read: it is answered also where the rest is broken, or very long.
    """
    begin = content[:_READ].removeprefix(b"\xef\xbb\xbf").lstrip(b"\x0b\r\n \t")
    first = re.split(rb"[\r\n]", begin, maxsplit=1)[0]
    try:
        head = er7.read(first)[0]
    except DocumentError:
        return ""
    wishes = {head.raw(_COMMIT), head.raw(_APPLICATION)}
    # MSH-1 is the separator itself; what follows MSH-17 tells of letters, and this is text already.
    line = head.by.field.join((head.fields[0], *head.fields[2:18]))
    return line if wishes & _WANTED.keys() and len(line) <= _LONGEST else ""


def write(head: str, outcome: Outcome) -> bytes:
    """Return the acknowledgement, or nothing where that head does not ask for it."""
    if not head:
        return b""
    theirs = er7.head(head)
    wish = theirs.raw(_COMMIT if outcome.commit else _APPLICATION)
    if outcome.good not in _WANTED.get(wish, ()):
        return b""
    by = theirs.by
    at = f"{outcome.at.astimezone(UTC):%Y%m%d%H%M%S}+0000"
    # In fields counted as HL7 counts them: MSH-1 is what separates them.
    ends = [theirs.raw(number) for number in (5, 6, 3, 4)]
    made = ["MSH", theirs.raw(2), *ends, at, "", "ACK", f"A{theirs.raw(10)}"[:20]]
    made += [theirs.raw(11), theirs.raw(12), "", "", "NE", "NE", "", "UNICODE UTF-8"]
    code = ("CA" if outcome.good else "CR") if outcome.commit else "AA" if outcome.good else "AE"
    lines = [made, ["MSA", code, theirs.raw(10)]]
    if not outcome.good:
        lines.append(["ERR", "", "", _number(outcome.failure, by), "E", "", "", "", ""])
        lines[-1][8] = _text(outcome.words, by)
    return "".join(f"{by.field.join(line).rstrip(by.field)}\r" for line in lines).encode()


def _number(failure: Failure | None, by: er7.Separators) -> str:
    if failure is None:
        return _INTERNAL.replace("^", by.component)
    return by.component.join(
        (str(int(failure)), _text(failure.french, by), "messageErrorCondition")
    )


def _text(text: str, by: er7.Separators) -> str:
    """Write words so that nothing in them ends a field or a segment."""
    ends = {by.escape: "E", by.field: "F", by.component: "S", by.part: "T", by.repetition: "R"}
    return "".join(
        f"{by.escape}{ends[each]}{by.escape}"
        if each in ends
        else each
        if each.isprintable()
        else " "
        for each in text
    )
