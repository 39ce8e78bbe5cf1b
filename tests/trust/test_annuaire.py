"""The Annuaire Santé's flat extraction: what is right is taken, what is wrong is counted."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp.address import parse
from tests.trust.extraction import crowd, finess, row, rpps, text, zipped
from trust.addresses import Kind
from trust.directory.entry import Entry
from trust.directory.reading import Directory
from trust.directory.report import Report
from trust.errors import ListError
from trust.formats import annuaire

DR = row(
    adresse="zoe.barber@chu.example",
    identification_nationale=f"8{rpps(7)}",
    type_identifiant_structure="FINESS",
    identification_structure=finess(3),
    service="CARDIOLOGIE",
    civilité="DR",
    nom="BARBER",
    prénom="Zoé",
    libellé_profession="Médecin",
    raison="CHU D'ÉVREUX",
)
ZOE = Entry(
    parse("zoe.barber@chu.example"),
    Kind.PER,
    f"rpps:{rpps(7)}",
    f"finess:{finess(3)}",
    "DR Zoé BARBER",
    "Médecin",
    "CHU D'ÉVREUX",
    "CARDIOLOGIE",
)
GOOD = [row(adresse=f"dr{number}@chu.example") for number in range(8)]


def read(content: bytes) -> Directory:
    return Directory(annuaire.build(content))


@pytest.mark.parametrize(
    "content",
    [
        text(DR),
        zipped(text(DR)),
        b"\xef\xbb\xbf" + text(DR),
        text(DR).replace(b"\n", b"\r\n"),
        text(DR)[:-1],
        text(DR).replace(b"|Nom|", b"|Nom d'exercice|"),
    ],
)
def test_a_line_is_an_entry(content: bytes) -> None:
    """Packed or plain, with a mark or without, a mailbox's line says whose it is."""
    assert [ZOE] == list(read(content))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (row(type_de="ABC"), "kind"),
        (row(adresse="nobody"), "address"),
        (row(adresse="a|b"), "columns"),
        (row(nom="x" * 5000), "too-long"),
        (row(identification_nationale=f"8{rpps(7)[:-1]}x"), "person"),
        (row(identification_nationale="810003456789"), "person"),
        (row(type_identifiant_structure="FINESS", identification_structure="1234"), "organisation"),
        (
            row(type_identifiant_structure="FINESS", identification_structure="540002699"),
            "organisation",
        ),
        (
            row(type_identifiant_structure="SIRET", identification_structure=f"1{finess(3)}"),
            "organisation",
        ),
        (row(identification_structure="1540002699"), "organisation"),
        (GOOD[0], "repeated"),
    ],
)
def test_a_wrong_line_is_left_out(wrong: str, why: str) -> None:
    """One line says nothing of the others; each reason is counted."""
    found = read(text(wrong, *GOOD) if why != "repeated" else text(*GOOD, wrong))

    assert 8 == len(found)
    assert {why: 1} == found.report.left_out


@pytest.mark.parametrize(("octets", "taken"), [(4095, 1), (4096, 0), (300_000, 0)])
def test_the_longest_line_has_4096_octets_with_its_end(octets: int, taken: int) -> None:
    """What is longer is left out as one line, however many blocks it comes in."""
    long = row().ljust(octets, "x")
    found = read(text(long, *GOOD))
    assert (8 + taken, 1 - taken) == (len(found), found.report.left_out.get("too-long", 0))


def test_no_utf8() -> None:
    """A line in another encoding is left out."""
    assert {"encoding": 1} == read(text(*GOOD) + DR.encode("latin-1") + b"\n").report.left_out


@pytest.mark.parametrize(
    ("scheme", "number", "organisation"),
    [
        ("FINESS", finess(3), f"finess:{finess(3)}"),
        ("1", f"1{finess(3)}", f"finess:{finess(3)}"),
        ("", f"1{finess(3)}", f"finess:{finess(3)}"),
        ("SIRET", "44306184100047", "siret:44306184100047"),
        ("4", f"4{rpps(7)}003", f"cabinet:{rpps(7)}003"),
        ("", "", ""),
        ("", "0123", ""),
    ],
)
def test_structures(scheme: str, number: str, organisation: str) -> None:
    """A structure's number comes with its kind's name, or with the digit in front, or not."""
    line = row(type_identifiant_structure=scheme, identification_structure=number)
    (found,) = read(text(line))

    assert organisation == found.organisation


def _packed(*names: str, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.mkdir("folder")
        for name in names:
            archive.writestr(name, text(*GOOD))
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        text(),
        b"<html>not found</html>",
        b"\xff" * 50,
        text(DR).replace(b"|Pays", b""),
        text(DR).replace(b"Adresse BAL", b"Mail"),
        text(DR).replace(b"|Enseigne", b"|Nom"),
        text(GOOD[0], *["nonsense"] * 2),
        zipped(text(DR))[:-30],
        b"PK\x03\x04 and nothing",
        _packed(),
        _packed("one.txt", "two.txt"),
        _packed("one.txt", method=zipfile.ZIP_LZMA),
    ],
)
def test_what_is_refused_whole(content: bytes) -> None:
    """What is no extraction, or mostly wrong, leaves the directory as it was."""
    with pytest.raises(ListError):
        read(content)


def test_a_damaged_zip() -> None:
    """A file changed on its way is refused, not read as far as it goes."""
    octets = bytearray(zipped(text(*GOOD * 30)))
    octets[len(octets) // 2] ^= 0xFF
    with pytest.raises(ListError):
        read(bytes(octets))


def test_bombs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a large file nor a small one that swells gets further than the limits."""
    monkeypatch.setattr(annuaire, "PLAIN", 2000)
    with pytest.raises(ListError, match="text is larger"):
        read(zipped(text(*["|" * 30] * 10_000)))
    monkeypatch.setattr(annuaire, "LIMIT", 100)
    with pytest.raises(ListError, match="larger than 100"):
        read(text(*GOOD))


def test_a_folder_in_the_zip_is_nothing() -> None:
    """Only files count."""
    assert 8 == len(read(_packed("one.txt")))


@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda more: text(DR) + more))
def test_any_octets(content: bytes) -> None:
    """Any octets are a directory or our error."""
    try:
        found = read(content)
    except ListError:
        return
    assert ZOE == found.entry(ZOE.address)


def test_a_crowd() -> None:
    """A file of the real shape is taken without a fault."""
    found = read(zipped(text(*crowd(2000, 50))))

    assert "2000 rows, 0 left out" == str(found.report)
    assert 50 == len(found.domains)
    report = Report()
    assert 2000 == sum(1 for _ in annuaire.entries(text(*crowd(2000, 50)), report))
