"""*Operators*: who may come here, and as what; the same verbs as ``sceau operator``."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.accounts.operators import Role
from gateway.console import configuration
from gateway.console.configuration import SETTINGS
from gateway.console.frame import Frame
from gateway.operations.error import OperationError

OPERATORS = f"{SETTINGS}/operators"
WORDS: Mapping[str, tuple[str, str]] = {
    **configuration.WORDS,
    "operators-why": (
        "Chacun entre avec ses propres facteurs ; ce qu'il fait est au journal sous son nom.",
        "Each comes in with factors of their own; what they do is in the journal under their name.",
    ),
    "name": ("Nom", "Name"),
    "role": ("Rôle", "Role"),
    "factors": ("Se connecte avec", "Logs in with"),
    "factor-none": ("pas encore venu", "has not come yet"),
    "factor-certificate": ("certificat", "certificate"),
    "last-used": ("Vu", "Seen"),
    "let-go": ("sorti", "let go"),
    "invite": ("Inviter", "Invite"),
    "invite-someone": ("Inviter quelqu'un", "Invite somebody"),
    "invite-again": ("Inviter de nouveau", "Invite again"),
    "suspend": ("Faire sortir", "Let go"),
    "resume": ("Faire revenir", "Let come back"),
    "change": ("Changer", "Change"),
    "name-hint": (
        "a-z, chiffres, point, tiret : il paraîtra au journal.",
        "a-z, digits, dot, hyphen: it will stand in the journal.",
    ),
    "invited": ("Invitation pour {name}", "Invitation for {name}"),
    "invited-why": (
        "Remettez ce code en main propre. Il n'est montré qu'une fois, et vaut un jour.",
        "Hand this code over in person. It is shown only once, and is good for one day.",
    ),
    "link": ("Adresse", "Link"),
    "until": ("Jusqu'au", "Until"),
    "you": ("vous", "you"),
    "viewer-does": ("voit tout, ne change rien", "sees everything, changes nothing"),
    "reviewer-does": ("décide de la quarantaine", "decides on what is held"),
    "lists-does": ("décide de la liste blanche", "decides on the trust list"),
    "administrator-does": ("peut tout", "may do everything"),
}
_DONE = {"role", "suspend", "resume"}


class Operating:
    """The page."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where it is."""
        return [
            Route(OPERATORS, self._page, methods=["GET"]),
            Route(f"{OPERATORS}/invite", self._invited, methods=["POST"]),
            *(
                Route(f"{OPERATORS}/{verb}", self._changed, methods=["POST"])
                for verb in sorted(_DONE)
            ),
        ]

    async def _page(self, request: Request) -> Response:
        await self._frame.operator(request, Role.ADMINISTRATOR)
        return await self._listed(request)

    async def _invited(self, request: Request) -> Response:
        fields = await self._frame.acted(request, Role.ADMINISTRATOR, OPERATORS)
        named = {key: fields[key] for key in ("name", "role") if fields.get(key)}
        try:
            made = await self._frame.perform(request, "operator.invite", **named)
        except OperationError as error:
            return await self._listed(request, error)
        if made["status"] == "waiting":
            return self._frame.elsewhere(OPERATORS, "waiting")
        return self._frame.page(request, "invited.html", WORDS, made=made)

    async def _changed(self, request: Request) -> Response:
        fields = await self._frame.acted(request, Role.ADMINISTRATOR, OPERATORS)
        verb = request.url.path.rpartition("/")[2]
        named = {"name": fields.get("name", "")}
        if verb == "role":
            named["role"] = fields.get("role", "")
        try:
            done = await self._frame.perform(request, f"operator.{verb}", **named)
        except OperationError as error:
            return await self._listed(request, error)
        return self._frame.elsewhere(OPERATORS, done["status"])

    async def _listed(self, request: Request, wrong: OperationError | None = None) -> Response:
        found: Any = await self._frame.perform(request, "operator.list")
        return self._frame.page(
            request,
            "operators.html",
            WORDS,
            409 if wrong else 200,
            operators=found,
            roles=list(Role),
            wrong=self._frame.told(request, wrong) if wrong else None,
        )
