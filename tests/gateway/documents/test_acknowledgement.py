"""HL7 v2 acknowledgements: whoever asks has one, read by another library, and nobody else has."""

from datetime import UTC, datetime

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents.acknowledgement import Outcome, asked, write
from gateway.documents.codes import Failure
from tests.gateway.documents.test_oru_reader import made

AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
TAKEN = Outcome(good=True, at=AT, commit=True)
FILED = Outcome(good=True, at=AT)
FAILED = Outcome(good=False, at=AT, failure=Failure.NO_INS, words="a|b^c\rd")


def asking(commit: str, application: str, charset: str = "") -> bytes:
    return made((0, "|7|P|2.5", f"|7|P|2.5|||{commit}|{application}||{charset}"))


@pytest.mark.parametrize(
    ("wish", "answered"),
    [("AL", (True, True)), ("ER", (False, True)), ("SU", (True, False)), ("NE", (False, False))],
)
def test_who_asks_has_an_answer(wish: str, answered: tuple[bool, bool]) -> None:
    """Of both kinds, each as its own field asks."""
    later, sooner = asked(asking("NE", wish)), asked(asking(wish, "NE"))
    assert answered == (bool(write(later, FILED)), bool(write(later, FAILED)))
    turned = Outcome(good=False, at=AT, commit=True)
    assert answered == (bool(write(sooner, TAKEN)), bool(write(sooner, turned)))


def test_who_asks_for_nothing_has_none() -> None:
    """Nor what is no message."""
    assert ("", "", "") == (asked(made()), asked(b"%PDF-"), asked(asking("NE", "NE")))
    assert b"" == write("", FILED)


def test_who_asks_has_an_answer_whatever_comes_after() -> None:
    """The head alone asks: a message that is broken further on is the one to be told of."""
    assert asked(asking("AL", "AL")) == asked(asking("AL", "AL") + b"MSH|again\rOBX|\xff")


def test_it_is_read_by_another_library() -> None:
    """To whom, about what, why; nothing in the words ends a field."""
    told = hl7.parse(write(asked(asking("AL", "AL", "8859/1")), FAILED).decode())
    msh, msa, err = told.segment("MSH"), told.segment("MSA"), told.segment("ERR")
    assert ("SCEAU", "SIL", "ACK", "P", "2.5", "UNICODE UTF-8") == (
        str(msh[3]),
        str(msh[5]),
        str(msh[9]),
        str(msh[11]),
        str(msh[12]),
        str(msh[18]),
    )
    assert ("AE", "7") == (str(msa[1]), str(msa[2]))
    assert ["903", Failure.NO_INS.french.replace("'", "'"), "messageErrorCondition"] == [
        str(each) for each in err[3][0]
    ]
    assert ("E", "a\\F\\b\\S\\c d") == (str(err[4]), str(err[8]))
    taken = hl7.parse(write(asked(asking("AL", "")), TAKEN).decode())
    assert "CA" == str(taken.segment("MSA")[1])
    turned = hl7.parse(
        write(asked(asking("AL", "")), Outcome(good=False, at=AT, commit=True)).decode()
    )
    assert ("CR", "207") == (str(turned.segment("MSA")[1]), str(turned.segment("ERR")[3][0][0]))


@given(st.text(max_size=300))
def test_any_words_stay_words(text: str) -> None:
    """Whatever a peer said, the acknowledgement has three segments."""
    told = write(asked(asking("AL", "AL")), Outcome(good=False, at=AT, words=text))
    assert [b"MSH", b"MSA", b"ERR"] == [line[:3] for line in told.split(b"\r")[:-1]]


@given(st.binary(max_size=400))
def test_any_bytes_ask_or_do_not(content: bytes) -> None:
    """Whatever lies in the folder: a head that is understood again, or none."""
    for octets in (content, b"MSH|^~\\&|" + content):
        head = asked(octets)
        assert isinstance(write(head, FILED), bytes)


def test_whatever_separates_its_fields_it_is_answered() -> None:
    """A head that was read once is text: whose letters it was in does not count any more."""
    line = "MSH§^~\\&§SIL§L°°°°°°°°°°°°°°°°°°§§§20261122213015§§ORU^R01§7§P§2.5§§§AL§AL§§8859/1"
    head = asked(f"{line}\rPID§1\r".encode("iso-8859-1"))
    assert head
    assert b"MSA\xc2\xa7CA\xc2\xa77" in write(head, TAKEN)
