"""A letter as it is written in the browser, and as it goes out: headers, text, attachments.

What people typed is text until it is sent: an address that is none stays as it was typed, with
what is wrong beside it. Nothing typed can become another header field. Pure. RFC 5322, RFC 2045,
RFC 2047, RFC 6532.
"""

import binascii
import quopri
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.header import Header as Coded
from typing import NamedTuple

from gateway.web.reading.shown import clear, line
from smtp.address import Address, AddressError, key, parse
from smtp.message.fields import words
from smtp.message.header import Header, HeaderError, Named, mailboxes
from smtp.message.trace import date

FIELDS = ("to", "cc", "bcc")
_LONGEST = {"to": 20_000, "cc": 20_000, "bcc": 20_000, "subject": 500, "text": 1_000_000}
_SPLIT = re.compile(r"""[,;\n]+(?=(?:[^"]*"[^"]*")*[^"]*\Z)""")
_MOST_SPLIT = 2_000  # characters: beyond it only commas part addresses, quotes or not
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_MOST_REFERENCES = 20
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
_LONGEST_LIST = 20_000  # octets of a list of addresses
_MOST_FIELDS = 20
_QUOTED = 20_000  # characters of a message that an answer repeats


@dataclass(frozen=True, slots=True)
class Letter:
    """What is in the form."""

    sender: str  # the address that was chosen; whether it may be used is asked elsewhere
    mark: str  # its Message-ID, from the first draft to the last copy
    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    text: str = ""
    answers: str = ""  # the Message-ID that it answers
    thread: str = ""  # and those before

    @property
    def empty(self) -> bool:
        """Whether nothing was typed."""
        return not (self.to or self.cc or self.bcc or self.subject or self.text)


class Typed(NamedTuple):
    """One recipient as it was typed, and the address it is, if it is one."""

    field: str
    text: str
    named: Named | None


def cleaned(letter: Letter) -> Letter:
    """Return a letter without what no letter has: control characters, boundless lines."""
    return replace(
        letter,
        **{
            name: line(clear(getattr(letter, name)).replace("\n", ", "), _LONGEST[name]).strip(", ")
            for name in FIELDS
        },
        subject=line(letter.subject, _LONGEST["subject"]),
        text=clear(letter.text)[: _LONGEST["text"]],
        answers=" ".join(_MESSAGE_ID.findall(letter.answers)[:1]),
        thread=" ".join(_MESSAGE_ID.findall(letter.thread)[-_MOST_REFERENCES:]),
    )


def marked(text: str) -> str | None:
    """Return a Message-ID, if it is one."""
    return text if _MESSAGE_ID.fullmatch(text) else None


def recipients(letter: Letter) -> list[Typed]:
    """Return everybody who was typed, field by field."""
    return [one for field in FIELDS for one in _typed(field, getattr(letter, field))]


def _typed(field: str, text: str) -> Iterable[Typed]:
    pieces = _SPLIT.split(text) if len(text) <= _MOST_SPLIT else re.split(r"[,;\n]+", text)
    for piece in filter(None, (each.strip() for each in pieces)):
        yield Typed(field, piece, _named(piece))


def _named(text: str) -> Named | None:
    bare = text.strip("<> ")
    try:
        return Named(parse(bare), "")
    except AddressError:
        pass
    try:
        found = mailboxes(text.encode("utf-8", "replace"))
    except HeaderError:
        return None
    return found[0] if len(found) == 1 else None


def head(letter: Letter, name: str, really: Address | None, now: datetime, boundary: str) -> bytes:
    """Return the header of a letter; with a boundary parts follow, else its text alone.

    ``name`` is the sender's; ``really`` is who writes in another person's name (RFC 5322 §3.6.2).
    """
    typed = recipients(letter)
    fields = [
        ("Date", date(now)),
        ("From", _mailbox(Named(Address(letter.sender), name))),
        ("Sender", f"<{really}>" if really else ""),
        *((field.title(), _list([one for one in typed if one.field == field])) for field in FIELDS),
        ("Subject", _coded(letter.subject, "Subject")),
        ("Message-ID", letter.mark),
        ("In-Reply-To", letter.answers),
        ("References", "\r\n ".join(f"{letter.thread} {letter.answers}".split())),
        ("MIME-Version", "1.0"),
    ]
    block = "".join(f"{field}: {value}\r\n" for field, value in fields if value).encode()
    if not boundary:
        return block + _text(letter.text)
    kind = f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'
    return block + f"{kind}--{boundary}\r\n".encode() + _text(letter.text)


def _text(text: str) -> bytes:
    """Return the text as a part, its header first; it ends with a line end."""
    kind = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable"
    coded = quopri.encodestring(text.encode("utf-8", "replace"))
    body = coded.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return b"%b\r\n\r\n%b%b" % (kind, body, b"" if body.endswith(b"\r\n") else b"\r\n")


def file_head(name: str, kind: str, boundary: str) -> bytes:
    """Return what stands before an attachment's octets."""
    coded = _parameter("filename", name)
    return (
        f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Disposition: attachment;\r\n {coded}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    ).encode("ascii")


def closing(boundary: str) -> bytes:
    """Return what ends the parts."""
    return f"--{boundary}--\r\n".encode("ascii")


class Base64:
    """Octets as base64 in lines of 76, however they came in blocks."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, block: bytes) -> bytes:
        """Return the whole lines that this block completes."""
        block = self._held + block
        whole = len(block) - len(block) % 57
        self._held = block[whole:]
        return b"".join(
            binascii.b2a_base64(block[at : at + 57], newline=False) + b"\r\n"
            for at in range(0, whole, 57)
        )

    def finish(self) -> bytes:
        """Return the last line."""
        return binascii.b2a_base64(self._held, newline=False) + b"\r\n" if self._held else b""


def opened(header: Header, sender: str, text: str) -> Letter:
    """Read a draft again, ours or another program's."""
    first = header.first
    return cleaned(
        Letter(
            sender=sender,
            mark=" ".join(_ids(header, "message-id")[:1]),
            **{name: ", ".join(_list_read(header, name)) for name in FIELDS},
            subject=_words(first("subject")),
            text=text.removesuffix("\n"),
            answers=" ".join(_ids(header, "in-reply-to")[:1]),
            thread=" ".join(_ids(header, "references")),
        )
    )


@dataclass(frozen=True, slots=True)
class Original:
    """A message that is answered or forwarded."""

    header: Header
    text: str
    date: str  # in words


def reply(original: Original, own: frozenset[str], *, everybody: bool, intro: str) -> Letter:
    """Return the start of an answer; ``own`` are the reader's addresses, as keys."""
    header = original.header
    to = _people(header, "reply-to") or _people(header, "from")
    others = [*_people(header, "to"), *_people(header, "cc")] if everybody else []
    had = {key(one.address) for one in to} | own
    cc = []
    for one in others:
        if key(one.address) not in had:
            had.add(key(one.address))
            cc.append(one)
    lines = original.text[:_QUOTED].rstrip("\n").split("\n")
    quoted = "\n".join(f"> {each}" if not each.startswith(">") else f">{each}" for each in lines)
    return cleaned(
        Letter(
            sender="",
            mark="",
            to=", ".join(_typable(one) for one in to),
            cc=", ".join(_typable(one) for one in cc),
            subject=_prefixed(_words(header.first("subject")), "Re:"),
            text=f"\n\n{intro}\n{quoted}\n",
            answers=" ".join(_ids(header, "message-id")[:1]),
            thread=" ".join(_ids(header, "references") or _ids(header, "in-reply-to")),
        )
    )


def forward(original: Original, intro: Sequence[str]) -> Letter:
    """Return the start of a letter that hands a message on."""
    header = original.header
    shown = [line(each) for each in intro]
    return cleaned(
        Letter(
            sender="",
            mark="",
            subject=_prefixed(_words(header.first("subject")), "Fwd:"),
            text="\n".join(("\n", *shown, "", original.text[: 10 * _QUOTED])),
            thread=" ".join((*_ids(header, "references"), *_ids(header, "message-id"))),
        )
    )


def bounded(value: bytes) -> bytes:
    """Return a list of addresses as far as it is looked at: whole ones."""
    return value if len(value) <= _LONGEST_LIST else value[:_LONGEST_LIST].rpartition(b",")[0]


def _people(header: Header, name: str) -> list[Named]:
    found: list[Named] = []
    for value in header.all(name)[:_MOST_FIELDS]:
        try:
            found += mailboxes(bounded(value))
        except HeaderError:
            continue
    return found


def _list_read(header: Header, name: str) -> list[str]:
    """Return a draft's recipients as they were typed, whether or not they are addresses."""
    found = []
    for value in header.all(name):
        try:
            found += [_typable(one) for one in mailboxes(value)]
        except HeaderError:
            found.append(_words(value))
    return found


def _typable(one: Named) -> str:
    shown = line(words(one.shown), 100).replace('"', "").replace("\\", "")
    return f'"{shown}" <{one.address}>' if shown else str(one.address)


def _ids(header: Header, name: str) -> list[str]:
    found = header.first(name) or b""
    return _MESSAGE_ID.findall(found.decode("ascii", "replace"))


def _words(value: bytes | None) -> str:
    return words((value or b"").decode("utf-8", "replace"))


def _prefixed(subject: str, prefix: str) -> str:
    known = subject.lower().startswith((prefix.lower(), "tr:" if prefix == "Fwd:" else "re :"))
    return subject if known else f"{prefix} {subject}"


def _list(typed: Sequence[Typed]) -> str:
    """Write recipients; if one is no address, all as text: such a letter is a draft for now."""
    if any(one.named is None for one in typed):
        return _coded(", ".join(one.text for one in typed), "To")
    return ",\r\n ".join(_mailbox(one.named) for one in typed if one.named)


def _mailbox(one: Named) -> str:
    shown = line(words(one.shown), 100).replace('"', "").replace("\\", "")
    if not shown:
        return f"<{one.address}>" if not one.address.isascii() else str(one.address)
    if shown.isascii():
        return (
            f'"{shown}" <{one.address}>'
            if not _ATOMS.fullmatch(shown)
            else f"{shown} <{one.address}>"
        )
    return f"{_coded(shown, 'To')} <{one.address}>"


def _coded(text: str, name: str) -> str:
    if text.isascii() and len(text) < 900 and "=?" not in text:
        return text
    return Coded(text, "utf-8", header_name=name).encode(linesep="\r\n")


def _parameter(name: str, value: str) -> str:
    if value.isascii():
        return f'{name}="{value}"'
    coded = "".join(
        chr(octet) if octet in _PLAIN else f"%{octet:02X}"
        for octet in value.encode("utf-8", "replace")
    )
    return f"{name}*=utf-8''{coded}"
