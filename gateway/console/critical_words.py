"""What pages say of critical results that did not arrive."""

from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, str]] = {
    "critical": ("Résultats critiques non arrivés", "Critical results that did not arrive"),
    "critical-why": (
        "Faites-les parvenir par un autre moyen, puis notez que vous vous en occupez.",
        "Let them arrive by other means, then note that you take care of them.",
    ),
    "critical-of": ("De", "From"),
    "critical-for": ("Pour", "For"),
    "critical-since": ("Alerte depuis", "Alert since"),
    "critical-person": ("{person} est prévenu", "{person} was told"),
    "critical-nobody": ("personne n'est désigné", "nobody is named"),
    "critical-note": (
        "Ce qui a été fait, sans nom de patient",
        "What was done, without a patient's name",
    ),
    "critical-take": ("Je m'en occupe", "I take care of it"),
    "said-lab-acknowledge": (
        "Noté : vous vous en occupez, l'alerte prend fin.",
        "Noted: you take care of it, and the alert ends.",
    ),
}
