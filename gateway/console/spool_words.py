"""What the pages of the spool say."""

from collections.abc import Mapping

from gateway.console.critical_words import WORDS as _CRITICAL

WORDS: Mapping[str, tuple[str, str]] = {
    **_CRITICAL,
    "spool": ("File d'attente", "Spool"),
    "spool-why": (
        "Ce qui attend de partir, par destination. La page se met à jour toute seule.",
        "What waits to leave, by where it is going. The page follows by itself.",
    ),
    "large": ("Grands documents", "Large documents"),
    "peer": ("Destination", "Destination"),
    "waiting": ("En attente", "Waiting"),
    "held": ("En quarantaine", "In quarantine"),
    "inspecting": ("Examinés", "Inspected"),
    "oldest": ("Le plus ancien", "The oldest"),
    "next-try": ("Prochain essai", "Next try"),
    "last-words": ("Dernière réponse", "Last reply"),
    "no-words": ("pas encore essayé", "not tried yet"),
    "all-clear": ("Rien n'attend : tout est parti.", "Nothing waits: everything has left."),
    "patient": ("ne vieillit pas", "does not grow old"),
    "patient-why": (
        "{by}, depuis le {since}",
        "{by}, since {since}",
    ),
    "retry-all": ("Tout réessayer maintenant", "Try all again now"),
    "retry": ("Réessayer", "Try again"),
    "cancel-message": ("Arrêter", "Stop"),
    "cancel-why": (
        "Le message est abandonné et son expéditeur est prévenu. Cela ne se défait pas.",
        "The message is given up and its sender is told. It cannot be undone.",
    ),
    "hold": ("Ne plus laisser vieillir", "Let it not grow old"),
    "hold-why": (
        (
            "Le courrier pour ce domaine attend sans expirer, par exemple le temps qu'il renouvelle son"
            " certificat."
        ),
        (
            "Mail for this domain waits and does not expire, for example until it has renewed its"
            " certificate."
        ),
    ),
    "hold-reason": ("Pourquoi", "Why"),
    "hold-other": (
        "Ne plus laisser vieillir le courrier d'un autre domaine",
        "Let another domain's mail not grow old",
    ),
    "domain": ("Domaine", "Domain"),
    "resume": ("Laisser vieillir de nouveau", "Let it grow old again"),
    "back-to-spool": ("Retour à la file", "Back to the spool"),
    "of-peer": ("En attente pour {domain}", "Waiting for {domain}"),
    "nothing-waits": ("Rien n'attend pour ce domaine.", "Nothing waits for this domain."),
    "older-first": ("Les plus anciens d'abord.", "The oldest first."),
    "reference": ("Référence", "Reference"),
    "arrived": ("Arrivé", "Arrived"),
    "from": ("De", "From"),
    "to": ("À", "To"),
    "state": ("État", "State"),
    "attempts": ("Essais", "Attempts"),
    "what-to-do": ("Que faire", "What to do"),
    "said-spool-retry": ("Ce sera essayé maintenant.", "It will be tried now."),
    "said-spool-cancel": (
        "Arrêté. L'expéditeur est prévenu.",
        "Stopped. The sender is told.",
    ),
    "said-spool-hold": (
        "Le courrier pour ce domaine ne vieillit plus.",
        "Mail for this domain no longer grows old.",
    ),
    "said-spool-resume": (
        "Le courrier pour ce domaine vieillit de nouveau, et est essayé maintenant.",
        "Mail for this domain grows old again, and is tried now.",
    ),
}
