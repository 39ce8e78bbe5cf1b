"""Names of folders: modified UTF-7 to text and back, what a name may be, and wildcards.

Inside there is only text in NFC; modified UTF-7 is the wire's. What may not be a name is refused
before anybody stores it. RFC 3501 §5.1.3, RFC 9051 §5.1, RFC 6855 §3, RFC 5198.
"""

import re
import unicodedata
from base64 import b64decode, b64encode

from imap.grammar.cursor import Cursor
from imap.grammar.errors import GrammarError

SEPARATOR = "/"
INBOX = "INBOX"
LONGEST = 500  # octets of UTF-8
DEEPEST = 20  # levels

_SHIFTED = re.compile(rb"&([A-Za-z0-9+,]*)-")
_DIRECT = re.compile(r"[ -~]+")


def decode(octets: bytes) -> str:
    """Return the text of modified UTF-7."""
    text, at = [], 0
    while (start := octets.find(b"&", at)) >= 0:
        text.append(_printable(octets[at:start]))
        found = _SHIFTED.match(octets, start)
        if found is None:
            raise GrammarError("that is no modified UTF-7")
        text.append("&" if not found[1] else _utf16(found[1]))
        at = found.end()
    text.append(_printable(octets[at:]))
    return "".join(text)


def _printable(octets: bytes) -> str:
    text = octets.decode("ascii", "replace")
    if text and not _DIRECT.fullmatch(text):
        raise GrammarError("a name has only printable characters")
    return text


def _utf16(base64: bytes) -> str:
    padded = base64.replace(b",", b"/") + b"=" * (-len(base64) % 4)
    try:
        return b64decode(padded, validate=True).decode("utf-16-be")
    except ValueError:
        raise GrammarError("that is no modified UTF-7") from None


def encode(text: str) -> bytes:
    """Return a name in modified UTF-7."""
    out, at = [], 0
    for found in _DIRECT.finditer(text):
        out += [_shift(text[at : found.start()]), found[0].replace("&", "&-").encode("ascii")]
        at = found.end()
    return b"".join([*out, _shift(text[at:])])


def _shift(text: str) -> bytes:
    if not text:
        return b""
    base64 = b64encode(text.encode("utf-16-be", "surrogatepass")).rstrip(b"=")
    return b"&" + base64.replace(b"/", b",") + b"-"


def read(cursor: Cursor) -> str:
    """Read a folder's name, as text; whether there may be such a folder is asked by ``clean``."""
    return normal(_text(cursor.astring(), utf8=cursor.utf8))


def read_pattern(cursor: Cursor) -> str:
    """Read a name with wildcards."""
    return normal(_text(cursor.pattern(), utf8=cursor.utf8))


def _text(octets: bytes, *, utf8: bool) -> str:
    if len(octets) > 4 * LONGEST:
        raise GrammarError("the name is too long")
    if not utf8 and octets.isascii():
        return decode(octets)
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise GrammarError("the name is neither modified UTF-7 nor UTF-8") from None


def normal(name: str) -> str:
    """Return a name as it is compared: NFC, and INBOX in capitals wherever it comes first."""
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    first, slash, rest = name.partition(SEPARATOR)
    return f"{INBOX}{slash}{rest}" if first.upper() == INBOX else name


_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(name: str) -> str:
    """Return the name of a folder to be made; raise ``GrammarError`` if there may be none such."""
    name = name.removesuffix(SEPARATOR)
    levels = name.split(SEPARATOR)
    if not name or len(name.encode("utf-8", "surrogatepass")) > LONGEST or len(levels) > DEEPEST:
        raise GrammarError("the name is empty, too long or too deep")
    if any(not level or level != level.strip() for level in levels):
        raise GrammarError("a level of the name is empty, or begins or ends with a space")
    if any(c in "*%" or unicodedata.category(c) in _UNWANTED for c in name):
        raise GrammarError("a name has no wildcards and no invisible characters")
    return name


def written(name: str, *, utf8: bool) -> bytes:
    """Return a name as a quoted string of the wire."""
    octets = name.encode("utf-8", "replace") if utf8 else encode(name)
    return b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


_WILD = re.compile(r"([*%]+)")


def matches(pattern: str, name: str) -> bool:
    """Whether a LIST pattern stands for a name: ``*`` is anything, ``%`` what has no separator.

    All ways to match are followed at once, each a bit of a number, so that no pattern takes longer
    than its length times the name's.
    """
    reached, every = 1, (1 << len(name) + 1) - 1  # bit n: what came so far ends at n
    pieces = _WILD.split(pattern)
    if sum(map(len, pieces[::2])) > len(name):
        return False
    places: dict[str, int] = {}  # where pieces of text begin that were looked for
    for place, piece in enumerate(pieces):
        if not place % 2:
            reached = _after(piece, name, reached, places)
        elif "*" in piece:
            reached = every & -(reached & -reached)
        else:
            reached = _within_levels(reached, name)
        if not reached:
            return False
    return bool(reached >> len(name))


def _after(piece: str, name: str, reached: int, places: dict[str, int]) -> int:
    """Return where a piece of text ends that begins at one of these places."""
    if reached & (reached - 1) == 0:
        at = reached.bit_length() - 1
        return reached << len(piece) if name.startswith(piece, at) else 0
    if piece not in places:
        places[piece] = _places(piece, name)
    return (places[piece] & reached) << len(piece)


def _places(piece: str, name: str) -> int:
    found, at = 0, name.find(piece)
    while at >= 0:
        found |= 1 << at
        at = name.find(piece, at + 1)
    return found


def _within_levels(reached: int, name: str) -> int:
    """Return these places and those behind them, as far as the next separator."""
    inside = ((1 << len(name)) - 1) & ~_places(SEPARATOR, name)
    # A carry runs through the letters of a level and stops behind them.
    return reached | (((reached & inside) + inside) ^ inside)
