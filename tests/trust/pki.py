"""A health PKI in one process: an authority that revokes, answers, is silent, or answers nonsense."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.demo.pki import Asking, Authority, Issued
from gateway.demo.revocation import Register
from tests.world.clock import Clock
from trust.fetching import NO_HEADERS, Fetched, FetchError, FetchState, NotModified

CRL = "http://pki.example/CRL/ACI.crl"
OCSP = "http://ocsp.example/"
BY_CRL = Asking(crl=(CRL,))
BY_OCSP = Asking(ocsp=(OCSP,))
BY_BOTH = Asking(crl=(CRL,), ocsp=(OCSP,))
CHALLENGE = b"<!DOCTYPE html><title>Are you a robot?</title>"
SILENT = FetchError(FetchState.UNREACHABLE, "nobody listens")
FORBIDDEN = FetchError(FetchState.HTTP_ERROR, "it answered 403", status=403)

Answer = Callable[[bytes], bytes]  # the request's body to the answer's


@dataclass(slots=True)
class Pki:
    """An authority and the two hosts where it may be asked, as far as they answer."""

    clock: Clock
    authority: Authority
    register: Register
    pages: dict[str, Answer | bytes | FetchError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    life: timedelta = timedelta(days=1)
    etag: str = ""

    @classmethod
    def make(cls, clock: Clock, name: str = "Sante") -> "Pki":
        authority = Authority.make(clock() - timedelta(days=700), name)
        pki = cls(clock, authority, Register(authority.issuing))
        pki.pages[CRL] = lambda _: pki.register.crl(clock(), pki.life)
        pki.pages[OCSP] = lambda asked: pki.register.answer(asked, clock(), pki.life)
        return pki

    def issue(
        self, name: str = "mx.labo.example", asking: Asking = BY_CRL, days: int = 900
    ) -> Issued:
        return self.authority.issue(name, days=days, asking=asking)

    @property
    def anchors(self) -> tuple[bytes, ...]:
        return (self.authority.root.der,)

    @property
    def others(self) -> tuple[bytes, ...]:
        return (self.authority.issuing.der,)

    def _said(self, url: str, body: bytes) -> bytes:
        self.asked.append(url)
        page = self.pages[url]
        if isinstance(page, FetchError):
            raise FetchError(page.state, str(page), status=page.status)
        return page if isinstance(page, bytes) else page(body)

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
        body = self._said(url, b"")
        return NotModified(etag) if etag and etag == self.etag else Fetched(body, self.etag)

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
        return Fetched(self._said(url, body))


@dataclass(slots=True)
class Memory:
    """A shelf that outlives whoever uses it."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def load(self) -> Mapping[str, bytes]:
        return {name: octets for name, octets in self.kept.items() if name[:7] != "octets "}

    async def keep(self, kept: Mapping[str, bytes]) -> None:
        self.kept |= kept

    async def of(self, name: str) -> bytes | None:
        return self.kept.get(name)

    async def forget(self, names: Iterable[str]) -> None:
        for name in names:
            self.kept.pop(name, None)


def at(clock: Clock, **how_far: float) -> datetime:
    return clock() + timedelta(**how_far)
