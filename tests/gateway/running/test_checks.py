"""A gateway that could not keep its promises does not start, and says why."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.demo.pki import Authority
from gateway.operations.error import OperationError
from gateway.running import checks
from gateway.settings import Settings, load

_NOW = datetime(2026, 11, 22, tzinfo=UTC)

_CONFIG = """
[site]
name = "labo"
host = "mx.labo.example"
domains = ["labo.example"]
[paths]
data = "data"
keys = "ring.json"
passphrase_file = "passphrase"
[tls]
certificate = "gateway.crt"
key = "gateway.key"
anchors = "anchors.pem"
[trust]
signers = ["signer.crt"]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    authority = Authority.make(_NOW)
    authority.issue("mx.labo.example").write(tmp_path, "gateway")
    authority.issue("autre").write(tmp_path, "other")
    authority.issue("Signer", signer=True).write(tmp_path, "signer")
    (tmp_path / "anchors.pem").write_bytes(authority.anchors_pem)
    (tmp_path / "passphrase").touch(mode=0o600)
    (tmp_path / "gateway.toml").write_text(_CONFIG)
    return load(tmp_path / "gateway.toml")


def test_a_sound_configuration_passes(settings: Settings) -> None:
    """The data folder is made, for its owner alone."""
    checks.all_is_well(settings, _NOW)

    assert 0o700 == settings.paths.data.stat().st_mode & 0o777
    assert _NOW + timedelta(days=365) == checks.expires(settings.tls)


def _loose(path: Path) -> None:
    path.chmod(0o644)


def _open_to_all(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o755)


_FAULTS: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: _open_to_all(folder / "data"), "others can enter .*data"),
    (lambda folder: (folder / "data").touch(), "the data folder .* cannot be used: File exists"),
    (lambda folder: _loose(folder / "gateway.key"), "others can read the private key"),
    (lambda folder: _loose(folder / "passphrase"), "others can read the secret"),
    (lambda folder: (folder / "gateway.crt").unlink(), "the certificate .* cannot be read"),
    (
        lambda folder: (folder / "other.crt").rename(folder / "gateway.crt"),
        "do not belong together",
    ),
    (lambda folder: (folder / "anchors.pem").write_text("none"), "holds no certificate"),
    (lambda folder: (folder / "anchors.pem").unlink(), "the anchor file .* cannot be read"),
    (lambda folder: (folder / "signer.crt").unlink(), "the pinned signer .* cannot be read"),
]


@pytest.mark.parametrize(("spoil", "words"), _FAULTS)
def test_each_fault_is_one_sentence_with_its_cure(
    settings: Settings, tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    """The operator reads what is wrong and what to do."""
    spoil(tmp_path)
    with pytest.raises(OperationError, match=words) as caught:
        checks.all_is_well(settings, _NOW)

    assert caught.value.hint


def test_an_expired_certificate_is_refused(settings: Settings) -> None:
    """No peer would accept us."""
    with pytest.raises(OperationError, match="expired on 2027-11-22"):
        checks.all_is_well(settings, _NOW + timedelta(days=366))


def test_a_certificate_file_without_one_is_said_so(settings: Settings) -> None:
    """A key in the certificate's place, for example."""
    settings.tls.certificate.write_text("-----BEGIN NOTHING-----")
    with pytest.raises(OperationError, match="holds no certificate"):
        checks.expires(settings.tls)


def test_what_can_be_read_does_not_lie_among_what_is_sealed(tmp_path: Path) -> None:
    """A folder for software is outside the data folder: a copy of that shows nothing."""
    (tmp_path / "gateway.toml").write_text(
        _CONFIG + '[[mailboxes.server]]\nname = "app"\nkind = "folder"\npath = "data/out"\n'
        'mailboxes = ["app@labo.example"]\n'
    )

    with pytest.raises(OperationError, match="within the data folder"):
        checks.mailbox_servers(load(tmp_path / "gateway.toml"))


def test_documents_are_copied_within_the_house(tmp_path: Path) -> None:
    """From our mailboxes to our mailboxes, and never out by themselves."""
    rule = '[[mailboxes.forward]]\nmailboxes = ["dr@labo.example"]\nto = "app@{}"\n'
    config = tmp_path / "gateway.toml"
    config.write_text(_CONFIG + rule.format("labo.example"))
    checks.forwards(load(config))
    config.write_text(_CONFIG + rule.format("elsewhere.example"))

    with pytest.raises(OperationError, match=r"from or to elsewhere\.example"):
        checks.forwards(load(config))
