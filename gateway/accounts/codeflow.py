"""OpenID Connect by a browser: somebody is sent to the issuer, and comes back with a code.

The code buys one ID token, from the issuer itself, over TLS that our pinned anchors vouch for. It is
believed if the issuer signed it for us, in its time, for the very log-in that this browser began
(state, nonce, PKCE); the issuer's word on who it is may also lie at its userinfo, which must speak of the
same subject. Nothing of it is kept: no token outlives the answer. OpenID Connect Core §3.1, RFC 7636,
RFC 9207; R-B1.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from typing import Any, Self
from urllib.parse import quote, urlencode

import msgspec

from gateway.accounts.issuers import Issuer, TokenError, UnreachableError, label, named_in
from gateway.settings.large_reader import Reader
from trust.fetching import Fetch, FetchError

_FORM = "application/x-www-form-urlencoded"
_LIMIT = 64 << 10
_WITHIN = 10.0
_LONGEST_CODE = 2048


@dataclass(frozen=True, slots=True)
class Errand:
    """A log-in under way: what was told to the issuer, and what only we know until it is answered."""

    purpose: str  # where it leads, if it succeeds
    began: datetime
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    @classmethod
    def to(cls, purpose: str, now: datetime) -> Self:
        """Begin one."""
        return cls(purpose, now, *(secrets.token_urlsafe(32) for _ in range(3)))

    @property
    def challenge(self) -> str:
        """What the issuer hears of the verifier before it may have the verifier (RFC 7636 §4.2)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class CodeFlow:
    """One issuer where people log in by their browser."""

    issuer: Issuer
    settings: Reader
    fetch: Fetch = field(repr=False)
    secret: str = field(default="", repr=False)

    async def address(self, errand: Errand, back: str) -> str:
        """Return where a browser goes to log in; ``UnreachableError`` if nobody can say now."""
        place = await self.issuer.place("authorization_endpoint")
        asked = {
            "response_type": "code",
            "client_id": self.settings.audience,
            "redirect_uri": back,
            "scope": self.settings.scope,
            "state": errand.state,
            "nonce": errand.nonce,
            "code_challenge": errand.challenge,
            "code_challenge_method": "S256",
        }
        if self.settings.acr:
            asked["acr_values"] = self.settings.acr
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked, quote_via=quote)}"

    async def holder(self, errand: Errand, answered: Mapping[str, str], back: str) -> str:
        """Return whom the issuer names; raise ``TokenError``, whose message is a slug, otherwise."""
        if not compare_digest(answered.get("state", "").encode(), errand.state.encode()):
            raise TokenError("state-differs")
        if answered.get("iss", self.settings.url) != self.settings.url:
            raise TokenError("issuer-unknown")  # RFC 9207: the answer is another issuer's
        code = answered.get("code", "")
        if not code or len(code) > _LONGEST_CODE:
            raise TokenError("log-in-cancelled")
        given = await self._bought(code, errand, back)
        token = given.get("id_token")
        if not isinstance(token, str):
            raise TokenError("token-malformed")
        claims = await self.issuer.claims(token, label(token)[0])
        self._judge(claims, errand)
        if self.settings.claim not in claims:
            claims = await self._userinfo(given.get("access_token"), claims.get("sub"))
        return named_in(claims, self.settings.claim)

    def _judge(self, claims: Mapping[str, Any], errand: Errand) -> None:
        """Refuse a token that answers another log-in, or speaks of a weaker one than was asked."""
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not compare_digest(nonce.encode(), errand.nonce.encode()):
            raise TokenError("nonce-differs")
        if claims.get("azp", self.settings.audience) != self.settings.audience:
            raise TokenError("invalid_claim")
        if self.settings.acr and claims.get("acr") != self.settings.acr:
            raise TokenError("log-in-too-weak")

    async def _bought(self, code: str, errand: Errand, back: str) -> Mapping[str, Any]:
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self.settings.audience,
            "code_verifier": errand.verifier,
        }
        headers = {"Accept": "application/json"}
        if self.secret:  # RFC 6749 §2.3.1: each half is written as a form writes it
            both = f"{quote(self.settings.audience, safe='')}:{quote(self.secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(both.encode()).decode()}"
        place = await self.issuer.place("token_endpoint")
        try:
            found = await self.fetch.post(
                place,
                urlencode(asked).encode(),
                media_type=_FORM,
                limit=_LIMIT,
                within=_WITHIN,
                anchors=self.issuer.anchors,
                headers=headers,
            )
        except FetchError as error:
            if error.status is not None and 400 <= error.status < 500:
                raise TokenError("code-refused") from None
            raise UnreachableError("issuer-unreachable") from None
        return _object(found.body)

    async def _userinfo(self, token: object, subject: object) -> Mapping[str, Any]:
        """Return what the issuer says of who logged in, if that is the same (OIDC Core §5.3.2)."""
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise TokenError("holder-missing")
        place = await self.issuer.place("userinfo_endpoint")
        try:
            found = await self.fetch.get(
                place,
                limit=_LIMIT,
                within=_WITHIN,
                anchors=self.issuer.anchors,
                headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            )
        except FetchError:
            raise UnreachableError("issuer-unreachable") from None
        claims = _object(getattr(found, "body", b""))
        if not isinstance(subject, str) or claims.get("sub") != subject:
            raise TokenError("subject-differs")
        return claims


def _object(octets: bytes) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(octets)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = None
    if not isinstance(found, dict):
        raise TokenError("token-malformed")
    return found
