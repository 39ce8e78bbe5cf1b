"""Where we listen."""

from typing import Annotated

from annotated_types import Ge

from gateway.settings.section import MiB, Octets, Port, Seconds, Section


class Listener(Section):
    """One place we listen on; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: Port
    max_size: Octets = 35 * MiB
    max_recipients: Annotated[int, Ge(1)] = 100
    max_connections: Annotated[int, Ge(1)] = 1000
    max_connections_per_address: Annotated[int, Ge(1)] = 100
    idle_timeout: Seconds = 300


class ImapListener(Section):
    """One place where mail clients read; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: Port
    max_connections: Annotated[int, Ge(1)] = 5000  # a client holds several for a day
    max_connections_per_address: Annotated[int, Ge(1)] = 500
    idle_timeout: Seconds = 1860


class WebListener(Section):
    """One place where browsers and software ask by HTTPS; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: Port
    max_size: Octets = 64 * 1024  # of a request's body
    max_connections: Annotated[int, Ge(1)] = 1000
    max_connections_per_address: Annotated[int, Ge(1)] = 100
    idle_timeout: Seconds = 30


class Listen(Section):
    """The listeners; one that is absent is not opened."""

    submission: Listener | None = None
    submission_starttls: Listener | None = None
    submission_certificate: Listener | None = None
    relay: Listener | None = None
    imap: ImapListener | None = None
    imap_starttls: ImapListener | None = None
    imap_certificate: ImapListener | None = None
    web: WebListener | None = None
    web_certificate: WebListener | None = None
    console: WebListener | None = None
    console_certificate: WebListener | None = None
    status: Listener | None = None
