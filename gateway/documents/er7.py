r"""HL7 v2 as it is written to a file: segments, fields, repetitions, components, escapes. Pure.

What separates them the header says itself; lines may end in any way, and the frame of MLLP around
it is passed over. Its letters are those that MSH-18 names; without it UTF-8, else Latin-9. HL7 v2.5
§2.5 to §2.7.
"""

import re
from dataclasses import dataclass, field

from gateway.documents.errors import DocumentError

_FRAME = b"\x0b\x1c\r\n \t"
_CHARACTERS = {
    "ASCII": "ascii",
    "8859/1": "iso-8859-1",
    "8859/15": "iso-8859-15",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
}
_MOST = 20_000  # segments
_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2}){1,500})")


@dataclass(frozen=True, slots=True)
class Separators:
    """What ends a field, a component, a repetition; what escapes; what ends a subcomponent."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    part: str = "&"


@dataclass(frozen=True, slots=True)
class Segment:
    """One line."""

    name: str
    fields: tuple[str, ...] = field(repr=False)  # as they stand; [0] is the name
    by: Separators = field(repr=False)

    def raw(self, number: int) -> str:
        """Return a field as it stands; empty where there is none."""
        return self.fields[number] if number < len(self.fields) else ""

    def repeated(self, number: int) -> list["Value"]:
        """Return a field's values."""
        found = self.raw(number)
        return [Value(each, self.by) for each in found.split(self.by.repetition)] if found else []

    def value(self, number: int) -> "Value":
        """Return a field's first value, empty where there is none."""
        return next(iter(self.repeated(number)), Value("", self.by))


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a field."""

    raw: str = field(repr=False)
    by: Separators = field(repr=False)

    def component(self, number: int) -> str:
        """Return a component, the first being 1, as text."""
        return self._text(self._component(number).split(self.by.part)[0])

    def part(self, number: int, of: int) -> str:
        """Return a subcomponent, the first being 1, of a component."""
        return self._text(_nth(self._component(of).split(self.by.part), number))

    def whole(self, number: int) -> str:
        """Return a component whatever is in it, as it stands: files are not escaped."""
        return self._component(number)

    def _component(self, number: int) -> str:
        return _nth(self.raw.split(self.by.component), number)

    def _text(self, raw: str) -> str:
        """Undo the escapes; what no document may hold becomes a space."""
        text = unescaped(raw, self.by)
        return "".join(each if each.isprintable() else " " for each in text).strip()


def read(content: bytes) -> tuple[Segment, ...]:
    """Return the segments of one message; raise ``DocumentError`` if it is none, or several."""
    octets = content.removeprefix(b"\xef\xbb\xbf").strip(_FRAME)
    if not octets.startswith(b"MSH") or len(octets) < 9:
        raise DocumentError("the file is no HL7 v2 message: it does not begin with MSH")
    split = (line.strip("\x0b\x1c ") for line in re.split(r"[\r\n]+", _text(octets)))
    lines = [line for line in split if line]
    if len(lines) > _MOST:
        raise DocumentError("the HL7 message has more segments than any that is read")
    by = _separators(lines[0])
    found = tuple(Segment(line[:3], _fields(line, by), by) for line in lines)
    if sum(each.name in {"MSH", "BHS", "FHS"} for each in found) > 1:
        raise DocumentError("the file has several HL7 messages: one is sent at a time")
    return found


def head(text: str) -> Segment:
    """Return the first line of a message that was read before, as text."""
    by = _separators(text)
    return Segment(text[:3], _fields(text, by), by)


def _fields(line: str, by: Separators) -> tuple[str, ...]:
    fields = line.split(by.field)
    if line.startswith("MSH"):  # whose first field is the separator itself
        fields.insert(1, by.field)
    return tuple(fields)


def _separators(head: str) -> Separators:
    ends, others = head[3:4], head[4:].split(head[3:4] or "|", maxsplit=1)[0]
    given = (ends, *others[:4])
    if len(given) < 5 or len(set(given)) < 5 or any(each.isalnum() for each in given):
        raise DocumentError("the HL7 message does not say what separates its fields (MSH-1, MSH-2)")
    return Separators(*given)


def _text(octets: bytes) -> str:
    head = re.split(rb"[\r\n]", octets, maxsplit=1)[0].split(octets[3:4])
    named = head[17].split(b"~")[0].decode("ascii", "replace").strip() if len(head) > 17 else ""
    if not named:
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError:
            return octets.decode("iso-8859-15")
    if (coding := _CHARACTERS.get(named)) is None:
        raise DocumentError("the HL7 message is in a character set that nobody reads (MSH-18)")
    try:
        return octets.decode(coding)
    except UnicodeDecodeError:
        raise DocumentError("the HL7 message is not in the characters it says (MSH-18)") from None


def unescaped(raw: str, by: Separators) -> str:
    """Return the text that a value stands for; what is for display alone goes."""
    if by.escape not in raw:
        return raw
    pieces = raw.split(by.escape)
    found = [pieces[0]]
    for place in range(1, len(pieces) - 1, 2):
        found += [_escaped(pieces[place], by), pieces[place + 1]]
    if len(pieces) % 2 == 0:  # the last one ends nothing: no name is cut short for it
        found += [by.escape, pieces[-1]]
    return "".join(found)


def _escaped(name: str, by: Separators) -> str:
    plain = {"F": by.field, "S": by.component, "R": by.repetition, "E": by.escape, "T": by.part}
    if name in plain:
        return plain[name]
    if name in {".br", ".sp"}:
        return "\n"
    if match := _HEX.fullmatch(name):
        return bytes.fromhex(match[1]).decode("utf-8", "replace")
    return ""


def _nth(found: list[str], number: int) -> str:
    return found[number - 1] if number <= len(found) else ""
