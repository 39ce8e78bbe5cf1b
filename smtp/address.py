"""Mail addresses: parsed once, then passed about as a type of their own.

The domain is lower-cased and carried as A-labels; the local part is kept as it was written,
because only its owner may say what its case means (RFC 5321 §2.4). ``key`` is what two spellings
of one mailbox have in common: look-ups and comparisons go by it. RFC 5321 §4.1.2, RFC 6531 §3.3.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NewType

Address = NewType("Address", str)  # only ``parse`` makes one

_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
_DOT_STRING = re.compile(rf"[{_ATEXT}\u0080-\U0010ffff]+(?:\.[{_ATEXT}\u0080-\U0010ffff]+)*")
_QUOTED_STRING = re.compile(r'"(?:[ !#-\[\]-~\u0080-\U0010ffff]|\\[ -~])*"')
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


class AddressError(ValueError):
    """The text is not a mail address; the message says why, without repeating the text."""


def parse(text: str, *, utf8: bool = True) -> Address:
    """Make an ``Address`` of ``local@domain``; raise ``AddressError`` for anything else.

    ``utf8=False`` refuses non-ASCII local parts, as a transaction without SMTPUTF8 must.
    """
    local, at, domain = text.rpartition("@")
    if not at:
        raise AddressError("an address needs an @")
    if not utf8 and not text.isascii():
        raise AddressError("a non-ASCII address needs SMTPUTF8")
    if not local.isascii():
        # First of all: some characters beyond ASCII are another way to write one within it.
        local = unicodedata.normalize("NFC", local)
    octets = len(local) if local.isascii() else len(local.encode("utf-8", "surrogatepass"))
    if not 0 < octets <= 64:
        raise AddressError("the local part must have 1 to 64 octets")
    if not _DOT_STRING.fullmatch(local) and not _QUOTED_STRING.fullmatch(local):
        raise AddressError("the local part has characters that mail does not allow")
    if not local.isascii() and any(unicodedata.category(c) in _UNWANTED for c in local):
        raise AddressError("the local part has invisible or control characters")
    return Address(f"{local}@{parse_domain(domain)}")


_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@lru_cache(20_000)  # a country's domains; a directory names each a hundred times
def parse_domain(text: str) -> str:
    """Return the domain in lower-case A-labels; raise ``AddressError`` if it is none."""
    domain = text
    if not text.isascii():
        try:
            domain = text.encode("idna").decode("ascii")
        except UnicodeError:
            raise AddressError("the domain is no valid internationalised name") from None
    domain = domain.lower()
    if len(domain) > 253 or "." not in domain:
        raise AddressError("the domain must be a full name of at most 253 octets")
    if not _DOMAIN.fullmatch(domain):
        raise AddressError("the domain has a label that DNS does not allow")
    return domain


def domain_of(address: Address) -> str:
    """Return the domain of an address, in lower-case A-labels."""
    return address.rpartition("@")[2]


def local_of(address: Address) -> str:
    """Return the local part of an address, as its owner wrote it."""
    return address.rpartition("@")[0]


def key(address: Address) -> str:
    """Return what all spellings of this mailbox share: NFKC, case folded."""
    return address.lower() if address.isascii() else _folded(address)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
