"""A document becomes a mail, and comes out of it octet for octet."""

import contextlib
import email
import email.policy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import cda, marks, packing, xdm
from gateway.documents.document import Patient
from gateway.documents.errors import DocumentError
from gateway.documents.ins import Traits
from smtp.address import Address
from smtp.message.header import Header
from smtp.message.mime import PartIndex
from tests.gateway.documents.made import (
    BIOLOGIST,
    DOCTOR,
    EXAMPLES,
    PATIENT,
    PDF,
    SENDER,
    document,
    parcel,
)


def _header(message: bytes) -> Header:
    return Header.parse(message[: message.index(b"\r\n\r\n") + 4])


def test_a_mail_has_words_an_archive_and_a_pdf() -> None:
    """Other programs find the three parts, and each is what was given (R-E1)."""
    sent = parcel()
    read = email.message_from_bytes(packing.pack(sent, SENDER), policy=email.policy.SMTP)
    parts = list(read.iter_parts())
    assert ["text/plain", "application/zip", "application/pdf"] == [
        each.get_content_type() for each in parts
    ]
    assert packing.WORDS == parts[0].get_content().replace("\r\n", "\n")
    assert "IHE_XDM.zip" == parts[1].get_filename()
    assert "20261122_CR_d_examens_biologiques_DESMAUX_NATHALIE.pdf" == parts[2].get_filename()
    assert PDF == parts[2].get_content()
    (found,) = xdm.read(parts[1].get_content()).documents
    assert sent.content == found.content
    assert "DR_Camille_ESSAI_Laboratoire-des-Essais" == read["From"].addresses[0].display_name
    assert ("dr@chu.example", "O", "11502-2") == (
        read["To"],
        read["X-MSS-INS"],
        read["X-MSS-CODECDA"],
    )


def test_the_same_parcel_has_the_same_bytes() -> None:
    """A result offered twice is the same mail, so it can be seen to be."""
    assert packing.pack(parcel(), SENDER) == packing.pack(parcel(), SENDER)


def test_what_may_be_left_out_is() -> None:
    """A document without a PDF or an author; a name of ours, a report asked for, a thread ended."""
    made = replace(document(), authors=())
    sent = parcel(made=document(), closing=True, answers=DOCTOR, shown="É. Nom", pdf=b"%PDF-other")
    header = _header(packing.pack(sent, SENDER))
    assert [b"FIN", DOCTOR.encode()] == [
        header.first(each) for each in ("x-mss-mes", "disposition-notification-to")
    ]
    assert (header.first("from") or b"").startswith(b"=?utf-8?")
    bare = replace(parcel(), document=replace(made, pdf=None))
    message = packing.pack(bare, SENDER)
    assert b"labo@essais.example" == _header(message).first("from")
    assert b"application/pdf" not in message


def test_every_published_example_travels_unchanged() -> None:
    """Packed into a mail and taken out of it: identical (each real document)."""
    for path in sorted(EXAMPLES.glob("*.xml")):
        content = path.read_bytes()
        sent = replace(parcel(), content=content, document=cda.read(content))
        (archive,) = packing.archives(packing.pack(sent, SENDER))
        assert [content] == [each.content for each in archive.documents]


@given(st.text(max_size=200), st.text(max_size=80), st.text(max_size=2000))
def test_no_name_begins_another_field(title: str, name: str, told: str) -> None:
    """Whatever a document calls itself or its people, the header has the fields we wrote."""
    bad = Patient(PATIENT.identifiers, Traits(name or "X", "Y", "19790301", "F", "51215"))
    about = replace(
        document(), title="T", patients=(bad,), authors=(replace(BIOLOGIST, family=name),)
    )
    sent = replace(
        parcel(), document=about, label=title, words=told.encode("utf-8", "replace").decode()
    )
    try:
        message = packing.pack(sent, SENDER)
    except DocumentError:  # what XML cannot hold
        return
    assert [
        "date",
        "from",
        "to",
        "subject",
        "message-id",
        "x-mss-codecda",
        "x-mss-ins",
        "x-mss-nil",
        "mime-version",
        "content-type",
    ] == [each.name for each in _header(message).fields]
    assert all(len(line) < 998 for line in message.split(b"\r\n"))


def test_a_subject_is_read_as_it_was_written() -> None:
    """Accents and length do not change what a reader sees."""
    about = replace(document(), title="Numération formule sanguine — contrôle à trois mois")
    header = _header(packing.pack(replace(parcel(), document=about), SENDER))
    assert marks.PREFIX + marks.read(header).subject == marks.subject(about)


def test_an_archive_in_no_base64_is_our_error() -> None:
    """A part that is not what it says; one that is as it stands is taken as it stands."""
    message = (
        b"Content-Type: application/zip; name=ihe_xdm.ZIP\r\nContent-Transfer-Encoding: %s\r\n\r\nA"
    )
    with pytest.raises(DocumentError, match="base64"):
        list(packing.archives(message % b"base64"))
    with pytest.raises(DocumentError, match="ZIP"):
        list(packing.archives(message % b"8bit"))
    assert [] == list(packing.archives(b"Subject: x\r\n\r\nbonjour"))


@given(st.binary())
def test_any_message_has_archives_or_our_error(noise: bytes) -> None:
    """Noise in a mail, wherever it falls."""
    whole = packing.pack(parcel(), SENDER)
    place = len(noise) * 37 % len(whole)
    with contextlib.suppress(DocumentError):
        list(packing.archives(whole[:place] + noise + whole[place:]))


def test_recipients_fold() -> None:
    """Many of them make many lines, and all are read."""
    many = tuple(Address(f"d{each}@chu.example") for each in range(300))
    message = packing.pack(parcel(recipients=many), SENDER)
    assert 300 == len((_header(message).first("to") or b"").split(b","))
    index = PartIndex()
    index.feed(message)
    assert 4 == len(index.finish())
