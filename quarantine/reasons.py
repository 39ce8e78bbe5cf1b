"""Why a message may wait for a person: stable slugs, each with its sentence in two languages.

The slugs are what rules name, what journal, metrics and receipts know, and they never change their
meaning. The sentences are for people who are no technicians: operators, and the sender who is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason in words; ``content``: it is found by looking into the message."""

    french: str
    english: str
    content: bool = False


def _inside(french: str, english: str) -> Reason:
    return Reason(french, english, content=True)


REASONS: Mapping[str, Reason] = {
    # Who writes, how much, and what became of it here.
    "sender-suspended": Reason(
        "L'opérateur de l'expéditeur est suspendu sur la liste de confiance.",
        "The sender's operator is suspended on the trust list.",
    ),
    "sender-denied": Reason(
        "L'expéditeur a été bloqué ici après que le message eut été accepté.",
        "The sender was blocked here after the message had been taken.",
    ),
    "attempts-lost": Reason(
        "Le traitement du message a interrompu la passerelle plusieurs fois.",
        "Handling the message has cut the gateway off several times.",
    ),
    "mailbox-rate": Reason(
        "La boîte envoie beaucoup plus que d'ordinaire : elle fuit peut-être, ou un autre s'en sert.",
        "The mailbox sends far more than it should: it may leak, or be in other hands.",
    ),
    "many-recipients": Reason(
        "Le message a un nombre inhabituel de destinataires.",
        "The message has an unusual number of recipients.",
    ),
    # What the scanner says, and what could not be looked at.
    "malware": _inside(
        "L'antivirus a reconnu un programme malveillant.",
        "The virus scanner found malware.",
    ),
    "not-scanned": _inside(
        "L'antivirus n'a pas rendu d'avis sur le message.",
        "The virus scanner gave no verdict on the message.",
    ),
    "not-inspected": _inside(
        "Une partie du message est trop volumineuse ou trop longue à examiner.",
        "A part of the message is too large, or takes too long, to be looked at.",
    ),
    "structure": _inside(
        "La structure du message est défectueuse : deux logiciels la liraient différemment.",
        "The structure of the message is broken: two programs would read it differently.",
    ),
    # What lies in it, whatever its name says.
    "executable": _inside(
        "Une pièce jointe est un programme exécutable.",
        "An attachment is an executable program.",
    ),
    "script": _inside(
        "Une pièce jointe est un script.",
        "An attachment is a script.",
    ),
    "macros": _inside(
        "Un document contient des macros.",
        "A document holds macros.",
    ),
    "active-content": _inside(
        "Un document contient des éléments actifs : script, objet incorporé ou lien automatique.",
        "A document holds active elements: a script, an embedded object or a link it follows.",
    ),
    "disguised": _inside(
        "Le nom d'une pièce jointe cache ce qu'elle est.",
        "The name of an attachment hides what it is.",
    ),
    "archive-encrypted": _inside(
        "Une archive est chiffrée : son contenu ne peut pas être examiné.",
        "An archive is encrypted: nobody can look into it.",
    ),
    "archive-unreadable": _inside(
        "Une archive est défectueuse, ou d'un genre que la passerelle n'ouvre pas.",
        "An archive is broken, or of a kind that the gateway does not open.",
    ),
    "archive-bomb": _inside(
        "Une archive est faite pour saturer qui l'ouvre : trop profonde, trop de fichiers, trop grande.",
        "An archive is made to swamp whoever opens it: too deep, too many files, too large.",
    ),
    "archive-traversal": _inside(
        "Une archive veut écrire des fichiers hors du dossier où elle est ouverte.",
        "An archive would write files outside the folder it is opened in.",
    ),
    "document-encrypted": _inside(
        "Un document est protégé par un mot de passe : son contenu ne peut pas être examiné.",
        "A document is protected by a password: nobody can look into it.",
    ),
    "content-encrypted": _inside(
        "Le message est chiffré de bout en bout : son contenu ne peut pas être examiné.",
        "The message is encrypted end to end: nobody can look into it.",
    ),
}


def sentence(slug: str, language: str) -> str:
    """Return a reason in words ("fr", else English); a slug nobody knows any more stands for itself."""
    reason = REASONS.get(slug)
    if reason is None:
        return slug
    return reason.french if language == "fr" else reason.english
