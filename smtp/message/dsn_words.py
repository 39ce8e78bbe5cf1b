"""How a report speaks to a person: French first, then English, one pair a sentence.

What happened, what becomes of the message, what to do; no word of protocol. (R-F1)
"""

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """How a person is told of an action, in French and in English, gravest action first."""

    subject: str
    status: str  # where nobody gave a better one
    opening: tuple[str, str]
    advice: tuple[str, str]


WORDS: Mapping[str, Words] = {
    "failed": Words(
        "Message non remis / Message not delivered",
        "5.0.0",
        (
            "Votre message n'a PAS été remis à :",
            "Your message was NOT delivered to:",
        ),
        (
            (
                "Il n'y aura pas d'autre essai. Vérifiez l'adresse, ou joignez cette personne par un"
                " autre moyen si c'est urgent."
            ),
            (
                "It will not be tried again. Check the address, or reach this person by other means"
                " if it is urgent."
            ),
        ),
    ),
    "delayed": Words(
        "Remise en attente / Delivery delayed",
        "4.0.0",
        (
            "Votre message n'a pas ENCORE pu être remis à :",
            "Your message could not be delivered YET to:",
        ),
        (
            (
                "Les essais continuent, vous n'avez rien à faire ; ne le renvoyez pas. Si c'est urgent,"
                " joignez cette personne par un autre moyen."
            ),
            (
                "It is being tried again and you need do nothing; do not resend it. If it is urgent,"
                " reach this person by other means."
            ),
        ),
    ),
    "relayed": Words(
        "Message transmis / Message relayed",
        "2.0.0",
        (
            "Votre message a été transmis au serveur de :",
            "Your message was handed to the server of:",
        ),
        (
            "Ce serveur l'a pris en charge, mais il ne confirme pas la remise.",
            "That server took it, but does not confirm delivery.",
        ),
    ),
    "expanded": Words(
        "Message transmis / Message relayed",
        "2.0.0",
        (
            "Votre message a été remis à une liste et transmis à ses membres :",
            "Your message was delivered to a list and sent on to its members:",
        ),
        (
            "Aucune confirmation ne viendra de chaque membre.",
            "No confirmation will come from each member.",
        ),
    ),
    "delivered": Words(
        "Message remis / Message delivered",
        "2.0.0",
        (
            "Votre message a été remis dans la boîte de :",
            "Your message was delivered to the mailbox of:",
        ),
        (
            "Cela ne dit pas qu'il a été lu.",
            "This does not say that it was read.",
        ),
    ),
}
UNCONFIRMED = Words(
    "Message transmis, arrivée inconnue / Message relayed, arrival unknown",
    "2.0.0",
    (
        "Dans le délai fixé, le serveur qui a pris votre message n'a pas confirmé sa remise à :",
        "Within the time set, the server that took your message did not confirm its delivery to:",
    ),
    (
        (
            "Il est peut-être arrivé. Si c'est important, joignez cette personne par un autre moyen ;"
            " si un échec était signalé plus tard, vous en seriez averti."
        ),
        (
            "It may have arrived. If it matters, reach this person by other means; should a failure"
            " be reported later, you will be told."
        ),
    ),
)
SAID = ("Motif donné :", "Reason given:")
UNTIL = ("Nouveaux essais jusqu'au", "It will be tried until")
REFERENCE = (
    "Référence à donner à votre support : {}",
    "Reference to give to your support: {}",
)
