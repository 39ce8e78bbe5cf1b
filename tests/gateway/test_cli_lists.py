"""Lists are signed with a card and judged in any format by the command line, without a gateway."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.app import clock
from gateway.cli import main
from gateway.demo import national
from gateway.demo.pki import Authority
from tests.trust.national import authority, document, pin, signed, signer
from tests.trust.signatures import gpg
from tests.trust.signatures.gpg import Keys
from tests.trust.simulator import NOW
from tests.world.clock import START
from tests.world.lists import Lists
from tests.world.site import Site
from trust.formats import native

NATIONAL = """
[[trust.source]]
name = "national"
format = "mssante"
file = "national.xml"
anchors = "health.pem"
max_age = 315360000.0

[[trust.source.signer]]
subject = '{subject}'
issuer = '{issuer}'
policy = "{policy}"
"""


def _run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    with gpg.made(tmp_path_factory.mktemp("gpg") / "home") as made:
        yield made


@pytest.fixture
def site(tmp_path: Path) -> Site:
    pki = Authority.make(START)
    made = Site.make(tmp_path / "labo", "labo.example", pki, Lists.make(pki))
    certificate, pinned = signer().certificate, pin(signer())
    (made.folder / "health.pem").write_bytes(authority().root.pem + authority().organisations.pem)
    with made.config.open("a") as config:
        config.write(
            NATIONAL.format(
                subject=certificate.subject.rfc4514_string(),
                issuer=certificate.issuer.rfc4514_string(),
                policy=pinned.policy,
            )
        )
    return made


def test_a_national_list_of_the_real_size(site: Site, tmp_path: Path) -> None:
    """Judged as the source of the configuration would, by its signer and its age."""
    file = tmp_path / "national.xml"
    file.write_bytes(signed(national.document(national.entries(), NOW)))

    judged = _run("trust", "verify", file, "--source", "national", "-c", site.config, "--json")

    assert 0 == judged.exit_code, judged.stderr
    found = json.loads(judged.stdout)
    assert (None, 4944, 390) == (found["version"], found["members"], found["identities"])
    assert ([], False) == (found["remarks"], found["stale"])


def test_a_national_list_that_is_cut_off(site: Site, tmp_path: Path) -> None:
    """Whatever checksum lies beside it."""
    file = tmp_path / "national.xml"
    file.write_bytes(signed(document())[:-200])
    refused = _run("trust", "verify", file, "--source", "national", "-c", site.config)
    assert (1, True) == (refused.exit_code, "not whole" in refused.stderr)


def test_a_source_that_is_not_there(site: Site, tmp_path: Path) -> None:
    """Which there are is said."""
    file = tmp_path / "national.xml"
    file.write_bytes(signed())
    refused = _run("trust", "verify", file, "--source", "autre", "-c", site.config)
    assert (1, True) == (refused.exit_code, "its sources: list, national" in refused.stderr)


def test_a_source_that_cannot_be_used(site: Site, tmp_path: Path) -> None:
    """Said in an operator's words."""
    file = tmp_path / "national.xml"
    file.write_bytes(signed())
    (site.folder / "health.pem").write_bytes(b"")
    refused = _run("trust", "verify", file, "--source", "national", "-c", site.config)
    assert (1, True) == (refused.exit_code, "national cannot be used" in refused.stderr)


def test_a_list_signed_with_a_card(
    keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gpg-agent holds the key; the public key is all that others need, in one quorum with others."""
    monkeypatch.setenv("GNUPGHOME", str(keys.home))
    pki = Authority.make(START)
    lists = Lists.make(pki)
    lists.add("labo.example", pki.issue("mx.labo.example"))
    content, envelope = lists.published()
    file, public, crt = (tmp_path / name for name in ("list.json", "bob.asc", "signer.crt"))
    file.write_bytes(content)
    public.write_bytes(keys.public(keys.bob))
    crt.write_bytes(lists.signer.chain_pem)
    (tmp_path / "list.json.registre.p7s").write_bytes(envelope)

    spaced = " ".join((keys.bob[:20], keys.bob[20:]))
    made = _run("trust", "sign", file, "--openpgp", spaced, "--json")

    assert 0 == made.exit_code, made.stderr
    signature = tmp_path / f"list.json.{keys.bob[-16:]}.asc"
    assert str(signature) == json.loads(made.stdout)["signature"]
    believed = ("--signer", crt, "--openpgp", public, "--threshold", "2")
    both = (signature, tmp_path / "list.json.registre.p7s")
    judged = _run("trust", "verify", file, *both, *believed, "--json")
    assert keys.bob in json.loads(judged.stdout)["signers"]
    assert native.digest(content) == json.loads(judged.stdout)["digest"]
    assert 1 == _run("trust", "verify", file, signature, *believed).exit_code


def test_publishing_what_openpgp_signed(
    keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signer with a smart card counts where a list is published, and where its history is walked."""
    monkeypatch.setenv("GNUPGHOME", str(keys.home))
    pki = Authority.make(clock().replace(microsecond=0))
    lists = Lists.make(pki)
    lists.add("labo.example", pki.issue("mx.labo.example"))
    content, envelope = lists.published(clock().replace(microsecond=0))
    names = ("list.json", "bob.asc", "signer.crt", "list.json.p7s", "folder")
    file, public, crt, plain, folder = (tmp_path / name for name in names)
    file.write_bytes(content)
    public.write_bytes(keys.public(keys.bob))
    crt.write_bytes(lists.signer.chain_pem)
    plain.write_bytes(envelope)
    signature = tmp_path / "list.json.bob.asc"
    signed = _run("trust", "sign", file, "--openpgp", keys.bob, "--out", signature)
    assert 0 == signed.exit_code, signed.stderr
    believed = ("--signer", crt, "--openpgp", public, "--threshold", "2")

    made = _run("trust", "publish", file, plain, signature, "--to", folder, *believed)
    walked = _run("trust", "verify", "--history", folder, *believed, "--json")

    assert 0 == made.exit_code, made.stderr
    assert 1 == json.loads(walked.stdout)["versions"]
    fewer = _run("trust", "verify", "--history", folder, "--signer", crt, "--threshold", "2")
    assert 1 == fewer.exit_code


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--openpgp", "0" * 40), "gpg --list-secret-keys"),
        ((), "sign with"),
        (("--openpgp", "0" * 40, "--key", "{file}"), "sign with"),
    ],
)
def test_signing_with_nothing(
    keys: Keys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    says: str,
) -> None:
    """A key that is not there, none at all, or both kinds at once."""
    monkeypatch.setenv("GNUPGHOME", str(keys.home))
    pki = Authority.make(START)
    lists = Lists.make(pki)
    lists.add("labo.example", pki.issue("mx.labo.example"))
    file = tmp_path / "list.json"
    file.write_bytes(lists.published()[0])
    refused = _run("trust", "sign", file, *(word.format(file=file) for word in words))
    assert 0 != refused.exit_code
    assert says in refused.stderr


def test_nobody_to_believe(tmp_path: Path) -> None:
    """A list is judged against somebody, or not at all."""
    file = tmp_path / "list.json"
    file.write_bytes(b"{}")
    refused = _run("trust", "verify", file, file)
    assert (1, True) == (refused.exit_code, "cannot be believed" in refused.stderr)
    assert 2 == _run("trust", "verify").exit_code
