"""A message was opened: the report that says so, written for the mailbox's owner, who allowed it.

It is sent when the owner's chosen rule says so, never of our own accord, and says no more than that
the message was opened. The same report answers a sender who took a message back: unopened, it is
``deleted``; the proof goes with it. And a program's: ``processed``, or the error for which it could not
file a document, which then goes back with it (R-F3). It answers a message and is never answered. RFC 8098, RFC 6522,
RFC 3834 (R-F1, R-F2); the reader is ``smtp.message.dsn_reader``.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import datetime

from smtp.address import Address
from smtp.message.dsn import clean, returned
from smtp.message.dsn_words import REFERENCE
from smtp.message.trace import date

SUBJECT = "Message lu / Message read"
READ = (
    (
        "Votre message a été ouvert le {at} dans la boîte de {who}.\n\n"
        "Cela ne dit pas qu'il a été compris, ni par qui il a été lu si la boîte est partagée."
    ),
    (
        "Your message was opened on {at} in the mailbox of {who}.\n\n"
        "This does not say that it was understood, nor by whom it was read if the mailbox is shared."
    ),
)

_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,900}>")
_UNSAFE = re.compile(r"[^A-Za-z0-9.]")
_BY_RULE = "manual-action/MDN-sent-automatically; displayed"  # the owner's rule sends it


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that was opened, and how its sender is told."""

    reader: Address  # the mailbox
    sender: Address
    host: str  # ours
    message_id: str  # of the report, new, with its angle brackets
    at: datetime
    now: datetime
    original: str = ""  # the original recipient, typed: "rfc822;dr@chu.example"
    original_message_id: str = ""
    envelope_id: str = ""
    reference: str = ""
    subject: str = SUBJECT
    words: tuple[str, str] = READ  # in French and in English, with {at} and {who}
    disposition: str = _BY_RULE
    proof: bytes = b""  # a CMS envelope (DER)
    error: str = ""  # why a program could not use it, in ASCII (RFC 8098 §3.2.7)
    returned: bytes = field(default=b"", repr=False)  # the message, or its header block alone


def compose(opened: Opened) -> bytes:
    """Return the whole message. It needs 8BITMIME unless ASCII, SMTPUTF8 unless its addresses are."""
    boundary = f"=_{_UNSAFE.sub('.', opened.message_id)[-60:].strip('.')}"
    mark = f"--{boundary}".encode()
    parts = [_human(opened), _machine(opened)]
    if opened.proof:
        parts.append(_proof(opened.proof))
    if opened.returned:
        parts.append(returned(opened.returned, full=b"\r\n\r\n" in opened.returned[:-4]))
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
    lines = [
        f"From: <{opened.reader}>",
        f"To: <{opened.sender}>",
        f"Subject: {opened.subject}",
        f"Date: {date(opened.now)}",
        f"Message-ID: {opened.message_id}",
    ]
    if _MESSAGE_ID.fullmatch(opened.original_message_id):
        lines += [f"In-Reply-To: {opened.original_message_id}"]
        lines += [f"References: {opened.original_message_id}"]
    lines += [
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=disposition-notification;",
        f' boundary="{boundary}"',
        f"Content-Transfer-Encoding: {'7bit' if body.isascii() else '8bit'}",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


def _human(opened: Opened) -> bytes:
    at = f"{opened.at:%Y-%m-%d %H:%M %Z}"
    told = [
        "\n\n".join((words.format(at=at, who=opened.reader), named.format(opened.reference)))
        for words, named in zip(opened.words, REFERENCE, strict=True)
    ]
    text = f"\n\n{'-' * 60}\n\n".join(told) + "\n"
    return (
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Language: fr, en\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        + binascii.b2a_qp(text.encode()).replace(b"\n", b"\r\n")
    )


def _machine(opened: Opened) -> bytes:
    kind = "rfc822" if opened.reader.isascii() else "utf-8"
    fields = [("Reporting-UA", f"{clean(opened.host)}; Sceau")]
    if opened.original:
        fields.append(("Original-Recipient", clean(opened.original)))
    fields.append(("Final-Recipient", f"{kind}; {opened.reader}"))
    if _MESSAGE_ID.fullmatch(opened.original_message_id):
        fields.append(("Original-Message-ID", opened.original_message_id))
    if opened.envelope_id:
        fields.append(("Original-Envelope-Id", clean(opened.envelope_id)))
    fields.append(("Disposition", opened.disposition))
    if opened.error:
        fields.append(("Error", clean(opened.error)))
    block = "".join(f"{name}: {value}\r\n" for name, value in fields)
    wide = "" if block.isascii() else "global-"
    encoding = "7bit" if block.isascii() else "8bit"
    return (
        f"Content-Type: message/{wide}disposition-notification\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n{block}"
    ).encode()


def _proof(envelope: bytes) -> bytes:
    return (
        b'Content-Type: application/pkcs7-mime; smime-type=signed-data; name="recall.p7m"\r\n'
        b'Content-Disposition: attachment; filename="recall.p7m"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n"
    ) + base64.encodebytes(envelope).replace(b"\n", b"\r\n")
