"""What each listener asks of a client, and offers it: a value, and a table of the four we have.

None takes mail in clear; the wrong combination cannot be built. R-A1, R-A3, R-A4.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from smtp.receive.command import MAIL_PARAMETERS

TOKENS = ("OAUTHBEARER", "XOAUTH2")  # RFC 7628, and what came before it


@dataclass(frozen=True)
class Rules:
    """One listener's rules."""

    listener: str  # "submission", "relay" ...: for the journal and the metrics
    host: str  # our name
    implicit_tls: bool  # TLS from the first byte; else STARTTLS is required before all else
    mechanisms: tuple[str, ...]  # how to log in, which must be done before MAIL; (): nobody may
    certificate: bool  # a client certificate is required before MAIL
    transfer: bool  # XTRANSFER: another Sceau may mark a message, and is told if it is delivered
    max_size: int = 35 << 20  # 0: no limit of ours
    max_recipients: int = 100
    postmaster: str = ""  # who answers <postmaster>
    large: int = 0  # XLARGE: the longest message that we fetch from another Sceau; 0: none

    def __post_init__(self) -> None:
        if not self.mechanisms and not self.certificate:
            raise ValueError(f"listener {self.listener} would take mail from anybody")

    @classmethod
    def of(
        cls,
        listener: str,
        host: str,
        *,
        max_size: int = 35 << 20,
        max_recipients: int = 100,
        postmaster: str = "",
        tokens: bool = False,
        large: int = 0,
    ) -> Self:
        """Return the rules of one of our four listeners, by its name; ``tokens``: an issuer's too."""
        implicit_tls, mechanisms, certificate, transfer = _LISTENERS[listener]
        if tokens and "PLAIN" in mechanisms:
            mechanisms += TOKENS
        return cls(
            listener=listener,
            host=host,
            implicit_tls=implicit_tls,
            mechanisms=mechanisms,
            certificate=certificate,
            transfer=transfer,
            max_size=max_size,
            max_recipients=max_recipients,
            postmaster=postmaster,
            large=large if transfer else 0,
        )

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The parameters that MAIL may have here."""
        auth = {"AUTH"} if self.mechanisms else set()
        transfer = {"XTRANSFER", "XRECALL"} if self.transfer else set()
        large = {"XLARGE"} if self.large else set()
        return MAIL_PARAMETERS | auth | transfer | large

    def offers(self, *, tls: bool) -> tuple[str, ...]:
        """Return what EHLO promises: in clear nothing but the way out of it."""
        if not tls:
            return ("PIPELINING", "ENHANCEDSTATUSCODES", "STARTTLS")
        promised = [
            "PIPELINING",
            f"SIZE {self.max_size}",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
            "CHUNKING",
            "DSN",
            f"LIMITS RCPTMAX={self.max_recipients}",
        ]
        if self.mechanisms:
            promised.append(f"AUTH {' '.join(self.mechanisms)}")
        if self.transfer:
            promised += ("XTRANSFER", "XRECALL")
        if self.large:
            promised.append(f"XLARGE {self.large}")
        return tuple(promised)


_LISTENERS: dict[str, tuple[bool, tuple[str, ...], bool, bool]] = {
    # listener: implicit TLS, mechanisms, client certificate, XTRANSFER
    "submission": (True, ("PLAIN", "LOGIN"), False, False),
    "submission_starttls": (False, ("PLAIN", "LOGIN"), False, False),
    "submission_certificate": (True, ("EXTERNAL",), True, False),
    "relay": (False, (), True, True),
}
