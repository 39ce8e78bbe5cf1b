"""IHE_XDM.zip: a health document with its metadata, as archives on portable media carry it.

Written: INDEX.HTM, README.TXT, IHE_XDM/SUBSET01/METADATA.XML and the document, names that every
file system takes. Read: an archive from a stranger, so every limit is checked before a byte is
unpacked and nothing ever touches a disk. IHE ITI TF-2b §3.32; HAZARDS: zip bombs, traversal. R-E1,
R-J5.
"""

import io
import struct
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import NamedTuple

from isal import igzip_lib, isal_zlib

from gateway.documents import metadata
from gateway.documents.document import Document
from gateway.documents.errors import DocumentError
from gateway.documents.metadata import Entry, Submission

NAME = "IHE_XDM.zip"
_FOLDER = "IHE_XDM/"
_METADATA = "METADATA.XML"
_DOCUMENT = "DOC0001.XML"

_MOST_FILES = 1000
_MOST_OCTETS = 64 << 20  # of all files together, unpacked
_MOST_METADATA = 8 << 20
_MOST_NAMES = 200  # characters of one name
_RATIO = 200  # no document is packed better than that, and a bomb is
_SMALL = 1 << 20  # below this the ratio says nothing
_SYMLINK = 0o120000
_TYPE = 0o170000


class Sender(NamedTuple):
    """Who an archive says made it (INDEX.HTM, README.TXT); ``source`` is an OID of theirs."""

    name: str
    contact: str = ""
    source: str = "1.2.250.1.213.1.1.9"
    software: str = "Sceau"


@dataclass(frozen=True, slots=True)
class Packed:
    """One document that an archive names, and its bytes."""

    entry: Entry
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Archive:
    """What lies in an archive: each subset's submission, and every document it names."""

    submissions: tuple[Submission, ...]
    documents: tuple[Packed, ...]


def build(
    content: bytes, document: Document, recipients: Iterable[str], at: datetime, sender: Sender
) -> bytes:
    """Return an archive with one document, byte for byte as it was given.

    ``document`` is what ``cda.read`` or the writer knows of these bytes.
    """
    moment = at.astimezone(UTC)
    about = metadata.write(
        _DOCUMENT,
        content,
        document,
        recipients=recipients,
        at=f"{moment:%Y%m%d%H%M%S}",
        source=sender.source,
    )
    files = (
        ("INDEX.HTM", _index(sender).encode()),
        ("README.TXT", _readme(sender).encode()),
        ("IHE_XDM/SUBSET01/METADATA.XML", about),
        (f"IHE_XDM/SUBSET01/{_DOCUMENT}", content),
    )
    return b"".join(_zip(files, moment))


def _zip(files: Iterable[tuple[str, bytes]], at: datetime) -> Iterator[bytes]:
    """Write a ZIP file: what ``zipfile`` would, but for who packs it (APPNOTE §4.3).

    A PDF in base64 has no repetitions, only few different octets: ISA-L finds the codes for those
    as well as zlib does in a fourth of its time, and ``zipfile`` asks zlib alone.
    """
    day = (max(at.year, 1980) - 1980) << 9 | at.month << 5 | at.day
    stamp = struct.pack("<HH", at.hour << 11 | at.minute << 5 | at.second // 2, day)
    directory, place, count = b"", 0, 0
    for name, content in files:
        packed = igzip_lib.compress(content, flag=igzip_lib.COMP_DEFLATE)
        sizes = struct.pack("<III", isal_zlib.crc32(content), len(packed), len(content))
        label = name.encode("ascii")
        about = struct.pack("<HHH", 20, 0, 8) + stamp + sizes + struct.pack("<HH", len(label), 0)
        yield b"PK\x03\x04" + about + label
        yield packed
        rest = struct.pack("<HHHII", 0, 0, 0, 0o100600 << 16, place)
        directory += b"PK\x01\x02" + struct.pack("<H", 0x0314) + about + rest + label
        place += 4 + len(about) + len(label) + len(packed)
        count += 1
    yield directory
    yield b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), place, 0)


def _index(sender: Sender) -> str:
    name, contact = escape(sender.name), escape(sender.contact)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.0//EN"'
        ' "http://www.w3.org/TR/xhtml-basic/xhtml-basic10.dtd">\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="fr"><head>'
        "<title>IHE_XDM</title></head><body>\n"
        f"<p>Émetteur : {name} {contact}</p>\n"
        '<p><a href="README.TXT">README.TXT</a></p>\n'
        f'<ul><li><a href="IHE_XDM/SUBSET01/{_METADATA}">METADATA.XML</a></li>'
        f'<li><a href="IHE_XDM/SUBSET01/{_DOCUMENT}">Document</a></li></ul>\n'
        "</body></html>\n"
    )


def _readme(sender: Sender) -> str:
    return (
        "Émetteur\r\n========\r\n"
        f"Nom : {sender.name}\r\nContact : {sender.contact}\r\n\r\n"
        f"Application de l'émetteur\r\n=========================\r\nNom : {sender.software}\r\n\r\n"
        "Instructions\r\n============\r\n"
        "Ouvrez ce fichier reçu par messagerie sécurisée de santé avec votre logiciel de"
        " professionnel de santé.\r\n\r\n"
        "Arborescence\r\n============\r\nREADME.TXT\r\nINDEX.HTM\r\nIHE_XDM\r\n"
        f"    SUBSET01\r\n        {_METADATA}\r\n        {_DOCUMENT}\r\n"
    )


def read(content: bytes) -> Archive:
    """Return an archive's documents; raise ``DocumentError`` for anything but a plain one."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            return _read(opened, _listed(opened))
    except DocumentError:
        raise
    except Exception:  # noqa: BLE001 - zipfile raises a dozen kinds; a stranger's file is no bug
        raise DocumentError("the archive is damaged, or no ZIP file") from None


def _listed(opened: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the files by name in capitals; refuse what no honest archive has."""
    infos = opened.infolist()
    if len(infos) > _MOST_FILES:
        raise DocumentError("the archive has more files than any that is read")
    if sum(each.file_size for each in infos) > _MOST_OCTETS:
        raise DocumentError("the archive is larger, unpacked, than any that is read")
    found: dict[str, zipfile.ZipInfo] = {}
    for each in infos:
        _judge(each)
        if found.setdefault(each.filename.upper(), each) is not each:
            raise DocumentError("the archive has two files of one name")
    return found


def _judge(each: zipfile.ZipInfo) -> None:
    name = each.orig_filename
    steps = name.removesuffix("/").split("/")
    if "\\" in name or ":" in name or any(step in {"", ".", ".."} for step in steps):
        raise DocumentError("the archive has a file that would lie outside of it")
    if len(name) > _MOST_NAMES or not name.isprintable():
        raise DocumentError("the archive has a file whose name nobody can write")
    if (each.external_attr >> 16) & _TYPE == _SYMLINK:
        raise DocumentError("the archive has a link in the place of a file")
    if each.flag_bits & 0x1:
        raise DocumentError("the archive is encrypted: nobody can look into it")
    if each.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise DocumentError("the archive is packed in a way that XDM does not have")
    if each.file_size > max(_SMALL, each.compress_size * _RATIO):
        raise DocumentError("the archive unpacks to more than any document: it is a bomb")


def _read(opened: zipfile.ZipFile, files: dict[str, zipfile.ZipInfo]) -> Archive:
    places = [
        name
        for name in files
        if name.startswith(_FOLDER) and name.count("/") == 2 and name.endswith("/" + _METADATA)
    ]
    if not places:
        raise DocumentError("the archive has no IHE_XDM/…/METADATA.XML")
    submissions: list[Submission] = []
    documents: list[Packed] = []
    for place in sorted(places):
        if files[place].file_size > _MOST_METADATA:
            raise DocumentError("METADATA.XML is larger than any that is read")
        submission = metadata.read(_unpacked(opened, files[place]))
        submissions.append(submission)
        documents += _named(opened, files, place.removesuffix(_METADATA), submission)
    return Archive(tuple(submissions), tuple(documents))


def _named(
    opened: zipfile.ZipFile, files: dict[str, zipfile.ZipInfo], folder: str, found: Submission
) -> Iterator[Packed]:
    """Yield the documents that a subset's metadata name, each of them once."""
    seen = set()
    for entry in found.entries:
        # The name is looked up among those that were judged, and never joined to a path.
        info = files.get(folder + entry.uri.upper()) if entry.uri else None
        if info is None:
            raise DocumentError("METADATA.XML names a document that is not in the archive")
        if info.filename in seen:
            raise DocumentError("METADATA.XML names one document twice")
        seen.add(info.filename)
        yield Packed(entry, _unpacked(opened, info))


def _unpacked(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Unpack one file, no further than it says; what it says is held against it."""
    content = opened.read(info)
    if len(content) != info.file_size:
        raise DocumentError("the archive says one size and has another")
    return content
