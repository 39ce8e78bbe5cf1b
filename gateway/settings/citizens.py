"""Mail to and from citizens; their domain is ``[journal] citizens``."""

from typing import Annotated, Literal

from annotated_types import Ge
from pydantic import AfterValidator

from gateway.settings.section import Octets, Section, address


class CitizensSettings(Section):
    """Who may begin and how large it may be (R-G1 to R-G5, R-A8)."""

    digits: Literal[13, 15] = 15
    enforce: bool = True
    largest: Octets = 25_000_000
    pharmacies: tuple[Annotated[str, AfterValidator(address)], ...] = ()
    services: tuple[Annotated[str, AfterValidator(address)], ...] = (
        "reponse.automatique-test@patient.mssante.fr",
    )
    answer: str | None = None
    thread_days: Annotated[int, Ge(0)] = 365
