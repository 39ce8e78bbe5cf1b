"""Documents as files: what operators see of them, and what they never see unasked."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.documents import cda, cda_writer, packing, xdm
from gateway.operations import documents
from gateway.operations.error import OperationError
from tests.gateway.documents.made import AT, EXAMPLES, PDF, SENDER, document, parcel
from tests.gateway.documents.test_order import ABOUT


def _files(folder: Path) -> dict[str, Path]:
    """Return one result as it is met: alone, in an archive, in a mail."""
    content = cda_writer.write(document())
    made = {
        "result.xml": content,
        "IHE_XDM.zip": xdm.build(content, document(), [], AT, SENDER),
        "result.eml": packing.pack(parcel(), SENDER),
    }
    for name, each in made.items():
        (folder / name).write_bytes(each)
    return {name: folder / name for name in made}


def _run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["document", *map(str, arguments)])
    return done.exit_code, done.output


def test_show_tells_what_it_is_and_not_about_whom(tmp_path: Path) -> None:
    """The same of each form; the patient only where somebody asked (R-G6)."""
    for each in _files(tmp_path).values():
        code, told = _run("show", each)
        assert 0 == code
        assert "11502-2" in told
        assert not any(word in told for word in ("DESMAUX", "279035", "19790301"))
        facts = json.loads(_run("show", each, "--patient", "--json")[1])["documents"][0]
        assert ("DESMAUX", "279035121518989", "nir", True) == (
            facts["name"],
            facts["number"],
            facts["ins"],
            facts["qualified"],
        )


def test_show_of_a_mail_without_a_document(tmp_path: Path) -> None:
    """It is said that there is none; a broken one is said to be broken."""
    (tmp_path / "a.eml").write_bytes(b"Subject: x\r\n\r\nbonjour\r\n")
    assert (0, "There is no health document in it.\n") == _run("show", tmp_path / "a.eml")
    (tmp_path / "b.eml").write_bytes(b"Content-Type: text/xml\r\n\r\n<ClinicalDocument>")
    (tmp_path / "c.xml").write_bytes(b"<a/>")
    for name in ("b.eml", "c.xml"):
        code, told = _run("show", tmp_path / name)
        assert 1 == code
        assert "cannot be read" in told


def test_check_says_what_contradicts(tmp_path: Path) -> None:
    """Nothing in what we make; the wrong citizen, by the name that rules know."""
    files = _files(tmp_path)
    for each in files.values():
        assert (0, "Nothing contradicts itself.\n") == _run("check", each)
    code, told = _run("check", files["result.eml"], "--to", "277076322082910@patient.mssante.fr")
    assert 1 == code
    assert "recipient-not-patient" in told
    found = documents.check(files["result.xml"], ["277076322082910@patient.mssante.fr"])
    assert ["recipient-not-patient"] == [each["reason"] for each in found["findings"]]  # type: ignore[attr-defined]


def test_a_pdf_and_its_companion_become_a_mail(tmp_path: Path) -> None:
    """What is packed is coherent, and the document in it is read back."""
    pdf, about, out = (tmp_path / name for name in ("a.pdf", "a.json", "a.eml"))
    pdf.write_bytes(PDF)
    companion: dict[str, Any] = {"to": ["dr@chu.example"], "text": "Bonjour", "document": ABOUT}
    about.write_text(json.dumps(companion))
    assert 0 == _run("pack", pdf, out, "--from", "labo@essais.example", "--about", about)[0]
    assert (0, "Nothing contradicts itself.\n") == _run("check", out, "--to", "dr@chu.example")
    (archive,) = packing.archives(out.read_bytes())
    assert PDF == cda.read(archive.documents[0].content).pdf


def test_the_published_examples_are_packed_by_hand(tmp_path: Path) -> None:
    """Each real document goes into a mail and comes out identical."""
    for each in sorted(EXAMPLES.glob("*.xml")):
        out = tmp_path / "out.eml"
        made = _run("pack", each, out, "--from", "labo@essais.example", "--to", "dr@chu.example")
        assert 0 == made[0]
        (archive,) = packing.archives(out.read_bytes())
        assert each.read_bytes() == archive.documents[0].content


@pytest.mark.parametrize(
    ("name", "content", "more", "words"),
    [
        ("a.pdf", PDF, [], "must tell what it is"),
        ("a.xml", b"<a/>", ["--to", "dr@chu.example"], "no CDA"),
        ("a.xml", cda_writer.write(document()), [], "nobody gets it"),
        ("a.xml", cda_writer.write(document()), ["--to", "nobody"], "no mail address"),
    ],
)
def test_what_is_missing_is_said(
    name: str, content: bytes, more: list[str], words: str, tmp_path: Path
) -> None:
    """What happened, and nothing was written."""
    (tmp_path / name).write_bytes(content)
    out = tmp_path / "out.eml"
    code, told = _run("pack", tmp_path / name, out, "--from", "labo@essais.example", *more)
    assert 1 == code
    assert words in told
    assert not out.exists()


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """In an operator's words."""
    with pytest.raises(OperationError, match="cannot read"):
        documents.show(tmp_path / "absent", patient=False)
