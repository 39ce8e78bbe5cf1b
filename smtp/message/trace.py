"""The trace that a gateway leaves on a message: its Received field, and how many are there.

It says by which host, how protected and when; never for whom (a blind recipient would show, and a
patient's address is a national number, R-G6), nor from which machine a person wrote: RFC 5321
§7.6 allows to leave that out, and the journal has it. RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3.
"""

import re
from datetime import UTC, datetime

from smtp.envelope import Envelope
from smtp.message.header import Header

_HELO = re.compile(r"[A-Za-z0-9.:_\[\]-]{1,255}")


def received(envelope: Envelope, host: str, now: datetime) -> bytes:
    """Return our Received field, to be put in front of the header block."""
    peer = envelope.peer
    lines = [f"by {host} with {_protocol(envelope)} id {envelope.id}"]
    if peer.login is None:
        helo = peer.helo if _HELO.fullmatch(peer.helo) else "unknown"
        literal = f"IPv6:{peer.ip}" if ":" in peer.ip else peer.ip
        lines.insert(0, f"from {helo} ([{literal}])")
    if peer.tls:
        verified = ", certificate verified" if peer.certificate else ""
        lines.append(f"({peer.tls}{verified})")
    field = "\r\n\t".join(lines)
    return f"Received: {field};\r\n\t{date(now)}\r\n".encode("ascii")


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def date(moment: datetime) -> str:
    """Return the moment as a Date field has it, in English whatever the locale (RFC 5322 §3.3)."""
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    clock = f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}"
    zone = "+0000" if moment.tzinfo is UTC else f"{moment:%z}"
    return f"{day}, {moment.day:02} {month} {moment.year:04} {clock} {zone}"


def hops(header: Header) -> int:
    """Return how many hosts handled the message so far: a great many are a loop (RFC 5321 §6.3)."""
    return sum(field.name == "received" for field in header.fields)


def _protocol(envelope: Envelope) -> str:
    secure = "S" if envelope.peer.tls else ""
    authenticated = "A" if envelope.peer.login is not None else ""
    family = "UTF8SMTP" if envelope.mail.smtputf8 else "ESMTP"
    return f"{family}{secure}{authenticated}"
