"""What every page of the console says, in French and in English; a page's own words lie beside it."""

from collections.abc import Callable, Container, Mapping
from string import Formatter

from gateway.web.account.words import WORDS as ACCOUNT

Words = Mapping[str, tuple[str, str]]

WORDS: Words = {
    "console": ("Console", "Console"),
    "sections": ("Rubriques", "Sections"),
    "menu-open": ("Menu", "Menu"),
    "nav-today": ("Aujourd'hui", "Today"),
    "nav-trace": ("Retrouver", "Trace"),
    "nav-quarantine": ("Quarantaine", "Quarantine"),
    "nav-spool": ("File d'attente", "Spool"),
    "nav-trust": ("Liste blanche", "Trust list"),
    "nav-mailboxes": ("Boîtes", "Mailboxes"),
    "nav-citizens": ("Patients", "Patients"),
    "nav-journal": ("Journal", "Journal"),
    "nav-indicators": ("Indicateurs", "Indicators"),
    "nav-settings": ("Réglages", "Settings"),
    "nav-factors": ("Ma connexion", "My log-in"),
    "role-viewer": ("consultation", "viewer"),
    "role-reviewer": ("quarantaine", "reviewer"),
    "role-lists": ("liste blanche", "list manager"),
    "role-administrator": ("administration", "administrator"),
    # Coming in.
    "address": ("Nom", "Name"),
    "log-in-why": (
        "La console des exploitants de cette passerelle.",
        "The console of this gateway's operators.",
    ),
    "lost": (
        "Téléphone perdu ou première visite ? Un autre administrateur vous donne une invitation.",
        "Lost your telephone, or first visit? Another administrator gives you an invitation.",
    ),
    "log-in-failed": (
        "Ces éléments ne permettent pas d'entrer. Vérifiez-les ; un code ne sert qu'une fois.",
        "That does not open the console. Check it; a code works only once.",
    ),
    "security": ("Ma connexion", "My log-in"),
    "account": ("Console", "Console"),
    # Refusals.
    "not-allowed": (
        "Votre rôle ne permet pas cela. Demandez à un administrateur.",
        "Your role does not allow that. Ask an administrator.",
    ),
    "not-found": (
        "Il n'y a rien à cette adresse, ou plus rien.",
        "There is nothing at this address, or no longer.",
    ),
    "failed": (
        "Quelque chose a échoué ici. Le journal technique le retrouve par ce numéro : {number}",
        "Something failed here. The gateway's log finds it by this number: {number}",
    ),
    "bad-request": (
        "Cette demande n'a pas été comprise.",
        "This request was not understood.",
    ),
    "wrong-method": (
        "Cette adresse ne s'ouvre pas ainsi.",
        "This address is not opened in that way.",
    ),
    "too-big": ("Cet envoi est trop grand.", "What was sent is too large."),
    "too-slow": ("La réponse a pris trop de temps.", "The answer took too long."),
    "home": ("Revenir à la page d'accueil", "Back to the first page"),
    "what-next": ("Que faire", "What to do"),
    # Tables.
    "more": ("Suite", "More"),
    "first": ("Début", "First page"),
    "nothing": ("Rien à montrer.", "Nothing to show."),
    "search": ("Chercher", "Search"),
    "show": ("Afficher", "Show"),
    "details": ("Détail", "Details"),
    "cancel": ("Annuler", "Cancel"),
    "reason": ("Motif", "Reason"),
    "note": ("Note", "Note"),
    "said-done": ("C'est fait.", "Done."),
    "said-waiting": (
        "Demandé. Un second exploitant doit demander la même chose.",
        "Asked for. A second operator must ask for the very same.",
    ),
    # Time.
    "utc": ("UTC", "UTC"),
    "span-seconds": ("{n} s", "{n} s"),
    "span-minutes": ("{n} min", "{n} min"),
    "span-hours": ("{n} h", "{n} h"),
    "span-days": ("{n} j", "{n} d"),
}


_SAID = "said-"  # with a slug of the address: what is not ours is not said


def speaking(own: Words) -> Callable[..., str]:
    """Return what says a page's own words, those of every page, or those of log-ins; in that order."""

    def say(language: str, key: str, **values: object) -> str:
        table = next((each for each in (own, WORDS, ACCOUNT) if key in each), {})
        french, english = ("", "") if key.startswith(_SAID) and key not in table else table[key]
        text, form = (french, _FRENCH) if language == "fr" else (english, _ENGLISH)
        return form.vformat(text, (), values)

    return say


class _Format(Formatter):
    """``str.format``, and besides ``{n:# message|# messages}``: as many as there are."""

    def __init__(self, ones: Container[int]) -> None:
        self._ones = ones

    def format_field(self, value: object, format_spec: str) -> str:
        one, several, many = format_spec.partition("|")
        if not several or not isinstance(value, int):
            return str(super().format_field(value, format_spec))
        words = one if value in self._ones else many
        return words.replace("#", f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}"))


_FRENCH, _ENGLISH = _Format({0, 1}), _Format({1})
