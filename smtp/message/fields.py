"""Structured values in a part's header: a media type, its parameters, a file's name.

Read as mail clients write them, not only as the RFCs would have it; what comes out is text for
people and programs to look at, never to act on. RFC 2045 §5.1, RFC 2047, RFC 2231.
"""

import binascii
import re

_PARAMETER = re.compile(r';\s*([^\s;="]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TYPE = re.compile(r"\s*([^\s;/]+)\s*(?:/\s*([^\s;]+))?")
_PIECE = re.compile(r"(.+?)\*(\d{1,3})?(\*)?")
_WORD = re.compile(r"=\?([^?\s*]+)(?:\*[^?\s]*)?\?([bq])\?([^?\s]*)\?=", re.IGNORECASE)
_BETWEEN = re.compile(r"(\?=)\s+(?==\?)")
_HEX = re.compile(rb"%([0-9A-Fa-f]{2})")
_CHARSET = re.compile(r"utf-?8|us-ascii|iso-8859-\d{1,2}|windows-\d{3,4}|cp\d{3,4}|koi8-r|gb18030")
_MOST = 64  # parameters


def media(value: bytes) -> tuple[str, dict[str, str]]:
    """Return ``type/subtype`` (or the one word there is) in lower case, and its parameters."""
    text = value.decode("utf-8", "replace")
    match = _TYPE.match(text)
    if match is None:
        return "", {}
    words = [word.lower() for word in match.groups() if word]
    return "/".join(words), parameters(text[match.end() :])


def parameters(text: str) -> dict[str, str]:
    """Return the parameters by name, RFC 2231's pieces joined and decoded; the first one counts."""
    found: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for number, match in enumerate(_PARAMETER.finditer(text)):
        if number == _MOST:
            break
        name = match[1].lower()
        value = _ESCAPED.sub(r"\1", match[2]) if match[2] is not None else match[3]
        if piece := _PIECE.fullmatch(name):
            place = int(piece[2] or 0)
            encoded = piece[3] is not None or piece[2] is None
            pieces.setdefault(piece[1], {}).setdefault(place, (value, encoded))
        else:
            found.setdefault(name, words(value))
    return found | {name: _joined(parts) for name, parts in pieces.items()}


def words(text: str) -> str:
    """Return text with its encoded words (``=?utf-8?q?...?=``) decoded."""
    if "=?" not in text:
        return text
    return _WORD.sub(_word, _BETWEEN.sub(r"\1", text))


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    charset = "utf-8"
    octets = b""
    for place in sorted(pieces):
        value, encoded = pieces[place]
        if encoded and place == 0 and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        raw = value.encode()
        octets += _HEX.sub(lambda m: bytes([int(m[1], 16)]), raw) if encoded else raw
    return _decoded(octets, charset)


def _word(match: re.Match[str]) -> str:
    charset, kind, coded = match[1], match[2].lower(), match[3].encode()
    try:
        octets = (
            binascii.a2b_base64(coded + b"=" * (-len(coded) % 4))
            if kind == "b"
            else binascii.a2b_qp(coded, header=True)
        )
    except binascii.Error:
        return match[0]
    return _decoded(octets, charset)


def _decoded(octets: bytes, charset: str) -> str:
    """Decode, by the charsets of mail alone: Python knows others, slow or surprising."""
    known = _CHARSET.fullmatch(charset.lower())
    try:
        return octets.decode(charset if known else "utf-8", "replace")
    except LookupError:
        return octets.decode("utf-8", "replace")
