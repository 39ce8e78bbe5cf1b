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


class Listen(Section):
    """The listeners; one that is absent is not opened."""

    submission: Listener | None = None
    submission_starttls: Listener | None = None
    submission_certificate: Listener | None = None
    relay: Listener | None = None
    status: Listener | None = None
