"""What the page of patients says."""

from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, str]] = {
    "citizens": ("Patients", "Patients"),
    "citizens-why": (
        "Qui s'oppose à recevoir des messages, et à qui un patient peut répondre.",
        "Who objects to being written to, and whom a patient may answer.",
    ),
    "number": ("Matricule INS ou adresse", "INS number or address"),
    "number-hint": (
        "13 ou 15 chiffres. Votre nom et cette demande restent dans le journal.",
        "13 or 15 digits. Your name and this question stay in the journal.",
    ),
    "objects": ("s'oppose à recevoir des messages", "objects to being written to"),
    "objects-not": ("peut recevoir des messages", "may be written to"),
    "objections": ("Oppositions", "Objections"),
    "objections-why": (
        "Chacune reste inscrite, même levée. Les adresses des patients ne sont pas montrées.",
        "Each stays on record, also when it was withdrawn. Patients' addresses are not shown.",
    ),
    "no-objections": ("Aucune opposition n'est inscrite.", "No objection is on record."),
    "stands": ("en vigueur", "in force"),
    "withdrawn": ("levée", "withdrawn"),
    "threads": ("Conversations", "Threads"),
    "threads-why": (
        "Une conversation ouverte laisse le patient répondre ; close, il n'écrit plus.",
        "While a thread is open the patient may answer; once it is closed, not.",
    ),
    "no-threads": ("Aucune conversation.", "No threads."),
    "open": ("Ouvertes", "Open"),
    "closed": ("Closes", "Closed"),
    "last": ("Dernier message", "Last message"),
    "oppose": ("Noter une opposition", "Note an objection"),
    "oppose-why": (
        "Dès cet instant, tout message à ce patient est refusé, et son expéditeur apprend pourquoi.",
        "From that moment every message to this patient is refused, and its sender is told why.",
    ),
    "oppose-reason": ("Comment et quand il l'a dit", "How and when they said so"),
    "allow": ("Lever l'opposition", "Withdraw the objection"),
    "allow-reason": ("Comment et quand il a changé d'avis", "How and when they changed their mind"),
    "done-opposed": ("L'opposition est inscrite.", "The objection is noted."),
    "done-allowed": ("L'opposition est levée.", "The objection is withdrawn."),
    "pairs": (
        "Paires de patient et de professionnel qui se sont écrit : {n}.",
        "Pairs of patient and professional who wrote to each other: {n}.",
    ),
}
