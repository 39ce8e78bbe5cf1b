"""Where mail programs ask how to set themselves up, and where a person reads it: ``/setup``.

Nobody is logged in yet, so nothing is said that is not the same for every mailbox, existing or not;
an address of another domain is answered with nothing at all. R-A6.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from functools import partial

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.settings import Settings
from gateway.web.account.words import say
from gateway.web.pages import elsewise, languages, page
from gateway.web.problem import Problem
from gateway.web.setup import apple, outlook, thunderbird
from gateway.web.setup.servers import Servers
from smtp.address import Address, AddressError, parse

_LONGEST = 320  # octets of an address
_XML = "text/xml; charset=utf-8"
_OUTLOOK = tuple(  # its versions spell it differently
    f"/{name}/{name}.xml" for name in ("autodiscover", "Autodiscover", "AutoDiscover")
)


class SetUp:
    """The routes of one gateway."""

    def __init__(self, settings: Settings, bound: Mapping[str, int]) -> None:
        self._settings, self._bound = settings, bound  # which fills while doors open

    @property
    def _servers(self) -> Servers:
        return Servers.of(self._settings, self._bound)

    def routes(self) -> list[Route]:
        """Return where each kind of program asks, and the page."""
        return [
            Route("/mail/config-v1.1.xml", self._thunderbird),
            Route("/.well-known/autoconfig/mail/config-v1.1.xml", self._thunderbird),
            *(Route(path, self._outlook, methods=["POST"]) for path in _OUTLOOK),
            Route("/autodiscover/autodiscover.json", self._outlook_place),
            Route("/autodiscover/autodiscover.json/v1.0/{address}", self._outlook_place),
            Route("/setup", self._page),
            Route("/setup/sceau.mobileconfig", self._apple),
            Route("/setup/anchors.pem", self._anchors),
        ]

    async def _thunderbird(self, request: Request) -> Response:
        address = request.query_params.get("emailaddress", "")
        host = request.headers.get("host", "")
        domain = self._servers.domain(address) if address else self._servers.hosted(host)
        if domain is None or not self._servers.reading:
            raise Problem("not-found")
        return Response(thunderbird.document(self._servers, domain), media_type=_XML)

    async def _outlook(self, request: Request) -> Response:
        question = await request.body()
        return Response(outlook.answer(self._servers, question), media_type=_XML)

    async def _outlook_place(self, request: Request) -> Response:
        """Tell newer programs where the older question is answered."""
        wanted = request.query_params.get("Protocol", "").lower()
        if wanted != "autodiscoverv1" or not self._servers.page:
            told = {"ErrorCode": "ProtocolNotSupported", "ErrorMessage": "AutodiscoverV1 alone"}
            return Response(msgspec.json.encode(told), 404, media_type="application/json")
        url = self._servers.page.removesuffix("/setup") + "/autodiscover/autodiscover.xml"
        told = {"Protocol": "AutodiscoverV1", "Url": url}
        return Response(msgspec.json.encode(told), media_type="application/json")

    async def _apple(self, request: Request) -> Response:
        try:
            address = parse(request.query_params.get("address", "")[:_LONGEST])
        except AddressError:
            raise Problem("not-found") from None
        servers = self._servers
        if servers.domain(address) is None or not (servers.reading and servers.sending):
            raise Problem("not-found")
        profile = await asyncio.to_thread(self._profile, address)
        headers = {"Content-Disposition": 'attachment; filename="sceau.mobileconfig"'}
        return Response(profile, headers=headers, media_type=apple.MEDIA_TYPE)

    async def _anchors(self, request: Request) -> Response:
        del request
        if self._settings.setup.anchors is None:
            raise Problem("not-found")
        octets = await asyncio.to_thread(self._settings.setup.anchors.read_bytes)
        headers = {"Content-Disposition": 'attachment; filename="sceau.pem"'}
        return Response(octets, headers=headers, media_type="application/x-pem-file")

    async def _page(self, request: Request) -> Response:
        address = request.query_params.get("address", "").strip()[:_LONGEST]
        language = languages(request)
        return page(
            "setup.html",
            language,
            t=partial(say, language),
            visitor=None,
            path="/setup",
            elsewise=elsewise(request, language),
            address=address,
            ours=bool(address) and self._servers.domain(address) is not None,
            servers=self._servers,
            anchors=await asyncio.to_thread(self._known),
        )

    def _profile(self, address: Address) -> bytes:
        ours = self._settings.tls
        content = apple.profile(self._servers, address, [der for der, _ in self._known()])
        return apple.signed(content, ours.certificate.read_bytes(), ours.key.read_bytes())

    def _known(self) -> list[tuple[bytes, str]]:
        """Return the authorities that devices must be given, and what to compare them by."""
        if self._settings.setup.anchors is None:
            return []
        pem = self._settings.setup.anchors.read_bytes()
        ders = [one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(pem)]
        return [(der, hashlib.sha256(der).hexdigest()) for der in ders]
