"""Everything an operator can set: one TOML file, checked wholly at start, frozen afterwards.

``config/gateway.toml`` shows every key with its default and its meaning. Environment variables
override it: ``SCEAU_RELAY__EXPIRE_AFTER=3600`` is ``[relay] expire_after``. Times are in seconds,
sizes in octets. One file a group of sections; ``load`` reads them all.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, get_args

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.settings.account import AccountSettings
from gateway.settings.alerts import Alerts
from gateway.settings.audit import JournalSettings, Siem
from gateway.settings.boxes import MailboxesSettings
from gateway.settings.certificates import Certificates
from gateway.settings.citizens import CitizensSettings
from gateway.settings.console import ConsoleSettings
from gateway.settings.labs import Labs
from gateway.settings.large import LargeSettings
from gateway.settings.listen import Listen
from gateway.settings.login import Login
from gateway.settings.motion import Limits, Log, Receipts, Relay, VaultSettings
from gateway.settings.quarantine import QuarantineSettings
from gateway.settings.reading import ReadingSettings
from gateway.settings.site import Paths, Site, Tls
from gateway.settings.trust import Trust
from gateway.settings.web import Lookup, Publish, Setup


class SettingsError(Exception):
    """The configuration cannot be used; the message names each key and what is wrong with it."""


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
    certificates: Certificates = Certificates()
    relay: Relay = Relay()
    receipts: Receipts = Receipts()
    vault: VaultSettings = VaultSettings()
    login: Login = Login()
    mailboxes: MailboxesSettings = MailboxesSettings()
    limits: Limits = Limits()
    quarantine: QuarantineSettings = QuarantineSettings()
    alerts: Alerts = Alerts()
    journal: JournalSettings = JournalSettings()
    siem: Siem = Siem()
    publish: Publish = Publish()
    lookup: Lookup = Lookup()
    account: AccountSettings = AccountSettings()
    reading: ReadingSettings = ReadingSettings()
    setup: Setup = Setup()
    console: ConsoleSettings = ConsoleSettings()
    citizens: CitizensSettings = CitizensSettings()
    labs: Labs = Labs()
    large: LargeSettings = LargeSettings()
    log: Log = Log()

    _file: Path | None = None
    _given: Mapping[str, Any] = {}

    @property
    def file(self) -> Path | None:
        """Where they were read from."""
        return self._file

    @property
    def given(self) -> Mapping[str, Any]:
        """What the file says, as it says it."""
        return self._given

    def read_from(self, file: Path, given: Mapping[str, Any]) -> Self:
        """Remember where they were read from."""
        self._file, self._given = file, given
        return self

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
        made = Settings(**_rooted(Settings, table, path.resolve().parent))
    except ValidationError as error:
        raise SettingsError(_in_words(path, error)) from None
    return made.read_from(path.resolve(), table)


def _rooted(model: type[BaseModel], table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the table with each path in it, at whatever depth, made relative to the folder."""
    return {
        key: _settled(field.annotation, value, folder)
        if (field := model.model_fields.get(key)) is not None
        else value
        for key, value in table.items()
    }


def _settled(kind: Any, value: Any, folder: Path) -> Any:
    named = _named(kind)
    if isinstance(value, list):
        return [_settled(kind, each, folder) for each in value]
    if isinstance(value, str):
        return folder / value if Path in named else value
    section = next((each for each in named if issubclass(each, BaseModel)), None)
    return _rooted(section, value, folder) if section and isinstance(value, dict) else value


def _named(kind: Any) -> set[type]:
    """Return the classes that an annotation is made of."""
    if isinstance(kind, type) and not (parts := get_args(kind)):
        return {kind}
    parts = get_args(kind)
    return set().union(*(_named(part) for part in parts)) if parts else set()


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
