"""A file and what is said of it become a mail, the same each time."""

import base64
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import cda_writer
from gateway.documents.errors import DocumentError
from gateway.documents.order import Order
from gateway.labs.composing import Composed, Offer, compose, told
from gateway.labs.names import Form
from gateway.relay.ambiguous import standing
from smtp.address import Address
from smtp.message.header import Header
from tests.gateway.documents.made import AT, PDF, document
from tests.gateway.documents.test_hprim import made as hprim
from tests.gateway.documents.test_order import ABOUT
from tests.gateway.documents.test_oru_reader import FILE
from tests.gateway.documents.test_oru_reader import made as oru
from trust import identifiers

LABO = Address("resultats@labo.example")
CHU = "dr@chu.example"
NUMBER = "finess:540002698"


def _composed(offer: Offer, **said: object) -> Composed:
    order = msgspec.convert({"to": [CHU]} | said, Order)
    return compose(offer, order, LABO, AT, "SGL")


def _header(message: bytes) -> Header:
    return Header.parse(message[: message.index(b"\r\n\r\n") + 4])


def test_the_same_result_is_the_same_mail() -> None:
    """By its key, else by its bytes: its Message-ID says so, whenever it is offered."""
    offer = Offer(Form.PDF, PDF)
    about = {"document": ABOUT}
    one, again = _composed(offer, key="1", **about), _composed(offer, key="1", **about)
    assert one == again
    later = compose(
        offer,
        msgspec.convert({"to": [CHU], "key": "1"} | about, Order),
        LABO,
        AT + timedelta(days=1),
        "SGL",
    )
    marks = [
        _header(each.message).first("message-id")
        for each in (one, later, _composed(offer, key="2", **about), _composed(offer, **about))
    ]
    assert marks[0] == marks[1]
    assert 3 == len(set(marks))


def test_a_digest_covers_what_is_said() -> None:
    """The same PDF for another patient is another result."""
    one = Offer(Form.PDF, PDF, b"{}")
    assert one.digest == Offer(Form.PDF, PDF, b"{}").digest
    assert 3 == len({one.digest, Offer(Form.PDF, PDF).digest, Offer(Form.PDF, PDF, b"{ }").digest})


def test_words_label_and_record_are_told() -> None:
    """What software says for people is what they read."""
    made = _composed(Offer(Form.PDF, PDF), document=ABOUT, text="Voici.", label="TSH", record="77")
    header = _header(made.message)
    assert b"XDM/1.0/DDM+TSH DESMAUX NATHALIE 01/03/1979" == header.first("subject")
    assert base64.b64encode(b"Voici.") in made.message
    assert b"_77.pdf" in made.message
    assert b"SGL" == header.first("x-mss-nil")


def test_a_document_names_its_own_recipients() -> None:
    """Where the companion names none; it goes first where it does."""
    content = cda_writer.write(
        document(recipients=("a@chu.example",), custodian=document().custodian)
    )
    offer = Offer(Form.CDA, content)
    assert ("a@chu.example",) == compose(offer, Order(), LABO, AT, "SGL").recipients
    assert (CHU,) == _composed(offer).recipients


def test_a_document_without_a_keeper_is_sent_in_the_mailboxs_name() -> None:
    """A stranger's document may lack what ours have."""
    content = cda_writer.write(document()).replace(b"custodian", b"custodiaX")
    assert LABO.encode() in _composed(Offer(Form.CDA, content)).message


def test_a_ready_mail_stays_as_it_is() -> None:
    """But for its line ends; who gets it stands in its header, each once."""
    text = "To: dr@chu.example, a@b.example\nCc: A <a@b.example>\nBcc: c@d.example\n\nBonjour\n"
    made = compose(Offer(Form.MAIL, text.encode()), Order(), LABO, AT, "SGL")
    assert text.replace("\n", "\r\n").encode() == made.message
    assert (CHU, "a@b.example", "c@d.example") == made.recipients
    again = compose(Offer(Form.MAIL, made.message), Order(), LABO, AT, "SGL")
    assert made == again
    assert ("x@y.example",) == _composed(
        Offer(Form.MAIL, made.message), to=["x@y.example"]
    ).recipients


@pytest.mark.parametrize(
    ("offer", "said", "words"),
    [
        (Offer(Form.PDF, PDF), {}, "must tell what it is"),
        (Offer(Form.CDA, b"<a/>"), {}, "no CDA"),
        (Offer(Form.CDA, cda_writer.write(document())), {"to": []}, "nobody gets it"),
        (Offer(Form.MAIL, b"Subject: x\r\n\r\n"), {"to": []}, "nobody gets it"),
        (Offer(Form.MAIL, b"To: a@@b\r\n\r\n"), {"to": []}, "cannot be sent"),
        (Offer(Form.PDF, PDF), {"to": ["nobody"], "document": ABOUT}, "no mail address"),
    ],
)
def test_what_is_missing_is_said(offer: Offer, said: dict[str, object], words: str) -> None:
    """In words for the laboratory."""
    with pytest.raises(DocumentError, match=words):
        _composed(offer, **said)


@given(st.sampled_from(Form), st.binary(), st.one_of(st.none(), st.binary()))
def test_any_file_is_a_mail_or_our_error(
    form: Form, content: bytes, companion: bytes | None
) -> None:
    """Whatever lies in the folder."""
    offer = Offer(form, content, companion)
    try:
        compose(offer, told(offer), LABO, AT, "SGL")
    except DocumentError as error:
        found = str(error)
    else:
        found = "sent"
    assert found


@pytest.mark.parametrize("answer", [True, False])
def test_what_becomes_of_it_is_asked_for(answer: bool) -> None:  # noqa: FBT001
    """Of the recipient's software, for the very mailbox that sends; unless told not to (R-F2)."""
    made = _composed(Offer(Form.PDF, PDF), document=ABOUT, answer=answer)
    asked = _header(made.message).first("disposition-notification-to")
    assert (LABO.encode() if answer else None) == (asked.strip() if asked else None)


def test_a_number_that_stands_for_several_is_in_no_header() -> None:
    """Who is not known yet gets it later; nobody reads an address that is none."""

    def resolve(text: str) -> Address:
        return standing(identifiers.parse(text)) if ":" in text else Address(text)

    for form, content, about in ((Form.PDF, PDF, ABOUT), (Form.HPRIM, hprim(), None)):
        for to, named in (([NUMBER], "undisclosed-recipients:;"), ([CHU, NUMBER], CHU)):
            order = msgspec.convert({"to": to, "document": about}, Order)
            made = compose(Offer(form, content), order, LABO, AT, "SGL", resolve)
            assert named.encode() == _header(made.message).first("to")
            assert len(to) == len(made.recipients)
            assert b"invalid" not in made.message


def test_a_document_of_another_patient_than_the_message_is_not_sent() -> None:
    """An ORU whose PID and CDA name two patients was put together by mistake."""
    cda_file = base64.b64encode(cda_writer.write(document())).decode()
    pieces = ((3, "application^PDF", "text^XML"), (3, FILE, cda_file))
    assert _composed(Offer(Form.HL7, oru(*pieces)), to=[CHU]).message
    other = (1, "279035121518989", "160037512345612")
    with pytest.raises(DocumentError, match="another patient"):
        _composed(Offer(Form.HL7, oru(other, *pieces)), to=[CHU])
