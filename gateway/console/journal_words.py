"""What the pages of the journal say."""

from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, str]] = {
    "journal": ("Journal", "Journal"),
    "journal-why": (
        "Qui a fait quoi, quand, à quel message ; rien n'en est jamais changé.",
        "Who did what, when, to which message; nothing of it is ever changed.",
    ),
    "event": ("Événement", "Event"),
    "any-event": ("tous", "any"),
    "all-of": ("Tout : {kind}", "All: {kind}"),
    "actor": ("Auteur", "Actor"),
    "actor-hint": ("operator:…, mailbox:…, peer:…", "operator:…, mailbox:…, peer:…"),
    "address-of": ("Adresse", "Address"),
    "message": ("Message", "Message"),
    "text": ("Mots", "Words"),
    "text-hint": (
        "Les mots sont cherchés dans les lignes que le reste désigne, deux mille à la fois.",
        "Words are looked for in the rows that the rest leads to, two thousand at a time.",
    ),
    "since": ("Du (UTC)", "From (UTC)"),
    "until": ("Au (UTC)", "Until (UTC)"),
    "rows": ("Lignes", "Rows"),
    "newest-first": ("les plus récentes d'abord", "the newest first"),
    "older": ("Plus anciennes", "Older"),
    "go-on": ("Rien jusqu'ici : chercher plus loin", "Nothing so far: look further back"),
    "no-rows": ("Aucune ligne.", "No rows."),
    "when": ("Quand", "When"),
    "what": ("Quoi", "What"),
    "integrity": ("Intégrité", "Integrity"),
    "integrity-why": (
        "Chaque ligne tient à la précédente, et la dernière est signée hors du dossier de données.",
        "Each row is chained to the one before, and the last one is signed outside the data folder.",
    ),
    "verify": ("Vérifier tout le journal", "Check the whole journal"),
    "whole": (
        "Le journal est entier : {rows:# ligne enchaînée, signée|# lignes enchaînées, signées} jusqu'à la ligne {signed}.",
        "The journal is whole: {rows:# row|# rows} chained, signed up to row {signed}.",
    ),
    "purged": (
        "Les lignes jusqu'à {n} ont été purgées selon la règle, et c'est signé.",
        "Rows up to {n} were purged by rule, which is signed.",
    ),
    "erased": (
        "Le contenu de {n:# ligne|# lignes} a été effacé, et c'est signé.",
        "The content of {n:# row|# rows} was erased, which is signed.",
    ),
    "export": ("Exporter le journal", "Export the journal"),
    "export-why": (
        (
            "Tout, ouvert, une ligne JSON par entrée, avec la preuve. Les adresses y sont entières :"
            " c'est pour un auditeur."
        ),
        (
            "All of it, opened, one JSON object a line, with the proof. Addresses stand in it whole: it"
            " is for an auditor."
        ),
    ),
}
