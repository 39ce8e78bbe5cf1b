"""OpenID Connect: access tokens that an issuer signed, as Pro Santé Connect does.

A token opens the mailbox that is named beside it when its signature, issuer, audience and dates are
right and the holder it names is the mailbox's own. Keys are found by discovery and kept; an unknown
key id asks again, not more often than once a minute, one at a time. R-B1, R-B4; RFC 7628, RFC 9068.
"""

import asyncio
import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from gateway.settings.login import Issuer as IssuerSettings
from trust.errors import HolderError
from trust.fetching import Fetch, Fetched, FetchError
from trust.identifiers import parse

_LIMIT = 256 << 10  # octets of a discovery document or a key set
_WITHIN = 10.0
_LEAST = timedelta(minutes=1)  # between two askings for keys
_LONGEST = 16 << 10  # characters of a token


class TokenError(Exception):
    """The token opens nothing; the message is a slug for the journal."""


class UnreachableError(TokenError):
    """Nobody can say now whether it does: the issuer's keys are not to be had."""


@dataclass(slots=True)
class Issuer:
    """One issuer and its keys, as far as they are known."""

    settings: IssuerSettings
    anchors: bytes = field(repr=False)
    fetch: Fetch = field(repr=False)
    clock: Callable[[], datetime] = field(repr=False)
    _keys: KeySet | None = field(default=None, repr=False)
    _about: Mapping[str, Any] = field(
        default_factory=dict, repr=False
    )  # what it publishes of itself
    _asked: datetime | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def holder(self, token: str, kid: str | None) -> str:
        """Return whom the token names; raise ``TokenError`` if it is not to be believed."""
        return named_in(await self.claims(token, kid), self.settings.claim)

    async def claims(self, token: str, kid: str | None) -> Mapping[str, Any]:
        """Return what a token of this issuer, for us, in its time, says; ``TokenError`` of another."""
        keys = await self._known(kid)
        asked = self.settings
        try:
            decoded = jwt.decode(token, keys, algorithms=list(asked.algorithms))
            jwt.JWTClaimsRegistry(
                now=int(self.clock().timestamp()),
                leeway=int(asked.leeway),
                iss={"essential": True, "value": asked.url},
                aud={"essential": True, "value": asked.audience},
                exp={"essential": True},
            ).validate(decoded.claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise TokenError(getattr(error, "error", "") or "token-malformed") from None
        return decoded.claims

    async def place(self, name: str) -> str:
        """Return an address that the issuer publishes (``token_endpoint``); ``UnreachableError``."""
        await self._known(None)
        found = self._about.get(name)
        if not isinstance(found, str) or not found.startswith("https://"):
            raise UnreachableError("issuer-unreachable")
        return found

    async def _known(self, kid: str | None) -> KeySet:
        """Return the issuer's keys, asked for anew if they are old or lack this one."""
        now = self.clock()
        if self._fresh(kid, now):
            assert self._keys is not None
            return self._keys
        async with self._turn:
            if not self._fresh(kid, now) and (self._asked is None or now >= self._asked + _LEAST):
                self._asked = now
                try:
                    self._keys = await self._published()
                except (FetchError, msgspec.DecodeError, JoseError, ValueError, KeyError):
                    if self._keys is None:
                        raise UnreachableError("issuer-unreachable") from None
        if self._keys is None:
            raise UnreachableError("issuer-unreachable")
        return self._keys

    def _fresh(self, kid: str | None, now: datetime) -> bool:
        if self._keys is None or self._asked is None:
            return False
        young = now < self._asked + timedelta(seconds=self.settings.keys_for)
        return young and (kid is None or any(key.kid == kid for key in self._keys.keys))

    async def _published(self) -> KeySet:
        document = await self._document(f"{self.settings.url}/.well-known/openid-configuration")
        if document.get("issuer") != self.settings.url:
            raise ValueError("the document is another issuer's")  # RFC 8414 §3.3
        keys = KeySet.import_key_set(await self._document(document["jwks_uri"]))
        self._about = document
        return keys

    async def _document(self, url: str) -> Any:
        found = await self.fetch.get(url, limit=_LIMIT, within=_WITHIN, anchors=self.anchors)
        assert isinstance(found, Fetched)  # nothing was asked conditionally
        document = msgspec.json.decode(found.body)
        if not isinstance(document, dict):
            raise ValueError("not a JSON object")  # noqa: TRY004 - the issuer's fault, not ours
        return document


@dataclass(frozen=True, slots=True)
class Issuers:
    """All issuers that the settings name."""

    issuers: Sequence[Issuer]

    async def vouch(self, token: str, holder: str) -> None:
        """Say that this token is the holder's, or raise ``TokenError``.

        ``holder`` is a mailbox's: ``rpps:10001234567``; tokens name people by the national form too.
        """
        kid, issued_by = label(token)
        for issuer in self.issuers:
            if issuer.settings.url == issued_by:
                if await issuer.holder(token, kid) not in names(holder):
                    raise TokenError("holder-differs")
                return
        raise TokenError("issuer-unknown")


def label(token: str) -> tuple[str | None, object]:
    """Return which key signed it and whose token it says it is, to know what to try; none is believed."""
    if len(token) > _LONGEST:
        raise TokenError("token-malformed")
    try:
        head, body, _ = token.split(".")
        header, claims = (msgspec.json.decode(_octets(each)) for each in (head, body))
        kid, issued_by = header.get("kid"), claims.get("iss")
    except (ValueError, AttributeError):
        raise TokenError("token-malformed") from None
    return kid if isinstance(kid, str) else None, issued_by


def named_in(claims: Mapping[str, Any], claim: str) -> str:
    """Return whom claims name; ``TokenError`` if nobody."""
    named = claims.get(claim)
    if not isinstance(named, str) or not named:
        raise TokenError("holder-missing")
    return named


def _octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def names(holder: str) -> frozenset[str]:
    """Return how a token may name a mailbox's holder."""
    if not holder:
        return frozenset()
    try:
        identifier = parse(holder)
    except HolderError:
        return frozenset({holder})
    return frozenset({holder, str(identifier), identifier.number, identifier.national})
