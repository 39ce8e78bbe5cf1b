"""Why a message does not leave, in the writer's language: what the door says, said in French.

The door speaks English to machines and to people alike; whoever writes at the page, or reads in the
morning what was not sent, reads their own language. What stands in no table is shown as it was said.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from gateway.receipts import citizens
from gateway.relay import authors, intake, once, verdict
from quarantine.reasons import REASONS, sentence
from smtp import reply
from smtp.reply import Reply

_FRENCH: Mapping[Reply, str] = {
    # The sender.
    reply.SENDER_IS_NOT_YOU: "Vous ne pouvez pas écrire au nom de cette boîte.",
    reply.SENDER_NOT_LISTED: "Votre domaine n'est pas dans l'espace de confiance.",
    reply.SENDER_ADDRESS_NOT_LISTED: "Votre adresse n'est pas inscrite dans la liste de confiance ; demandez à votre opérateur de l'inscrire.",
    reply.SENDER_REVOKED: "Votre domaine a été retiré de l'espace de confiance ; demandez à votre opérateur.",
    reply.SENDER_DENIED: "Votre opérateur a bloqué votre adresse ; demandez-lui pourquoi.",
    reply.SENDER_AWAITS_APPROVAL: "Ce que la liste de confiance dit de votre domaine a changé et attend l'accord de votre opérateur ; réessayez plus tard.",
    reply.PIN_REQUIRED: "Votre adresse est inscrite avec d'autres certificats ; demandez à votre opérateur.",
    intake.MAILBOX_LEFT: "Votre boîte vient d'être suspendue ou fermée ; le message n'est pas parti.",
    intake.SHARE_LEFT: "Vous ne pouvez plus écrire au nom de cette boîte ; le message n'est pas parti.",
    # Each recipient.
    reply.RECIPIENT_NOT_LISTED: "Ce destinataire n'est pas dans l'espace de confiance ; écrivez à une adresse qui y est inscrite.",
    reply.RECIPIENT_ADDRESS_NOT_LISTED: "Le domaine est de confiance, mais cette adresse n'y est pas inscrite ; vérifiez l'orthographe ou demandez une adresse inscrite.",
    reply.RECIPIENT_REVOKED: "Ce domaine a été retiré de l'espace de confiance ; joignez le destinataire autrement.",
    reply.RECIPIENT_SUSPENDED: "Ce domaine est suspendu pour l'instant ; si c'est urgent, joignez le destinataire autrement.",
    reply.RECIPIENT_DENIED: "Votre opérateur a bloqué ce destinataire ; joignez-le autrement, ou demandez à votre opérateur.",
    reply.RECIPIENT_AWAITS_APPROVAL: "Ce que la liste de confiance dit de ce domaine a changé et attend l'accord de votre opérateur ; si c'est urgent, joignez le destinataire autrement.",
    reply.NO_SUCH_MAILBOX: "Cette boîte n'existe pas ici ; vérifiez l'adresse.",
    reply.NOT_A_RELAY: "Cette passerelle ne transmet pas à ce destinataire.",
    reply.BAD_ADDRESS: "Ce n'est pas une adresse ; vérifiez l'orthographe.",
    reply.NEEDS_SMTPUTF8: "Cette adresse a des lettres que la messagerie du destinataire ne prend pas.",
    # The gateway, and the letter as a whole.
    reply.LIST_MISSING: "Aucune liste de confiance n'est chargée ; réessayez plus tard.",
    reply.LIST_STALE: "La liste de confiance doit être renouvelée ; le message pourra partir ensuite, gardez-le.",
    verdict.ONLY_DEFERRED: "Aucun destinataire ne peut être servi pour l'instant ; rien n'a été gardé, renvoyez le message plus tard.",
    reply.LOCAL_ERROR: "Quelque chose a échoué ici ; rien n'a été gardé, renvoyez le message.",
    reply.INSUFFICIENT_STORAGE: "La passerelle manque de place ; renvoyez le message plus tard.",
    reply.HEADER_TOO_BIG: "L'en-tête du message est trop grand : moins de destinataires, ou un objet plus court.",
    reply.TOO_MANY_RECIPIENTS: "Trop de destinataires à la fois ; écrivez aux autres dans un autre message.",
    reply.NO_RECIPIENTS: "Aucun destinataire valable : il n'y a rien à envoyer.",
    once.OTHER_MAIL: "Un autre message est déjà parti sous le même identifiant (Message-ID) ; celui-ci n'est pas parti.",
    authors.FROM_IS_NOT_YOU: "L'expéditeur du message doit être votre boîte ; il n'est pas parti.",
    authors.FROM_IS_FOREIGN: "L'expéditeur du message doit être de votre domaine ; il n'est pas parti.",
    authors.NAME_IS_NOT_YOURS: "Le nom de l'expéditeur montre une autre adresse que la sienne ; demandez à votre opérateur de le changer.",
    authors.ONE_FROM: "Le message doit avoir un seul expéditeur ; rien n'a été gardé.",
    authors.ONE_SENDER: "Le message doit dire une seule fois qui l'écrit ; il n'est pas parti.",
}
_SUCCESSOR = re.compile(r"This mailbox is closed; it was not sent, please write to (\S+) instead")
_LARGE = re.compile(
    r"The recipient's server takes no more than (\d+) MB at once, and nobody there can fetch a"
    r" larger message; it was not sent, send it in several parts or by another way"
)
_TOO_BIG = re.compile(
    r"The message is larger than the (\S+) MB that this gateway accepts; nothing was kept, send it in"
    r" several parts"
)
_RULED = "Les règles de la passerelle ne laissent pas passer le message :"


@cache
def _known() -> Mapping[str, str]:
    told = {each.text: words for each, words in _FRENCH.items()}
    for slug in REASONS:
        told[verdict.refusal(slug).text] = f"{_RULED} {sentence(slug, 'fr')}"
    return told


def refusal(said: Reply, language: str) -> str:
    """Return why a recipient, or a message, is refused, for the person who writes."""
    if language != "fr":
        return said.text
    if (of_patients := citizens.words(replace(said, cure=""))) is not None:
        return of_patients[0][:1].upper() + of_patients[0][1:]
    return french(said.text)


def french(text: str) -> str:
    """Return the French of a reply's text; as it was said, where no table has it."""
    if (left := _SUCCESSOR.fullmatch(text)) is not None:
        return f"Cette boîte est fermée ; écrivez plutôt à {left[1]}."
    if (limit := _LARGE.fullmatch(text)) is not None:
        return (
            f"La messagerie de ce destinataire ne prend pas plus de {limit[1]} Mo à la fois, et personne"
            " n'y peut venir chercher un message plus grand ; envoyez-le en plusieurs fois, ou"
            " autrement."
        )
    if (most := _TOO_BIG.fullmatch(text)) is not None:
        megabytes = most[1].replace(".", ",")
        return (
            f"Le message dépasse les {megabytes} Mo que la passerelle prend ; rien n'a été gardé,"
            " envoyez-le en plusieurs fois."
        )
    return _known().get(text, text)
