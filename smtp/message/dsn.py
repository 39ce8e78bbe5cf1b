"""What became of a message, told by mail: the value, and the writer, which is strict.

A report is for two readers: a person, in French and in English, and a program. It answers a
message and is never answered itself: its reverse-path is null and it says Auto-Submitted. What it
repeats from elsewhere (a peer's words, an ENVID) is made one harmless line first.
RFC 3464, RFC 6522, RFC 6533, RFC 3834 §5; the reader is ``smtp.message.dsn_reader`` (R-F1, R-F4).
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from smtp.address import Address
from smtp.envelope import Ret
from smtp.message.dsn_words import REFERENCE, SAID, UNTIL, WORDS, Words
from smtp.message.trace import date
from smtp.reply import printable

ANSWERED = "X-Sceau-Answered"  # RFC 3464 §2.4.2: a gateway passes the report on to nobody
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_UNSAFE = re.compile(r"[^A-Za-z0-9.]")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,900}>")


class Kind(StrEnum):
    """Which of the two reports: where a message went, or what was done with it there."""

    STATUS = "delivery-status"
    DISPOSITION = "disposition-notification"


class Action(StrEnum):
    """What became of a message; the last ones only in a disposition notification (MDN)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"
    DISPLAYED = "displayed"
    PROCESSED = "processed"
    DISPATCHED = "dispatched"
    DELETED = "deleted"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one recipient's copy."""

    final: Address | None  # None: what the report says is no address
    action: Action
    status: str = ""  # "5.1.1"
    original: str | None = None  # the ORCPT: "rfc822;dr@chu.example"
    diagnostic: str = ""  # the words of whoever refused it
    remote_mta: str = ""
    last_attempt: datetime | None = None
    retry_until: datetime | None = None
    answered: bool = False  # the recipient's program tells the sender by a report of its own


@dataclass(frozen=True, slots=True)
class Report:
    """A delivery status or disposition notification, ours or another's."""

    kind: Kind
    reporting_mta: str
    recipients: tuple[Fate, ...]
    original_envelope_id: str | None = None
    original_message_id: str | None = None  # with its angle brackets
    arrived: datetime | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """How a report travels: between whom, about what, and with which words beside our own."""

    sender: Address  # our postmaster; the envelope's reverse-path is null all the same
    to: Address
    message_id: str  # new, with its angle brackets
    now: datetime
    original: bytes  # its header block; the body too where ``ret`` asks for it
    ret: Ret = Ret.HDRS
    reference: str = ""  # what a person may read out on the telephone
    french: str = ""  # a paragraph that says why, and what to do
    english: str = ""
    telling: Words | None = None  # in which words, where an action's usual ones would mislead


def compose(report: Report, letter: Letter) -> bytes:
    """Return the whole message. It needs 8BITMIME unless ASCII, SMTPUTF8 unless ``to`` is ASCII.

    The original comes back whole only for a failure whose sender asked so (RFC 3461 §4.3).
    ``ValueError`` for what is no delivery status: we write no one's disposition for them.
    """
    told = {fate.action for fate in report.recipients}
    if report.kind is not Kind.STATUS or not told or not told <= set(WORDS):
        raise ValueError("a delivery status has recipients, and says what became of their copies")
    failed = any(fate.action is Action.FAILED for fate in report.recipients)
    parts = (
        _human(report, letter),
        _machine(report),
        returned(letter.original, full=failed and letter.ret is Ret.FULL),
    )
    boundary = f"=_{_UNSAFE.sub('.', letter.message_id)[-60:].strip('.')}"
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
    return _header(report, letter, boundary, eight_bit=not body.isascii()) + b"\r\n" + body


def _header(report: Report, letter: Letter, boundary: str, *, eight_bit: bool) -> bytes:
    lines = [
        f"From: Sceau <{letter.sender}>",
        f"To: <{letter.to}>",
        f"Subject: {(letter.telling or _gravest(report)).subject}",
        f"Date: {date(letter.now)}",
        f"Message-ID: {letter.message_id}",
    ]
    if _MESSAGE_ID.fullmatch(report.original_message_id or ""):
        lines += [f"In-Reply-To: {report.original_message_id}"]
        lines += [f"References: {report.original_message_id}"]
    lines += [
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f"Content-Type: multipart/report; report-type={report.kind};",
        f' boundary="{boundary}"',
        f"Content-Transfer-Encoding: {'8bit' if eight_bit else '7bit'}",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


def _human(report: Report, letter: Letter) -> bytes:
    """Return the part for a person: French, then English."""
    paragraphs = [
        *_telling(report, letter, 0),
        "-" * 60,
        *_telling(report, letter, 1),
    ]
    text = "\n\n".join(paragraphs) + "\n"
    return (
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Language: fr, en\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        + binascii.b2a_qp(text.encode()).replace(b"\n", b"\r\n")
    )


def _telling(report: Report, letter: Letter, language: int) -> Iterator[str]:
    for action in WORDS:
        fates = [fate for fate in report.recipients if fate.action == action]
        if fates:
            words = letter.telling or WORDS[action]
            yield words.opening[language]
            yield "\n".join(line for fate in fates for line in _lines(fate, language))
            yield words.advice[language]
    if told := (letter.french, letter.english)[language]:
        yield told.replace("\r\n", "\n")
    if letter.reference:
        yield REFERENCE[language].format(letter.reference)


def _lines(fate: Fate, language: int) -> Iterator[str]:
    yield f"    {fate.final or clean(fate.original or '?')}"
    if fate.diagnostic:
        yield f"        {SAID[language]} {clean(fate.diagnostic)}"
    if fate.retry_until is not None:
        yield f"        {UNTIL[language]} {fate.retry_until:%Y-%m-%d %H:%M %Z}"


def _machine(report: Report) -> bytes:
    """Return the part for a program; with addresses beyond ASCII as RFC 6533 has it."""
    wide = any(not f"{f.final or ''}{f.original or ''}".isascii() for f in report.recipients)
    groups = [[("Reporting-MTA", f"dns; {clean(report.reporting_mta)}")]]
    if report.original_envelope_id is not None:
        groups[0].insert(0, ("Original-Envelope-Id", clean(report.original_envelope_id)))
    if report.arrived is not None:
        groups[0].append(("Arrival-Date", date(report.arrived)))
    groups += [list(_group(fate, "utf-8" if wide else "rfc822")) for fate in report.recipients]
    blocks = ("".join(_field(name, value) for name, value in group) for group in groups)
    prefix = "global-" if wide else ""
    encoding = "8bit" if wide else "7bit"
    return (
        f"Content-Type: message/{prefix}{report.kind}\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n" + "\r\n".join(blocks)
    ).encode()


def _group(fate: Fate, kind: str) -> Iterator[tuple[str, str]]:
    if fate.original:
        yield "Original-Recipient", clean(fate.original)
    yield "Final-Recipient", f"{kind}; {fate.final or 'unknown'}"
    yield "Action", fate.action
    yield "Status", fate.status if _STATUS.fullmatch(fate.status) else WORDS[fate.action].status
    if fate.remote_mta:
        yield "Remote-MTA", f"dns; {clean(fate.remote_mta)}"
    if fate.diagnostic:
        yield "Diagnostic-Code", f"smtp; {printable(fate.diagnostic)}"
    if fate.last_attempt is not None:
        yield "Last-Attempt-Date", date(fate.last_attempt)
    if fate.retry_until is not None:
        yield "Will-Retry-Until", date(fate.retry_until)
    if fate.answered:
        yield ANSWERED, "yes"


def returned(original: bytes, *, full: bool) -> bytes:
    """Return the part that gives back the message, or its header block alone."""
    end = original.find(b"\r\n\r\n")
    header = original if end < 0 else original[: end + 2]
    content = original if full else header
    kinds = {
        (True, True): "message/rfc822",
        (True, False): "message/global",
        (False, True): "text/rfc822-headers",
        (False, False): "message/global-headers",
    }
    encoding = "7bit" if content.isascii() else "8bit"
    kind = kinds[full, header.isascii()]
    intro = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return intro.encode() + content


def _field(name: str, value: str) -> str:
    """Return a field folded at white space (RFC 5322 §2.2.3)."""
    lines = [f"{name}:"]
    for word in value.split():
        if len(lines[-1]) + len(word) > 76 and lines[-1] != f"{name}:":
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines) + "\r\n"


def clean(text: str) -> str:
    """Return foreign text as one line of at most 500 printable characters."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return text[:500].strip()


def _gravest(report: Report) -> Words:
    told = {fate.action for fate in report.recipients}
    return next(words for action, words in WORDS.items() if action in told)
