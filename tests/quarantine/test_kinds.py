import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarantine.kinds import Kind, Name, kind_of
from tests.quarantine.files import EXE, OLE, PDF, PNG, docx, tarred

CMS = b"\x30\x82\x01\x00"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", Kind.TEXT),
        (EXE, Kind.PROGRAM),
        (b"MZ" + bytes(100), Kind.PROGRAM),  # DOS asks for nothing more
        (b"MZ est un departement" + b" fictif" * 20, Kind.TEXT),
        (b"\x7fELF" + bytes(9), Kind.PROGRAM),
        (b"\xca\xfe\xba\xbe" + bytes(9), Kind.PROGRAM),
        (docx(), Kind.ZIP),
        (tarred({"a": b"b"}), Kind.TAR),
        (OLE, Kind.OLE),
        (b"{\\rtf1}", Kind.RTF),
        (PDF, Kind.PDF),
        (b"\xff\xfe\x00 octets before it " + PDF, Kind.PDF),
        (PNG, Kind.IMAGE),
        (b"\x00\x00\x00\x18ftypheic" + bytes(9), Kind.IMAGE),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(9), Kind.SOUND),
        (b"RIFF\x00\x00\x00\x00WEBP", Kind.IMAGE),
        (b"RIFF\x00\x00\x00\x00WAVE", Kind.SOUND),
        (bytes(0x8001) + b"CD001", Kind.ARCHIVE),
        (bytes.fromhex("5d00008000") + bytes(9), Kind.ARCHIVE),
        (CMS + bytes.fromhex("06092a864886f70d010703"), Kind.ENCRYPTED),
        (CMS + bytes.fromhex("060b2a864886f70d0109100117"), Kind.ENCRYPTED),
        (CMS + bytes.fromhex("06092a864886f70d010702"), Kind.ENVELOPE),
        (CMS + b"something else in DER", Kind.UNKNOWN),
        (b"<!DOCTYPE html><p>", Kind.HTML),
        (b"\xef\xbb\xbf  <html>", Kind.HTML),
        (b"<?xml version='1.0'?><a/>", Kind.XML),
        (b"<?xml version='1.0'?><svg xmlns='x'/>", Kind.SVG),
        (b"\xff\xfe" + "<html>".encode("utf-16-le"), Kind.HTML),
        (b"\xfe\xff" + "#!/bin/sh".encode("utf-16-be"), Kind.SCRIPT),
        (b"From: a@b.example\r\nTo: c@d.example\r\n", Kind.MESSAGE),
        (b"bonjour", Kind.TEXT),
        (b"\x01\x02\x03", Kind.UNKNOWN),
    ],
)
def test_what_a_file_is(content: bytes, kind: Kind) -> None:
    """A file is what it begins as."""
    assert kind is kind_of(content)


@pytest.mark.parametrize(
    ("text", "extension"),
    [
        ("a.PDF", "pdf"),
        ("a.pdf.exe", "exe"),
        ("a.exe. . ", "exe"),
        ("a\u202efdp.exe", "exe"),
        ("sans", ""),
        ("", ""),
    ],
)
def test_extension(text: str, extension: str) -> None:
    """What a system would go by, not what a reader sees."""
    assert extension == Name(text).extension


def test_a_name_that_is_shown_in_another_order() -> None:
    """Marks for right-to-left text make exe.pdf of fdp.exe."""
    assert Name("a\u202efdp.exe").turned
    assert not Name("à.pdf").turned


@pytest.mark.parametrize(
    ("name", "kind", "hides"),
    [
        ("a.pdf", Kind.PDF, False),
        ("a.pdf", Kind.PROGRAM, True),
        ("a.pdf", Kind.UNKNOWN, False),
        ("a.docx", Kind.OLE, False),
        ("a.doc", Kind.RTF, False),
        ("a.jpg", Kind.ZIP, True),
        ("a.dat", Kind.PROGRAM, False),
    ],
)
def test_a_name_that_hides(name: str, kind: Kind, *, hides: bool) -> None:
    """Only what promises something can break its word."""
    assert hides is Name(name).hides(kind)


@given(st.binary(max_size=300))
def test_any_octets(content: bytes) -> None:
    """Whatever it is made of, a file is of one kind."""
    assert kind_of(content) in Kind
