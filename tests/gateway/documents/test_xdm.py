"""Archives: ours are read by others, and no stranger's does any harm."""

import io
import stat
import struct
import subprocess
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents import cda, cda_writer, metadata, xdm
from gateway.documents.errors import DocumentError
from gateway.documents.xdm import Archive
from tests.gateway.documents.made import AT, EXAMPLES, SENDER, document

CONTENT = cda_writer.write(document())
ARCHIVE = xdm.build(CONTENT, document(), ["dr@chu.example"], AT, SENDER)
_PLACE = "IHE_XDM/SUBSET01/"


def _about(*uris: str) -> bytes:
    entries = "".join(
        f"<ExtrinsicObject><Slot name='URI'><ValueList><Value>{each}</Value></ValueList></Slot>"
        "</ExtrinsicObject>"
        for each in uris
    )
    return (
        f'<SubmitObjectsRequest xmlns="{metadata.LCM}"><RegistryObjectList'
        f' xmlns="{metadata.RIM}">{entries}</RegistryObjectList></SubmitObjectsRequest>'
    ).encode()


def _zip(*files: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as opened:
        for name, content in files:
            opened.writestr(name, content)
    return out.getvalue()


def _link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(_PLACE + "DOC0001.XML")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def _encrypted() -> bytes:
    made = bytearray(_zip((_PLACE + "METADATA.XML", _about("A")), (_PLACE + "A", b"x")))
    directory = made.index(b"PK\x01\x02")
    made[directory + 8] |= 1
    return bytes(made)


HOSTILE: dict[str, tuple[bytes, str]] = {
    "no archive": (b"PK but none", "damaged"),
    "empty": (b"", "damaged"),
    "cut": (ARCHIVE[:-40], "damaged"),
    "no metadata": (_zip(("A", b"x")), "no IHE_XDM"),
    "metadata elsewhere": (_zip(("METADATA.XML", _about("A")), ("A", b"x")), "no IHE_XDM"),
    "too deep": (_zip((_PLACE + "x/METADATA.XML", _about("A"))), "no IHE_XDM"),
    "up": (_zip(("../../etc/cron.d/x", b"x")), "outside"),
    "up inside": (_zip((_PLACE + "../../x", b"x")), "outside"),
    "root": (_zip(("/etc/passwd", b"x")), "outside"),
    "drive": (_zip(("C:/x", b"x")), "outside"),
    "backslash": (_zip(("..\\x", b"x")), "outside"),
    "here": (_zip(("./x", b"x")), "outside"),
    "double slash": (_zip(("a//x", b"x")), "outside"),
    "nul": (_zip(("AXB", b"x")).replace(b"AXB", b"A\x00B"), "write"),
    "long": (_zip(("x" * 201, b"x")), "write"),
    "bell": (_zip(("x\x07", b"x")), "write"),
    "link": (_zip((_link(), b"/etc/passwd")), "link"),
    "encrypted": (_encrypted(), "encrypted"),
    "other packing": (_zip(("A", b"x"), method=zipfile.ZIP_LZMA), "packed in a way"),
    "bomb": (_zip(("A", b"\x00" * (2 << 20))), "bomb"),
    "many": (_zip(*((f"{each}", b"") for each in range(1001))), "more files"),
    "capitals": (_zip(("a", b"x"), ("A", b"y")), "two files of one name"),
    "absent": (_zip((_PLACE + "METADATA.XML", _about("A"))), "not in the archive"),
    "no name": (_zip((_PLACE + "METADATA.XML", _about("")), ("A", b"x")), "not in the archive"),
    "named up": (
        _zip((_PLACE + "METADATA.XML", _about("../../INDEX.HTM")), ("INDEX.HTM", b"x")),
        "not in the archive",
    ),
    "named twice": (
        _zip((_PLACE + "METADATA.XML", _about("A", "a")), (_PLACE + "A", b"x")),
        "twice",
    ),
    "entities": (
        _zip((_PLACE + "METADATA.XML", b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>')),
        "DTD",
    ),
    "no submission": (_zip((_PLACE + "METADATA.XML", b"<a/>")), "no submission"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused(name: str) -> None:
    """Each trick, in its own words; nothing was written anywhere, for nothing ever is."""
    content, words = HOSTILE[name]
    with pytest.raises(DocumentError, match=words):
        xdm.read(content)


def test_one_name_twice_is_refused() -> None:
    """Two programs would see two different documents."""
    with pytest.warns(UserWarning, match="Duplicate"):
        content = _zip((_PLACE + "METADATA.XML", _about("A")), ("A", b"x"), ("A", b"y"))
    with pytest.raises(DocumentError, match="two files of one name"):
        xdm.read(content)


def test_large_metadata_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before they are unpacked."""
    monkeypatch.setattr(xdm, "_MOST_METADATA", 10)
    with pytest.raises(DocumentError, match="larger than any"):
        xdm.read(ARCHIVE)


def test_all_files_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever each of them says of itself."""
    monkeypatch.setattr(xdm, "_MOST_OCTETS", 1000)
    with pytest.raises(DocumentError, match="unpacked"):
        xdm.read(ARCHIVE)


def test_a_size_is_a_promise() -> None:
    """A file that says it is longer than it is would make others wait for the rest."""
    body = b"short"
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = deflate.compress(body) + deflate.flush()
    made = bytearray(_zip((_PLACE + "METADATA.XML", _about("A")), (_PLACE + "A", body)))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = made.rindex(mark)
        made[start + place : start + place + 4] = struct.pack("<I", len(body) + 5)
    assert packed in made
    with pytest.raises(DocumentError, match="one size and has another"):
        xdm.read(bytes(made))


def test_what_was_packed_comes_back_byte_for_byte() -> None:
    """With its metadata, and found whatever the case of the folders' names."""
    found = xdm.read(ARCHIVE)
    (packed,) = found.documents
    assert CONTENT == packed.content
    assert found.submissions[0].entries == (packed.entry,)
    lower = _zip(
        ("ihe_xdm/subset01/metadata.xml", _about("a.xml")), ("ihe_xdm/subset01/A.xml", b"x")
    )
    assert [b"x"] == [each.content for each in xdm.read(lower).documents]


def test_an_archive_may_have_several_subsets() -> None:
    """Each with metadata of its own, and files that nobody names are left alone."""
    made = _zip(
        ("IHE_XDM/B/METADATA.XML", _about("X")),
        ("IHE_XDM/A/METADATA.XML", _about("X")),
        ("IHE_XDM/A/X", b"a"),
        ("IHE_XDM/B/X", b"b"),
        ("IHE_XDM/B/", b""),
        ("AUTORUN.EXE", b"MZ"),
        method=zipfile.ZIP_STORED,
    )
    assert [b"a", b"b"] == [each.content for each in xdm.read(made).documents]


def test_the_published_examples_come_back_identical() -> None:
    """Every real document, packed and unpacked, is the same octets."""
    for path in sorted(EXAMPLES.glob("*.xml")):
        content = path.read_bytes()
        made = xdm.build(content, cda.read(content), [], AT, SENDER)
        assert [content] == [each.content for each in xdm.read(made).documents]


def test_other_programs_read_ours(tmp_path: Path) -> None:
    """Python's zipfile and Info-ZIP find the four files, whole, with our time."""
    (tmp_path / "a.zip").write_bytes(ARCHIVE)
    with zipfile.ZipFile(tmp_path / "a.zip") as opened:
        assert opened.testzip() is None
        assert [
            "INDEX.HTM",
            "README.TXT",
            _PLACE + "METADATA.XML",
            _PLACE + "DOC0001.XML",
        ] == opened.namelist()
        assert {(2026, 11, 22, 20, 30, 14)} == {each.date_time for each in opened.infolist()}
    said = subprocess.run(
        ["python3", "-m", "zipfile", "-t", str(tmp_path / "a.zip")], capture_output=True, check=True
    )
    assert b"Done testing" in said.stdout


def test_index_and_readme_hold_no_patient() -> None:
    """They are opened first, and by anybody; the sender's name cannot break them."""
    sender = xdm.Sender("A & <B>", "contact", "1.2.3", "Logiciel")
    made = xdm.build(CONTENT, document(), [], datetime(1970, 1, 1, tzinfo=UTC), sender)
    with zipfile.ZipFile(io.BytesIO(made)) as opened:
        told = opened.read("INDEX.HTM") + opened.read("README.TXT")
    assert b"A &amp; &lt;B&gt;" in told
    assert not any(each in told for each in (b"DESMAUX", b"279035", b"biologiques"))


def _read(content: bytes) -> Archive | None:
    try:
        return xdm.read(content)
    except DocumentError:
        return None


@given(st.binary())
def test_any_bytes_are_an_archive_or_our_error(content: bytes) -> None:
    """Noise, alone and behind the mark of an archive."""
    for each in (content, b"PK\x03\x04" + content, content + ARCHIVE[-22:]):
        _read(each)


@given(st.integers(0, len(ARCHIVE) - 1), st.binary(min_size=1, max_size=8))
@settings(max_examples=300)
def test_a_damaged_archive_is_read_or_refused(place: int, noise: bytes) -> None:
    """Wherever it is hit."""
    _read(ARCHIVE[:place] + noise + ARCHIVE[place + len(noise) :])
