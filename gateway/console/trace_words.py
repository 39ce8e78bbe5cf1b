"""What the pages of a message's trace say."""

from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, str]] = {
    "trace": ("Retrouver un message", "Find a message"),
    "trace-why": (
        "« Mon message n'est pas arrivé » : tapez ce que votre correspondant vous dit.",
        "“My message did not arrive”: type whatever the caller tells you.",
    ),
    "what": (
        "Référence, Message-ID, adresse ou domaine",
        "Reference, Message-ID, address or domain",
    ),
    "what-hint": (
        "La référence est ce que le 250 a donné, par exemple K3VD-90QT, même mal entendue.",
        "The reference is what the 250 gave, such as K3VD-90QT, even misheard.",
    ),
    "since": ("Du (UTC)", "From (UTC)"),
    "until": ("Au (UTC)", "Until (UTC)"),
    "latest": ("Derniers messages", "Latest messages"),
    "found-messages": ("Messages", "Messages"),
    "found-beside": ("Refus, connexions et TLS", "Refusals, log-ins and TLS"),
    "beside-why": (
        "Ce qui est arrivé à cette adresse ou à ce domaine sans devenir un message.",
        "What befell this address or domain and never became a message.",
    ),
    "no-messages": ("Aucun message.", "No messages."),
    "no-beside": ("Rien de tel.", "Nothing of the kind."),
    "older": ("Plus anciens", "Older"),
    "reference": ("Référence", "Reference"),
    "arrived": ("Arrivé", "Arrived"),
    "from": ("De", "From"),
    "to": ("À", "To"),
    "state": ("État", "State"),
    "and-more": ("et {n:# autre|# autres}", "and {n} more"),
    "forgotten": (
        "jamais pris en charge, ou effacé depuis",
        "only the journal remembers it",
    ),
    "when": ("Quand", "When"),
    "event": ("Événement", "Event"),
    "whom": ("Qui", "Who"),
    "story": ("Message {reference}", "Message {reference}"),
    "back-to-search": ("Retour à la recherche", "Back to the search"),
    "door": ("Entré par", "Came in by"),
    "size": ("Taille", "Size"),
    "message-id": ("Message-ID", "Message-ID"),
    "our-id": ("Notre identifiant", "Our id"),
    "recipients": ("Destinataires", "Recipients"),
    "attempts": ("Essais : {n}", "Attempts: {n}"),
    # What the caller can be told.
    "tell-queued": ("Il part à l'instant.", "It is leaving this moment."),
    "tell-sending": ("L'envoi est en cours.", "It is being sent now."),
    "tell-deferred": (
        "Il n'a pas pu partir ; il sera réessayé le {due} UTC, jusqu'au {expires}.",
        "It could not leave; it will be tried again at {due} UTC, until {expires}.",
    ),
    "tell-fetching": (
        "Il est grand : sa suite est récupérée chez l'expéditeur.",
        "It is large: the rest is being fetched from its sender's gateway.",
    ),
    "tell-inspecting": ("Son contenu est examiné.", "Its content is being inspected."),
    "tell-held": (
        "Il attend depuis le {changed} UTC qu'un exploitant le regarde.",
        "It has waited since {changed} UTC for an operator to look at it.",
    ),
    "tell-relayed": (
        (
            "Le serveur de l'autre opérateur l'a pris le {changed} UTC. S'il manque, c'est chez lui qu'il"
            " faut chercher."
        ),
        (
            "The other operator's server took it at {changed} UTC. If it is missing, it must be looked for"
            " there."
        ),
    ),
    "tell-delivered": (
        "Il est dans la boîte depuis le {changed} UTC.",
        "It has been in the mailbox since {changed} UTC.",
    ),
    "tell-withdrawn": (
        "Repris de la boîte le {changed} UTC, sans avoir été ouvert.",
        "It was taken back from the mailbox at {changed} UTC, unopened.",
    ),
    "tell-failed": (
        "L'autre opérateur l'a refusé le {changed} UTC ; l'expéditeur en est prévenu.",
        "The other operator refused it at {changed} UTC; the sender was told.",
    ),
    "tell-expired": (
        "Abandonné le {changed} UTC après trop d'essais ; l'expéditeur en est prévenu.",
        "Given up at {changed} UTC after too many tries; the sender was told.",
    ),
    "tell-refused": (
        "Refusé ici le {changed} UTC ; l'expéditeur en est prévenu.",
        "Refused here at {changed} UTC; the sender was told.",
    ),
    "tell-cancelled": (
        "Arrêté le {changed} UTC ; l'expéditeur en est prévenu, ou l'avait demandé.",
        "Stopped at {changed} UTC; its sender was told, or had asked for it.",
    ),
    "tell-unconfirmed": (
        "Le serveur de l'autre opérateur l'a pris, sans confirmer avant {changed} UTC : arrivé, peut-être.",
        "The other operator's server took it, and confirmed nothing by {changed} UTC: it may be there.",
    ),
    "last-words": ("Dernière réponse", "Last reply"),
    "open-case": ("Voir le dossier de quarantaine", "See the quarantine case"),
    "timeline": ("Ce qui s'est passé", "What happened"),
    "again": ("{n} fois, jusqu'au {until}", "{n} times, until {until}"),
    "later": ("{span} plus tard", "{span} later"),
    "by": ("par", "by"),
    "their-words": ("Réponse", "Reply"),
    "because": ("Motif", "Reason"),
    "notice-is": ("le courrier envoyé", "the mail that was sent"),
    "not-taken": ("le courtier ne l'a pas encore pris", "the broker has not taken it yet"),
    "taken-at": ("pris par le courtier", "taken by the broker"),
    "left-out": (
        "{n:La première étape n'est pas montrée|Les # premières étapes ne sont pas montrées}.",
        "The first {n:step is|# steps are} left out.",
    ),
    "subject": ("Objet", "Subject"),
    "author": ("Auteur", "Author"),
    "reveal": ("Montrer l'objet et les adresses entières", "Show the subject and whole addresses"),
    "reveal-why": (
        (
            "L'objet et l'adresse d'un usager peuvent nommer un patient. Dites pourquoi vous devez les"
            " voir : votre nom et ce motif entrent dans le journal."
        ),
        (
            "A subject and a citizen's address may name a patient. Say why you must see them: your name"
            " and this reason go into the journal."
        ),
    ),
    "reveal-reason": ("Pourquoi", "Why"),
    "revealed": (
        "Montré pour ce motif, et inscrit au journal.",
        "Shown for that reason, and written into the journal.",
    ),
    "journal-of-it": ("Dans le journal", "In the journal"),
}
