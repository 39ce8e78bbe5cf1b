"""What is said to both sides when a message between a professional and a citizen does not pass.

In French and in English, for who finds a notice in their mailbox. Pure words. R-G2, R-G4, R-G5, R-A8.
"""

import re
from collections.abc import Mapping

from smtp import reply
from smtp.reply import Reply

ANSWER = """\
Bonjour,

Votre message est bien arrivé. Il sera lu aux heures de travail ; cette messagerie n'est pas faite pour
les urgences. En cas d'urgence, appelez le 15 ou le 112 ; si vous entendez ou parlez mal, écrivez au 114.

--

Your message has arrived. It will be read in working hours; this messaging is not for emergencies.
In an emergency, call 15 or 112; if you cannot hear or speak well, text 114.
"""

_WORDS: Mapping[Reply, tuple[str, str]] = {
    reply.CITIZEN_UNKNOWN: (
        (
            "ce n'est pas l'adresse d'un patient : elle est faite de son matricule INS, de 15 chiffres clé"
            " comprise, ou de 13 là où c'est réglé ainsi. Vérifiez le numéro dans son dossier, où l'identité doit être qualifiée."
        ),
        (
            "this is no patient's address: it is made of their INS number, 15 digits with its key, or 13"
            " where that is set. Check the number in their record, where the identity must be a qualified one."
        ),
    ),
    reply.CITIZEN_OBJECTS: (
        (
            "ce patient s'est opposé à recevoir des messages ici. Remettez-lui le document autrement ;"
            " s'il a changé d'avis, votre support peut le noter."
        ),
        (
            "this patient objects to receiving messages here. Give them the document another way; if"
            " they have changed their mind, your support can note it."
        ),
    ),
    reply.CITIZEN_NOT_BEGUN: (
        (
            "vous pourrez répondre à ce professionnel quand il vous aura écrit, ou écrit de nouveau. En cas d'urgence,"
            " appelez le 15 ; pour un rendez-vous, téléphonez à son secrétariat."
        ),
        (
            "you can answer this professional once they have written to you, or again. In an emergency call 15;"
            " for an appointment, telephone their office."
        ),
    ),
    reply.CITIZEN_CLOSED: (
        (
            "ce professionnel a clos la conversation ; vous pourrez lui répondre s'il vous écrit de"
            " nouveau. En cas d'urgence, appelez le 15."
        ),
        (
            "this professional has closed the conversation; you can answer when they write to you again."
            " In an emergency call 15."
        ),
    ),
    reply.CITIZEN_TO_CITIZEN: (
        (
            "cette messagerie relie les patients aux professionnels de santé ; on n'y écrit pas d'un"
            " patient à un autre."
        ),
        (
            "this messaging links patients to health professionals; patients cannot write to each other"
            " here."
        ),
    ),
}
_LIMIT = re.compile(r"Messages to and from patients have (\S+) MB at most,")
_TOO_LARGE = (
    (
        "un message échangé avec un patient ne peut pas être aussi volumineux : {} Mo au plus, pièces"
        " jointes comprises, et un fichier y compte un tiers de plus que sa taille. Envoyez-le en"
        " plusieurs fois, ou remettez-le autrement."
    ),
    (
        "a message to or from a patient cannot be so large: {} MB at most, attachments included, and a"
        " file counts a third more than its size. Send it in several parts, or give it to them another"
        " way."
    ),
)


def words(said: Reply) -> tuple[str, str] | None:
    """Return what a reply means to who writes to or from a patient; None: it is about no patient."""
    if (limit := _LIMIT.search(said.text)) is None:
        return _WORDS.get(said)
    french, english = _TOO_LARGE
    return french.format(limit[1].replace(".", ",")), english.format(limit[1])
