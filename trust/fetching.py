"""What the trust room asks of the web: one document, in full or not at all, or a reason why.

Values and a ``Protocol``; ``gateway.web.fetching`` fills it. An answer from the web is never
believed for the way it came: who asks judges the signature. The anchors say only that the bytes
come from where they should, whole, and that nobody on the way saw what was asked. R-C5.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from trust.errors import TrustError

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class FetchState(StrEnum):
    """Why a document did not come: a slug for software, the same from one release to the next."""

    NOT_FOUND = "not-found"  # 404 or 410
    TIMEOUT = "download-timeout"  # it was not here whole within the time given
    UNREACHABLE = "unreachable"  # no such name, nobody listens, or the line was cut
    TLS_FAILED = "tls-failed"  # whoever answers did not prove to be the host, by our anchors
    TOO_BIG = "too-big"
    HTTP_ERROR = "http-error"  # another status, or what is no HTTP
    REDIRECTED = "redirected"  # to another host, or without end
    BAD_ADDRESS = "bad-address"  # no address that may be asked: malformed, or not by TLS


class FetchError(TrustError):
    """A document that did not come; the message is for the operator, and quotes no answer."""

    def __init__(self, state: FetchState, sentence: str, *, status: int | None = None) -> None:
        super().__init__(sentence)
        self.state = state
        self.status = status  # of HTTP, where there was one


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document that came whole."""

    body: bytes = field(repr=False)
    etag: str = ""  # what to ask with the next time; "" if the server gives none
    media_type: str = ""  # as the server says, in lower case and without parameters


@dataclass(frozen=True, slots=True)
class NotModified:
    """The document is still the one that was asked with."""

    etag: str


class Fetch(Protocol):
    """Who can fetch. Each call raises ``FetchError``, and nothing else, when there is no answer.

    ``anchors`` are PEM certificates, the only ones that the host's may chain to; without them only
    plain ``http:`` can be asked, and that only where ``plain`` says so: for what is signed itself
    and cannot come by TLS, as CRLs and OCSP answers. ``limit`` counts octets of the body, and
    ``within`` seconds from the call to the last octet.
    """

    async def get(
        self,
        url: str,
        *,
        limit: int,
        within: float,
        anchors: bytes = b"",
        etag: str = "",
        plain: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Fetched | NotModified:
        """Return the document at this address; with its ``etag``, perhaps that it is the same."""

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        media_type: str,
        limit: int,
        within: float,
        anchors: bytes = b"",
        plain: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Fetched:
        """Return what is answered to these octets (an OCSP request, RFC 6960 appendix A)."""
