"""Everything an operator can set: one TOML file, checked wholly at start, frozen afterwards.

``config/gateway.toml`` shows every key with its default and its meaning. Environment variables
override it: ``SCEAU_RELAY__EXPIRE_AFTER=3600`` is ``[relay] expire_after``. Times are in seconds,
sizes in octets.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from annotated_types import Ge, Le, MinLen
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from smtp.address import AddressError, parse, parse_domain

MiB = 1 << 20

Seconds = Annotated[float, Ge(0)]
Octets = Annotated[int, Ge(0)]
Port = Annotated[int, Ge(0), Le(65535)]


class SettingsError(Exception):
    """The configuration cannot be used; the message names each key and what is wrong with it."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Site(_Section):
    """Who we are."""

    name: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    host: str
    domains: Annotated[tuple[str, ...], MinLen(1)]
    postmaster: str = ""

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        return _domain(value)

    @field_validator("domains")
    @classmethod
    def _domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_domain(domain) for domain in value)

    @field_validator("postmaster")
    @classmethod
    def _postmaster(cls, value: str) -> str:
        return _address(value) if value else value

    @model_validator(mode="after")
    def _filled(self) -> Self:
        if not self.postmaster:
            object.__setattr__(self, "postmaster", f"postmaster@{self.domains[0]}")
        return self


class Paths(_Section):
    """Where things lie. The key ring must be outside the data folder."""

    data: Path
    keys: Path
    passphrase_file: Path | None = None

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.keys.resolve().is_relative_to(self.data.resolve()):
            raise ValueError(
                "keys must lie outside data: a copy of the data must not hold its keys"
            )
        return self

    @property
    def journal_head(self) -> Path:
        """Where the journal's signed head lies: beside the keys, outside the data."""
        return self.keys.with_name(f"{self.keys.stem}.journal-head")


class Tls(_Section):
    """Our certificate (with its chain), its key, and the only anchors we believe."""

    certificate: Path
    key: Path
    anchors: Path


class Listener(_Section):
    """One place we listen on; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: Port
    max_size: Octets = 35 * MiB
    max_recipients: Annotated[int, Ge(1)] = 100
    max_connections: Annotated[int, Ge(1)] = 1000
    max_connections_per_address: Annotated[int, Ge(1)] = 100
    idle_timeout: Seconds = 300


class Listen(_Section):
    """The listeners; one that is absent is not opened."""

    submission: Listener | None = None
    submission_starttls: Listener | None = None
    submission_certificate: Listener | None = None
    relay: Listener | None = None
    status: Listener | None = None


class Trust(_Section):
    """The native signed list: who signs it, how many must, where it is dropped."""

    list: Path | None = None
    signers: tuple[Path, ...] = ()
    threshold: Annotated[int, Ge(1)] = 1
    poll: Seconds = 60


class Relay(_Section):
    """The spool and the way out."""

    retry: Annotated[tuple[Seconds, ...], MinLen(1)] = (60, 300, 900, 1800, 3600, 7200)
    jitter: Annotated[float, Ge(0), Le(1)] = 0.1
    expire_after: Seconds = 86400
    delay_notice_after: Seconds = 900
    connections_per_peer: Annotated[int, Ge(1)] = 10
    concurrency: Annotated[int, Ge(1)] = 100
    lease: Seconds = 900
    connect_timeout: Seconds = 30
    reply_timeout: Seconds = 300
    idle_after: Seconds = 30
    chunking: bool = True
    default_port: Port = 25
    keep_days: Annotated[int, Ge(1)] = 90


class Receipts(_Section):
    """The MQTT broker; without a host receipts stay in the outbox, readable by the CLI."""

    host: str = ""
    port: Port = 8883
    anchors: Path | None = None
    username: str = ""
    password_file: Path | None = None
    keep_days: Annotated[int, Ge(1)] = 30


class VaultSettings(_Section):
    """What lies inline in the database, and the disk we never use up."""

    inline_limit: Octets = 256 * 1024
    reserve: Octets = 256 * MiB


class Limits(_Section):
    """Brakes on abuse."""

    failed_logins: Annotated[int, Ge(1)] = 5
    lockout: Seconds = 300
    header_size: Octets = 256 * 1024
    hops: Annotated[int, Ge(1)] = 50
    hold_days: Annotated[int, Ge(1)] = 30
    stop_within: Seconds = 30


class Log(_Section):
    """How the gateway speaks to its operators."""

    level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    json_lines: bool = True


class Settings(BaseSettings):
    """The whole configuration."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="SCEAU_", env_nested_delimiter="__"
    )

    site: Site
    paths: Paths
    tls: Tls
    listen: Listen = Listen()
    trust: Trust = Trust()
    relay: Relay = Relay()
    receipts: Receipts = Receipts()
    vault: VaultSettings = VaultSettings()
    limits: Limits = Limits()
    log: Log = Log()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment override the file."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def load(path: Path) -> Settings:
    """Read and check the file; relative paths in it are relative to its folder.

    Raise ``SettingsError`` with one line a wrong key.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from None
    try:
        return Settings(**_rooted(table, path.resolve().parent))
    except ValidationError as error:
        raise SettingsError(_in_words(path, error)) from None


_PATHS = {
    "paths": ("data", "keys", "passphrase_file"),
    "tls": ("certificate", "key", "anchors"),
    "trust": ("list", "signers"),
    "receipts": ("anchors", "password_file"),
}


def _rooted(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    rooted = dict(table)
    for section, keys in _PATHS.items():
        if not isinstance(values := rooted.get(section), dict):
            continue
        rooted[section] = {
            key: _root(value, folder) if key in keys else value for key, value in values.items()
        }
    return rooted


def _root(value: Any, folder: Path) -> Any:
    if isinstance(value, str):
        return folder / value
    return [_root(item, folder) for item in value] if isinstance(value, list) else value


_WORDS = {
    "extra_forbidden": "there is no such key; config/gateway.toml names them all",
    "missing": "it must be given",
    "string_pattern_mismatch": "it has characters that are not allowed here",
    "too_short": "it must have at least one entry",
    "int_parsing": "it must be a whole number",
    "float_parsing": "it must be a number",
    "bool_parsing": "it must be true or false",
}


def _in_words(path: Path, error: ValidationError) -> str:
    lines = [f"{path} cannot be used:"]
    for problem in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in problem["loc"])
        words = _WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
        lines.append(f"  {key}: {words}")
    return "\n".join(lines)


def _domain(value: str) -> str:
    try:
        return parse_domain(value)
    except AddressError as error:
        raise ValueError(str(error)) from None


def _address(value: str) -> str:
    try:
        return parse(value)
    except AddressError as error:
        raise ValueError(str(error)) from None
