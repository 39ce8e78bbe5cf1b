"""Why, and what to do now: the paragraphs a report has for the person who sent the message.

A reply is one line of English for whoever reads a protocol; this says it in French and in English
to somebody who has patients waiting. Our own replies are known one by one, others by their
enhanced code, in the words of neither side's software. ``smtp.message.dsn`` has the rest of the report:
who, what happened, the reference. RFC 3463; R-F1, R-J2.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from gateway.receipts import citizens
from smtp import reply
from smtp.address import Address
from smtp.envelope import Refusal
from smtp.reply import Reply


class Why(NamedTuple):
    """What it means, and what to do, in both languages."""

    french: str
    english: str


@dataclass(frozen=True, slots=True)
class Ended:
    """One recipient, and the reply that settled or delays its copy."""

    recipient: Address
    said: Reply | None
    expired: bool = False  # the reply is only the last of many: time ran out
    why: Why | None = None  # what it means, where we know better than the reply says


def why(said: Reply | None, *, expired: bool = False) -> Why:
    """Return what a reply means to the sender."""
    meaning = _meaning(replace(said, cure="") if said and said.cure else said)
    if said is not None and said.cure:
        return Why(
            *(f"{words} {cure} {said.cure}" for words, cure in zip(meaning, _CURE, strict=True))
        )
    if not expired:
        return meaning
    return Why(*(f"{lead} {words}" for lead, words in zip(_EXPIRED, meaning, strict=True)))


def reporting(ended: Iterable[Ended]) -> tuple[str, str]:
    """Return the paragraphs of a report on deliveries, one for each cause."""
    causes = ((one.recipient, one.why or why(one.said, expired=one.expired)) for one in ended)
    return _in_both(_by_cause(causes))


def refusing(refused: Sequence[Refusal], taken: Sequence[Address]) -> tuple[str, str]:
    """Return the paragraphs of a notice of refusal: why, and who does receive the message.

    Many mail programs show a refusal badly or not at all; the sender must not be left to think
    that everybody has it, nor that nobody has. R-J2.
    """
    causes = ((refusal.recipient.address, why(refusal.reply)) for refusal in refused)
    paragraphs = _by_cause(causes)
    if taken:
        who = ", ".join(taken)
        paragraphs.append(Why(*(words.format(who) for words in _TAKEN)))
    else:
        paragraphs.append(_NOBODY)
    return _in_both(paragraphs)


def _meaning(said: Reply | None) -> Why:
    if said is None:
        return _UNKNOWN
    if said in _OURS:
        return _OURS[said]
    if (of_patients := citizens.words(said)) is not None:
        return Why(*of_patients)
    family, _, detail = said.enhanced.partition(".")
    by_code = _CODES.get(detail)
    if by_code is not None:
        return by_code
    return _LATER if (family or str(said.code)[0]) == "4" else _NEVER


def _by_cause(causes: Iterable[tuple[Address, Why]]) -> list[Why]:
    """Return one paragraph a cause, naming whom it concerns."""
    concerned: dict[Why, list[Address]] = {}
    for recipient, cause in causes:
        concerned.setdefault(cause, []).append(recipient)
    return [
        Why(f"{', '.join(who)} : {cause.french}", f"{', '.join(who)}: {cause.english}")
        for cause, who in concerned.items()
    ]


def _in_both(paragraphs: Sequence[Why]) -> tuple[str, str]:
    return "\n\n".join(p.french for p in paragraphs), "\n\n".join(p.english for p in paragraphs)


_CURE = (
    "L'annuaire ne connaît qu'une adresse qui puisse être celle-ci ; vérifiez que c'est bien elle :",
    "Only one known address could be the one that was meant; make sure that it is:",
)
_EXPIRED = (
    "Les essais ont duré aussi longtemps que permis, sans succès. Le dernier obstacle :",
    "It was tried for as long as allowed, without success. The last obstacle:",
)
_TAKEN = (
    "Votre message a bien été pris en charge pour : {}. Ne le renvoyez pas à ces personnes.",
    "Your message was taken for: {}. Do not send it to them again.",
)
_NOBODY = Why(
    "Le message n'est parti pour personne d'autre : rien n'en a été gardé.",
    "The message went to nobody else: nothing of it was kept.",
)
_UNKNOWN = Why(
    "la cause n'est pas connue. Renvoyez le message ; si cela se reproduit, prévenez votre support.",
    "the cause is not known. Send the message again; if it happens again, tell your support.",
)
_LATER = Why(
    "un obstacle passager chez le destinataire ou en chemin. Rien ne manque à votre message.",
    "a passing obstacle at the recipient's or on the way. Nothing is wrong with your message.",
)
_NEVER = Why(
    "le serveur du destinataire a refusé le message. Le motif donné vient de lui ;"
    " transmettez-le à votre support, avec la référence.",
    "the recipient's server refused the message. The reason given is its own;"
    " pass it on to your support, with the reference.",
)
_NO_MAILBOX = Why(
    "cette adresse n'existe pas. Vérifiez-la dans l'annuaire, corrigez-la dans votre carnet"
    " d'adresses, puis renvoyez le message.",
    "this address does not exist. Check it in the directory, correct it in your address book,"
    " then send the message again.",
)
_NOT_LISTED = Why(
    "cette adresse n'est pas dans l'espace de confiance : un message de santé n'y part pas."
    " Demandez à votre correspondant son adresse de messagerie sécurisée.",
    "this address is outside the trusted space, where no health message is sent."
    " Ask your correspondent for a secure messaging address.",
)
_REVOKED = Why(
    "l'opérateur de cette adresse a été retiré de l'espace de confiance. Joignez votre"
    " correspondant par un autre moyen.",
    "the operator of this address was removed from the trusted space. Reach your correspondent by"
    " other means.",
)
_SUSPENDED = Why(
    "l'opérateur de cette adresse est suspendu pour le moment. Le message attend ; si c'est"
    " urgent, joignez votre correspondant par un autre moyen.",
    "the operator of this address is suspended for now. The message waits; if it is urgent, reach"
    " your correspondent by other means.",
)
_OUR_LIST = Why(
    "notre liste de confiance doit être renouvelée, ce dont s'occupe votre opérateur. Le message"
    " partira ensuite de lui-même.",
    "our trust list must be renewed, which your operator takes care of. The message will then go"
    " by itself.",
)
_THEIR_SERVER = Why(
    "le serveur du destinataire n'a pas montré le certificat attendu ; votre message ne lui a pas"
    " été confié. Votre opérateur en est averti.",
    "the recipient's server did not show the expected certificate; your message was not entrusted"
    " to it. Your operator has been alerted.",
)
_THEIR_REVOKED = Why(
    "le certificat du serveur du destinataire a été révoqué ; votre message ne lui a pas été confié."
    " Seul son opérateur peut le remplacer : prévenez le destinataire par un autre moyen.",
    "the certificate of the recipient's server was revoked; your message was not entrusted to it."
    " Only its operator can replace it: tell the recipient by other means.",
)
_OUR_DOMAIN = Why(
    "notre propre domaine ou votre adresse n'est pas, ou plus, dans l'espace de confiance."
    " Prévenez votre support : aucun de vos messages ne peut partir.",
    "our own domain or your address is not, or no longer, in the trusted space."
    " Tell your support: none of your messages can leave.",
)
_NOT_YOU = Why(
    "l'adresse d'expéditeur n'est pas celle de la boîte avec laquelle vous êtes connecté."
    " Choisissez-la comme expéditeur dans votre logiciel, puis renvoyez le message.",
    "the sender address is not the mailbox you are logged in with. Choose that one as the sender"
    " in your program, then send the message again.",
)
_TOO_BIG = Why(
    "le message est trop volumineux. Envoyez-le en plusieurs fois, ou réduisez les pièces jointes.",
    "the message is too large. Send it in several parts, or make the attachments smaller.",
)
_FULL = Why(
    "la boîte du destinataire est pleine. Prévenez-le par un autre moyen, puis renvoyez le message.",
    "the recipient's mailbox is full. Tell them by other means, then send the message again.",
)
_CLOSED = Why(
    "la boîte du destinataire est fermée ou suspendue. Joignez-le par un autre moyen.",
    "the recipient's mailbox is closed or suspended. Reach them by other means.",
)
_MOVED = Why(
    "la boîte du destinataire est fermée ; si une autre adresse la remplace, le motif donné plus bas"
    " la nomme. Vérifiez qu'elle convient, puis renvoyez-lui le message.",
    "the recipient's mailbox is closed; if another address takes its place, the reason given below"
    " names it. Make sure that it is the right one, then send the message there.",
)
_UNREACHABLE = Why(
    "le serveur du destinataire ne répond pas ou n'a pas pu être joint.",
    "the recipient's server does not answer or could not be reached.",
)
_NO_DOMAIN = Why(
    "le domaine de cette adresse (après le @) est inconnu ou ne reçoit pas de courrier."
    " Vérifiez l'adresse.",
    "the domain of this address (after the @) is unknown or takes no mail. Check the address.",
)
_LOOP = Why(
    "le message tourne en rond entre des serveurs ; leur réglage est à corriger. Transmettez ce"
    " rapport à votre support.",
    "the message goes round in circles between servers, whose set-up must be corrected. Pass this"
    " report on to your support.",
)
_LETTERS = Why(
    "le serveur du destinataire n'accepte pas les caractères de ce message (accents dans une"
    " adresse, contenu sur 8 bits), et un message de santé n'est jamais transformé en route.",
    "the recipient's server does not take the characters of this message (letters beyond ASCII in"
    " an address, 8-bit content), and a health message is never altered on its way.",
)
_FORM = Why(
    "le message est mal formé. C'est votre logiciel qui l'a produit : transmettez ce rapport à son"
    " éditeur ou à votre support.",
    "the message is malformed. Your program made it so: pass this report on to its maker or to"
    " your support.",
)
_POLICY = Why(
    "les règles de l'un des deux côtés ne permettent pas cet envoi. Le motif donné dit"
    " laquelle ; votre support peut vous aider, avec la référence.",
    "the rules of one of the two sides do not allow this. The reason given says which;"
    " your support can help, with the reference.",
)

_BY_ITSELF = Why(
    "vous avez rappelé ce message avant qu'il ne parte : il n'est pas parti, et ne partira pas."
    " Il n'y a rien d'autre à faire.",
    "you took this message back before it left: it was not sent, and will not be."
    " There is nothing else to do.",
)
_NOT_READ = Why(
    "vous avez repris ce document avant que quiconque ne le consulte : le lien envoyé ne mène plus à"
    " rien. Il n'y a rien d'autre à faire.",
    "you took this document back before anybody looked at it: the link that was sent leads nowhere"
    " now. There is nothing else to do.",
)
_TIME_IS_UP = Why(
    "le délai fixé pour ce message est passé. Il a été annulé et ne partira plus : faites parvenir"
    " son contenu par un autre moyen.",
    "the time set for this message is up. It was cancelled and will not be sent any more: let its"
    " content arrive by other means.",
)
_NOT_AGREED = Why(
    "votre boîte ne peut pas envoyer de résultats critiques : personne n'est nommé pour être prévenu"
    " s'ils n'arrivent pas. Demandez-le à votre exploitant, ou renvoyez le message sans cette marque.",
    "your mailbox may not send critical results: nobody is named who would be told if they do not"
    " arrive. Ask your operator for that, or send the message again without the mark.",
)
_NO_TIME = Why(
    "l'en-tête X-Sceau-Deadline, qui fixe le délai de ce message, doit porter un nombre de secondes"
    " (au moins 60). C'est votre logiciel qui l'écrit : corrigez-le, puis renvoyez le message.",
    "the header field X-Sceau-Deadline, which sets this message's time, must bear a number of"
    " seconds (at least 60). Your program writes it: correct it, then send the message again.",
)

_OURS: Mapping[Reply, Why] = {
    reply.TOO_LATE: _TIME_IS_UP,
    reply.DEADLINE_UNREADABLE: _NO_TIME,
    reply.CRITICAL_NOT_AGREED: _NOT_AGREED,
    reply.RECALLED: _BY_ITSELF,
    reply.TAKEN_BACK: _NOT_READ,
    reply.RECIPIENT_NOT_LISTED: _NOT_LISTED,
    reply.RECIPIENT_ADDRESS_NOT_LISTED: _NOT_LISTED,
    reply.RECIPIENT_REVOKED: _REVOKED,
    reply.RECIPIENT_SUSPENDED: _SUSPENDED,
    reply.LIST_STALE: _OUR_LIST,
    reply.LIST_MISSING: _OUR_LIST,
    reply.NEXT_HOP_NOT_ENTITLED: _THEIR_SERVER,
    reply.NEXT_HOP_EXPIRED: _THEIR_SERVER,
    reply.NEXT_HOP_REVOKED: _THEIR_REVOKED,
    reply.SENDER_NOT_LISTED: _OUR_DOMAIN,
    reply.SENDER_REVOKED: _OUR_DOMAIN,
    reply.SENDER_ADDRESS_NOT_LISTED: _OUR_DOMAIN,
    reply.SENDER_IS_NOT_YOU: _NOT_YOU,
}

# By subject and detail of the enhanced code (RFC 3463 §3), whichever class it has.
_CODES: Mapping[str, Why] = {
    "1.1": _NO_MAILBOX,
    "1.2": _NO_DOMAIN,
    "1.3": _NO_MAILBOX,
    "1.6": _MOVED,
    "1.10": _NO_DOMAIN,
    "2.0": _CLOSED,
    "2.1": _CLOSED,
    "2.2": _FULL,
    "2.3": _TOO_BIG,
    "3.4": _TOO_BIG,
    "4.1": _UNREACHABLE,
    "4.2": _UNREACHABLE,
    "4.3": _NO_DOMAIN,
    "4.4": _NO_DOMAIN,
    "4.6": _LOOP,
    "6.0": _FORM,
    "6.1": _LETTERS,
    "6.3": _LETTERS,
    "6.7": _LETTERS,
    "7.1": _POLICY,
}
