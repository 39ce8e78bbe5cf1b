"""What a server says, as octets: strings, flags, lists, answers with a tag. RFC 3501 §7, §9."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_QUOTABLE = re.compile(rb"[ !#-\[\]-~]*")  # no quotes, no backslash, nothing beyond ASCII
_CODE = re.compile(r"[A-Z0-9-]+(?: [ -Z^-~]+)?")


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended, or what is said to everybody: ``OK [CODE] text``."""

    kind: str  # OK, NO, BAD, BYE, PREAUTH
    text: str
    code: str = ""

    def __post_init__(self) -> None:
        # One line of printable ASCII: nothing from a message or a client may inject another.
        if not (self.text.isascii() and self.text.isprintable()) or self.text.startswith("["):
            raise ValueError(f"unprintable answer: {self.text!r}")
        if self.code and not _CODE.fullmatch(self.code):
            raise ValueError(f"no response code: {self.code!r}")

    def line(self, tag: str = "*") -> bytes:
        """Return it as a line, under the tag of a command or under none."""
        code = f"[{self.code}] " if self.code else ""
        return f"{tag} {self.kind} {code}{self.text}\r\n".encode("ascii")


NO_ROOM = Answer("NO", "There is no room for it now; please try again later", "UNAVAILABLE")


def string(octets: bytes) -> bytes:
    """Return octets quoted where that can be, else as a literal."""
    if len(octets) <= 500 and _QUOTABLE.fullmatch(octets):
        return b'"' + octets + b'"'
    return b"{%d}\r\n%b" % (len(octets), octets)


def flags(names: Iterable[str]) -> bytes:
    """Return flags in parentheses."""
    return f"({' '.join(names)})".encode("ascii")
