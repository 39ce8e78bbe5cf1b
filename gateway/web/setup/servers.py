"""What a mail program must know to read and send here: which host, which port, which kind of TLS.

One value, made of the settings, from which every document, page and DNS record is written: they
cannot disagree. The ports are those seen from outside, which a port mapping may make others than
those we listen at. R-A3, RFC 8314 §3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from gateway.settings import Settings
from smtp.address import AddressError, domain_of, parse, parse_domain


@dataclass(frozen=True, slots=True)
class Server:
    """One way in for a mail program."""

    host: str
    port: int
    starttls: bool = False  # else TLS from the first octet


@dataclass(frozen=True, slots=True)
class Servers:
    """All ways in, the best first; and for which domains."""

    name: str
    domains: tuple[str, ...]
    reading: tuple[Server, ...] = ()
    sending: tuple[Server, ...] = ()
    web: Server | None = None

    @classmethod
    def of(cls, settings: Settings, bound: Mapping[str, int]) -> Self:
        """Return those of a gateway; ``bound`` says which ports were taken where any would do."""
        host = settings.setup.host or settings.site.host

        def found(listener: str, *, starttls: bool = False) -> tuple[Server, ...]:
            listen = getattr(settings.listen, listener)
            if listen is None:
                return ()
            port = getattr(settings.setup, listener) or listen.port or bound.get(listener, 0)
            return (Server(host, port, starttls),) if port else ()

        return cls(
            settings.site.name,
            settings.site.domains,
            found("imap") + found("imap_starttls", starttls=True),
            found("submission") + found("submission_starttls", starttls=True),
            next(iter(found("web")), None),
        )

    @property
    def page(self) -> str:
        """Where a person reads what to do; nothing if we have no web."""
        if self.web is None:
            return ""
        port = "" if self.web.port == 443 else f":{self.web.port}"
        return f"https://{self.web.host}{port}/setup"

    def domain(self, address: str) -> str | None:
        """Return the domain of ours that an address is in; nothing is said of the mailbox."""
        try:
            domain = domain_of(parse(address))
        except AddressError:
            return None
        return domain if domain in self.domains else None

    def hosted(self, host: str) -> str | None:
        """Return the domain of ours for which a program asks this host, should that be plain."""
        try:
            name = parse_domain(host.partition(":")[0])
        except AddressError:
            return None
        for prefix in ("", "autoconfig.", "autodiscover."):
            domain = name.removeprefix(prefix)
            if domain in self.domains:
                return domain
        return self.domains[0] if len(self.domains) == 1 else None
