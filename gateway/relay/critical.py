"""Critical results: who may not wait, how long, and who is told when one does not arrive. Pure.

A sender of ours marks a message by a header field, as it asks for its own time (``ends.HEADER``).
That the field is there counts for us alone: what a peer writes into it moves nothing here. R-F1;
RFC 2156 (Importance).
"""

from collections.abc import Iterator, Mapping, Sequence
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
    everybody: bool = True  # may mark a result as critical; else only with whom it was agreed

    def of(self, sender: Address) -> Care:
        """Return what holds for a sender's critical results."""
        return self.agreed.get(key(sender), self.usual)

    def tells(self, sender: Address) -> bool:
        """Whether somebody in particular is told of a sender's critical results."""
        return bool(self.of(sender).mail)

    def may(self, sender: Address) -> bool:
        """Whether a mailbox may mark its results as critical."""
        return self.everybody or key(sender) in self.agreed

    def asked(self, header: Header, sender: Address) -> bool:
        """Whether a message of a mailbox of ours is a critical result."""
        if marked(header):
            return self.may(sender)
        return self.of(sender).importance and any(
            _said(header, name).split(b" ")[0] in meant for name, meant in _MARKS
        )

    def due(self, sender: Address, arrived: datetime, promised: datetime | None) -> datetime:
        """Return until when it must have arrived: the sooner of what was agreed and promised."""
        agreed = arrived + self.of(sender).within
        return agreed if promised is None else min(agreed, promised)


def marked(header: Header) -> bool:
    """Whether a message bears our own mark, whoever wrote it."""
    return _said(header, HEADER) == _CRITICAL


def _said(header: Header, name: str) -> bytes:
    return (header.first(name) or b"").strip().lower()


@dataclass(frozen=True, slots=True)
class Missing:
    """A result that did not arrive: whose, when it came, and who does not have it.

    ``left`` is whom, and why in both languages.
    """

    sender: Address
    reference: str
    arrived: datetime
    left: tuple[tuple[str, str, str], ...]


def words(person: str, missing: Sequence[Missing], many: int, site: str) -> tuple[str, str]:
    """Return subject and words of the mail to the named person, in French and English.

    Of ``many`` results the first are named. No patient, no file, no subject: the references lead to
    them, for who may see them.
    """
    bonjour, hello = (f"{word} {person}".strip() + "," for word in ("Bonjour", "Hello"))
    if many == 1:
        (one,) = missing
        subject = (
            f"[{site}] Examen critique non parvenu / critical result not delivered: {one.reference}"
        )
        french = [f"  - {whom} : {why}" for whom, why, _ in one.left]
        english = [f"  - {whom}: {why}" for whom, _, why in one.left]
        text = _ONE
    else:
        subject = f"[{site}] {many} examens critiques non parvenus / critical results not delivered"
        french, english = [*_each(missing)], [*_each(missing, english=True)]
        text = _MANY
    first, others = missing[0], many - len(missing)
    return subject, text.format(
        bonjour=bonjour,
        hello=hello,
        many=many,
        sender=first.sender,
        reference=first.reference,
        le=f"{first.arrived:{_LE}}",
        on=f"{first.arrived:{_ON}}",
        french="\n".join((*french, *([f"  … et {others} de plus"] if others else []))),
        english="\n".join((*english, *([f"  … and {others} more"] if others else []))),
    )


def _each(missing: Sequence[Missing], *, english: bool = False) -> Iterator[str]:
    """Yield a line for each recipient of each result."""
    for one in missing:
        for whom, why, because in one.left:
            if english:
                yield f"  {one.reference}, {one.arrived:{_ON}} UTC: {whom}: {because}"
            else:
                yield f"  {one.reference}, {one.arrived:{_LE}} UTC : {whom} : {why}"


_LE, _ON = "%d/%m/%Y à %H:%M", "%Y-%m-%d at %H:%M"
_ONE = """{bonjour}

Un résultat critique envoyé par {sender} n'est pas arrivé.

Référence : {reference}, confié le {le} UTC.
{french}

Transmettez-le maintenant par un autre moyen (le téléphone), puis faites noter par un
exploitant que vous vous en occupez : sceau lab acknowledge {reference}

{hello}

A critical result sent by {sender} has not arrived.

Reference: {reference}, handed in on {on} UTC.
{english}

Pass it on by other means now (the telephone), then have an operator note that you take
care of it: sceau lab acknowledge {reference}
"""
_MANY = """{bonjour}

{many} résultats critiques envoyés par {sender} ne sont pas arrivés.

{french}

Transmettez-les maintenant par un autre moyen (le téléphone), puis faites noter par un
exploitant que vous vous en occupez : sceau lab critical les montre, les plus anciens d'abord

{hello}

{many} critical results sent by {sender} have not arrived.

{english}

Pass them on by other means now (the telephone), then have an operator note that you take
care of them: sceau lab critical shows them, those that wait longest first
"""
