"""*Large documents*, below the spool: what lies here for others to fetch, and what is fetched from them.

Nobody's file has a name here. What lies here can be ended, and whoever waits for it is told; what is
fetched can be tried at once. R-A5; docs/large-documents.md.
"""

from collections.abc import Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console.frame import Frame
from gateway.operations.error import OperationError

LARGE = "/console/spool/large"
_VERBS = {"end": "large.cancel", "again": "large.retry"}
WORDS: Mapping[str, tuple[str, str]] = {
    "large": ("Grands documents", "Large documents"),
    "large-why": (
        "Ce qui est trop grand pour le serveur du destinataire reste ici, chiffré, et en est retiré.",
        "What is too large for the recipient's server stays here, sealed, and is fetched from here.",
    ),
    "back-to-spool": ("File d'attente", "Spool"),
    "lent": ("Gardés ici pour d'autres", "Kept here for others"),
    "no-lent": ("Rien n'est gardé ici pour d'autres.", "Nothing lies here for others."),
    "fetching": ("En cours de récupération", "Being fetched"),
    "no-fetching": ("Rien n'est en cours de récupération.", "Nothing is being fetched."),
    "reference": ("Référence", "Reference"),
    "for": ("Pour", "For"),
    "by-reader": ("une personne, qui s'identifie", "a person, who logs in"),
    "by-gateway": ("la passerelle du destinataire", "the recipient's gateway"),
    "size": ("Taille", "Size"),
    "since": ("Depuis", "Since"),
    "until": ("Jusqu'au", "Until"),
    "taken": ("Récupéré", "Fetched"),
    "not-taken": ("pas encore", "not yet"),
    "looks": ("demande(s)", "request(s)"),
    "here": ("Déjà là", "Here already"),
    "next-try": ("Prochain essai", "Next try"),
    "tries": ("essais sans rien", "tries that brought nothing"),
    "what-to-do": ("Que faire", "What to do"),
    "end": ("Retirer", "End"),
    "end-why": (
        "Personne ne peut plus le récupérer, et son expéditeur est prévenu. Cela ne se défait pas.",
        "Nobody can fetch it any more, and its sender is told. It cannot be undone.",
    ),
    "again": ("Essayer maintenant", "Try now"),
    "said-large-end": ("Retiré. L'expéditeur est prévenu.", "Ended. The sender is told."),
    "said-large-again": ("Un essai a lieu maintenant.", "It is being tried now."),
}


class Large:
    """The page."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where it is."""
        return [
            Route(LARGE, self._page, methods=["GET"]),
            *(
                Route(f"{LARGE}/{name}", partial(self._act, name=name), methods=["POST"])
                for name in _VERBS
            ),
        ]

    async def _page(self, request: Request) -> Response:
        await self._frame.operator(request)
        try:
            found = await self._frame.perform(request, "large.list")
        except OperationError as error:
            return self._frame.refused(request, error, WORDS, 404)
        return self._frame.page(request, "large.html", WORDS, found=found)

    async def _act(self, request: Request, *, name: str) -> Response:
        await self._frame.operator(request)
        form = await self._frame.form(request)
        try:
            await self._frame.perform(request, _VERBS[name], what=form.get("what", "")[:40])
        except OperationError as error:
            return self._frame.refused(request, error, WORDS)
        return self._frame.elsewhere(LARGE, said=f"large-{name}")
