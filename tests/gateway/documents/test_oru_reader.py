"""A laboratory's ORU^R01: its document comes out whole, and every lack is named in words."""

import base64
import re
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import cda, cda_writer, er7, order, oru_reader
from gateway.documents.coherence import Enclosed
from gateway.documents.document import PEOPLE, STRUCTURES, Identifier, Organisation
from gateway.documents.errors import DocumentError
from gateway.documents.oru_reader import read
from gateway.relay.handing.oru import Ends, write
from tests.gateway.documents.made import EXAMPLES, NUMBER, PDF, document

FILE = base64.b64encode(PDF).decode()
INS = "279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
LINES = (
    "MSH|^~\\&|SIL|Labo des Essais^750000010^L|SCEAU||20261122213015+0100||ORU^R01^ORU_R01|7|P|2.5",
    f"PID|1||{INS}~IPP-1^^^LABO&1.2.3&ISO^PI||DESMAUX^NATHALIE||19790301|F",
    (
        "OBR|1|D-1|F-1|11502-2^CR de biologie^LN|||20261122080000|||||||||10003456786^DURAND^A||||||"
        "20261122203015||||||810001234565^ESSAI^C~nobody^X"
    ),
    f"OBX|1|ED|PDF^^L||^application^PDF^Base64^{FILE}||||||F|||20261122||810001234565^ESSAI^Camille",
)


def made(*changed: tuple[int, str, str], more: tuple[str, ...] = ()) -> bytes:
    """Write the message with these pieces of its lines exchanged."""
    lines = list(LINES)
    for place, old, new in changed:
        assert old in lines[place]
        lines[place] = lines[place].replace(old, new)
    return "".join(f"{line}\r" for line in (*lines, *more)).encode()


def test_a_pdf_is_told_by_the_segments_around_it() -> None:
    """Patient, number, code, times, author, laboratory; complete enough to be qualified."""
    found = read(made())
    assert (PDF, None) == (found.pdf, found.cda)
    assert found.about is not None
    written = cda.read(cda_writer.write(order.document(found.about, PDF)))
    (who,), place = written.authors, written.custodian
    assert NUMBER in written.patient.identifiers
    assert ("F-1", "11502-2", "CR de biologie") == (
        written.id.extension,
        written.code.code,
        written.title,
    )
    assert ("20261122203015+0100", "20261122080000+0100") == (written.at, written.performed)
    assert ("ESSAI", Identifier(PEOPLE, "810001234565")) == (who.family, who.id)
    assert Organisation("Labo des Essais", Identifier(STRUCTURES, "1750000010")) == place
    assert PDF == written.pdf


def test_who_is_to_have_it_is_named_by_number() -> None:
    """Copies to (OBR-28) and who asked for it (OBR-16); who has no national number is passed over."""
    assert ("rpps:10001234565", "rpps:10003456786") == read(made()).recipients


def test_participants_come_first_and_by_their_address() -> None:
    """PRT of the role RCT: the secure address, else the number."""
    prt = "PRT||UC||RCT^Results Copies To|{}||||||||||{}"
    told = (
        prt.format("810003456786^DURAND^A", "^NET^Internet^dr@chu.example"),
        prt.format("810003456786^DURAND^A", ""),
        "PRT||UC||SB|810003456786^DURAND^A||||||||||^NET^Internet^other@chu.example",
    )
    found = read(made(more=told)).recipients
    assert ("dr@chu.example", "rpps:10003456786") == found[:2]
    assert "other@chu.example" not in found


def test_a_document_comes_out_octet_by_octet() -> None:
    """What Sceau writes for software it reads again: the CDA document as it was."""
    content = cda_writer.write(document())
    told = write((Enclosed("2", content, document()),), "01JD5F5R00ABCDEFGHJKMNPQRS", Ends("x"))
    assert content == read(told).cda
    files = (path for path in sorted(EXAMPLES.rglob("*.xml")) if path.stat().st_size < 400_000)
    for path in list(files)[:3]:
        content = path.read_bytes()
        coded = base64.b64encode(content).decode()
        assert (
            content
            == read(made((3, f"^application^PDF^Base64^{FILE}", f"^text^XML^Base64^{coded}"))).cda
        )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (((0, "ORU^R01", "ADT^A01"),), "only ORU"),
        (((1, "PID", "ZID"),), "about one patient"),
        (((3, "ED", "NM"),), "neither a PDF nor a CDA document"),
        (((3, FILE, "JVBE*"),), "Base64 or Hex"),
        (((3, "Base64", "A"),), "Base64 or Hex"),
        (((3, FILE, base64.b64encode(b"hello").decode()),), "holds neither"),
        (((2, "OBR", "ZBR"),), "no OBR"),
        (((2, "F-1", ""), (2, "D-1", "")), "no number"),
        (((2, "20261122203015", ""), (3, "20261122", ""), (0, "20261122213015+0100", "")), "when"),
        (((1, "^NATHALIE", ""),), "PID-5"),
        (((1, "19790301", "1979"),), "PID-7"),
        (((3, "810001234565^ESSAI^Camille", ""),), "who answers for it"),
        (((0, "Labo des Essais^750000010^L", ""),), "which laboratory"),
    ],
)
def test_what_lacks_is_named(changes: tuple[tuple[int, str, str], ...], words: str) -> None:
    """In words for the laboratory, with the field's number, and nothing that stands there."""
    with pytest.raises(DocumentError, match=re.escape(words)) as refused:
        read(made(*changes))
    assert "DESMAUX" not in str(refused.value)


def test_one_document_a_message() -> None:
    """Two would be two patients' or one correction of the other: a person must say which."""
    with pytest.raises(DocumentError, match="several documents"):
        read(made(more=(LINES[3],)))
    with pytest.raises(DocumentError, match="one patient"):
        read(made(more=(LINES[1].replace(INS, "9^^^L&1.2&ISO"),)))


def test_what_may_be_written_otherwise_is_read_too() -> None:
    """Hexadecimal, the author in OBR-32, a code of the house with LOINC beside, the day alone."""
    content = made(
        (3, f"Base64^{FILE}", f"Hex^{PDF.hex()}"),
        (3, "810001234565^ESSAI^Camille", "||||||||Labo^L^^^^^^^^750000010"),
        (3, "20261122||", "20261122|"),
        (2, "11502-2^CR de biologie^LN", "BIO^Bilan^L^11502-2^x^LN"),
        (2, "20261122203015", "20261122"),
        (2, "nobody^X", "nobody^X||||810001234565&ESSAI&C"),
    )
    found = read(content)
    assert PDF == found.pdf
    assert found.about is not None
    assert ("11502-2", "Bilan") == (found.about.code, found.about.title)
    assert ("ESSAI", "rpps:10001234565") == (found.about.author.family, found.about.author.holder)
    assert "2026-11-22T00:00:00+01:00" == found.about.at.isoformat()


@pytest.mark.parametrize(
    ("raw", "read_as"),
    [
        ("20261122083015-0330", "2026-11-22T08:30:15-03:30"),
        ("20261122083015.123+0000", "2026-11-22T08:30:15+00:00"),
        ("20261322", None),
        ("00010101+9999", None),
        ("", None),
    ],
)
def test_times(raw: str, read_as: str | None) -> None:
    """As much of one as was told; none for what is no time."""
    found = oru_reader._time(raw)
    assert read_as == (found.isoformat() if found else None)


def test_without_any_offset_it_is_this_machines_time() -> None:
    """As a laboratory's clock on the wall has it."""
    found = oru_reader._time("20261122083015")
    assert found is not None
    assert datetime(2026, 11, 22, 8, 30, 15).astimezone() == found


PIECES = st.sampled_from(
    ["PID|", "OBR|", "OBX|1|ED|", "PRT||||RCT|", "^", "~", "|", "&", "\\", FILE, INS, "\r"]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=30))
def test_any_message_is_a_document_or_our_error(pieces: list[str]) -> None:
    """Whatever stands in its fields: what is read can be written, or is refused."""
    content = (LINES[0] + "\r" + "".join(pieces)).encode("utf-8", "replace")
    for each in (content, made(more=("".join(pieces),)), b"MSH" + content[3:]):
        try:
            found = read(each)
            if found.about is not None and found.pdf is not None:
                cda_writer.write(order.document(found.about, found.pdf))
        except DocumentError:
            continue


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_name_can_be_written(name: str, title: str) -> None:
    """What XML cannot hold never gets so far."""
    told = made((1, "DESMAUX", "A" + name), (2, "CR de biologie", title))
    try:
        found = read(told)
        assert found.about is not None
        cda_writer.write(order.document(found.about, PDF))
    except DocumentError:
        pass


def test_a_message_reads_only_what_er7_gives() -> None:
    """The file's own bytes are looked at in one place."""
    assert er7.read(made())[0].name == "MSH"
    assert Path(oru_reader.__file__).read_text("utf-8").count(".decode(") == 0


def test_a_number_that_is_none_is_passed_over() -> None:
    """A register that nobody knows, a wrong key: the laboratory's own number for a colleague."""
    content = made(
        (2, "10003456786", "10003456787"),
        (2, "810001234565", "810001234566"),
        (3, "810001234565", "999"),
        (0, "750000010", "1750000011"),
        (1, "&1.2.3&ISO", ""),
    )
    found = read(content)
    assert found.about is not None
    assert ((), "", "") == (
        found.recipients,
        found.about.author.holder,
        found.about.organisation.holder,
    )
    siret = made((0, "750000010", "1750000010"))
    about = read(siret).about
    assert about is not None
    assert "finess:750000010" == about.organisation.holder
    assert () == read(made((2, "10003456786", "01"), (2, "810001234565", "4"))).recipients


def test_two_patients_without_a_number_are_two() -> None:
    """Neither by an empty PID-3 nor by a number that both have."""
    for number in ("", INS):
        first = (1, LINES[1].split("|")[3], number)
        other = f"PID|2||{number}||DURAND^PAUL||19600301|M"
        with pytest.raises(DocumentError, match="one patient"):
            read(made(first, more=(other,)))


def test_the_document_is_of_the_act_that_it_lies_under() -> None:
    """Of several OBR: number, code and who asked are not those of another act."""
    lines = [LINES[0], LINES[1], "OBR|1||A-0|11524-6^ECG^LN", *LINES[2:]]
    found = read("".join(f"{line}\r" for line in lines).encode())
    assert found.about is not None
    assert ("F-1", "CR de biologie") == (found.about.id, found.about.title)


def test_two_messages_in_frames_are_two() -> None:
    """The frame of MLLP hides neither a second header nor a second patient."""
    with pytest.raises(DocumentError, match="several HL7 messages"):
        read(b"\x0b" + made() + b"\x1c\r\x0b" + made() + b"\x1c\r")


def test_the_document_is_about_the_patient_of_the_message() -> None:
    """A CDA document under another patient's PID was put there by mistake."""
    cda_file = base64.b64encode(cda_writer.write(document())).decode()
    pieces = ((3, "application^PDF", "text^XML"), (3, FILE, cda_file))
    assert read(made(*pieces)).ins.startswith("2790351215189")
    assert "" == read(made((1, INS, "1^^^X"), *pieces)).ins
