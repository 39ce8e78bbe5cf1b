"""Why somebody is trusted, or is not: one message's decision, drawn gate by gate.

What is asked about comes by a form, and not in the page's address: it is somebody's. R-C7, R-I1.
"""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console.frame import Frame
from gateway.console.steps import road
from gateway.console.trust_words import WORDS
from gateway.operations.error import OperationError
from gateway.web import pages

EXPLAIN = "/console/trust/explain"
_LONGEST = {"recipient": 320, "sender": 320, "certificate": 20_000}


class Explaining:
    """The page."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where it is."""
        return [
            Route(EXPLAIN, self._asked, methods=["GET"]),
            Route(EXPLAIN, self._answered, methods=["POST"]),
        ]

    async def _asked(self, request: Request) -> Response:
        await self._frame.operator(request)
        domain = request.query_params.get("domain", "")[:255]
        somebody = f"postmaster@{domain}" if domain else ""
        return self._page(request, {**dict.fromkeys(_LONGEST, ""), "recipient": somebody})

    async def _answered(self, request: Request) -> Response:
        await self._frame.operator(request)
        fields = await self._frame.form(request)
        asked = {name: fields.get(name, "").strip()[:most] for name, most in _LONGEST.items()}
        try:
            certificate = _der(asked["certificate"])
        except ValueError:
            return self._page(request, asked, 400, wrong="certificate-wrong")
        try:
            findings = await self._frame.perform(
                request,
                "trust.explain",
                recipient=asked["recipient"],
                sender=asked["sender"] or None,
                certificate=certificate,
            )
        except OperationError as error:
            return self._page(request, asked, 400, error=self._frame.told(request, error))
        return self._page(request, asked, road=road(findings, pages.languages(request)))

    def _page(
        self,
        request: Request,
        asked: dict[str, str],
        status: int = 200,
        **more: object,
    ) -> Response:
        values = {"road": None, "wrong": "", "error": None, **more}
        return self._frame.page(request, "trust-explain.html", WORDS, status, asked=asked, **values)


def _der(text: str) -> bytes | None:
    """Return a certificate as it travels; nothing for nothing; ``ValueError`` for anything else."""
    if not text:
        return None
    return x509.load_pem_x509_certificate(text.encode()).public_bytes(Encoding.DER)
