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
    "recipient-ambiguous": Reason(
        "Le numéro du destinataire correspond à plusieurs boîtes : il faut dire laquelle.",
        "The recipient's number stands for several mailboxes: somebody must say which.",
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
    # Health documents: what the mail says, against what the document says.
    "document-unreadable": _inside(
        "Un document de santé (CDA) ou son archive IHE_XDM ne peut pas être lu.",
        "A health document (CDA), or its IHE_XDM archive, cannot be read.",
    ),
    "document-missing": _inside(
        "Le message annonce un document de santé et n'en contient pas.",
        "The message announces a health document and holds none.",
    ),
    "document-code-differs": _inside(
        "Le type de document annoncé par le message n'est pas celui du document.",
        "The type of document that the message announces is not that of the document.",
    ),
    "subject-differs": _inside(
        "L'objet du message ne nomme pas le patient du document.",
        "The subject of the message does not name the patient of the document.",
    ),
    "several-patients": _inside(
        "Le message contient des documents de plusieurs patients.",
        "The message holds documents about several patients.",
    ),
    "patient-differs": _inside(
        "L'archive ne désigne pas le même patient que le document.",
        "The archive names another patient than the document.",
    ),
    "metadata-differs": _inside(
        "L'archive décrit un autre document que celui qu'elle contient.",
        "The archive describes another document than the one it holds.",
    ),
    "pdf-missing": _inside(
        "Le document de santé est envoyé sans sa copie PDF.",
        "The health document is sent without its copy in PDF.",
    ),
    "ins-missing": _inside(
        "Le document ne porte pas l'identité nationale de santé (INS) du patient.",
        "The document does not bear the patient's national health identity (INS).",
    ),
    "ins-invalid": _inside(
        "L'identité nationale de santé (INS) du document est mal formée ou sa clé est fausse.",
        "The document's national health identity (INS) is malformed, or its key is wrong.",
    ),
    "ins-not-qualified": _inside(
        "Le message annonce une identité qualifiée ; celle du document est incomplète.",
        "The message announces a qualified identity; that of the document is incomplete.",
    ),
    "ins-not-declared": _inside(
        "Le document porte une identité complète que le message n'annonce pas comme qualifiée.",
        "The document bears a complete identity that the message does not announce as qualified.",
    ),
    "ins-unlike-traits": _inside(
        "L'identité nationale de santé (INS) contredit le sexe ou la date de naissance du document.",
        "The national health identity (INS) contradicts the document's sex or date of birth.",
    ),
    "test-identity": _inside(
        "Le document est au nom d'un patient fictif.",
        "The document is about a patient made up for tests.",
    ),
    "professional-number-wrong": _inside(
        "Le numéro d'un professionnel ou d'un établissement (RPPS, ADELI, FINESS, SIRET) est faux.",
        "The number of a professional or an establishment (RPPS, ADELI, FINESS, SIRET) is wrong.",
    ),
    "recipient-not-patient": _inside(
        "Le message est adressé à un usager qui n'est pas le patient du document.",
        "The message is addressed to a citizen who is not the patient of the document.",
    ),
    "visibility-forbidden": _inside(
        "Le message est adressé à quelqu'un à qui le document est masqué.",
        "The message is addressed to somebody from whom the document is kept.",
    ),
}


def sentence(slug: str, language: str) -> str:
    """Return a reason in words ("fr", else English); a slug nobody knows any more stands for itself."""
    reason = REASONS.get(slug)
    if reason is None:
        return slug
    return reason.french if language == "fr" else reason.english
