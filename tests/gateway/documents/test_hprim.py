"""HPRIM Médecin: twelve lines and a report; the file arrives as it was, and is readable beside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import hprim
from gateway.documents.errors import DocumentError
from gateway.documents.hprim import Cover, pack, read
from smtp.address import Address
from smtp.message.mime import PartIndex
from tests.gateway.documents.made import AT

HEAD = [
    "IPP-1",
    "DESMAUX",
    "NATHALIE",
    "1 rue des Essais",
    "",
    "75001 PARIS",
    "01/03/1979",
    "279035121518989",
    "D-77",
    "22/11/2026",
    "LABO Laboratoire des Essais",
    "10003456786 DURAND",
]
REPORT = [
    "",
    "GLYCÉMIE à jeun : 1,02 g/l",
    "",
    "****LAB****",
    "RES|GLYC|Glycémie|1.02|g/l",
    "****FIN****",
]
COVER = Cover(Address("labo@labo.example"), (Address("dr@chu.example"),), AT, "<1@labo.example>")


def made(*lines: str, coding: str = "utf-8", end: str = "\r\n") -> bytes:
    return end.join(lines or (*HEAD, *REPORT)).encode(coding)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "cp1252", "cp850"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_the_report_is_read_in_whatever_letters(coding: str, end: str) -> None:
    """What software reads stays in the file; who is to have it is known by the number."""
    result = read(made(coding=coding, end=end))
    assert "GLYCÉMIE à jeun : 1,02 g/l" == result.text.strip()
    assert ("rpps:10003456786",) == result.recipients
    assert "GLYC" not in repr(result)


def test_the_file_arrives_as_it_was() -> None:
    """A mail of a text and a file; neither subject nor file name says whose result it is."""
    content = made(coding="cp850")
    mail = pack(content, read(content), COVER)
    index = PartIndex()
    index.feed(mail)
    (_, text, file) = index.finish()
    import base64

    assert content == base64.b64decode(mail[file.body : file.end])
    assert "jeun" in base64.b64decode(mail[text.body : text.end]).decode()
    head = mail.partition(b"\r\n\r\n")[0]
    assert file.name.endswith(".hpr")
    assert b"DESMAUX" not in head + file.name.encode()
    assert b"To: dr@chu.example\r\n" in head
    assert mail == pack(content, read(content), COVER)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (HEAD[:11], "cut off"),
        (HEAD, "cut off"),
        ((*HEAD, "", " "), "cut off"),
        ((*HEAD[:5], *REPORT, *HEAD), "line 7"),
        ((*HEAD[:10], "****LAB****", "RES|x", "y"), "cut off"),
        ((HEAD[0], "", *HEAD[2:], *REPORT), "line 2"),
        ((*HEAD[:2], " ", *HEAD[3:], *REPORT), "line 3"),
        ((*HEAD[:6], "mars 1979", *HEAD[7:], *REPORT), "line 7"),
        ((*HEAD[:9], "hier", *HEAD[10:], *REPORT), "line 10"),
    ],
)
def test_what_lacks_is_named(lines: list[str], words: str) -> None:
    """By the line, and nothing that stands there."""
    with pytest.raises(DocumentError, match=words) as refused:
        read(made(*lines))
    assert "DESMAUX" not in str(refused.value)


def test_what_is_no_text_or_too_much_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program, a photograph, a disk."""
    with pytest.raises(DocumentError, match="no text"):
        read(made() + b"\0")
    monkeypatch.setattr(hprim, "_LONGEST", 100)
    with pytest.raises(DocumentError, match="larger"):
        read(made())


def test_whom_it_is_for_may_be_unsaid() -> None:
    """A name without a national number stands for nobody."""
    assert () == read(made(*HEAD[:11], "Dr DURAND", *REPORT)).recipients


@given(st.binary(max_size=400))
def test_any_bytes_are_a_result_or_our_error(octets: bytes) -> None:
    """Whatever comes behind twelve lines, or in place of them."""
    for content in (octets, made(*HEAD) + b"\r\n" + octets):
        try:
            result = read(content)
        except DocumentError:
            continue
        mail = pack(content, result, COVER)
        assert mail.count(b"\r\n") == mail.count(b"\n") == mail.count(b"\r")
        assert mail.isascii()


@pytest.mark.parametrize(
    "more", [[*HEAD, "", "another's"], ["****LAB****", "RES|K|K|4|m"], ["****FIN****", "x"]]
)
def test_a_file_of_two_patients_is_not_sent(more: list[str]) -> None:
    """The second one's result would go to the first one's physician, and to nobody else."""
    with pytest.raises(DocumentError, match="several results"):
        read(made(*HEAD, *REPORT, *more))


def test_the_ends_of_a_file_are_no_second_result() -> None:
    """As laboratories write them."""
    assert read(made()) == read(made(*HEAD, *REPORT, "****FINFICHIER****", ""))
