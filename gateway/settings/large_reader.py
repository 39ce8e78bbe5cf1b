"""Who proves to us that a reader is whom the directory names: an issuer where people log in."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge
from pydantic import Field

from gateway.settings.login import Issuer
from gateway.settings.section import Seconds


class Reader(Issuer):
    """How who receives a link logs in, as by Pro Santé Connect; ``audience`` is our client_id."""

    name: str = Field(default="Pro Santé Connect", min_length=1, max_length=60)
    client_secret_file: Path | None = None  # without one PKCE alone proves that it is we who ask
    claim: str = "SubjectNameID"
    scope: str = Field(default="openid scope_all", pattern="^openid( [!-~]+)*$")
    acr: str = Field(default="eidas1", pattern="^[!-~]*$")  # "": however they logged in
    origin: str = Field(pattern=r"^https://[^/?#\s]+$")  # as browsers see [listen.web]
    session: Seconds = 900
    looks: Annotated[int, Ge(1)] = 50
