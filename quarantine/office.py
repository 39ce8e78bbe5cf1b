"""What documents hold beside their text: macros, embedded programs, a password.

A document is looked at for what a reader would run or follow by itself, not understood: that is the
scanner's business. What it says in compressed form is unpacked, within the budget, and read too.
"""

import re
import zlib
from collections.abc import Iterator
from itertools import chain

from quarantine.budget import Budget
from quarantine.kinds import Kind
from quarantine.policy import Finding
from quarantine.windows import each, holds, matches, windows

_INSTALLER = bytes.fromhex(
    "84100c0000000000c000000000000046"
)  # the class of a Windows Installer file


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


# A compound file names its streams in UTF-16.
_STREAMS: tuple[tuple[bytes, str], ...] = (
    (_utf16("_VBA_PROJECT"), "macros"),
    (_utf16("EncryptedPackage"), "document-encrypted"),
    (_utf16("Ole10Native"), "active-content"),
    (_utf16("__substg1.0_3701"), "archive-unreadable"),  # a message of Outlook's with attachments
    (_INSTALLER, "executable"),
)
_MACRO_FOLDERS = ("Basic/", "Scripts/", "xl/macrosheets/", "xl/dialogsheets/")
_MACROS = re.compile(rb"macroEnabled|vnd\.ms-(?:office\.vbaProject|excel\.intlmacrosheet)")
_FOLLOWED = re.compile(
    rb"<Relationship\b(?=[^>]{0,4096}TargetMode\s*=\s*[\"']External[\"'])"
    rb"(?=[^>]{0,4096}/(?:attachedTemplate|oleObject|frame|subDocument|externalLinkPath)[\"'])",
)
# Names long enough not to turn up by chance in a picture.
_PDF = re.compile(rb"/(?:JavaScript|Rendition|Launch|EmbeddedFiles?|RichMedia|GoToE|SubmitForm)\b")
_PDF_LOCKED = re.compile(rb"/Encrypt\b")
_PDF_ESCAPED = re.compile(rb"/[A-Za-z]{0,20}(?:#[0-9A-Fa-f]{2}[A-Za-z]{0,20}){1,20}")
_PDF_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_PDF_OBJECTS = re.compile(rb"/ObjStm\b")
_PDF_STREAM = re.compile(rb"stream\r?\n")
_RTF = re.compile(rb"\\(?:objdata|objemb|objocx|objautlink|objupdate|objhtml|template)\b")
_HTML = re.compile(
    rb"<script\b|\b(?:javascript|vbscript)\s*:|<(?:object|embed|applet)\b|\son[a-z]{3,20}\s*=",
    re.IGNORECASE,
)
_XHTML = b"www.w3.org/1999/xhtml"  # what makes a browser run what is in XML
_MOST_STREAMS = 10_000
_LONGEST = 4 << 20  # octets of a packed object that are read
_STEP = 256 << 10


def parts_of_zip(name: str, content: bytes) -> str:
    """Return the reason that a file in an Office or OpenDocument archive gives by its place, or ""."""
    path = name.replace("\\", "/").lstrip("/")
    listed = path == "[Content_Types].xml" and matches(_MACROS, content)
    if listed or path.startswith(_MACRO_FOLDERS):
        return "macros"
    followed = path.endswith(".rels") and matches(_FOLLOWED, content)
    if followed or "/activeX/" in path:
        return "active-content"
    locked = path == "META-INF/manifest.xml" and holds(content, b"encryption-data")
    return "document-encrypted" if locked else ""


def active(kind: Kind, content: bytes, place: str, budget: Budget) -> Iterator[Finding]:
    """Yield what a document of this kind would do by itself."""
    match kind:
        case Kind.OLE:
            reasons = [reason for mark, reason in _STREAMS if holds(content, mark)]
        case Kind.PDF:
            reasons = list(_pdf(content, budget))
        case Kind.RTF:
            reasons = ["active-content"] if matches(_RTF, content) else []
        case Kind.HTML | Kind.SVG:
            reasons = ["active-content"] if matches(_HTML, _plain(content)) else []
        case Kind.XML if holds(content, _XHTML):
            reasons = ["active-content"] if matches(_HTML, content) else []
        case Kind.NOTEBOOK:
            reasons = ["active-content"]
        case _:
            reasons = []
    yield from (Finding(reason, place) for reason in dict.fromkeys(reasons))


def _pdf(content: bytes, budget: Budget) -> Iterator[str]:
    """Yield what a PDF does when it is opened: a name may be escaped, an object packed."""
    if matches(_PDF_LOCKED, content):
        yield "document-encrypted"
    plain = (content[begin:end] for begin, end in windows(len(content)))
    for block in chain(plain, _packed_objects(content, budget)):
        budget.go_on()
        if _PDF.search(_PDF_ESCAPED.sub(_unescaped, block)):
            yield "active-content"
            return


def _packed_objects(content: bytes, budget: Budget) -> Iterator[bytes]:
    for number, named in enumerate(each(_PDF_OBJECTS, content)):
        if number >= _MOST_STREAMS:
            return
        begun = _PDF_STREAM.search(content, named.end(), named.end() + 512)
        if begun is None:
            continue
        machine = zlib.decompressobj()
        try:
            block = machine.decompress(content[begun.end() : begun.end() + _LONGEST], _STEP)
            while block:
                budget.unpack(len(block))
                yield block
                block = machine.decompress(machine.unconsumed_tail, _STEP)
        except zlib.error:
            continue


def _unescaped(name: re.Match[bytes]) -> bytes:
    return _PDF_ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), name[0])


def _plain(content: bytes) -> bytes:
    """Return marked-up text as ASCII sees it."""
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        order = "utf-16-le" if content[:1] == b"\xff" else "utf-16-be"
        return b"".join(
            content[start:end].decode(order, "replace").encode("ascii", "replace")
            for start, end in windows(len(content), 0)
        )
    return content
