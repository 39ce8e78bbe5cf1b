"""What a message's sender is told of its quarantine, at once and when it is decided.

For somebody who has patients waiting: what becomes of the message, why, what to do now. The reasons
are told in words, never what was found in detail. In French and in English. R-F1, R-J2.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from quarantine.reasons import sentence
from smtp.message.dsn_words import Words


class Said(NamedTuple):
    """A paragraph in both languages."""

    french: str
    english: str


def held(until: datetime) -> Words:
    """Return how a sender is told that a message waits, at the latest until then."""
    day = f"{until:%Y-%m-%d}"
    return Words(
        "Message en attente d'examen / Message held for review",
        "4.7.0",
        (
            "Avant d'être remis, votre message doit être examiné par une personne. Il attend pour :",
            "Before it is delivered a person must look at your message. It waits for:",
        ),
        (
            (
                "Ne le renvoyez pas : vous saurez ce qui sera décidé, au plus tard le"
                f" {day}. Si c'est urgent, joignez cette personne par un autre moyen."
            ),
            (
                f"Do not send it again: you will be told what was decided, on {day} at the latest."
                " If it is urgent, reach this person by other means."
            ),
        ),
    )


RELEASED = Words(
    "Message examiné, il part / Message reviewed, it goes on",
    "4.7.0",
    (
        "Votre message a été examiné. Il reprend sa route vers :",
        "Your message was looked at. It goes on its way to:",
    ),
    (
        "Vous n'avez rien à faire ; s'il ne pouvait pas être remis, vous en seriez averti.",
        "You need do nothing; should it not be delivered, you will be told.",
    ),
)


def because(reasons: Iterable[str]) -> Said:
    """Return why a message was held, in words."""
    found = tuple(reasons)
    return Said(*(" ".join(sentence(one, language) for one in found) for language in ("fr", "en")))


def refused(reasons: Iterable[str], words: str) -> Said:
    """Return what a sender is told of a refusal; ``words`` are the reviewer's own."""
    return _ended(_REFUSED, reasons, words)


def expired(reasons: Iterable[str]) -> Said:
    """Return what a sender is told when nobody decided in time."""
    return _ended(_EXPIRED, reasons, "")


def released(words: str) -> Said:
    """Return what a reviewer says to the sender of what goes on; nothing, if nothing."""
    return Said("", "") if not words else Said(*(f"{lead} {words}" for lead in _WORDS))


def _ended(lead: Said, reasons: Iterable[str], words: str) -> Said:
    pairs = zip(lead, because(reasons), _WORDS, strict=True)
    return Said(
        *(
            " ".join(filter(None, (first, why, f"{intro} {words}" if words else "")))
            for first, why, intro in pairs
        )
    )


_WORDS = Said("La personne qui l'a examiné vous dit :", "Who looked at it tells you:")
_REFUSED = Said(
    "une personne a examiné le message et l'a refusé. Il avait été retenu pour ce motif :",
    "a person looked at the message and refused it. It had been held for this reason:",
)
_EXPIRED = Said(
    "le message était retenu et personne ne l'a examiné à temps ; prévenez l'opérateur de la"
    " passerelle. Il avait été retenu pour ce motif :",
    "the message was held and nobody looked at it in time; tell the gateway's operator."
    " It had been held for this reason:",
)
