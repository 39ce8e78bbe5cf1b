"""Who else vouches for people: OpenID Connect issuers whose access tokens open mailboxes."""

from pathlib import Path
from typing import Annotated

from annotated_types import MinLen
from pydantic import Field, field_validator

from gateway.settings.section import Seconds, Section

_SIGNED = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")


class Issuer(Section):
    """One issuer, as Pro Santé Connect is one."""

    url: str = Field(pattern=r"^https://[^/?#\s]+(/[^?#\s]*)?$")
    audience: str = Field(min_length=1)
    anchors: Path
    claim: str = "preferred_username"
    algorithms: Annotated[tuple[str, ...], MinLen(1)] = ("RS256", "PS256", "ES256")
    leeway: Seconds = 30
    keys_for: Seconds = 3600

    @field_validator("algorithms")
    @classmethod
    def _algorithms(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := sorted(set(value) - set(_SIGNED)):
            raise ValueError(f"{', '.join(wrong)} is not one of {', '.join(_SIGNED)}")
        return value


class Login(Section):
    """How people and programs may log in, besides our own passwords and certificates."""

    issuer: tuple[Issuer, ...] = ()
