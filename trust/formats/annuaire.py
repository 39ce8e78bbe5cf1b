"""The flat extraction of the Annuaire Santé: a header, then a line a mailbox, 31 columns between bars.

Published daily as a ZIP of one text, half a million lines. A line that is wrong is left out and
counted; a file that is mostly wrong is refused whole. R-D1, R-D5, R-D6, R-D7.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from operator import itemgetter
from typing import IO

from smtp.address import AddressError, parse
from trust import identifiers
from trust.addresses import Kind
from trust.book import Buffer
from trust.directory import filing
from trust.directory.entry import Entry, clean, fold
from trust.directory.report import Fault, Report
from trust.errors import HolderError, ListError
from trust.identifiers import Identifier, Scheme

LIMIT = 128 << 20  # octets of the file as it comes: six times what is published
PLAIN = 1 << 30  # octets of the text in a ZIP
_LINE = 4096  # octets of the longest line, with its end
_BLOCK = 256 << 10  # octets read at once

HEADER = (
    "Type de BAL",
    "Adresse BAL",
    "Type Identifiant PP",
    "Identifiant PP",
    "Identification nationale PP",
    "Type identifiant structure",
    "Identification Structure",
    "Service de rattachement",
    "Civilité",
    "Nom",
    "Prénom",
    "Code catégorie professionnelle",
    "Libellé catégorie professionnelle",
    "Code profession",
    "Libellé profession",
    "Code savoir-faire",
    "Libellé savoir-faire",
    "Dématérialisation",
    "Raison Sociale",
    "Enseigne",
    "Complément localisation",
    "Complément distribution",
    "Numéro voie",
    "Indice répétition voie",
    "Type voie",
    "Libellé voie",
    "Mention distribution",
    "Bureau cedex",
    "Code postal",
    "Département",
    "Pays",
)
_COLUMNS = len(HEADER)
# What we read, by how the column's name begins; the rest of a name differs between years.
_READ = (
    "type de bal",
    "adresse bal",
    "identification nationale pp",
    "type identifiant structure",
    "identification structure",
    "service de rattachement",
    "civilite",
    "nom",
    "prenom",
    "libelle profession",
    "raison sociale",
    "enseigne",
)
_STRUCTURES = {
    "finess": Scheme.FINESS,
    "siren": Scheme.SIREN,
    "siret": Scheme.SIRET,
    "1": Scheme.FINESS,
    "2": Scheme.SIREN,
    "3": Scheme.SIRET,
    "4": Scheme.CABINET,
}


def build(content: Buffer) -> bytes:
    """Return the directory that an extraction makes; ``ListError`` if it is none."""
    report = Report()
    return filing.pack(entries(content, report), report)


def entries(content: Buffer, report: Report) -> Iterator[Entry]:
    """Yield what the lines say, counting those that say nothing of use."""
    with _text(content) as text:
        read = _Rows(_columns(_next(text))).entry
        for line in _lines(text):
            report.rows += 1
            try:
                yield read(line)
            except _RowError as error:
                report.leave_out(error.fault)


@contextmanager
def _text(content: Buffer) -> Iterator[IO[bytes]]:
    """Open the text, whether it comes in a ZIP or plain."""
    if len(content) > LIMIT:
        raise ListError(f"the extraction is larger than {LIMIT} octets")
    file = io.BytesIO(content)
    if content[:2] != b"PK":
        yield file
        return
    try:
        with zipfile.ZipFile(file) as archive, _only(archive) as member:
            yield io.BufferedReader(_Capped(member))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ListError(f"the extraction's ZIP cannot be read: {error}") from None


def _only(archive: zipfile.ZipFile) -> IO[bytes]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1:
        raise ListError(f"the extraction's ZIP holds {len(members)} files and not one")
    if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ListError("the extraction's ZIP is packed in an unusual way")
    return archive.open(members[0])


class _Capped(io.RawIOBase):
    """A ZIP's member, of which no more comes out than ``PLAIN`` octets, whatever it says it has."""

    def __init__(self, member: IO[bytes]) -> None:
        self._member = member
        self._left = PLAIN

    def readable(self) -> bool:
        return True

    def readinto(self, into: "memoryview") -> int:  # type: ignore[override]
        block = self._member.read(len(into))
        self._left -= len(block)
        if self._left < 0:
            raise ListError(f"the extraction's text is larger than {PLAIN} octets")
        into[: len(block)] = block
        return len(block)


def _next(text: IO[bytes]) -> str:
    try:
        return text.readline(_LINE).decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ListError("the extraction is no UTF-8 text") from None


def _columns(header: str) -> tuple[int, ...]:
    """Return where the columns lie that we read."""
    names = [" ".join(fold(name).replace("'", " ").split()) for name in header.split("|")]
    if len(names) != len(HEADER):
        raise ListError(f"the extraction has {len(names)} columns and not {len(HEADER)}")
    places = []
    for wanted in _READ:
        found = [at for at, name in enumerate(names) if name.startswith(wanted)]
        if len(found) != 1:
            raise ListError(f"the extraction's header names {wanted!r} {len(found)} times")
        places.append(found[0])
    return tuple(places)


def _lines(text: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines; of one that is too long, as much as shows that it is."""
    rest = b""
    while block := text.read(_BLOCK):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
        rest = rest[: _LINE + 1]
    if rest:
        yield rest


class _RowError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


class _Rows:
    """Reads rows; what many of them share is judged once."""

    def __init__(self, at: tuple[int, ...]) -> None:
        self._pick = itemgetter(*at)
        self._structures = _Structures()
        self._clean = _Cleaned()

    def entry(self, line: bytes) -> Entry:
        """Return what a row says; in one stroke, as there are a million."""
        if len(line) >= _LINE:
            raise _RowError(Fault.TOO_LONG)
        try:
            row = line.decode().rstrip("\r").split("|")
        except UnicodeDecodeError:
            raise _RowError(Fault.ENCODING) from None
        if len(row) != _COLUMNS:
            raise _RowError(Fault.COLUMNS)
        kind, address, person, scheme, structure, service, *rest = self._pick(row)
        title, last, first, profession, legal, sign = rest
        cleaned = self._clean
        try:
            organisation, called = self._structures[scheme, structure, legal or sign]
            return Entry(
                parse(address.strip()),
                _KINDS[kind],
                identifiers.person(person.strip()),
                organisation,
                clean(f"{title} {first} {last}"),
                cleaned[profession],
                called,
                cleaned[service],
            )
        except AddressError:
            raise _RowError(Fault.ADDRESS) from None
        except HolderError:
            raise _RowError(Fault.PERSON) from None


class _Structures(dict[tuple[str, str, str], tuple[str, str]]):
    """Structures' identifiers and names, as rows write them: many rows have one."""

    def __missing__(self, written: tuple[str, str, str]) -> tuple[str, str]:
        scheme, number, name = written
        organisation = _structure(scheme, number) if number else ""
        self[written] = found = organisation, clean(name)
        return found


class _Cleaned(dict[str, str]):
    """Clean texts, of those that many rows share."""

    def __missing__(self, text: str) -> str:
        self[text] = found = clean(text)
        return found


class _Kinds(dict[str, Kind]):
    """Kinds, by how they are written."""

    def __missing__(self, text: str) -> Kind:
        raise _RowError(Fault.KIND)


_KINDS = _Kinds({kind.value: kind for kind in Kind})


def _structure(scheme: str, number: str) -> str:
    """Return a structure's identifier, given with its kind's name or with the digit in front."""
    known, number = _STRUCTURES.get(fold(scheme).strip()), number.strip()
    if known is not None:
        with suppress(HolderError):
            return str(Identifier(known, number))
    try:
        found = identifiers.structure(number)
    except HolderError:
        raise _RowError(Fault.ORGANISATION) from None
    if known is not None and not found.startswith(known):
        raise _RowError(Fault.ORGANISATION)
    return found
