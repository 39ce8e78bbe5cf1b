"""What a program finds in a mail: the mail itself, its documents as they are, and what is said of them."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import cda_writer, packing, xdm
from gateway.relay.handing.files import Read, files
from smtp.address import parse
from tests.gateway.documents.made import PDF, document, parcel

APP = parse("logiciel@labo.example")
SENDER = parse("labo@essais.example")


def packed() -> bytes:
    return packing.pack(parcel(), xdm.Sender("Labo", "labo@essais.example"))


def test_a_mail_its_documents_and_what_is_said_of_them() -> None:
    """The documents come out byte for byte, under names that are ours."""
    mail = packed()

    made = files(Read.of(mail), "01ID", SENDER, APP)

    assert mail == made["message.eml"]
    assert cda_writer.write(document()) == made["document-1.xml"]
    assert PDF == made["document-1.pdf"]
    assert PDF == made["attached-1.pdf"]
    about = json.loads(made["message.json"])
    assert ("01ID", "<1@essais.example>") == (about["message"], about["message_id"])
    assert (SENDER, APP) == (about["from"], about["to"])
    assert ["document-1.xml"] == [each["file"] for each in about["documents"]]
    assert "1.2.250.1.213.1.1.9^essai-1" == about["documents"][0]["id"]
    assert ["attached-1.pdf"] == about["attached"]
    assert [] == about["unreadable"]


def test_a_document_without_a_file_in_it() -> None:
    """A structured document has no PDF of its own."""
    around = cda_writer.write(document())
    bare = re.sub(rb'mediaType="application/pdf"', b'mediaType="text/rtf"', around)
    content = b"Content-Type: text/xml\r\n\r\n" + bare

    made = files(Read.of(content), "01ID", None, APP)

    assert {"message.eml", "message.json", "document-1.xml"} == set(made)
    about = json.loads(made["message.json"])
    assert about["documents"][0]["pdf"] is None
    assert "" == about["from"]


def test_what_is_no_document_is_said() -> None:
    """A broken archive stays in the mail, and software is told that it could not be opened."""
    mail = b"Content-Type: application/zip; name=IHE_XDM.zip\r\n\r\nPK nothing"

    about = json.loads(files(Read.of(mail), "01ID", SENDER, APP)["message.json"])

    assert [] == about["documents"]
    assert 1 == len(about["unreadable"])


def test_a_mail_of_a_thousand_files_is_no_thousand_files() -> None:
    """A stranger's mail cannot fill the folder with names; all of it is in the mail itself."""
    part = b"--x\r\nContent-Type: application/pdf\r\n\r\n%PDF-\r\n"
    mail = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + part * 1000 + b"--x--\r\n"

    made = files(Read.of(mail), "01ID", SENDER, APP)

    assert 50 + len(("message.eml", "message.json")) == len(made)


@given(st.binary(max_size=400))
def test_any_mail_becomes_files(mail: bytes) -> None:
    """Whatever it is, it can be handed over."""
    assert mail == files(Read.of(mail), "01ID", SENDER, APP)["message.eml"]
