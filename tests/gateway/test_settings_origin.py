"""Where each setting comes from."""

from pathlib import Path

import pytest

from gateway.settings import load
from gateway.settings.origin import Key, Origin, keys, shown

_FILE = """
[site]
name = "chu"
host = "mx.chu.example"
domains = ["chu.example", "labo.example"]
[paths]
data = "data"
keys = "ring.json"
[tls]
certificate = "a.crt"
key = "a.key"
anchors = "anchors.pem"
[listen.relay]
port = 25
[alerts]
webhook = "https://alerte.example/jeton-secret?x=1"
[relay]
retry = [60, 300]
[[trust.source]]
name = "national"
file = "list.json"
signers = ["s.crt"]
"""


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], Key]:
    path = tmp_path / "gateway.toml"
    path.write_text(_FILE)
    monkeypatch.setenv("SCEAU_LIMITS__HOPS", "7")
    settings = load(path)
    assert path == settings.file
    environment = {"SCEAU_LIMITS__HOPS": "7", "sceau_lookup": "{}", "PATH": "/bin"}
    return {(each.section, each.name): each for each in keys(settings, environment)}


def test_each_key_says_who_set_it(found: dict[tuple[str, str], Key]) -> None:
    """The file, the environment (of one key or of its section), or nobody; also in lists."""
    origins = {
        ("site", "host"): Origin.FILE,
        ("relay", "retry"): Origin.FILE,
        ("relay", "jitter"): Origin.DEFAULT,
        ("limits", "hops"): Origin.ENVIRONMENT,
        ("limits", "lockout"): Origin.DEFAULT,
        ("lookup", "page"): Origin.ENVIRONMENT,
        ("listen.relay", "port"): Origin.FILE,
        ("listen.relay", "host"): Origin.DEFAULT,
        ("trust.source 1", "name"): Origin.FILE,
        ("trust.source 1", "threshold"): Origin.DEFAULT,
    }
    assert origins == {key: found[key].origin for key in origins}
    assert ("listen", "web") in found  # not open: said, not forgotten


def test_values_as_people_read_them(found: dict[tuple[str, str], Key]) -> None:
    """Lists with commas; an address that is a capability without what makes it one."""
    assert "chu.example, labo.example" == found["site", "domains"].value
    assert "60, 300" == found["relay", "retry"].value
    assert "https://alerte.example/…" == found["alerts", "webhook"].value
    assert not any("jeton" in each.value for each in found.values())
    assert "" == found["listen", "web"].value
    values: list[object] = [True, False, 0.5, 3, Path("a"), frozenset()]
    said = [shown("x", value) for value in values]
    assert ["true", "false", "0.5", "3", "a", "frozenset()"] == said
