"""Why a result was not sent, in French: for who reads the morning, or a notice in a folder. Pure.

Whoever finds the fault says it in one language, English, as it goes to software and logs. Here each
such sentence has its French; a hole of one is a hole of the other. What the intake refuses is said in
its own words. What stands in no table is shown as it was said.
"""

import re
from collections.abc import Mapping
from functools import cache

from gateway.receipts.bounce import Why, why
from gateway.relay import refusals
from smtp.reply import spoken

_FRENCH: Mapping[str, str] = {
    # Who gets it.
    "nobody gets it: neither the file nor its companion names a recipient": "personne ne le recevrait : ni le fichier ni son compagnon ne nomme de destinataire",
    "nobody gets it: neither the companion nor the mail names recipients": "personne ne le recevrait : ni le compagnon ni le message ne nomme de destinataire",
    "nobody gets it: neither the request nor the mail names recipients": "personne ne le recevrait : ni la demande ni le message ne nomme de destinataire",
    "a recipient is no mail address": "un destinataire n'est pas une adresse de messagerie",
    "a recipient is neither an address nor a number: {}": "un destinataire n'est ni une adresse ni un numéro : {}",
    "{} has no mailbox that may be written to, in any directory": "{} n'a, dans aucun annuaire, de boîte à laquelle on puisse écrire",
    "{} has several mailboxes, name one of them: {}": "{} a plusieurs boîtes, nommez l'une d'elles : {}",
    "that is no {} number: it has another form": "ce n'est pas un numéro {} : il a une autre forme",
    "that is no {} number: its check digit is wrong": "ce n'est pas un numéro {} : sa clé de contrôle est fausse",
    "a holder is written with its scheme in front: {}": "un titulaire s'écrit avec le nom de son registre devant : {}",
    # The file, and what lies beside it.
    "the file is no plain file of its own": "le fichier n'est pas un simple fichier",
    "the file is larger than any that is sent": "le fichier est plus grand que tous ceux qui sont envoyés",
    "the file is a link, or cannot be read": "le fichier est un lien, ou ne peut pas être lu",
    "the file is no PDF": "le fichier n'est pas un PDF",
    "only .pdf, .xml (CDA), .hl7 (ORU), .hpr (HPRIM) and .eml are sent from here": "seuls les .pdf, .xml (CDA), .hl7 (ORU), .hpr (HPRIM) et .eml sont envoyés d'ici",
    "of a PDF the companion must tell what it is": "le compagnon doit dire ce qu'est le PDF",
    "the file's companion is larger than any that is read": "le compagnon du fichier est plus grand que tous ceux qui sont lus",
    "the file's companion is no JSON": "le compagnon du fichier n'est pas du JSON",
    "the file's companion has a key that nobody knows": "le compagnon du fichier a une clé que personne ne connaît",
    "the file's companion has a key that nobody knows at {}": "le compagnon du fichier a une clé que personne ne connaît, à {}",
    "the file's companion is not as it must be": "le compagnon du fichier n'est pas comme il doit être",
    "the file's companion is not as it must be at {}": "le compagnon du fichier n'est pas comme il doit être, à {}",
    "a time without its offset from UTC is no time": "une heure sans son décalage avec UTC n'est pas une heure",
    "a person has a person's number, an establishment one of its own": "une personne a un numéro de personne, un établissement le sien",
    "a patient's number needs the OID of who gave it": "le numéro d'un patient demande l'OID de qui l'a donné",
    "that is an INS without its key: 15 digits are needed, not 13": "c'est un INS sans sa clé : il en faut les 15 chiffres, non 13",
    "that is no INS: its key does not go with it": "ce n'est pas un INS : sa clé ne lui correspond pas",
    "that is no INS: its 13 characters have another form": "ce n'est pas un INS : ses 13 caractères ont une autre forme",
    "no register of INS numbers has that OID": "aucun registre de numéros INS n'a cet OID",
    "no register of INS numbers has that OID; the INS-C was given up": "aucun registre de numéros INS n'a cet OID ; l'INS-C a été abandonné",
    # CDA documents.
    "the document is XML, but no CDA document": "le document est du XML, mais pas un document CDA",
    "the document does not say what it is, or about whom": "le document ne dit pas ce qu'il est, ou sur qui il porte",
    "the document's PDF is not written in base64": "le PDF du document n'est pas écrit en base64",
    "the document is larger than any that is read": "le document est plus grand que tous ceux qui sont lus",
    "the document has a DTD: such are not read": "le document a une DTD : ceux-là ne sont pas lus",
    "the document has more elements than any that is read": "le document a plus d'éléments que tous ceux qui sont lus",
    "the document is not well-formed XML in UTF-8, or not whole": "le document n'est pas du XML bien formé en UTF-8, ou n'est pas entier",
    "a value has control characters, which XML cannot write": "une valeur a des caractères de contrôle, que le XML ne peut pas écrire",
    "only a document around a PDF is written; others travel as they are": "seul un document autour d'un PDF est écrit ; les autres voyagent tels quels",
    "a document needs an author, who answers for it, and who keeps it": "un document demande un auteur, un responsable et qui le conserve",
    # HL7 v2.
    "the file is no HL7 v2 message: it does not begin with MSH": "le fichier n'est pas un message HL7 v2 : il ne commence pas par MSH",
    "the file has several HL7 messages: one is sent at a time": "le fichier a plusieurs messages HL7 : un seul est envoyé à la fois",
    "the HL7 message has more segments than any that is read": "le message HL7 a plus de segments que tous ceux qui sont lus",
    "the HL7 message does not say what separates its fields (MSH-1, MSH-2)": "le message HL7 ne dit pas ce qui sépare ses champs (MSH-1, MSH-2)",
    "the HL7 message is in a character set that nobody reads (MSH-18)": "le message HL7 est dans un jeu de caractères que personne ne lit (MSH-18)",
    "the HL7 message is not in the characters it says (MSH-18)": "le message HL7 n'est pas dans les caractères qu'il annonce (MSH-18)",
    "the HL7 message is no result: only ORU^R01 is sent (MSH-9)": "le message HL7 n'est pas un résultat : seul ORU^R01 est envoyé (MSH-9)",
    "the HL7 message must be about one patient: one PID, with its PID-3": "le message HL7 doit porter sur un seul patient : un PID, avec son PID-3",
    "the HL7 message has several documents: one is sent at a time": "le message HL7 a plusieurs documents : un seul est envoyé à la fois",
    "the HL7 message has neither a PDF nor a CDA document (OBX of type ED)": "le message HL7 n'a ni PDF ni document CDA (OBX de type ED)",
    "an OBX of type ED holds neither a PDF nor a CDA document": "un OBX de type ED ne contient ni PDF ni document CDA",
    "a file in the HL7 message is not the Base64 or Hex that OBX-5.4 says": "un fichier du message HL7 n'est pas dans le Base64 ou Hex qu'annonce OBX-5.4",
    "the CDA document in the HL7 message is about another patient": "le document CDA du message HL7 porte sur un autre patient",
    "the HL7 message has no OBR: nothing says what the document is": "le message HL7 n'a pas d'OBR : rien ne dit ce qu'est le document",
    "the HL7 message gives the document no number (OBR-3)": "le message HL7 ne donne pas de numéro au document (OBR-3)",
    "the HL7 message does not say when the document was made (OBR-22)": "le message HL7 ne dit pas quand le document a été fait (OBR-22)",
    "the patient's name, given name or day of birth is missing (PID-5, PID-7)": "le nom, le prénom ou le jour de naissance du patient manque (PID-5, PID-7)",
    "the HL7 message does not say who answers for it (OBX-16, OBR-32)": "le message HL7 ne dit pas qui en est responsable (OBX-16, OBR-32)",
    "the HL7 message does not say which laboratory it is (OBX-23, MSH-4)": "le message HL7 ne dit pas de quel laboratoire il vient (OBX-23, MSH-4)",
    # HPRIM Médecin.
    "the HPRIM file is larger than any that is sent": "le fichier HPRIM est plus grand que tous ceux qui sont envoyés",
    "the HPRIM file is no text": "le fichier HPRIM n'est pas du texte",
    "the HPRIM file is cut off: twelve lines come before the result": "le fichier HPRIM est coupé : douze lignes précèdent le résultat",
    "the HPRIM file has several results: one is sent at a time": "le fichier HPRIM a plusieurs résultats : un seul est envoyé à la fois",
    "the HPRIM file lacks the patient's name (line {})": "il manque au fichier HPRIM le nom du patient (ligne {})",
    "the HPRIM file lacks the patient's given name (line {})": "il manque au fichier HPRIM le prénom du patient (ligne {})",
    "the HPRIM file does not tell the patient's day of birth (line {})": "le fichier HPRIM ne dit pas le jour de naissance du patient (ligne {})",
    "the HPRIM file does not tell the day of the result (line {})": "le fichier HPRIM ne dit pas le jour du résultat (ligne {})",
    # Ready mails.
    "the mail is larger than any that is sent from here": "le message est plus grand que tous ceux qui sont envoyés d'ici",
    "the mail cannot be sent: {}": "le message ne peut pas être envoyé : {}",
    "the header block is too large": "l'en-tête est trop grand",
    "the header has a line that is no header field": "l'en-tête a une ligne qui n'est pas un champ",
    "the header has too many fields": "l'en-tête a trop de champs",
    "the address list has control characters": "la liste d'adresses a des caractères de contrôle",
    "the address list has a stray mark": "la liste d'adresses a un signe égaré",
    "the address list stops in the middle": "la liste d'adresses s'arrête au milieu",
    "the address list has a quote or a backslash out of place": "la liste d'adresses a un guillemet ou une barre oblique inverse mal placés",
    "a comment in the address list does not end": "un commentaire de la liste d'adresses ne finit pas",
    "something follows an address in angle brackets": "quelque chose suit une adresse entre chevrons",
    "a display name with @ must be quoted": "un nom affiché qui contient @ doit être entre guillemets",
    "a display name is too long": "un nom affiché est trop long",
    "an address has words with nothing between them": "une adresse a des mots que rien ne sépare",
    "not an address: {}": "pas une adresse : {}",
    "an address needs an @": "une adresse demande un @",
    "a non-ASCII address needs SMTPUTF8": "une adresse hors d'ASCII demande SMTPUTF8",
    "the local part must have 1 to 64 octets": "ce qui précède @ doit avoir de 1 à 64 octets",
    "the local part has characters that mail does not allow": "ce qui précède @ a des caractères que le courrier ne permet pas",
    "the local part has invisible or control characters": "ce qui précède @ a des caractères invisibles ou de contrôle",
    "the domain must be a full name of at most 253 octets": "le domaine doit être un nom complet de 253 octets au plus",
    "the domain has a label that DNS does not allow": "le domaine a une partie que le DNS ne permet pas",
    "the domain is no valid internationalised name": "le domaine n'est pas un nom internationalisé valable",
    # The same result, before.
    "another file was handed in before under the same key; a corrected result needs one of its own": "un autre fichier est déjà parti sous la même clé ; un résultat corrigé demande la sienne",
}


def french(words: str) -> str:
    """Return the French of why a result was not sent."""
    if (known := _FRENCH.get(words)) is not None:
        return known
    for pattern, told in _holed():
        if (found := pattern.fullmatch(words)) is not None:
            return told.format(*map(french, found.groups()))
    return refusals.french(words)


def meaning(words: str) -> Why:
    """Return why somebody did not get a result: a reply says it, or else a sentence of ours."""
    said = spoken(words)
    return Why(french(words), words) if said is None else why(said)


@cache
def _holed() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile("(.+)".join(map(re.escape, words.split("{}")))), told)
        for words, told in _FRENCH.items()
        if "{}" in words
    )
