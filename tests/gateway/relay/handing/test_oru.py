"""What hospital software reads in our messages, and what we read in its acknowledgements."""

import base64
from dataclasses import replace

import hl7
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.documents import cda_writer
from gateway.documents.coherence import Enclosed
from gateway.documents.document import Code, Identifier, Patient
from gateway.documents.ins import Register, Traits
from gateway.relay.handing import oru
from gateway.relay.handing.oru import FILED, UNSOUND, Ends, answered, committed, control, write
from tests.gateway.documents.made import PDF, document

ID = "01JD5F5R00ABCDEFGHJKMNPQRS"
ENDS = Ends("mx.labo.example", "DPI", "CHU")


def enclosed(**changes: object) -> Enclosed:
    made = document(**changes)
    return Enclosed("2", cda_writer.write(document()), made)


def ack(code: str, *more: str, number: str = "") -> bytes:
    lines = ["MSH|^~\\&|DPI|CHU|SCEAU|x|2026||ACK|1|P|2.5", f"MSA|{code}|{number or control(ID)}"]
    return "\r".join([*lines, *more, ""]).encode()


def test_a_document_is_read_by_another_library() -> None:
    """Patient, result, document and PDF come out as they went in."""
    read = hl7.parse(write((enclosed(),), ID, ENDS).decode())

    assert ["MSH", "PID", "OBR", "OBX", "OBX"] == [str(each[0]) for each in read]
    msh = read.segment("MSH")
    assert ["SCEAU", "mx.labo.example", "DPI", "CHU"] == [str(msh[place]) for place in range(3, 7)]
    assert "ORU^R01^ORU_R01" == str(msh[9])
    assert (ID[-20:], "2.5", "UNICODE UTF-8") == (str(msh[10]), str(msh[12]), str(msh[18]))
    xml, pdf = read.segments("OBX")
    assert ("ED", "F") == (str(xml[2]), str(xml[11]))
    assert "11502-2" == str(xml[3][0][0])
    assert ["", "text", "XML", "Base64"] == [str(each) for each in xml[5][0][:4]]
    assert enclosed().content == base64.b64decode(str(xml[5][0][4]))
    assert PDF == base64.b64decode(str(pdf[5][0][4]))
    assert "essai-1" == str(read.segment("OBR")[3][0][0])


def test_a_patient_is_known_by_the_national_number() -> None:
    """The INS with its register, another number with its own."""
    numbers = (Identifier(Register.NIR, "279035121518989"), Identifier("1.2.3", "4"))
    who = Patient(numbers, Traits("MARTIN", "ÉLODIE", "19790301", "F", "51215"))

    read = hl7.parse(write((enclosed(patients=(who,)),), ID, ENDS).decode())

    pid = read.segment("PID")
    nir = "279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
    assert f"{nir}~4^^^&1.2.3&ISO^PI" == str(pid[3])
    assert ("MARTIN", "ÉLODIE") == (str(pid[5][0][0]), str(pid[5][0][1]))
    assert ("19790301", "F") == (str(pid[7]), str(pid[8]))


def test_several_documents_are_one_message() -> None:
    """They are filed together or not at all; a document without PDF is one OBX."""
    bare = replace(document(), pdf=None, id=Identifier("1.2.3"))
    second = Enclosed("3", b"<x/>", bare)

    read = hl7.parse(write((enclosed(), second), ID, ENDS).decode())

    assert ["PID", "OBR", "OBX", "OBX", "PID", "OBR", "OBX"] == [str(each[0]) for each in read][1:]
    assert "1.2.3^^1.2.3^ISO" == str(read.segments("OBR")[1][3])


@given(st.text(max_size=60))
@example("a|b^c&d~e\\f\rPID|2\n\x0b\x1c\r")
def test_no_text_ends_a_field(text: str) -> None:
    """Whatever a title or a name holds, the segments are ours."""
    who = Patient((Identifier("1.2.3", text),), Traits(text, text, text, text))
    one = enclosed(patients=(who,), code=Code(text, text, text), performed=text)

    made = write((one,), ID, Ends("x", text.encode("utf-8", "replace").decode()[:50])).decode()

    assert ["MSH", "PID", "OBR", "OBX", "OBX"] == [line[:3] for line in made.split("\r")[:-1]]
    assert not set(made) & {"\x0b", "\x1c", "\n"}


@pytest.mark.parametrize("code", ["AA", "CA"])
def test_filed(code: str) -> None:
    """A yes is delivered."""
    assert FILED == answered(ack(code), ID, again=False)


@pytest.mark.parametrize(
    ("acknowledgement", "code", "words"),
    [
        (ack("AE"), 554, "906"),
        (ack("CE", "ERR||PID^1^3|902^Patient Martin inconnu|E"), 554, "902"),
        (ack("AE", "ERR||PID^1^3|204^x|E|904^INS"), 554, "904"),
        (ack("AE", "ERR||MSH|101^missing|E"), 554, "101"),
        (ack("AE", "ERR|PID^1^3^103&not found"), 554, "103"),
        (ack("AE", "ERR||MSH|206^locked|E"), 451, "206"),
        (ack("AR"), 451, "rejected"),
        (ack("CR", "ERR||MSH|200^type|E"), 554, "200"),
        (ack("AR", "ERR||MSH|207^oops|E"), 451, "207"),
        (ack("AE", "ERR||MSH|205^dup|E"), 554, "906"),
    ],
)
def test_an_error_is_final_and_a_rejection_is_not(
    acknowledgement: bytes, code: int, words: str
) -> None:
    """Errors are the message's, rejections are the moment's; a code knows better. No word of it."""
    said = answered(acknowledgement, ID, again=False)

    assert code == said.code
    assert words in said.text
    assert "Martin" not in said.text


def test_the_numbers_in_the_first_segment_count_too() -> None:
    """Old software writes the number where the text belongs."""
    old = f"MSH|^~\\&|\rMSA|AE|{control(ID)}|903 sans INS\r".encode()

    assert "903" in answered(old, ID, again=False).text


def test_a_duplicate_of_ours_is_filed() -> None:
    """An attempt without an answer got there: the second one says so, and that is a yes."""
    assert FILED == answered(ack("AE", "ERR||MSH|205^dup|E"), ID, again=True)


@pytest.mark.parametrize(
    "acknowledgement",
    [b"", b"hello", b"MSH", ack("AA", number="another"), ack("XX"), b"MSH|^~\\&|\rMSA|AA\r"],
)
def test_what_is_no_answer_is_no_yes(acknowledgement: bytes) -> None:
    """An answer about another message, or none at all, files nothing."""
    assert UNSOUND == answered(acknowledgement, ID, again=False)


@given(st.binary(max_size=200))
def test_any_acknowledgement_gives_a_reply(octets: bytes) -> None:
    """Whatever a program says, it is an answer or unsound."""
    assert answered(octets, ID, again=False).code in {250, 451, 554}
    framed = ack("AE", "ERR|") + octets
    assert answered(framed, ID, again=True).code in {250, 451, 554}


def test_the_control_id_is_the_same_each_time() -> None:
    """Software knows a repeat by it."""
    assert write((enclosed(),), ID, ENDS) == write((enclosed(),), ID, ENDS)
    assert 20 == len(oru.control(ID))


@pytest.mark.parametrize(
    ("told", "has"),
    [
        (ack("CA"), True),
        (ack("AA"), False),
        (ack("CE"), False),
        (ack("CA", number="1"), False),
        (b"", False),
    ],
)
def test_that_it_has_the_message_is_said_of_this_one(told: bytes, has: bool) -> None:  # noqa: FBT001
    """By its own number, and by no other word."""
    assert has == committed(told, ID)
