"""What happened, in words: events, states and reasons by their slugs, in French and in English.

A slug that has no words here is shown as it is: it is what the log and the documentation say too.
"""

from collections.abc import Mapping

from gateway.console.asked_words import ASKED, FACTS
from quarantine.reasons import REASONS as HELD_FOR

Words = Mapping[str, tuple[str, str]]

STATES: Words = {
    "queued": ("à envoyer", "queued"),
    "sending": ("envoi en cours", "being sent"),
    "deferred": ("remise à plus tard", "put off"),
    "inspecting": ("contenu examiné", "being inspected"),
    "fetching": ("grand document en cours de récupération", "large document being fetched"),
    "held": ("en quarantaine", "in quarantine"),
    "relayed": ("prise par l'autre opérateur", "taken by the other operator"),
    "delivered": ("dans la boîte", "in the mailbox"),
    "withdrawn": ("reprise, non ouverte", "taken back unopened"),
    "failed": ("refusée par l'autre opérateur", "refused by the other operator"),
    "expired": ("abandonnée, trop ancienne", "given up, too old"),
    "refused": ("refusée ici", "refused here"),
    "cancelled": ("arrêtée par un exploitant, ou le délai", "stopped by an operator, or in time"),
    "unconfirmed": ("peut-être arrivée, non confirmée", "perhaps arrived, not confirmed"),
}
TONES: Mapping[str, str] = {
    "delivered": "well",
    "relayed": "well",
    "deferred": "wait",
    "unconfirmed": "wait",
    "held": "wait",
    "inspecting": "wait",
    "fetching": "wait",
    "failed": "ill",
    "expired": "ill",
    "refused": "ill",
    "cancelled": "ill",
}
EVENTS: Words = {
    "message.accepted": ("Message pris en charge (250)", "Message taken (250)"),
    "message.refused": ("Message refusé", "Message refused"),
    "message.repeated": ("Déjà reçu : pas envoyé deux fois", "Had before: not sent twice"),
    "case.addressed": ("Boîte du destinataire choisie", "The recipient's mailbox picked"),
    "message.inspected": ("Contenu examiné : à signaler", "Content inspected: something found"),
    "large.lent": ("Trop grand : gardé ici, à récupérer", "Too large: kept here, to be fetched"),
    "large.taken": ("Grand document récupéré d'ici", "Large document fetched from here"),
    "large.fetched": ("Grand document arrivé en entier", "Large document is here, whole"),
    "large.put_off": ("Grand document à redemander plus tard", "Large document asked for later"),
    "large.corrupt": (
        "Grand document arrivé autre qu'annoncé : écarté",
        "Large document came other than announced: not kept",
    ),
    "large.refused": (
        "Grand document demandé sans droit : refusé",
        "Large document asked for without right: refused",
    ),
    "large.wrong_certificate": (
        "Mauvais certificat chez l'expéditeur d'un grand document : rien n'a été demandé",
        "Wrong certificate where a large document lies: nothing was asked",
    ),
    "large.crashed": ("Erreur sur un grand document", "Error over a large document"),
    "large.ended": ("Grand document retiré d'ici", "Large document's stay here ended"),
    "scanner.silent": ("L'antivirus ne répond pas", "The virus scanner is silent"),
    "scanner.back": ("L'antivirus répond de nouveau", "The virus scanner answers again"),
    "recipient.refused": ("Destinataire refusé", "Recipient refused"),
    "delivery.queued": ("À envoyer", "Queued"),
    "delivery.deferred": ("Remis à plus tard", "Put off"),
    "delivery.relayed": (
        "Pris par le serveur de l'autre opérateur",
        "Taken by the other operator's server",
    ),
    "delivery.set_aside": (
        "Mis dans la boîte d'erreurs du logiciel",
        "Put into the software's error mailbox",
    ),
    "delivery.delivered": ("Arrivé dans la boîte", "Arrived in the mailbox"),
    "delivery.failed": ("Refusé par l'autre opérateur", "Refused by the other operator"),
    "delivery.expired": ("Abandonné : trop ancien", "Given up: too old"),
    "delivery.refused": ("Refusé ici", "Refused here"),
    "delivery.held": ("Mis en quarantaine", "Put in quarantine"),
    "delivery.fetching": ("Grand document à récupérer", "Large document to be fetched"),
    "delivery.inspecting": ("Contenu à examiner", "To be inspected"),
    "delivery.cancelled": (
        "Arrêté par un exploitant, ou par le délai fixé",
        "Stopped by an operator, or by the time set",
    ),
    "delivery.unconfirmed": (
        "Le délai est passé sans confirmation : peut-être arrivé",
        "Time is up without confirmation: it may have arrived",
    ),
    "delivery.hastened": ("Nouvel essai demandé", "Another try asked for"),
    "delivery.read": ("Ouvert par son destinataire", "Opened by its recipient"),
    "delivery.reported": ("Compte rendu de l'autre opérateur", "The other operator's report"),
    "delivery.withdrawn": ("Repris par son expéditeur", "Taken back by its sender"),
    "notice.spooled": ("L'expéditeur est prévenu par courrier", "The sender is told by mail"),
    "document.shown": ("Lien ouvert par son destinataire", "Link opened by its recipient"),
    "document.downloaded": ("Document téléchargé", "Document downloaded"),
    "document.refused": (
        "Document demandé par quelqu'un d'autre : refusé",
        "Document asked for by somebody else: refused",
    ),
    "document.stranger": (
        "Un lien est entre les mains de quelqu'un d'autre",
        "A link is in somebody else's hands",
    ),
    "document.not_known": ("Identification non aboutie", "Log-in that did not succeed"),
    "reading.told": ("Accusé de lecture envoyé", "Reading receipt sent"),
    "thread.opened": ("Conversation avec un patient ouverte", "Thread with a patient opened"),
    "thread.closed": ("Conversation avec un patient close", "Thread with a patient closed"),
    "thread.answered": (
        "Réponse automatique à un patient : pas pour les urgences",
        "Patient answered automatically: not for emergencies",
    ),
    "thread.tampered": (
        "La ligne d'une conversation a été changée par un autre",
        "A thread's row was changed by somebody else",
    ),
    "opposition.tampered": (
        "L'opposition d'un patient a été changée par un autre",
        "A patient's objection was changed by somebody else",
    ),
    "absence.answered": ("Réponse d'absence envoyée", "Absence answered"),
    "recall.asked": ("Rappel demandé", "Recall asked for"),
    "recall.proved": ("Rappel prouvé par l'autre opérateur", "Recall proved by the other operator"),
    "recall.unproven": ("Preuve de rappel non valable", "Proof of recall not valid"),
    "content.viewed": ("Contenu consulté par un exploitant", "Content seen by an operator"),
    "content.exported": (
        "Contenu remis chiffré à des clés nommées",
        "Content handed out, encrypted for named keys",
    ),
    "case.released": ("Libéré après examen", "Released after review"),
    "case.refused": ("Refusé après examen", "Refused after review"),
    "case.expired": ("Personne ne l'a examiné à temps", "Nobody reviewed it in time"),
    "case.noted": ("Note d'un examinateur", "A reviewer's note"),
    "case.preserved": ("Mis sous séquestre judiciaire", "Put under a legal hold"),
    "case.unpreserved": ("Séquestre judiciaire levé", "Legal hold lifted"),
    "case.purged": (
        "Dossier de quarantaine purgé, clés détruites",
        "Quarantine case purged, keys destroyed",
    ),
    "case.not_ended": ("Un dossier n'a pas pu être clos", "A case could not be ended"),
    "keys.exported": (
        "Trousseau remis chiffré à des clés nommées",
        "Key ring handed out, encrypted for named keys",
    ),
    "login.accepted": ("Connexion", "Log-in"),
    "login.failed": ("Connexion refusée", "Log-in refused"),
    "login.throttled": ("Trop d'essais de connexion", "Too many log-ins tried"),
    "session.refused": ("Session refusée", "Session refused"),
    "tls.failed": ("Négociation TLS manquée", "TLS handshake failed"),
    "peer.unreachable": ("Serveur injoignable", "Server unreachable"),
    "peer.wrong_certificate": (
        "Mauvais certificat présenté : rien n'a été envoyé",
        "Wrong certificate shown: nothing was sent",
    ),
    "certificate.revoked": ("Certificat révoqué", "Certificate revoked"),
    "certificate.unverified": ("Certificat non vérifié", "Certificate not verified"),
    "certificate.expires": ("Certificat bientôt expiré", "Certificate about to expire"),
    "operator.opened": ("Exploitant entré pour la première fois", "Operator's first log-in"),
    "operator.entered": ("Exploitant entré", "Operator logged in"),
    "operator.refused": ("Exploitant refusé à la connexion", "Operator's log-in refused"),
    "operator.locked": ("Exploitant bloqué : trop d'essais", "Operator locked: too many tries"),
    "operator.forbidden": ("Un rôle ne suffisait pas", "A role was not enough"),
    "operator.guessed": (
        "Bonne phrase secrète, mauvais code : quelqu'un la connaît",
        "Right passphrase, wrong code: somebody knows it",
    ),
    "operator.tampered": (
        "La ligne d'un exploitant a été changée par un autre",
        "An operator's row was changed by somebody else",
    ),
    "operator.app": ("Application de codes enregistrée", "App of codes registered"),
    "operator.passkey": ("Clé d'accès enregistrée", "Passkey registered"),
    "operator.passphrase": ("Phrase secrète changée", "Passphrase changed"),
    "operator.removed": ("Moyen de connexion retiré", "Way to log in removed"),
    "factor.copied": (
        "Une clé d'accès existe en double",
        "There is a copy of a passkey",
    ),
    "mailbox.read": ("Message lu", "Message read"),
    "journal.unsigned": ("Le journal ne peut être signé", "The journal cannot be signed"),
    "receipt.accepted": ("Logiciel prévenu : pris en charge", "Software told: taken"),
    "receipt.relayed": ("Logiciel prévenu : transmis", "Software told: relayed"),
    "receipt.delivered": ("Logiciel prévenu : arrivé", "Software told: delivered"),
    "receipt.delayed": ("Logiciel prévenu : retardé", "Software told: delayed"),
    "receipt.failed": ("Logiciel prévenu : échec", "Software told: failed"),
    "receipt.expired": ("Logiciel prévenu : abandonné", "Software told: given up"),
    "receipt.refused": ("Logiciel prévenu : refusé", "Software told: refused"),
    "receipt.held": ("Logiciel prévenu : en quarantaine", "Software told: in quarantine"),
    "receipt.released": ("Logiciel prévenu : libéré", "Software told: released"),
    "receipt.read": ("Logiciel prévenu : lu", "Software told: read"),
    "receipt.withdrawn": ("Logiciel prévenu : repris", "Software told: withdrawn"),
    "receipt.unconfirmed": (
        "Logiciel prévenu : peut-être arrivé",
        "Software told: it may have arrived",
    ),
    "receipt.escalated": (
        "Logiciel prévenu : résultat critique non arrivé",
        "Software told: a critical result did not arrive",
    ),
    "critical.escalated": (
        "Résultat critique non arrivé : une personne est prévenue",
        "Critical result did not arrive: a person was told",
    ),
    "critical.acknowledged": (
        "Quelqu'un s'occupe du résultat critique",
        "Somebody takes care of the critical result",
    ),
    "morning.written": ("Bilan du matin écrit", "Morning summary written"),
    "morning.unwritten": (
        "Bilan du matin impossible à écrire",
        "Morning summary could not be written",
    ),
    "receipt.corrected": (
        "Logiciel prévenu : finalement échoué",
        "Software told: failed after all",
    ),
    "receipt.application.filed": (
        "Logiciel prévenu : intégré par le logiciel destinataire",
        "Software told: filed by the recipient's software",
    ),
    "receipt.application.failed": (
        "Logiciel prévenu : non intégré par le logiciel destinataire",
        "Software told: not filed by the recipient's software",
    ),
    "message.copied": (
        "Copié vers la boîte du logiciel qui l'intègre",
        "Copied to the mailbox of the software that files it",
    ),
    "application.filed": (
        "Intégré par le logiciel destinataire",
        "Filed by the recipient's software",
    ),
    "application.failed": (
        "Non intégré par le logiciel destinataire",
        "Not filed by the recipient's software",
    ),
    "receipt.handled": ("Logiciel prévenu : traité", "Software told: handled"),
}
REASONS: Words = {
    **{slug: (reason.french, reason.english) for slug, reason in HELD_FOR.items()},
    "reviewer-refused": ("refusé après examen", "refused after review"),
    "not-reviewed": ("personne ne l'a examiné à temps", "nobody reviewed it in time"),
    "deadline": ("le délai fixé est passé", "the time set is up"),
    "recalled": ("rappelé par son expéditeur", "recalled by its sender"),
    "listed": ("les deux sont sur la liste", "both are on the list"),
    "peer-unreachable": (
        "aucun serveur de ce domaine n'a pu être joint",
        "no server of that domain could be reached",
    ),
    "peer-backed-off": (
        "pas essayé : ce serveur était injoignable il y a un instant",
        "not tried: that server could not be reached a moment ago",
    ),
    "next-hop-not-entitled": (
        "le serveur a montré un certificat que la liste ne lui connaît pas",
        "the server showed a certificate that the list does not name for it",
    ),
    "next-hop-expired": (
        "le certificat de ce serveur n'est pas dans ses dates",
        "that server's certificate is outside its dates",
    ),
    "sender-not-listed": ("l'expéditeur n'est pas sur la liste", "the sender is not on the list"),
    "recipient-not-listed": (
        "le destinataire n'est pas sur la liste",
        "the recipient is not on the list",
    ),
    "sender-suspended": ("l'expéditeur est suspendu", "the sender is suspended"),
    "list-stale": ("notre liste n'est plus à jour", "our list is stale"),
    "cancelled": ("arrêté par un exploitant", "stopped by an operator"),
    "released": ("libéré par un exploitant", "released by an operator"),
    "login.accepted password": ("par mot de passe", "by a password"),
    "login.accepted certificate": ("par certificat", "by a certificate"),
    "login.accepted token": ("par jeton", "by a token"),
    "password": ("mauvais mot de passe", "wrong password"),
    "unknown": ("boîte inconnue", "no such mailbox"),
    "locked": ("trop d'essais, bloqué un moment", "too many tries, locked for a while"),
}
DOORS: Words = {
    **dict.fromkeys(
        ("submission", "submission_starttls", "submission_certificate"),
        ("remis par une boîte d'ici", "handed in by a mailbox of ours"),
    ),
    "relay": ("reçu d'un autre opérateur", "received from another operator"),
    "report": ("écrit par cette passerelle", "written by this gateway"),
    "answer": ("réponse d'absence", "absence reply"),
    "copy": ("copié pour un logiciel d'ici", "copied for software of ours"),
    "web": ("écrit dans le navigateur", "written in the browser"),
    "folder": ("déposé dans un dossier surveillé", "put into a watched folder"),
    "outbox": ("déposé dans une boîte d'envoi", "put into an Outbox folder"),
    "api": ("déposé par l'API", "handed in by the API"),
}
_MOODS: Mapping[str, str] = {"good": "well", "bad": "ill", "waits": "wait"}
_TABLES: Mapping[str, Words] = {
    "state": STATES,
    "event": {**EVENTS, **{f"operation.{verb}": words for verb, words in ASKED.items()}},
    "fact": FACTS,
    "reason": REASONS,
    "door": DOORS,
}


def naming(table: str, slug: str, language: str) -> str:
    """Return the words for a slug of one of the tables, or the slug."""
    french, english = _TABLES[table].get(slug, (slug, slug))
    return french if language == "fr" else english


def because(event: str, reason: str, language: str) -> str:
    """Return the words for an event's reason: the same slug may say how, or why not."""
    own = f"{event} {reason}"
    return naming("reason", own if own in REASONS else reason, language)


def tone(state: str) -> str:
    """Return the colour of a state."""
    return TONES.get(state, "mute")


def mood(word: str) -> str:
    """Return the colour of a step of a story."""
    return _MOODS.get(word, "mute")
