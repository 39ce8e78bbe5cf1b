"""What a file is, by its first octets; and what its name says it is.

Programs are recognised in whatever form a system runs them, archives and documents in whatever
form a reader opens them. A name is believed in one thing only: a system that runs a file because
of its name does so whatever is in it.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a file is."""

    PROGRAM = "program"
    SCRIPT = "script"
    ZIP = "zip"
    PACKED = "packed"  # one file, made smaller: gzip, bzip2, xz
    TAR = "tar"
    ARCHIVE = "archive"  # of a kind that we do not open
    OLE = "ole"  # what Word, Excel and Outlook wrote until 2007, and installers still are
    RTF = "rtf"
    PDF = "pdf"
    HTML = "html"
    SVG = "svg"
    NOTEBOOK = "notebook"  # OneNote: pages with files in them
    SHORTCUT = "shortcut"
    MESSAGE = "message"
    IMAGE = "image"
    SOUND = "sound"
    XML = "xml"
    TEXT = "text"
    ENCRYPTED = "encrypted"  # CMS, OpenPGP
    ENVELOPE = "envelope"  # CMS signed data, with what was signed in it
    UNKNOWN = "unknown"


HEAD = 64 << 10  # octets that tell
_TEXT = 4096  # octets of a text that do

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\x7fELF", Kind.PROGRAM),
    (b"\xfe\xed\xfa\xce", Kind.PROGRAM),  # Mach-O, and its likes
    (b"\xfe\xed\xfa\xcf", Kind.PROGRAM),
    (b"\xce\xfa\xed\xfe", Kind.PROGRAM),
    (b"\xcf\xfa\xed\xfe", Kind.PROGRAM),
    (b"\xca\xfe\xba\xbe", Kind.PROGRAM),  # Mach-O for several machines; Java's classes
    (b"dex\n", Kind.PROGRAM),
    (b"\x00asm", Kind.PROGRAM),
    (b"ITSF", Kind.PROGRAM),  # compiled help runs scripts
    (b"\x4c\x00\x00\x00\x01\x14\x02\x00", Kind.SHORTCUT),
    (b"PK\x03\x04", Kind.ZIP),
    (b"PK\x05\x06", Kind.ZIP),
    (b"PK\x07\x08", Kind.ZIP),
    (b"\x1f\x8b", Kind.PACKED),
    (b"BZh", Kind.PACKED),
    (b"\xfd7zXZ\x00", Kind.PACKED),
    (b"7z\xbc\xaf\x27\x1c", Kind.ARCHIVE),
    (b"Rar!\x1a\x07", Kind.ARCHIVE),
    (b"MSCF", Kind.ARCHIVE),  # cab
    (b"ISc(", Kind.ARCHIVE),
    (b"xar!", Kind.ARCHIVE),
    (b"\x60\xea", Kind.ARCHIVE),  # arj
    (b"\x1f\x9d", Kind.ARCHIVE),  # compress
    (b"\x28\xb5\x2f\xfd", Kind.ARCHIVE),  # zstd
    (b"\x04\x22\x4d\x18", Kind.ARCHIVE),  # lz4
    (b"LZIP", Kind.ARCHIVE),
    (b"\x5d\x00\x00", Kind.ARCHIVE),  # lzma, before xz
    (b"vhdxfile", Kind.ARCHIVE),
    (b"conectix", Kind.ARCHIVE),
    (b"!<arch>\n", Kind.ARCHIVE),
    (b"\x78\x9f\x3e\x22", Kind.ARCHIVE),  # Outlook's winmail.dat
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.OLE),
    (b"{\\rt", Kind.RTF),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", Kind.NOTEBOOK),
    (b"\x89PNG\r\n\x1a\n", Kind.IMAGE),
    (b"\xff\xd8\xff", Kind.IMAGE),
    (b"GIF8", Kind.IMAGE),
    (b"BM", Kind.IMAGE),
    (b"II*\x00", Kind.IMAGE),
    (b"MM\x00*", Kind.IMAGE),
    (b"\x00\x00\x00\x0cjP  ", Kind.IMAGE),
    (b"ID3", Kind.SOUND),
    (b"OggS", Kind.SOUND),
    (b"fLaC", Kind.SOUND),
    (b"-----BEGIN PGP MESSAGE-----", Kind.ENCRYPTED),
)
# The object identifiers of CMS: signed, enveloped, and authenticated enveloped data.
_SIGNED = bytes.fromhex("06092a864886f70d010702")
_ENVELOPED = bytes.fromhex("06092a864886f70d010703")
_AUTHENTICATED = bytes.fromhex("060b2a864886f70d0109100117")
_SCRIPT = re.compile(
    rb"\A#!|\A@?echo off\b|\A(?:rem|setlocal)\b|\Awindows registry editor|\Aregedit4"
    rb"|\A\[internetshortcut\]|\A\[desktop entry\]"
    rb"|wscript\.(?:shell|createobject)|activexobject\s*\(|createobject\s*\(\s*[\"']"
    rb"|<hta:application|<job\b[^>]*>\s*<script|<scriptlet|<package>\s*<job"
    rb"|\b(?:invoke-expression|invoke-webrequest|frombase64string|downloadstring)\b"
    rb"|powershell(?:\.exe)?\s+-[a-z]|\bmshta(?:\.exe)?\s+[\"']?(?:http|vbscript|javascript)",
    re.IGNORECASE,
)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE)
_SVG = re.compile(rb"<svg[\s>]", re.IGNORECASE)
_HEADER = re.compile(
    rb"\A(?:received|return-path|from|to|date|subject|mime-version|message-id):[^\r\n]*\r?\n",
    re.IGNORECASE,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A system runs these because of their name, whatever is in them.
PROGRAMS = _words(
    "exe scr com pif cpl dll ocx sys msi msp mst msix appx jar jnlp app apk dmg pkg deb rpm run"
    " chm hlp xll gadget"
)
SCRIPTS = _words(
    "js jse vbs vbe wsf wsh wsc sct hta ps1 psm1 psd1 ps1xml bat cmd reg inf scf url website sh"
    " bash csh py pyw pyc pl rb php vb application settingcontent-ms library-ms search-ms msc iqy"
    " slk desktop command action workflow terminal ahk au3"
)
# What a name may promise, and the kinds that keep it.
_DOCUMENT = frozenset({Kind.OLE, Kind.ZIP, Kind.RTF, Kind.XML, Kind.HTML, Kind.TEXT})
_PROMISES: dict[str, frozenset[Kind]] = {
    "pdf": frozenset({Kind.PDF}),
    "rtf": frozenset({Kind.RTF}),
    **dict.fromkeys(_words("doc dot xls xlt ppt pps"), _DOCUMENT),
    **dict.fromkeys(
        _words("docx dotx xlsx xltx pptx ppsx odt ods odp"), frozenset({Kind.ZIP, Kind.OLE})
    ),
    **dict.fromkeys(_words("jpg jpeg png gif bmp tif tiff webp heic jp2"), frozenset({Kind.IMAGE})),
    **dict.fromkeys(
        _words("txt csv log hl7 hpr json"),
        frozenset({Kind.TEXT, Kind.XML, Kind.HTML, Kind.SCRIPT, Kind.MESSAGE}),
    ),
    "xml": frozenset({Kind.XML, Kind.TEXT, Kind.HTML, Kind.SVG}),
}
_PLAIN = frozenset({Kind.UNKNOWN})  # says nothing either way
_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")


@dataclass(frozen=True, slots=True)
class Name:
    """A file's name, as far as it tells anything."""

    text: str

    @property
    def extension(self) -> str:
        """What follows the last dot, in lower case; trailing dots and spaces are dropped by systems."""
        bare = _OVERRIDES.sub("", self.text).rstrip(". \t\r\n\x00").lower()
        return bare.rpartition(".")[2] if "." in bare else ""

    @property
    def turned(self) -> bool:
        """Whether it has marks by which it is shown in another order than it is read."""
        return _OVERRIDES.search(self.text) is not None

    def hides(self, kind: Kind) -> bool:
        """Whether it promises another kind of file than this."""
        kept = _PROMISES.get(self.extension)
        return kept is not None and kind not in kept and kind not in _PLAIN


def kind_of(content: bytes) -> Kind:  # noqa: PLR0911 - one question after the other
    """Return what a file is; its first ``HEAD`` octets are enough."""
    head = content[:_TEXT]
    if head[:2] == b"MZ" and _runs(content):
        return Kind.PROGRAM
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[257:262] == b"ustar":
        return Kind.TAR
    if head[4:8] == b"ftyp":
        return Kind.IMAGE if head[8:12] in {b"heic", b"heix", b"mif1", b"avif"} else Kind.SOUND
    if head[:4] == b"RIFF":
        return Kind.IMAGE if head[8:12] == b"WEBP" else Kind.SOUND
    if b"%PDF-" in head[:1024]:
        return Kind.PDF
    if _disk(content):
        return Kind.ARCHIVE
    if head[:1] == b"\x30" and (envelope := _envelope(head[:32])) is not None:
        return envelope
    return _textual(head)


def _runs(content: bytes) -> bool:
    """Whether DOS or Windows would run what begins with MZ; a text may begin so too."""
    at = int.from_bytes(content[60:64], "little")
    return content[at : at + 2] in {b"PE", b"NE", b"LE", b"LX"} or b"\x00" in content[:64]


def _disk(content: bytes) -> bool:
    """Whether it is the image of a disc: a system opens it like a folder, and asks no questions."""
    return content[0x8001:0x8006] in {b"CD001", b"BEA01"}


def _envelope(head: bytes) -> Kind | None:
    """Return which kind of CMS content it is (RFC 5652), if it is any."""
    if _ENVELOPED in head or _AUTHENTICATED in head:
        return Kind.ENCRYPTED
    return Kind.ENVELOPE if _SIGNED in head else None


def _textual(head: bytes) -> Kind:
    text = _decoded(head)
    if text is None:
        return Kind.UNKNOWN
    if _SCRIPT.search(text):
        return Kind.SCRIPT
    if text.startswith(b"<"):
        return _marked_up(text)
    return Kind.MESSAGE if _HEADER.match(text) else Kind.TEXT


def _marked_up(text: bytes) -> Kind:
    if _SVG.search(text):
        return Kind.SVG
    return Kind.HTML if _HTML.search(text[:1024]) else Kind.XML


def _decoded(head: bytes) -> bytes | None:
    """Return text as ASCII sees it, from its first letter; None: it is not text."""
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        order = "utf-16-le" if head[:1] == b"\xff" else "utf-16-be"
        head = head[2:].decode(order, "replace").encode("ascii", "replace")
    elif b"\x00" in head[:1024] or any(octet < 9 for octet in head[:256]):
        return None
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()
