"""The DNS records by which mail programs find us without asking anybody: printed, for the zone.

They say where, never whom to believe: a program still checks our certificate. RFC 6186, RFC 8314 §5.1,
RFC 2782; [MS-OXDISCO] for ``_autodiscover``. R-A6.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.web.setup.servers import Server, Servers

_TTL = 3600


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a zone."""

    name: str
    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.name}. {_TTL} IN {self.kind} {self.value}"


def records(servers: Servers) -> Iterator[Record]:
    """Return what the zones of our domains should have."""
    reading = {server.starttls: server for server in servers.reading}
    sending = {server.starttls: server for server in servers.sending}
    for domain in servers.domains:
        for service, server in (
            ("_imaps", reading.get(False)),
            ("_imap", reading.get(True)),
            ("_submissions", sending.get(False)),
            ("_submission", sending.get(True)),
        ):
            yield Record(f"{service}._tcp.{domain}", "SRV", _srv(server))
        # Told not to look further: RFC 6186 §3.4.
        for service in ("_pop3s", "_pop3"):
            yield Record(f"{service}._tcp.{domain}", "SRV", _srv(None))
        if servers.web is not None:
            yield Record(f"_autodiscover._tcp.{domain}", "SRV", _srv(servers.web))
            for name in ("autoconfig", "autodiscover"):
                yield Record(f"{name}.{domain}", "CNAME", f"{servers.web.host}.")


def _srv(server: Server | None) -> str:
    return f"0 1 {server.port} {server.host}." if server is not None else "0 0 0 ."
