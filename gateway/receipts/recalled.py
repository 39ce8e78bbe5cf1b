"""What became of a message that its sender wanted back, in words: French first, then English."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """What became of a recall."""

    CANCELLED = "cancelled"  # it had not left
    WITHDRAWN = "withdrawn"  # it lay unopened in its mailbox, and does no more
    OPENED = "opened"  # it was opened, and stays
    COPIED = "copied"  # there is another of it, which stays
    GONE = "gone"  # it is there no more, and was never marked as opened


class Words(NamedTuple):
    """How its sender is told; ``{at}`` and ``{who}`` are filled in."""

    subject: str
    told: tuple[str, str]
    disposition: str  # RFC 8098 §3.2.6


_BACK = "Message rappelé / Message withdrawn"
_STAYS = "Rappel impossible / Recall not possible"
_DELETED = "automatic-action/MDN-sent-automatically; deleted"

WORDS: Mapping[Outcome, Words] = {
    Outcome.CANCELLED: Words(
        _BACK,
        (
            (
                "Votre message a été retiré le {at}, à votre demande, avant d'arriver dans la boîte"
                " de {who}.\n\nLa preuve signée est jointe."
            ),
            (
                "Your message was taken back on {at}, as you asked, before it came to the mailbox"
                " of {who}.\n\nThe signed proof is attached."
            ),
        ),
        _DELETED,
    ),
    Outcome.WITHDRAWN: Words(
        _BACK,
        (
            (
                "Votre message a été retiré le {at} de la boîte de {who}, à votre demande. Personne"
                " ne l'avait ouvert.\n\nLa preuve signée est jointe."
            ),
            (
                "Your message was taken back on {at} from the mailbox of {who}, as you asked. Nobody"
                " had opened it.\n\nThe signed proof is attached."
            ),
        ),
        _DELETED,
    ),
    Outcome.OPENED: Words(
        _STAYS,
        (
            (
                "Votre message n'a pas pu être rappelé : il a été ouvert le {at} dans la boîte de"
                " {who}, et y reste.\n\nJoignez cette personne par un autre moyen."
            ),
            (
                "Your message could not be taken back: it was opened on {at} in the mailbox of"
                " {who}, and stays there.\n\nReach this person by other means."
            ),
        ),
        "manual-action/MDN-sent-automatically; displayed",
    ),
    Outcome.COPIED: Words(
        _STAYS,
        (
            (
                "Votre message n'a pas pu être rappelé : il a été copié le {at} depuis la boîte de"
                " {who}, et y reste.\n\nJoignez cette personne par un autre moyen."
            ),
            (
                "Your message could not be taken back: it was copied on {at} from the mailbox of"
                " {who}, and stays there.\n\nReach this person by other means."
            ),
        ),
        "automatic-action/MDN-sent-automatically; processed",
    ),
    Outcome.GONE: Words(
        _STAYS,
        (
            (
                "Votre message n'a pas pu être rappelé : le {at}, il n'était plus dans la boîte de"
                " {who}, sans y avoir été marqué comme lu.\n\nJoignez cette personne par un autre"
                " moyen."
            ),
            (
                "Your message could not be taken back: on {at} it was in the mailbox of {who} no"
                " more, and had not been marked as read.\n\nReach this person by other means."
            ),
        ),
        "automatic-action/MDN-sent-automatically; processed",
    ),
}
