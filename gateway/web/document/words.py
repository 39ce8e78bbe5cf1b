"""What those pages say, in French and in English: to people who have no account here."""

from collections.abc import Mapping

from gateway.web.account.words import WORDS as COMMON

WORDS: Mapping[str, tuple[str, str]] = {
    "document": ("Document sécurisé", "Secure document"),
    "waiting": ("Un document vous attend", "A document waits for you"),
    "waiting-why": (
        "Un professionnel de {domain} vous l'a adressé. Il est trop volumineux pour votre messagerie ({size}).",
        "A professional at {domain} addressed it to you. It is too large for your mail ({size}).",
    ),
    "who-reads": (
        "Seul le professionnel à qui le message est adressé peut le lire : identifiez-vous.",
        "Only the professional to whom the message is addressed can read it: say who you are.",
    ),
    "log-in-by": ("S'identifier avec {issuer}", "Log in with {issuer}"),
    "until": ("Disponible jusqu'au {until}.", "Available until {until}."),
    "from": ("De", "From"),
    "to": ("À", "To"),
    "sent": ("Envoyé le", "Sent"),
    "subject": ("Objet", "Subject"),
    "files": ("Documents", "Documents"),
    "download": ("Télécharger", "Download"),
    "download-named": ("Télécharger {name}", "Download {name}"),
    "whole": ("Le message entier, avec ses documents", "The whole message with its documents"),
    "whole-hint": (
        "Pour votre logiciel de messagerie ({size}).",
        "For your mail program ({size}).",
    ),
    "resumes": (
        "Un téléchargement interrompu reprend là où il s'est arrêté.",
        "A download that was cut off goes on where it stopped.",
    ),
    "fingerprint": ("Empreinte SHA-256", "SHA-256 fingerprint"),
    "known-as": ("Vous êtes identifié par {issuer}.", "You are logged in by {issuer}."),
    "leave": ("Quitter", "Leave"),
    "leave-other": ("Ce n'est pas moi : quitter", "That is not me: log out"),
    "left": ("Vous êtes déconnecté.", "You are logged out."),
    "left-why": (
        "Sur un poste partagé, fermez aussi la session {issuer}. Pour revenir, rouvrez le lien de votre message.",
        "On a shared computer, end the session at {issuer} too. To come back, open the link in your message again.",
    ),
    "again": ("Recommencer", "Try again"),
    # Why not.
    "gone": ("Ce document n'est pas ou plus ici", "This document is not here, or no longer"),
    "gone-why": (
        "Le lien est incomplet, ou sa date est passée. Vérifiez l'adresse, ou demandez à l'expéditeur de renvoyer le document.",
        "The link is incomplete, or its time is over. Check the address, or ask the sender for the document again.",
    ),
    "spent": (
        "Ce document a été ouvert trop souvent",
        "This document was opened too often",
    ),
    "spent-why": (
        "Par prudence il n'est plus donné. Demandez à l'expéditeur de le renvoyer.",
        "To be safe it is given out no more. Ask the sender for it again.",
    ),
    "not-yours": (
        "Ce document n'est pas adressé à vous",
        "This document is not addressed to you",
    ),
    "not-yours-why": (
        "Vous êtes bien identifié, mais un autre professionnel en est le destinataire. La tentative est consignée. Si le message vous est destiné, demandez à l'expéditeur de vérifier l'adresse, et à votre opérateur ce que l'annuaire dit de vous.",
        "You are logged in, but another professional is its recipient. The attempt is on record. If the message is meant for you, ask the sender to check the address, and your operator what the directory says of you.",
    ),
    "not-known": ("L'identification n'a pas abouti", "The log-in did not succeed"),
    "not-known-why": (
        "Elle a été interrompue, a duré trop longtemps ou a été commencée dans un autre navigateur. Recommencez.",
        "It was broken off, took too long or was begun in another browser. Try again.",
    ),
    "too-weak": ("Identification insuffisante", "The log-in is not strong enough"),
    "too-weak-why": (
        "Ce document demande une identification plus forte. Recommencez avec votre carte ou votre e-CPS.",
        "This document asks for a stronger log-in. Try again with your card or its app.",
    ),
    "not-now": (
        "L'identification n'est pas possible pour l'instant",
        "Nobody can be logged in at the moment",
    ),
    "not-now-why": (
        "Le service d'identification ne répond pas. Le document ne risque rien ; réessayez dans quelques minutes.",
        "The log-in service does not answer. The document is safe; try again in a few minutes.",
    ),
}
_ALL = {**COMMON, **WORDS}


def say(language: str, key: str, **values: object) -> str:
    """Return words in a language; what is in them is escaped by the page."""
    french, english = _ALL[key]
    return (french if language == "fr" else english).format(**values)
