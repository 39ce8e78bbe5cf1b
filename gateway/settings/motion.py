"""How messages and receipts move, and the brakes."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le, MinLen
from pydantic import Field

from gateway.settings.section import MiB, Octets, Port, Seconds, Section


class Relay(Section):
    """The spool and the way out."""

    retry: Annotated[tuple[Seconds, ...], MinLen(1)] = (60, 300, 900, 1800, 3600, 7200)
    jitter: Annotated[float, Ge(0), Le(1)] = 0.1
    expire_after: Seconds = 86400
    delay_notice_after: Seconds = 900
    connections_per_peer: Annotated[int, Ge(1)] = 20
    concurrency: Annotated[int, Ge(1)] = 100
    lease: Seconds = 900
    connect_timeout: Seconds = 30
    reply_timeout: Seconds = 300
    idle_after: Seconds = 30
    chunking: bool = True
    default_port: Port = 25
    keep_days: Annotated[int, Ge(1)] = 90


class Receipts(Section):
    """The MQTT broker; without a host receipts stay in the outbox, readable by the CLI."""

    host: str = ""
    port: Port = 8883
    anchors: Path | None = None
    username: str = ""
    password_file: Path | None = None
    keep_days: Annotated[int, Ge(1)] = 30
    final_within: Seconds = 14400


class VaultSettings(Section):
    """What lies inline in the database, and the disk we never use up."""

    inline_limit: Octets = 256 * 1024
    reserve: Octets = 256 * MiB


class Limits(Section):
    """Brakes on abuse."""

    failed_logins: Annotated[int, Ge(1)] = 5
    lockout: Seconds = 300
    header_size: Octets = 256 * 1024
    hops: Annotated[int, Ge(1)] = 50
    hold_days: Annotated[int, Ge(1)] = 30
    stop_within: Seconds = 30


class Log(Section):
    """How the gateway speaks to its operators."""

    level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    json_lines: bool = True
