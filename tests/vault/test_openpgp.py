"""What is handed out is read with GnuPG by the key that was named, and by no other."""

import asyncio
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.vault.people import Person, ended
from vault.openpgp import OpenPgpError, encrypt


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Person]]:
    folder = tmp_path_factory.mktemp("gpg")
    made = {name: Person.make(folder / name) for name in ("dpo", "juge", "curieux")}
    made["signe"] = Person.make(folder / "signe", "ed25519", "sign", "never")
    made["faible"] = Person.make(folder / "faible", "rsa1024", "encr", "never")
    with ended(made):
        yield made


def left(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def blocks(*some: bytes) -> AsyncIterator[bytes]:
    for block in some:
        await asyncio.sleep(0)
        yield block


async def test_the_named_keys_read_it_and_nobody_else(
    tmp_path: Path, people: dict[str, Person]
) -> None:
    """Each of them alone; who has none of the keys sees nothing."""
    target = tmp_path / "x.gpg"
    content = [b"Mme DUPONT ", bytes(300_000), b" fin"]
    keys = {name: people[name].public for name in ("dpo", "juge")}
    made = await encrypt(blocks(*content), keys, target)

    assert [("dpo", "dpo <dpo@essai.example>"), ("juge", "juge <juge@essai.example>")] == [
        (key.name, key.holder) for key in made
    ]
    for name in keys:
        assert b"".join(content) == people[name].reads(target).stdout
    curious = people["curieux"].reads(target)
    assert (2, b"") == (curious.returncode, curious.stdout)
    assert b"DUPONT" not in target.read_bytes()
    assert 0o600 == stat.S_IMODE(target.stat().st_mode)


@pytest.mark.parametrize(
    ("name", "key", "why"),
    [
        ("signe", "signe", "only signs"),
        ("faible", "faible", "2048 bits"),
        ("bruit", None, "not exactly one OpenPGP public key"),
    ],
)
async def test_a_key_that_is_none_is_refused(
    tmp_path: Path, people: dict[str, Person], name: str, key: str | None, why: str
) -> None:
    """By its name, and nothing is written."""
    public = people[key].public if key else b"bruit"
    with pytest.raises(OpenPgpError, match=f"{name}.*{why}"):
        await encrypt(blocks(b"x"), {name: public}, tmp_path / "x.gpg")
    assert [] == left(tmp_path)


async def test_a_private_key_does_not_belong_here(
    tmp_path: Path, people: dict[str, Person]
) -> None:
    """Somebody exported the wrong half; it is not imported as if it were right."""
    private = people["dpo"].gpg("--export-secret-keys").stdout
    with pytest.raises(OpenPgpError, match="dpo is a private key"):
        await encrypt(blocks(b"x"), {"dpo": private}, tmp_path / "x.gpg")


async def test_for_nobody(tmp_path: Path) -> None:
    """There is no such thing as a file that nobody may read."""
    with pytest.raises(OpenPgpError, match="no key"):
        await encrypt(blocks(b"x"), {}, tmp_path / "x.gpg")


async def test_content_that_breaks_off_leaves_nothing(
    tmp_path: Path, people: dict[str, Person]
) -> None:
    """Half a message that looks whole is worse than none."""

    async def breaking() -> AsyncIterator[bytes]:
        yield b"Mme DUPONT"
        raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match="the disk is gone"):
        await encrypt(breaking(), {"dpo": people["dpo"].public}, tmp_path / "x.gpg")
    assert [] == left(tmp_path)


async def test_gpg_says_why_it_failed(
    tmp_path: Path, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its own words, for the operator."""
    monkeypatch.setattr("vault.openpgp._HOW", ["--batch", "--no-such-option"])
    with pytest.raises(OpenPgpError, match=r"did not encrypt it: .*no-such-option"):
        await encrypt(blocks(b"x"), {"dpo": people["dpo"].public}, tmp_path / "x.gpg")
    assert [] == left(tmp_path)
