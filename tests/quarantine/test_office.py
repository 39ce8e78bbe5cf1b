import zlib

import pytest

from quarantine.budget import Budget, Exhausted, Limits
from quarantine.kinds import Kind
from quarantine.office import active, parts_of_zip
from tests.quarantine.files import PDF, ole


def done(kind: Kind, content: bytes) -> list[str]:
    return [finding.reason for finding in active(kind, content, "1", Budget(Limits()))]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("[Content_Types].xml", b"application/vnd.ms-excel.sheet.macroEnabled.12", "macros"),
        ("[Content_Types].xml", b"application/xml", ""),
        ("Basic/Standard/M.xml", b"", "macros"),
        ("xl/macrosheets/sheet1.xml", b"", "macros"),
        (
            "word/_rels/settings.xml.rels",
            b'<Relationship Type="http://x/attachedTemplate" Target="http://y" TargetMode="External"/>',
            "active-content",
        ),
        (
            "word/_rels/document.xml.rels",
            b'<Relationship Type="http://x/hyperlink" Target="http://y" TargetMode="External"/>',
            "",
        ),
        ("word\\activeX\\activeX1.xml", b"", "active-content"),
        ("META-INF/manifest.xml", b"<manifest:encryption-data", "document-encrypted"),
        ("META-INF/manifest.xml", b"<manifest:manifest>", ""),
        ("word/document.xml", b"", ""),
    ],
)
def test_parts_of_a_document(name: str, content: bytes, reason: str) -> None:
    """Where a file lies in a document says what it is for."""
    assert reason == parts_of_zip(name, content)


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        ("_VBA_PROJECT", "macros"),
        ("EncryptedPackage", "document-encrypted"),
        ("\x01Ole10Native", "active-content"),
        ("__substg1.0_37010102", "archive-unreadable"),
    ],
)
def test_compound_files(stream: str, reason: str) -> None:
    """A stream's name says what it holds."""
    assert [reason] == done(Kind.OLE, ole("WordDocument", stream))
    assert [] == done(Kind.OLE, ole("WordDocument"))


def test_an_installer() -> None:
    """Windows runs it when it is opened."""
    found = ole() + bytes.fromhex("84100c0000000000c000000000000046")
    assert ["executable"] == done(Kind.OLE, found)


@pytest.mark.parametrize(
    "words",
    [
        b"<< /S /JavaScript /JS (app.alert(1)) >>",
        b"<< /S /Java#53cript >>",
        b"<< /S /Launch /F (cmd.exe) >>",
        b"<< /Type /EmbeddedFile >>",
    ],
)
def test_pdf(words: bytes) -> None:
    """What runs, or carries something, however its name is written."""
    assert ["active-content"] == done(Kind.PDF, PDF + words)
    packed = b"<< /Type /ObjStm /Filter /FlateDecode >>\nstream\n" + zlib.compress(words)
    assert ["active-content"] == done(Kind.PDF, PDF + packed)


def test_a_pdf_that_is_only_read() -> None:
    """A page to open at, a link and a form are no program; damaged objects are passed over."""
    broken = b"<< /Type /ObjStm >>\nstream\n\xff\xff"
    assert [] == done(Kind.PDF, PDF + b"<< /OpenAction [3 0 R /Fit] /URI (https://x) >>" + broken)
    assert ["document-encrypted"] == done(Kind.PDF, PDF + b"<< /Encrypt 9 0 R >>")


def test_a_pdf_of_thousands_of_packed_objects() -> None:
    """They count against the budget, and are read so far and no further."""
    one = b"<< /ObjStm >>\nstream\n" + zlib.compress(b"x" * 5000)
    assert [] == done(Kind.PDF, PDF + 100 * one + 11_000 * b"/ObjStm ")
    with pytest.raises(Exhausted):
        list(active(Kind.PDF, PDF + 10 * one, "1", Budget(Limits(unpacked=9000))))


@pytest.mark.parametrize(
    ("kind", "content", "reasons"),
    [
        (Kind.RTF, b"{\\rtf1{\\object\\objemb{\\*\\objdata 01}}}", ["active-content"]),
        (Kind.RTF, b"{\\rtf1 bonjour}", []),
        (Kind.HTML, b"<html><SCRIPT src=x>", ["active-content"]),
        (Kind.HTML, b"<html><a href='javascript:x()'>", ["active-content"]),
        (Kind.HTML, b"<html><body onload = x()>", ["active-content"]),
        (Kind.HTML, b"\xff\xfe" + "<script>".encode("utf-16-le"), ["active-content"]),
        (Kind.HTML, b"\xfe\xff" + "<script>".encode("utf-16-be"), ["active-content"]),
        (Kind.HTML, b"<html><p>bonjour", []),
        (Kind.SVG, b"<svg><script/></svg>", ["active-content"]),
        (Kind.XML, b'<a xmlns="http://www.w3.org/1999/xhtml"><script/></a>', ["active-content"]),
        (Kind.XML, b'<a xmlns="http://www.w3.org/1999/xhtml"><p/></a>', []),
        (Kind.XML, b"<a><script/></a>", []),
        (Kind.NOTEBOOK, b"", ["active-content"]),
        (Kind.TEXT, b"<script>", []),
    ],
)
def test_other_documents(kind: Kind, content: bytes, reasons: list[str]) -> None:
    """What a reader would run or follow by itself."""
    assert reasons == done(kind, content)
