"""Why a verb could not be done, in the reader's language, and as somebody in a browser needs it.

The verbs speak English, to whoever types them, and end with what to type next. Here each of their sentences has its
French, with its blanks; a test looks for those that have none. What is not known is shown as it was said. Pure.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

_TYPED = re.compile(r"\bsceau |--[a-z]")  # advice for a command line
_SENTENCE = re.compile(r" (?:See|List)[^.]*`sceau[^`]*`[^.]*\.?\Z")  # a whole sentence of it

FRENCH: Mapping[str, str] = {
    # Addresses and mailboxes.
    "{} is no mail address: {}": "{} n'est pas une adresse : vérifiez-la.",
    "there is no mailbox {} here": "Il n'y a pas de boîte {} ici.",
    "{} is not ours": "{} n'est pas un de nos domaines.",
    "{} is no kind": "{} n'est pas une sorte de boîte.",
    "{} names no holder: {}": (
        "{} ne désigne personne : écrivez rpps:10003456786, finess:540002698 ou siret:44306184100047."
    ),
    "{} fits into no reply": "{} n'entre dans aucune réponse : donnez une adresse sans accents.",
    "{} is {}: nobody logs in there": "{} est {} : personne ne s'y connecte.",
    "{} is no state": "{} n'est pas un état.",
    "the account's pages are off": "Les pages de compte sont fermées : [account] enabled les ouvre.",
    "There is already a mailbox of this address; nothing changed.{}": (
        "Cette adresse a déjà une boîte, et celle d'une boîte fermée n'est pas redonnée : rien n'a changé."
    ),
    "The mailbox is closed, and stays so; nothing changed.": (
        "Cette boîte est fermée et le reste : rien n'a changé."
    ),
    "A mailbox is its own person's already; nothing changed.": (
        "Une boîte est déjà à son propre titulaire : rien n'a changé."
    ),
    "Nobody sends in the name of another domain than their own; nothing changed.": (
        "On n'envoie qu'au nom de son propre domaine : rien n'a changé."
    ),
    "That person has no rights on the mailbox; nothing changed.": (
        "Cette personne n'a aucun droit sur cette boîte : rien n'a changé."
    ),
    "The mailbox has no such credential in force; nothing changed.{}": (
        "Ce moyen d'accès n'est pas, ou plus, en vigueur : rien n'a changé."
    ),
    # Patients.
    "that is neither a mail address nor an INS": "Ce n'est ni une adresse, ni un matricule INS.",
    "that is no INS: its key does not go with it": (
        "Ce n'est pas un matricule INS : sa clé ne lui correspond pas ; relisez-le dans le dossier."
    ),
    "that is no citizen's address": (
        "Ce n'est pas l'adresse d'un patient : donnez son matricule INS, de 13 ou 15 chiffres."
    ),
    "an objection needs a reason": "Une opposition a besoin d'un motif : comment et quand elle fut dite.",
    "that citizen objects already": "Ce patient s'y oppose déjà.",
    "that citizen does not object": "Ce patient ne s'y oppose pas.",
    "an objection of that citizen was altered and cannot be withdrawn": (
        "Une opposition de ce patient a été altérée : elle tient. Le journal dit quand elle fut notée."
    ),
    # Messages, the spool, the journal, the month.
    "nothing here is known as {}": (
        "Rien ici n'est connu sous {}. Donnez la référence du 250, le Message-ID, une adresse, un domaine."
    ),
    "the journal knows nothing of {}": (
        "Le journal ne sait rien de {}. Cherchez son domaine, ou un moment."
    ),
    "no message here is known as {}": "Aucun message n'est connu ici sous {}.",
    "of {} only the journal is left": "De {} il ne reste que le journal ; son objet est effacé.",
    "{} is no time": "{} n'est pas une heure : écrivez-la comme 2026-11-22T14:00:00.",
    "{} is no month": "{} n'est pas un mois : écrivez-le comme 2026-11.",
    "nothing of {} can be stopped any more": "De {}, plus rien ne peut être arrêté.",
    "{} moved on at this very moment": "{} vient de changer : regardez, puis recommencez.",
    "mail for {} was not held": "Le courrier pour {} vieillissait déjà.",
    "the journal was tampered with or is damaged: {}": (
        "Le journal a été altéré, ou est abîmé : {}. Laissez le dossier de données tel quel et comparez-le"
        " à une sauvegarde ; une intrusion est possible."
    ),
    # The quarantine.
    "there is no case {}": "Il n'y a pas de cas {}, ou plus.",
    "an empty note says nothing": "Une note vide ne dit rien.",
    "case {} waits for who is meant by a number: nothing was sent": (
        "Le cas {} attend qu'on dise quelle boîte un numéro désigne : rien n'est parti."
    ),
    "a legal hold needs a note": "Un gel légal demande un motif.",
    "case {} is under a legal hold": "Le cas {} est déjà sous gel légal.",
    "case {} is under no legal hold": "Le cas {} n'est pas sous gel légal.",
    "case {} changed at this very moment": (
        "Le cas {} vient de changer : regardez-le de nouveau, puis recommencez."
    ),
    "{} is no state of a case": "{} n'est pas un état de cas.",
    "the words to the sender have {} characters": (
        "Les mots pour l'expéditeur sont trop longs ({} caractères) : écrivez-lui le reste."
    ),
    "case {} does not wait for {}": "Le cas {} n'attend plus pour {}.",
    "the message of case {} is {} already": "Le message du cas {} est déjà {}.",
    "Case {} was already decided{}: a decision is taken once. Nothing changed.": (
        "Le cas {} est déjà décidé{} : on ne décide qu'une fois. Rien n'a changé."
    ),
    "Case {} stays held: a release needs a note that says why it may pass.": (
        "Le cas {} attend toujours : pour le laisser passer, dites pourquoi dans une note."
    ),
    "Case {} was decided by somebody else, or its delivery moved on, a moment ago;{}": (
        "Le cas {} vient d'être décidé par quelqu'un d'autre : rien n'a changé. Regardez-le de nouveau."
    ),
    "say why you must see it": "Dites pourquoi vous devez le voir, en une phrase qu'un audit comprenne.",
    "the content of case {} is gone": (
        "Le contenu du cas {} n'est plus là : la quarantaine ne garde ni ce qui est reparti ni ce qui est annulé."
    ),
    "the content of case {} went, or is damaged": "Le contenu du cas {} est parti, ou abîmé.",
    "no key is called {}": "Aucune clé ne s'appelle {}.",
    "nobody is named who could read an exported case": (
        "Personne n'est désigné pour lire un cas emporté : nommez les clés OpenPGP sous [quarantine] escrow_keys."
    ),
    "a key of [quarantine] escrow_keys cannot be read: {}": (
        "Une clé de [quarantine] escrow_keys est illisible : {}"
    ),
    # Operators.
    "{} is no operator's name: a-z first, then a-z, 0-9, dot and hyphen, 32 at most": (
        "{} n'est pas un nom d'exploitant : une lettre d'abord, puis a-z, 0-9, point et tiret, 32 au plus."
    ),
    "there is an operator {} already": "Il y a déjà un exploitant {}.",
    "there is no operator {}": "Il n'y a pas d'exploitant {}.",
    "there is no role {}": "Il n'y a pas de rôle {}.",
    "{} has the role {}": "{} a déjà un rôle : changez-le dans le tableau.",
    "{} was let go": "{} est sorti : faites-le d'abord revenir.",
    "{} is the last administrator": "{} est le dernier administrateur : nommez-en d'abord un autre.",
    "that certificate is {}'s": "Ce certificat est celui de {} : un certificat, une personne.",
    "that is no certificate": "Ce n'est pas un certificat.",
    # The trust list.
    "no source is called {}": "Aucune source ne s'appelle {}.",
    "{} is not on the list": "{} n'est pas sur la liste.",
    "{} has agreed already, and {} must": "{} a déjà approuvé : une autre personne doit le faire aussi.",
    "{} is too short to say which change was read": "{} est trop court pour dire quel changement a été lu.",
    "a rejection needs a reason": "Un rejet demande un motif.",
    "no change{} waits for approval": "Ce changement n'attend plus : il a été décidé, ou remplacé.",
    "no change with the digest {} waits": "Ce changement n'attend plus : il a été décidé, ou remplacé.",
    "several changes wait: {}": "Plusieurs changements attendent : {}.",
    "there is no version {}": "Il n'y a pas de version {}.",
    "several sources have a version {}": "Plusieurs sources ont une version {}.",
    "those are versions of two sources": "Ces versions sont de deux sources : comparez-en deux d'une même.",
    "{} cannot be read again: {}": "{} ne peut plus être relue : {}",
    "a denial needs a reason": "Un refus demande un motif.",
    "{} is denied already, by {} since {}": "{} est déjà refusé, par {}, depuis {}.",
    "{} is not denied here": "{} n'est pas refusé ici.",
    "{} cannot be denied: {}": (
        "{} ne peut pas être refusé : donnez un domaine, une adresse, un DN (CN=…,O=…) ou l'empreinte SHA-256"
        " d'un certificat."
    ),
    "somebody else denied something at this very moment": (
        "Quelqu'un d'autre a refusé quelque chose au même instant : regardez, puis recommencez."
    ),
    "bridges are switched off here": (
        "Les ponts sont interdits ici : [certificates] bridge = true les permet."
    ),
    "no certificate of {} that we met has expired": (
        "Aucun certificat de {} que nous ayons vu n'a expiré."
    ),
    "{} does not speak for {}": "{} ne parle pas pour {}.",
    "that certificate has not expired": "Ce certificat n'a pas expiré : il n'a besoin d'aucun pont.",
    "that certificate is revoked": "Ce certificat est révoqué : rien ne porte un certificat révoqué.",
    "its authority does not say that it is not revoked, so no bridge can carry it": (
        "Son autorité ne dit pas qu'il n'est pas révoqué : aucun pont ne peut le porter."
    ),
    "a bridge stands for 72 hours at most": "Un pont porte 72 heures au plus.",
    "a bridge for {} stands until {}": "Un pont pour {} porte jusqu'au {}.",
    "{} is no domain: {}": "{} n'est pas un domaine : vérifiez-le.",
    "that certificate cannot be read": "Ce certificat est illisible.",
    "{} asked for it: another operator must confirm": (
        "{} l'a demandé : une autre personne doit confirmer."
    ),
}
_ACTOR = "operator:"
_WORDS = {
    "active": "active",
    "suspended": "suspendue",
    "closed": "fermée",
    " for one of these recipients": " pour un de ces destinataires",
}


class Told(NamedTuple):
    """What happened, and what to do about it."""

    what: str
    hint: str


def told(what: str, hint: str, language: str) -> Told:
    """Return a refusal for a reader in a browser: advice for a command line is left out."""
    hint = "" if _TYPED.search(hint) else hint
    if language == "fr":
        for pattern, french in _patterns():
            if found := pattern.fullmatch(what):
                said = [_WORDS.get(one, one.removeprefix(_ACTOR)) for one in found.groups()]
                return Told(french.format(*said), "")
    return Told(_SENTENCE.sub("", what).replace(_ACTOR, ""), hint)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return each sentence as a pattern, that with fewest blanks for its length first."""
    ordered = sorted(FRENCH, key=lambda sentence: -len(sentence.replace("{}", "")))
    return tuple(
        (re.compile(re.escape(each).replace(r"\{\}", "(.*)"), re.DOTALL), FRENCH[each])
        for each in ordered
    )
