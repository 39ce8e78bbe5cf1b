"""Whether what is too large for a next hop has somewhere to be fetched from."""

from pathlib import Path
from typing import Any

from gateway.doctor.finding import Level
from gateway.doctor.large import large
from gateway.settings import Settings


def _settings(folder: Path, **more: Any) -> Settings:
    listen = {"relay": {"port": 25}} | more.pop("listen", {})
    told = {
        "site": {"name": "chu", "host": "mx.chu.example", "domains": ["chu.example"]},
        "paths": {"data": folder, "keys": folder.parent / "ring.json"},
        "tls": {"certificate": folder / "a", "key": folder / "b", "anchors": folder / "c"},
        "listen": listen,
        **more,
    }
    return Settings.model_validate(told)


def test_without_a_listener_for_certificates_nobody_can_fetch(tmp_path: Path) -> None:
    """Operators hear of it before a study is refused."""
    (found,) = large(_settings(tmp_path))
    assert Level.WARN is found.level
    assert "web_certificate" in found.cure


def test_with_one_it_is_said_how_much_stays_here(tmp_path: Path) -> None:
    """All is well."""
    (found,) = large(_settings(tmp_path, listen={"web_certificate": {"port": 4443}}))
    assert Level.OK is found.level
    assert "600 MiB" in found.sentence


def test_a_disk_without_room_is_told_of(tmp_path: Path) -> None:
    """What is fetched lies there twice while it is put together."""
    settings = _settings(tmp_path, large={"largest": 1 << 60, "port": 443})
    (found,) = large(settings)
    assert Level.WARN is found.level


def test_who_wants_none_of_it_hears_nothing(tmp_path: Path) -> None:
    """It is a choice."""
    assert [] == list(large(_settings(tmp_path, large={"enabled": False})))
