"""Distinguished names, compared for what they mean and never as the strings that spell them.

A name in a list is text written by people and programs of many minds: relative names in either
order, values in quotes because of a double space, quotes that belong to the value, no-break spaces,
accents composed or not. A name in a certificate is ASN.1. Both become a set of relative names with
their values normalised (whitespace collapsed, NFKC, case folded), and only the sets are compared.
RFC 4514, RFC 1779 §2; R-C2.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from asn1crypto import core
from cryptography import x509

from trust.errors import IdentityError

Rdn = frozenset[tuple[str, str]]  # (attribute type as a dotted OID, normalised value)
Name = frozenset[Rdn]

_LIMIT = 2048  # characters of a name in text: real ones have a tenth
_UNWANTED = frozenset({"Cc", "Cs"})

_OIDS = {
    "C": "2.5.4.6",
    "CN": "2.5.4.3",
    "DC": "0.9.2342.19200300.100.1.25",
    "DNQUALIFIER": "2.5.4.46",
    "E": "1.2.840.113549.1.9.1",
    "EMAIL": "1.2.840.113549.1.9.1",
    "EMAILADDRESS": "1.2.840.113549.1.9.1",
    "G": "2.5.4.42",
    "GIVENNAME": "2.5.4.42",
    "GN": "2.5.4.42",
    "L": "2.5.4.7",
    "O": "2.5.4.10",
    "ORGANIZATIONIDENTIFIER": "2.5.4.97",
    "OU": "2.5.4.11",
    "POSTALCODE": "2.5.4.17",
    "S": "2.5.4.8",
    "SERIALNUMBER": "2.5.4.5",
    "SN": "2.5.4.4",
    "ST": "2.5.4.8",
    "STREET": "2.5.4.9",
    "SURNAME": "2.5.4.4",
    "T": "2.5.4.12",
    "TITLE": "2.5.4.12",
    "UID": "0.9.2342.19200300.100.1.1",
}

_TYPE = re.compile(r"\s*(?:OID\.)?([A-Z][A-Z0-9-]*|\d+(?:\.\d+)+)\s*=\s*", re.IGNORECASE)
_END = r"\s*(?:[,;+]|\Z)"
# A quote closes the value only where a separator follows: O="CENTRE "X"" keeps its inner ones.
_QUOTED = re.compile(rf'"((?:[^"\\]|\\.|"(?!{_END}))*)"(?={_END})', re.DOTALL)
_PLAIN = re.compile(r"((?:[^,;+\\]|\\.)*)", re.DOTALL)
_SEPARATOR = re.compile(r"\s*([,;+])")
_ESCAPE = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)", re.DOTALL)


def normalise(value: str) -> str:
    """Return what all spellings of one value share.

    Folding and composing must alternate, or the result of folding may not be composed
    (Unicode §3.13, D146).
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", value).casefold())
    return " ".join(unicodedata.normalize("NFKC", folded.casefold()).split())


def of_certificate(name: x509.Name) -> Name:
    """Return a certificate's name; its values were never text, so nothing is unescaped."""
    return frozenset(
        frozenset((part.oid.dotted_string, _certified(part.value)) for part in rdn)
        for rdn in name.rdns
    )


def _certified(value: str | bytes) -> str:
    return normalise(value) if isinstance(value, str) else f"#{value.hex()}"


@lru_cache(maxsize=16_384)
def parse(text: str) -> Name:
    """Read a name as a list spells it; raise ``IdentityError`` for what is none.

    One operator's name stands for a thousand domains: it is read once, and kept once.
    """
    if len(text) > _LIMIT:
        raise IdentityError(f"a distinguished name has at most {_LIMIT} characters")
    if any(unicodedata.category(c) in _UNWANTED for c in text):
        raise IdentityError("a distinguished name has control characters")
    return frozenset(_relative_names(text))


def _relative_names(text: str) -> Iterator[Rdn]:
    pairs: list[tuple[str, str]] = []
    for oid, value, separator in _pairs(text):
        pairs.append((oid, value))
        if separator != "+":
            yield frozenset(pairs)
            pairs = []


def _pairs(text: str) -> Iterable[tuple[str, str, str]]:
    at, separator = 0, ","
    while separator:
        kind = _TYPE.match(text, at)
        if kind is None:
            raise IdentityError(f"no attribute type at character {at + 1} of the name")
        quoted = _QUOTED.match(text, kind.end())
        found = quoted or _PLAIN.match(text, kind.end())
        assert found is not None  # _PLAIN matches even nothing
        end = _SEPARATOR.match(text, found.end())
        if end is None and text[found.end() :].strip():
            raise IdentityError(f"unfinished escape at character {found.end() + 1} of the name")
        at, separator = (end.end(), end[1]) if end else (len(text), "")
        yield _oid(kind[1]), _value(found[1], encoded=not quoted), separator


def _oid(kind: str) -> str:
    if kind[0].isdigit():
        return kind
    try:
        return _OIDS[kind.upper()]
    except KeyError:
        raise IdentityError(f"unknown attribute type {kind[:40]!r} in a name") from None


def _value(written: str, *, encoded: bool) -> str:
    """Return what a value means; a # begins an encoding, but in quotes is only itself."""
    hashed = encoded and written.startswith("#")
    plain = _encoded(written) if hashed else _unescaped(written)
    if not (value := normalise(plain)):
        raise IdentityError("an attribute of the name has no value")
    return value


def _encoded(written: str) -> str:
    """Read a value given as its encoding: ``#0C024368`` (RFC 4514 §2.4)."""
    try:
        value = core.load(bytes.fromhex(written[1:]), strict=True)
        native = value.native
    except ValueError:
        native = None
    if not isinstance(native, str):
        raise IdentityError("a name has a #value that encodes no string")
    return native


def _unescaped(written: str) -> str:
    try:
        return _ESCAPE.sub(_unescape, written)
    except UnicodeDecodeError:
        raise IdentityError("a name has escaped octets that are not UTF-8") from None


def _unescape(escape: re.Match[str]) -> str:
    if octets := escape[1]:
        return bytes.fromhex(octets.replace("\\", "")).decode("utf-8")
    return escape[2]
