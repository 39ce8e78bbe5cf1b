"""Critical results: who may not wait, how long, and who is told when one does not arrive. Pure.

A sender of ours marks a message by a header field, as it asks for its own time (``ends.HEADER``).
That the field is there counts for us alone: what a peer writes into it moves nothing here. R-F1;
RFC 2156 (Importance).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from smtp.address import Address, key
from smtp.message.header import Header

HEADER = "x-sceau-priority"
FIELD = b"X-Sceau-Priority: critical\r\n"
ACKNOWLEDGED = "critical.acknowledged"  # the journal's words
ESCALATED = "escalated"  # the reason that software reads
RETRY = timedelta(minutes=1)  # the longest that one waits between two attempts
_CRITICAL = b"critical"
# What mail programs write when somebody clicks on the red mark; most who do so mean less by it.
_MARKS = (("importance", (b"high",)), ("x-priority", (b"1", b"2")), ("priority", (b"urgent",)))


@dataclass(frozen=True, slots=True)
class Care:
    """What was agreed with a laboratory about its critical results."""

    within: timedelta = timedelta(minutes=10)
    person: str = ""  # who is told when one does not arrive,
    mail: tuple[Address, ...] = ()  # and where
    importance: bool = False  # a mail program's own mark counts, too


@dataclass(frozen=True, slots=True)
class Urgency:
    """What was agreed, by mailbox; without an agreement there is a time, and nobody in particular."""

    usual: Care = Care()
    agreed: Mapping[str, Care] = field(default_factory=dict)

    def of(self, sender: Address) -> Care:
        """Return what holds for a sender's critical results."""
        return self.agreed.get(key(sender), self.usual)

    def tells(self, sender: Address) -> bool:
        """Whether somebody in particular is told of a sender's critical results."""
        return bool(self.of(sender).mail)

    def asked(self, header: Header, sender: Address) -> bool:
        """Whether a message of a mailbox of ours is a critical result."""
        if _said(header, HEADER) == _CRITICAL:
            return True
        return self.of(sender).importance and any(
            _said(header, name).split(b" ")[0] in meant for name, meant in _MARKS
        )

    def due(self, sender: Address, arrived: datetime, promised: datetime | None) -> datetime:
        """Return until when it must have arrived: the sooner of what was agreed and promised."""
        agreed = arrived + self.of(sender).within
        return agreed if promised is None else min(agreed, promised)


def _said(header: Header, name: str) -> bytes:
    return (header.first(name) or b"").strip().lower()


def words(  # noqa: PLR0917 - what a person must know
    person: str,
    sender: Address,
    reference: str,
    arrived: datetime,
    left: tuple[tuple[str, str, str], ...],
    site: str,
) -> tuple[str, str]:
    """Return subject and words of the mail to the named person, in French and English.

    ``left`` is who does not have it: whom, and why in both languages. No patient, no file, no
    subject: the reference leads to them, for who may see them.
    """
    french = "\n".join(f"  - {whom} : {why}" for whom, why, _ in left)
    english = "\n".join(f"  - {whom}: {why}" for whom, _, why in left)
    hello, bonjour = (
        (f"Hello {person},", f"Bonjour {person},") if person else ("Hello,", "Bonjour,")
    )
    text = (
        f"{bonjour}\n\nUn résultat critique envoyé par {sender} n'est pas arrivé.\n\n"
        f"Référence : {reference}, confié le {arrived:%d/%m/%Y à %H:%M} UTC.\n{french}\n\n"
        "Transmettez-le maintenant par un autre moyen (le téléphone), puis faites noter par un\n"
        f"exploitant que vous vous en occupez : sceau lab acknowledge {reference}\n\n"
        f"{hello}\n\nA critical result sent by {sender} has not arrived.\n\n"
        f"Reference: {reference}, handed in on {arrived:%Y-%m-%d at %H:%M} UTC.\n{english}\n\n"
        "Pass it on by other means now (the telephone), then have an operator note that you take\n"
        f"care of it: sceau lab acknowledge {reference}\n"
    )
    return f"[{site}] critical result not delivered: {reference}", text
