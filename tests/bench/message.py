"""The messages that are sent: a result with an attachment in base64, of exactly the size asked for.

Pure. A body is made once and reused; only its Message-ID differs, so that making messages costs
the generator nothing it would have to be forgiven.
"""

import base64
import hashlib
from dataclasses import dataclass

_BOUNDARY = "=_sceau-bench"
_LINE = 76


@dataclass(frozen=True, slots=True)
class Template:
    """A message but for its Message-ID, dot-stuffed and with its final dot."""

    head: bytes
    tail: bytes

    def numbered(self, number: int) -> bytes:
        """Return the start of the message with this number; ``tail`` completes it."""
        return b"%s%016d" % (self.head, number)

    @property
    def size(self) -> int:
        """How many octets a message has, without the final dot."""
        return len(self.head) + 16 + len(self.tail) - len(b".\r\n")


def template(mail_from: str, rcpt_to: str, size: int) -> Template:
    """Return the template of messages of ``size`` octets (never smaller than its headers)."""
    head = (
        f"From: <{mail_from}>\r\nTo: <{rcpt_to}>\r\n"
        "Subject: Compte rendu d'examens biologiques\r\n"
        "Date: Mon, 02 Nov 2026 08:00:00 +0100\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"\r\nMessage-ID: <'
    )
    opening = (
        f"@{mail_from.rpartition('@')[2]}>\r\n\r\n--{_BOUNDARY}\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\nVous trouverez le compte rendu ci-joint.\r\n"
        f"--{_BOUNDARY}\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
        'Content-Disposition: attachment; filename="resultat.pdf"\r\n\r\n'
    )
    closing = f"\r\n--{_BOUNDARY}--\r\n"
    room = size - len(head) - 16 - len(opening) - len(closing)
    tail = f"{opening}{_lines(room)}{closing}.\r\n"
    return Template(head.encode("ascii"), tail.encode("ascii"))


def _lines(room: int) -> str:
    """Return lines of base64, ``room`` characters in all, that do not compress."""
    if room <= 0:
        return ""
    noise = hashlib.shake_256(b"sceau").digest(room * 3 // 4 + 3)
    text = base64.b64encode(noise).decode("ascii")
    full, rest = divmod(room, _LINE + 2)
    lines = [text[n * _LINE : (n + 1) * _LINE] for n in range(full)]
    return "".join(f"{line}\r\n" for line in lines) + text[full * _LINE : full * _LINE + rest]
