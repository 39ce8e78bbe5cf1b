"""What each IMAP listener asks of a client and offers it: a value, and a table of the three we have.

Nobody logs in in clear: there LOGINDISABLED stands where the mechanisms would. R-A1, R-A3;
RFC 3501 §6.1.1, RFC 8314.
"""

from dataclasses import dataclass, field
from typing import Self

TOKENS = ("OAUTHBEARER", "XOAUTH2")

_ALWAYS = ("IMAP4rev1", "SASL-IR", "ID")
_WITHIN = (
    *("LITERAL+", "ENABLE", "IDLE", "NAMESPACE", "UIDPLUS", "MOVE", "UNSELECT", "CHILDREN"),
    *("LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE", "CREATE-SPECIAL-USE", "CONDSTORE", "QRESYNC"),
    *("ESEARCH", "SEARCHRES", "WITHIN", "STATUS=SIZE", "QUOTA", "QUOTA=RES-STORAGE"),
    *("ACL", "RIGHTS=texk", "BINARY", "MULTIAPPEND", "UTF8=ACCEPT"),
)


@dataclass(frozen=True)
class Rules:
    """One listener's rules."""

    listener: str  # "imap", "imap_starttls", "imap_certificate": for the journal and the metrics
    host: str
    implicit_tls: bool  # TLS from the first octet; else STARTTLS is required before all else
    mechanisms: tuple[str, ...]
    certificate: bool = False  # TLS asks for a client certificate
    max_size: int = 35 << 20  # of one message
    _spelled: dict[tuple[bool, bool], str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls, listener: str, host: str, *, max_size: int = 35 << 20, tokens: bool = False
    ) -> Self:
        """Return the rules of one of our listeners, by its name."""
        implicit_tls, mechanisms, certificate = _LISTENERS[listener]
        offered = (*mechanisms, *TOKENS) if tokens and not certificate else mechanisms
        return cls(listener, host, implicit_tls, offered, certificate, max_size)

    def capabilities(self, *, tls: bool, within: bool) -> str:
        """Return what CAPABILITY promises: in clear nothing but the way out of it."""
        key = (tls, within)
        if key not in self._spelled:
            self._spelled[key] = " ".join(self._promised(tls=tls, within=within))
        return self._spelled[key]

    def _promised(self, *, tls: bool, within: bool) -> tuple[str, ...]:
        if within:
            return (*_ALWAYS, *_WITHIN, f"APPENDLIMIT={self.max_size}")
        if not tls:
            return (*_ALWAYS, "LITERAL-", "STARTTLS", "LOGINDISABLED")
        disabled = () if "PLAIN" in self.mechanisms else ("LOGINDISABLED",)
        return (*_ALWAYS, "LITERAL-", *(f"AUTH={name}" for name in self.mechanisms), *disabled)


_LISTENERS: dict[str, tuple[bool, tuple[str, ...], bool]] = {
    # listener: implicit TLS, mechanisms, client certificate
    "imap": (True, ("PLAIN", "LOGIN"), False),
    "imap_starttls": (False, ("PLAIN", "LOGIN"), False),
    "imap_certificate": (True, ("EXTERNAL",), True),
}
LISTENERS = tuple(_LISTENERS)
