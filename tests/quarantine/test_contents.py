"""What is found in a message: by what it is, not by its name, however deep it lies."""

import base64
import bz2
import gzip
import lzma
import zipfile

import pytest
from asn1crypto import cms, core
from hypothesis import given
from hypothesis import strategies as st

from quarantine.budget import Budget, Exhausted, Limits
from quarantine.contents import examine, look
from quarantine.letter import Thing
from quarantine.policy import REASONS, Finding
from tests.quarantine.files import (
    EXE,
    OLE,
    PDF,
    PNG,
    bomb,
    docx,
    encrypted,
    found,
    letter,
    mail,
    nested,
    of_file,
    ole,
    reasons,
    tarred,
    zipped,
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("compte-rendu.pdf", PDF),
        ("image.png", PNG),
        ("courrier.docx", docx()),
        ("ancien.doc", OLE),
        ("mesures.csv", b"date;valeur\r\n2026-03-02;7,1\r\n"),
        ("resultat.hpr", b"MSH|^~\\&|LABO|CHU\r"),
        ("document.xml", b'<?xml version="1.0"?><ClinicalDocument/>'),
        ("IHE_XDM.zip", zipped({"INDEX.HTM": b"<html>", "IHE_XDM/A/DOC.XML": b"<?xml?><a/>"})),
        ("scan.tar.gz", gzip.compress(tarred({"a.txt": b"bonjour"}), mtime=0)),
        ("vide", b""),
        ("note.txt", b"Relancez PowerShell - non, plus tard.\r\nMZ n'est rien.\r\n"),
    ],
)
def test_what_hospitals_send_passes(name: str, content: bytes) -> None:
    """An ordinary file gives no reason."""
    assert set() == of_file(name, content)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("prog.exe", EXE, {"executable"}),
        ("compte-rendu.pdf", EXE, {"executable", "disguised"}),
        ("ecran.scr", b"nothing of the kind", {"executable"}),
        ("rapport.pdf.exe. ", EXE, {"executable"}),
        ("outil", b"\x7fELF" + bytes(40), {"executable"}),
        ("raccourci.lnk", bytes.fromhex("4c00000001140200") + bytes(60), {"executable"}),
        ("photo\u202egpj.exe", EXE, {"executable", "disguised"}),
        ("lisez.txt", b"#!/bin/sh\nrm -rf ~\n", {"script"}),
        ("facture.js", b"var a = 1;", {"script"}),
        ("lien.url", b"[InternetShortcut]\r\nURL=file://x\r\n", {"script"}),
        ("tableau.xls", b"\xff\xfe" + "WScript.Shell".encode("utf-16-le"), {"script", "disguised"}),
        ("archive.7z", b"7z\xbc\xaf\x27\x1c" + bytes(40), {"archive-unreadable"}),
        ("winmail.dat", bytes.fromhex("789f3e22") + bytes(40), {"archive-unreadable"}),
        ("disque.iso", bytes(0x8001) + b"CD001" + bytes(40), {"archive-unreadable"}),
        ("message.asc", b"-----BEGIN PGP MESSAGE-----\n\nabc\n", {"content-encrypted"}),
        ("image.jpg", PNG + zipped({"a.txt": b"b"}), {"disguised"}),
    ],
)
def test_what_a_file_is(name: str, content: bytes, expected: set[str]) -> None:
    """Renaming hides nothing; a name that a system runs is enough."""
    assert expected == of_file(name, content)


def test_macros_under_another_name() -> None:
    """A .docm renamed to .docx keeps its macros, and they are found by what they are."""
    assert {"macros"} == of_file("courrier.docx", docx(vba=ole("_VBA_PROJECT")))
    assert {"macros"} == of_file("courrier.doc", ole("Macros", "_VBA_PROJECT"))
    listed = {"[Content_Types].xml": b"<x>application/vnd.ms-word.document.macroEnabled.main</x>"}
    assert {"macros"} == of_file("courrier.docx", zipped(listed))
    assert {"macros"} == of_file("calc.ods", zipped({"Basic/Standard/Module1.xml": b"<a/>"}))


def test_deep_in_archives() -> None:
    """A program in an archive in an archive is a program."""
    assert {"executable"} == of_file("a.zip", nested(2))
    packed = gzip.compress(tarred({"dir/outil.pdf": EXE}))
    assert {"executable", "disguised"} == of_file("a.tgz", packed)
    assert {"executable"} == of_file("a.bz2", bz2.compress(EXE))
    assert {"executable"} == of_file("a.xz", lzma.compress(EXE))
    (one,) = found(mail(("a.zip", zipped({"x/y.exe": EXE}))))
    assert Finding("executable", "2 a.zip/x/y.exe") == one


def test_a_password_on_an_archive() -> None:
    """What cannot be looked into is said to be so."""
    assert {"archive-encrypted"} == of_file("secret.zip", encrypted())
    assert {"archive-encrypted"} == of_file("dehors.zip", zipped({"dedans.zip": encrypted()}))


def test_a_password_on_a_document() -> None:
    """In the old form, the new one, and in PDF."""
    assert {"document-encrypted"} == of_file("a.docx", ole("EncryptedPackage", "EncryptionInfo"))
    manifest = b"<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"
    assert {"document-encrypted"} == of_file("a.odt", zipped({"META-INF/manifest.xml": manifest}))
    assert {"document-encrypted"} == of_file("a.pdf", PDF + b"<< /Encrypt 5 0 R >>")


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x", "/etc/passwd", "C:\\Windows\\x.dll.txt", "a\\..\\..\\b"]
)
def test_names_that_leave_the_folder(name: str) -> None:
    """Whoever unpacks it would write elsewhere."""
    assert "archive-traversal" in of_file("a.zip", zipped({name: b"x"}))
    assert "archive-traversal" in of_file("a.tar", tarred({name: b"x"}))


def test_a_bomb() -> None:
    """Sixteen to the power of six times a megabyte: the look ends at its limit, quickly."""
    assert {"archive-bomb"} == of_file("42.zip", bomb(), unpacked=8 << 20)


def test_archives_without_end() -> None:
    """One in the other, deeper than anybody opens."""
    assert {"archive-bomb"} == of_file("a.zip", nested(8))


def test_more_files_than_anybody_reads() -> None:
    """The directory alone is work."""
    many = zipped({f"{n}": b"" for n in range(50)})
    assert {"archive-bomb"} == of_file("a.zip", many, entries=40)


def test_a_file_too_large_to_be_opened() -> None:
    """What it begins as is still known; that nobody looked further is said."""
    assert {"not-inspected"} == of_file("a.pdf", PDF + bytes(300_000), largest=100_000)
    assert {"not-inspected", "executable"} == of_file("a", EXE + bytes(300_000), largest=100_000)
    inner = zipped({"inner.zip": zipped({"a": bytes(300)}, zipfile.ZIP_STORED) + bytes(200_000)})
    assert "not-inspected" in of_file("a.zip", inner, largest=100_000)


def test_a_look_that_takes_too_long() -> None:
    """Time is a limit as well."""
    budget = Budget(Limits(), expired=lambda: True)
    (one,) = look(letter(mail(("a.pdf", PDF))), budget)
    assert "not-inspected" == one.reason


def test_the_text_of_a_message_is_no_file() -> None:
    """What is written in a mail is shown, not run."""
    text = b"From: a@b.example\r\n\r\n#!/bin/sh\r\npowershell -enc AAAA\r\n"
    assert set() == reasons(text)
    html = b"From: a@b.example\r\nContent-Type: text/html\r\n\r\n<html><script>x()</script>\r\n"
    assert set() == reasons(html)


def test_a_message_in_a_message() -> None:
    """Attached, packed, or signed as a whole: it is opened like any other."""
    inner = mail(("a.pdf", EXE))
    assert {"executable", "disguised"} == of_file("transfert.eml", inner)
    assert {"executable", "disguised"} == of_file("a.zip", zipped({"transfert.eml": inner}))
    assert {"executable", "disguised"} == of_file("smime.p7m", signed(inner))


def signed(content: bytes) -> bytes:
    made = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [],
            "encap_content_info": {
                "content_type": "data",
                "content": core.OctetString(content),
            },
            "signer_infos": [],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": made}).dump())


def test_what_is_enveloped() -> None:
    """Encrypted end to end: nobody looks into it. Signed, but not as it should be: neither."""
    oid = bytes.fromhex("06092a864886f70d0107")
    assert {"content-encrypted"} == of_file(
        "smime.p7m", b"\x30\x82\x01\x00" + oid + b"\x03" + bytes(9)
    )
    assert {"archive-unreadable"} == of_file(
        "smime.p7m", b"\x30\x82\x01\x00" + oid + b"\x02" + bytes(9)
    )


def test_findings_end_somewhere() -> None:
    """A thousand programs in an archive are two hundred lines for a reviewer."""
    many = zipped({f"{n}.exe": b"" for n in range(300)})
    assert 200 == len(found(mail(("a.zip", many))))


@given(st.binary(max_size=400), st.text(max_size=20))
def test_any_file(content: bytes, name: str) -> None:
    """Whatever is attached is a list of reasons we know, or the end of the budget."""
    assert seen(Thing(name, content, "1")) <= set(REASONS)


def seen(thing: Thing) -> set[str]:
    try:
        return {finding.reason for finding in examine(thing, Budget(Limits()))}
    except Exhausted as end:
        return {end.reason}


@given(
    st.sampled_from([zipped({"a.zip": zipped({"b": EXE})}), tarred({"a": PDF}), signed(PDF)]),
    st.data(),
)
def test_any_damage(content: bytes, data: st.DataObject) -> None:
    """An archive with broken octets is read as far as it goes, and never breaks us."""
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    assert seen(Thing("a.zip", bytes(damaged[:cut]), "1")) <= set(REASONS)


@given(st.binary(max_size=600))
def test_any_message(raw: bytes) -> None:
    """Whatever octets a message is made of, a look ends with reasons we know."""
    assert reasons(raw) <= set(REASONS)


@pytest.mark.parametrize("ends", [b"\r\n", b"\n"])
@pytest.mark.parametrize("first", [b"", b"X-Own: 1\r\n", b"Hello: 1\r\n"])
@pytest.mark.parametrize("kind", ["message/rfc822", "application/octet-stream; name=a.eml"])
def test_a_message_that_is_a_file(kind: str, first: bytes, ends: bytes) -> None:
    """However it begins and however its lines end, what is attached to it is looked at."""
    inner = base64.encodebytes((first + mail(("a.bin", EXE))).replace(b"\r\n", ends))
    head = f"From: a@b.example\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
    raw = head.encode() + b"\r\n" + inner.replace(b"\n", b"\r\n")
    assert {"executable"} == {each.reason for each in found(raw)}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", b"Bonjour <b>a tous</b> <script>x()</script>"),
        ("a.XHTML", b"\x01 <script>x()</script>"),
        ("a.svg", b"<?xml version='1.0'?><!--" + b"x" * 5000 + b"--><svg onload='x()'/>"),
    ],
)
def test_a_text_is_what_its_name_makes_of_it(name: str, content: bytes) -> None:
    """A browser opens a page that does not begin as pages do, too."""
    assert {"active-content"} == of_file(name, content)


def test_a_program_behind_a_crowd() -> None:
    """Who attaches hundreds of doubtful files hides no other reason behind them."""
    crowd = [(f"{n}.svg", b"<svg onload='x()'/>") for n in range(250)]
    every = found(mail(*crowd, ("a.bin", EXE)))
    assert 201 == len(every)
    assert "executable" == every[-1].reason


def test_every_name_of_a_file() -> None:
    """One that some reader gives it is enough."""
    one = Thing("a.txt", b"var a = 1;", "2 a.txt", also=("a.js",))
    assert {"script"} == {each.reason for each in examine(one, Budget(Limits()))}
