"""What we say of a message is what Dovecot says of it: ENVELOPE, BODY, BODYSTRUCTURE."""

import secrets
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from imap.index import index_of
from tests.interop import dovecot
from tests.interop.dovecot import parsed, preauthenticated

_DOCUMENT = b'<?xml version="1.0" encoding="UTF-8"?>\n<ClinicalDocument xmlns="urn:hl7-org:v3"/>\n'


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def _letter(subject: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = Address("Jérôme Martin", "j.martin", "labo.example")
    message["To"] = (Address("", "dr.durand", "chu.example"), Address('Q, "z"', "q", "chu.example"))
    message["Subject"] = subject
    message["Date"] = "Mon, 02 Mar 2026 09:30:00 +0100"
    message["Message-ID"] = "<1@labo.example>"
    return message


def _result() -> EmailMessage:
    """A laboratory's result: text in two forms, a CDA document, an image, a PDF."""
    message = _letter("XDM/1.0/DDM+Résultats de M. Léon")
    message.set_content("Bonjour,\n\nvoici les résultats.\n")
    message.add_alternative("<p>voici les <b>résultats</b></p>\n", subtype="html")
    message.add_attachment(_DOCUMENT, "application", "xml", filename="CDA résultat.xml")
    message.add_attachment(
        b"%PDF-1.4" * 300, "application", "pdf", filename="bilan.pdf", cid="<p@x>"
    )
    message.add_attachment(secrets.token_bytes(900), "image", "png", disposition="inline")
    message.add_attachment(_DOCUMENT.decode(), subtype="xml", filename="sub.xml")
    return message


def _forwarded(depth: int) -> EmailMessage:
    message = _result()
    for level in range(depth):
        outer = _letter(f"TR {level}")
        outer.set_content("voir ci-joint\n")
        outer.add_attachment(message)
        message = outer
    return message


def _digest() -> EmailMessage:
    message = _letter("digest")
    message.make_mixed()
    message.set_type("multipart/digest")
    for _ in range(2):
        part = EmailMessage(policy=SMTP)
        part.set_content(_letter("inner"))
        message.attach(part)
    return message


_PLAIN = "From: a@b.example\nSubject: x\n"
_BY_HAND = (
    _PLAIN + "\nhello\n",
    _PLAIN,
    "\nonly a body\n",
    "Subject: no end of line",
    "no header at all\nx\n",
    _PLAIN + "a line that is no field\nTo: c@d.example\n\nx\n",
    'From: =?utf-8?q?J=C3=A9?= Du <a@b.c>, "Q, \\"z" <q@r.s>\nTo: u:;\nCc: (c) foo@bar.x (name)\n\n',
    "From: grp: x@y.z, w@v.u;, t@s.r\nSender: s@x.y\nReply-To: <@route:r@x.y>\nBcc: root@x\n\n",
    "Subject: =?utf-8?q?=C3=A9?=\n =?utf-8?q?=C3=A9?= café\nIn-Reply-To: <c@d> <e@f>\n\nx\n",
    "From: <>\nTo: only a name\nCc: foo\n\nx\n",
    (
        "Content-Type: Text/HTML; Charset=UTF-8; x=y\nContent-Transfer-Encoding: Quoted-Printable\n"
        'Content-ID: <x@y>\nContent-Description: a "b"\nContent-Language: fr, en\nContent-MD5: QQ==\n'
        'Content-Disposition: attachment; filename="a b.txt"; size=3\nContent-Location: x/y\n\na\nb'
    ),
    "Content-Type: text/plain; format=flowed\n\nx\n",
    "Content-Type: image/png; (comment) d=e\nContent-Transfer-Encoding: base64 (x)\n\nQUJD\n",
    (
        "Content-Type: multipart/mixed; boundary=xx\n\npre\n--xx\n\nfoo\n--xx\n"
        "Content-Type: message/rfc822\n\nSubject: in\nFrom: z@z.z\n\nbody\nb2\n--xx--\npost\n"
    ),
    "Content-Type: multipart/mixed; boundary=xx\n\nnothing\n",
    "Content-Type: multipart/mixed\n\nnothing\n",
    "Content-Type: multipart/mixed; boundary=xx\n\n--xx\n\nnever closed",
    (
        "Content-Type: multipart/mixed; boundary=xx\n\n--xx\nContent-Type: multipart/mixed; boundary=yy\n\n"
        "--yy\n\nfoo\n--xx\n\nafter the outer one came early\n--xx--\n"
    ),
    (
        "Content-Type: message/rfc822\n\nContent-Type: multipart/alternative; boundary=i\n\n"
        "--i\n\na\n--i--\n"
    ),
    (
        "Content-Type: multipart/digest; boundary=i\n\n--i\n\nSubject: a\n\nhh\n--i\n"
        "Content-Type: text/plain\n\nx\n--i--\n"
    ),
    (
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b b"\n\n--b b\n\nx\n'
        "--b b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: failed\n"
        "--b b\nContent-Type: text/rfc822-headers\n\nSubject: x\n--b b--\n"
    ),
    (
        'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256;\n'
        ' boundary="----=_1"\n\n------=_1\n\nsigned\n------=_1\nContent-Type: application/pkcs7-signature;'
        " name=smime.p7s\nContent-Transfer-Encoding: base64\n\nQUJD\n------=_1--\n"
    ),
)


def corpus() -> list[bytes]:
    """Letters as programs write them, and as nobody should."""
    built = [_letter("x"), _result(), _forwarded(1), _forwarded(4), _digest()]
    return [*(message.as_bytes() for message in built), *map(crlf, _BY_HAND)]


def test_we_say_what_dovecot_says(folder: Path) -> None:
    """A client that moves from one to the other sees the same messages."""
    connection = preauthenticated(folder / "dovecot")
    messages = corpus()
    for message in messages:
        kind, why = connection.append("INBOX", "", "", message)
        assert "OK" == kind, why
    connection.select()

    theirs = list(dovecot.told(connection, "(ENVELOPE BODY BODYSTRUCTURE)"))

    assert len(messages) == len(theirs)
    for message, said in zip(messages, theirs, strict=True):
        index = index_of(message)
        assert said[b"ENVELOPE"] == parsed(index.envelope), message
        assert said[b"BODY"] == parsed(index.body), message
        assert said[b"BODYSTRUCTURE"] == parsed(index.bodystructure), message
    connection.logout()
