"""XML from strangers, read so that it can only be what it looks like; and our own, written.

No DTD, hence no entities, no billion laughs, nothing fetched; UTF-8 whatever the document says,
for under another encoding the search for a DTD would prove nothing. HAZARDS: XXE. R-E4, R-J5.
"""

import re
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from gateway.documents.errors import DocumentError

LARGEST = 64 << 20  # octets of one document
_TAGS = 400_000
_ORDINARY = 8 << 20  # up to here libxml2's own limits stand
_BOM = b"\xef\xbb\xbf"
# What XML 1.0 has no way to write, not even by number.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL = re.compile('[\x00-\x1f&<>"\ud800-\udfff\ufffe\uffff]')  # most values hold none


def parse(content: bytes, largest: int = LARGEST) -> etree._Element:
    """Return the root element; raise ``DocumentError`` for what is not plain, whole XML."""
    if len(content) > largest:
        raise DocumentError("the document is larger than any that is read")
    if b"<!DOCTYPE" in content:
        raise DocumentError("the document has a DTD: such are not read")
    if content.count(b"<") > _TAGS:
        raise DocumentError("the document has more elements than any that is read")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=len(content) > _ORDINARY,
    )
    try:
        return etree.fromstring(content.removeprefix(_BOM), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise DocumentError("the document is not well-formed XML in UTF-8, or not whole") from None


def text(value: str) -> str:
    """Return text as an element holds it; ``DocumentError`` if XML cannot."""
    return escape(_writable(value)) if _SPECIAL.search(value) else value


def attributes(**values: str) -> str:
    """Return attributes, each with a space before it; those without a value are left out."""
    return "".join(f" {name}={_quoted(value)}" for name, value in values.items() if value)


def _quoted(value: str) -> str:
    return quoteattr(_writable(value)) if _SPECIAL.search(value) else f'"{value}"'


def _writable(value: str) -> str:
    if _UNWRITABLE.search(value):
        raise DocumentError("a value has control characters, which XML cannot write")
    return value
