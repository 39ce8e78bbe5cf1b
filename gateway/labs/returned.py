"""What is put beside a mail of an outbox that was not sent: why, in plain words. Pure.

For whoever looks into the folder of errors: in French and English, with the id of the mail it is
about and nothing of what that says. RFC 5322.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from gateway.labs.french import meaning
from smtp.address import Address, domain_of
from smtp.message.trace import date

_NOBODY = """\
Bonjour,

Le message placé dans « {folder} » n'a été envoyé à personne. Rien n'est perdu : il est dans ce dossier.
Corrigez-le, puis remettez-le dans « {folder} ».

{pourquoi}

Hello,

The message that was put into "{folder}" was sent to nobody. Nothing is lost: it lies in this folder.
Correct it, and put it back into "{folder}".

{why}
"""
_SOME = """\
Bonjour,

Le message placé dans « {folder} » n'a pas été envoyé à tous ses destinataires. Les autres l'ont : ne le
leur renvoyez pas.

{pourquoi}

Hello,

The message that was put into "{folder}" was not sent to all its recipients. The others have it: do not
send it to them again.

{why}
"""


@dataclass(frozen=True, slots=True)
class Returned:
    """A mail that was not sent, or not to all."""

    mailbox: Address
    postmaster: str
    folder: str
    at: datetime
    mark: str  # which mail of the folder
    message_id: str
    why: str = field(repr=False)
    refused: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    sent: bool = False  # to the others


def notice(about: Returned) -> bytes:
    """Return the notice as a mail."""
    text = _SOME if about.sent else _NOBODY
    french = [meaning(about.why).french] if about.why else []
    french += [f"{whom} : {meaning(words).french}" for whom, words in about.refused]
    english = [about.why, *(f"{whom}: {words}" for whom, words in about.refused)]
    body = text.format(
        folder=about.folder, pourquoi="\n".join(french), why="\n".join(filter(None, english))
    )
    named = hashlib.sha256(f"{about.mailbox}\0{about.mark}".encode()).hexdigest()[:32]
    header = [
        f"Date: {date(about.at)}",
        f"From: Sceau <{about.postmaster}>",
        f"To: <{about.mailbox}>",
        "Subject: =?utf-8?Q?Non_envoy=C3=A9_/_not_sent?=",
        f"Message-ID: <{named}@{domain_of(about.mailbox)}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    if _quotable(about.message_id):
        header.insert(5, f"In-Reply-To: {about.message_id}")
    lines = [*header, "", *body.splitlines(), ""]
    return "\r\n".join(lines).encode()


def _quotable(message_id: str) -> bool:
    """Whether a Message-ID can stand in a header: who wrote it is no friend."""
    return (
        0 < len(message_id) <= 200
        and message_id.isascii()
        and message_id.isprintable()
        and message_id.startswith("<")
    )
