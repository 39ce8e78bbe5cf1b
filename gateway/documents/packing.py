"""A health document as a mail: words for people, IHE_XDM.zip for software, the PDF for both.

Written in one go, the same value giving the same bytes, and read back byte for byte. RFC 5322,
RFC 2045, RFC 2047; R-E1 to R-E5.
"""

import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from gateway.documents import coding, marks, xdm
from gateway.documents.document import Document
from gateway.documents.errors import DocumentError
from gateway.documents.xdm import Archive, Sender
from smtp.address import Address
from smtp.message.mime import Part, PartIndex
from smtp.message.trace import date

WORDS = "Bonjour,\n\nVeuillez trouver ci-joint un document de santé.\n"


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes into one mail: one document, about one patient."""

    content: bytes = field(repr=False)  # the CDA document, as it is
    document: Document  # what ``cda.read`` makes of it
    sender: Address
    recipients: tuple[Address, ...] = field(repr=False)
    at: datetime
    message_id: str
    pdf: bytes | None = field(default=None, repr=False)  # without one, the document's own
    words: str = field(default=WORDS, repr=False)
    label: str = ""  # of the subject; without one, the document's title
    record: str = field(
        default="", repr=False
    )  # the sender's number of the case, in the PDF's name
    shown: str = ""  # how the sender is shown; without it, by the document's author
    product: str = "SCEAU"  # X-MSS-NIL
    answers: Address | None = None  # who is told when it was filed, or read
    closing: bool = False  # it ends a thread with a citizen


def pack(parcel: Parcel, sender: Sender) -> bytes:
    """Return the mail, with CRLF at each line's end."""
    document = parcel.document
    archive = xdm.build(parcel.content, document, parcel.recipients, parcel.at, sender)
    pdf = parcel.pdf if parcel.pdf is not None else document.pdf
    # Every part is in base64, in which no line begins like that.
    boundary = f"=_{hashlib.sha256(parcel.message_id.encode()).hexdigest()[:32]}"
    parts = [
        part_of("text/plain; charset=utf-8", parcel.words.encode(), ""),
        part_of("application/zip", archive, xdm.NAME),
    ]
    if pdf is not None:
        parts.append(part_of("application/pdf", pdf, marks.pdf_name(document, parcel.record)))
    between = f"--{boundary}\r\n".encode()
    return b"".join(
        (
            _header(parcel, boundary),
            *(piece for part in parts for piece in (between, *part)),
            f"--{boundary}--\r\n".encode(),
        )
    )


def _header(parcel: Parcel, boundary: str) -> bytes:
    document = parcel.document
    shown = parcel.shown or (marks.sender_name(document.authors[0]) if document.authors else "")
    said = {
        "Date": date(parcel.at),
        "From": f"{_phrase(shown)} <{parcel.sender}>" if shown else parcel.sender,
        "To": ",\r\n ".join(parcel.recipients) or "undisclosed-recipients:;",
        "Subject": coded(marks.subject(document, parcel.label), len("Subject: ")),
        "Message-ID": parcel.message_id,
        **({"Disposition-Notification-To": parcel.answers} if parcel.answers else {}),
        **marks.fields((document,), parcel.product),
        **({"X-MSS-MES": "FIN"} if parcel.closing else {}),
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/mixed;\r\n boundary="{boundary}"',
    }
    return "".join(f"{name}: {value}\r\n" for name, value in said.items()).encode() + b"\r\n"


def coded(text: str, indent: int) -> str:
    """Write text as a header field holds it: nothing in it can begin another one."""
    plain = coding.one_line(text)
    return plain if coding.plain(plain) and len(plain) + indent <= 78 else coding.words(plain)


def _phrase(text: str) -> str:
    plain = coding.one_line(text)
    if coding.plain(plain) and len(plain) <= 60:
        escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return coding.words(plain)


def part_of(kind: str, content: bytes, name: str) -> Iterator[bytes]:
    """Yield a part's pieces: its header, its content in base64 lines."""
    said = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
    if name:
        said += f'Content-Disposition: attachment;\r\n filename="{name}"\r\n'
    yield said.encode() + b"\r\n"
    yield coding.lines(content)


def archives(message: bytes) -> Iterator[Archive]:
    """Yield the archives of a mail; raise ``DocumentError`` for one that cannot be read."""
    index = PartIndex()
    index.feed(message)
    for part in index.finish():
        if part.name.upper() == xdm.NAME.upper():
            yield xdm.read(decoded(message, part))


def decoded(message: bytes, part: Part) -> bytes:
    """Return what a part of a mail holds."""
    content = message[part.body : part.end]
    if part.encoding != "base64":
        return content
    try:
        return binascii.a2b_base64(content)
    except binascii.Error:
        raise DocumentError("a part of the mail is not the base64 that it says it is") from None
