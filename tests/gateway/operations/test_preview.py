"""A case's content: looked into for a reason, and handed out to named keys alone."""

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.operations import escrow
from gateway.operations.error import OperationError
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from quarantine.policy import Finding
from tests.gateway.operations.conftest import Ask, held
from tests.vault.people import Person, ended
from tests.world.clock import Clock
from vault.database import Statement

WHY = "le labo demande ce qu'il en est"
EXE = b"MZ\x90\x00 not really a program"
BODY = b"""\
From: bio <bio@labo.example>\r
Subject: =?utf-8?q?Bilan_de_Mme_DUPONT?=\r
X-Long: one\r
 two\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=a\r
\r
--a\r
Content-Type: multipart/alternative; boundary=b\r
\r
--b\r
Content-Type: text/plain; charset=iso-8859-1\r
Content-Transfer-Encoding: quoted-printable\r
\r
R=E9sultats ci-joints.\r
--b\r
Content-Type: text/html\r
\r
<p onclick="alert(1)">R&eacute;sultats</p>\r
--b--\r
--a\r
Content-Type: application/pdf; name="bilan.pdf.exe"\r
Content-Transfer-Encoding: base64\r
Content-Disposition: attachment; filename="bilan.pdf.exe"\r
\r
TVqQACBub3QgcmVhbGx5IGEgcHJvZ3JhbQ==\r
--a\r
Content-Type: message/rfc822\r
\r
Subject: dedans\r
\r
un message joint\r
--a\r
Content-Type: text/plain; charset=utf-8; name=notes.txt\r
Content-Transfer-Encoding: x-unheard-of\r
\r
des notes\r
--a--\r
"""
FOUND = (Finding("executable", "bilan.pdf.exe"), Finding("disguised", "bilan.pdf.exe"))


async def test_a_preview_shows_words_structure_and_hashes(rooms: Rooms, ask: Ask) -> None:
    """Enough to decide; of a file its name, its kind, its size and its hash, and no octet of it."""
    case, _ = await held(rooms, found=FOUND, body=BODY)
    shown = await ask("quarantine.preview", case=case, reason=WHY)

    assert [
        ["From", "bio <bio@labo.example>"],
        ["Subject", "Bilan de Mme DUPONT"],
        ["X-Long", "one two"],
    ] == shown["headers"][:3]
    assert [
        ("text/plain", "Résultats ci-joints.", False),
        ("text/html", '<p onclick="alert(1)">R&eacute;sultats</p>', False),
    ] == [(text["type"], text["text"], text["cut"]) for text in shown["texts"]]
    (exe,) = [part for part in shown["parts"] if part["name"] == "bilan.pdf.exe"]
    assert (len(EXE), sha256(EXE).hexdigest(), "application/pdf") == (
        exe["octets"],
        exe["sha256"],
        exe["type"],
    )
    assert ["executable", "disguised"] == exe["reasons"]
    assert [{"reason": one.reason, "detail": one.detail} for one in FOUND] == shown["findings"]
    notes = next(part for part in shown["parts"] if part["name"] == "notes.txt")
    assert sha256(b"des notes").hexdigest() == notes["sha256"]
    assert ["TEXT", "1", "1.1", "1.2", "2", "3", "3.1", "4"] == [
        part["part"] for part in shown["parts"]
    ]
    assert "TVqQAC" not in str(shown)
    assert "un message joint" not in str(shown["texts"])


async def test_whoever_looks_says_why_and_is_written_down(rooms: Rooms, ask: Ask) -> None:
    """Before anything is opened; the message's story has it."""
    case, copy = await held(rooms)
    for reason in ("", " x "):
        with pytest.raises(OperationError, match="say why"):
            await ask("quarantine.preview", case=case, reason=reason)
    assert [] == await looks(rooms, copy.message.id)
    await ask("quarantine.preview", case=case, reason=WHY)
    assert [("content.viewed", "operator:anne", WHY)] == await looks(rooms, copy.message.id)


async def looks(rooms: Rooms, message: str) -> list[tuple[str, str, object]]:
    return [
        (entry.event, entry.actor, entry.detail["reason"])
        for entry in await rooms.journal.by_message(message)
        if entry.event.startswith("content.")
    ]


async def test_a_long_text_is_cut(rooms: Rooms, ask: Ask) -> None:
    """A page is for a person."""
    body = b"Subject: long\r\n\r\n" + b"0123456789abcde\n" * (64 << 10)
    case, _ = await held(rooms, body=body)
    (text,) = (await ask("quarantine.preview", case=case, reason=WHY))["texts"]
    assert (256 << 10, True) == (len(text["text"]), text["cut"])


async def test_many_parts_are_counted(rooms: Rooms, ask: Ask) -> None:
    """A message of a thousand parts costs a bounded look."""
    part = b"--a\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    body = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + part * 300 + b"--a--\r\n"
    case, _ = await held(rooms, body=body)
    shown = await ask("quarantine.preview", case=case, reason=WHY)
    assert (200, 101, 10) == (len(shown["parts"]), shown["more"], len(shown["texts"]))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"\x00" * 5000,
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n" * 3000,
        b"Subject: =?utf-8?q?=00=1b[2J?=\r\nContent-Type: text/html; charset=utf-7\r\n\r\n<p",
        b"A: b\r\n" * 5000 + b"\r\nx",
        b'Content-Type: text/plain; charset="unicode_escape"\r\n\r\n\\x41',
        b"Content-Type: message/rfc822\r\n\r\n" * 500 + b"x",
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n====!",
        bytes(range(256)) * 20,
    ],
)
async def test_any_message_can_be_looked_into(rooms: Rooms, ask: Ask, body: bytes) -> None:
    """What makes a reviewer's tool stumble is what attackers send."""
    case, _ = await held(rooms, body=body)
    shown = await ask("quarantine.preview", case=case, reason=WHY)
    assert shown["parts"]
    json.dumps(shown)


async def test_what_is_gone_cannot_be_shown(rooms: Rooms, ask: Ask) -> None:
    """A sender took it back: nobody looks at it any more."""
    case, copy = await held(rooms)
    await ask("spool.cancel", what=copy.message.id)
    with pytest.raises(OperationError, match="is gone"):
        await ask("quarantine.preview", case=case, reason=WHY)


async def test_damaged_content_is_said_to_be(rooms: Rooms, ask: Ask) -> None:
    """In words, not as a crash."""
    case, _ = await held(rooms)
    await rooms.database.commit([Statement("UPDATE body SET sealed = zeroblob(length(sealed))")])
    with pytest.raises(OperationError, match="or is damaged"):
        await ask("quarantine.preview", case=case, reason=WHY)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Person]]:
    folder = tmp_path_factory.mktemp("gpg")
    made = {name: Person.make(folder / name) for name in ("dpo", "juge")}
    with ended(made):
        yield made


@pytest.fixture
def keyed(rooms: Rooms, people: dict[str, Person], tmp_path: Path) -> Rooms:
    """Rooms whose settings name two keys."""
    paths = []
    for name, person in people.items():
        (tmp_path / f"{name}.asc").write_bytes(person.public)
        paths.append(tmp_path / f"{name}.asc")
    return strict(rooms, escrow_keys=tuple(paths))


def strict(rooms: Rooms, **how: Any) -> Rooms:
    quarantine = rooms.settings.quarantine.model_copy(update=how)
    return replace(rooms, settings=rooms.settings.model_copy(update={"quarantine": quarantine}))


async def second(rooms: Rooms, verb: str, actor: str = "operator:bruno", **arguments: Any) -> Any:
    return msgspec.to_builtins(await perform(rooms, actor, verb, arguments))


async def test_an_exported_case_is_read_by_the_named_key_alone(
    keyed: Rooms, people: dict[str, Person], clock: Clock
) -> None:
    """With plain GnuPG and tar: the message octet by octet, the case, and its story."""
    case, copy = await held(
        keyed, to=["123456789012345@patient.chu.example"], found=FOUND, body=BODY
    )
    await second(keyed, "quarantine.note", case=case, text="Appelé.")
    await second(keyed, "quarantine.refuse", case=case, note="faux")
    done = await second(keyed, "quarantine.escrow", case=case, reason=WHY, keys=["dpo"])

    assert ("done", f"case-{case}.tar.gpg", ["dpo"]) == (
        done["status"],
        done["name"],
        [key["name"] for key in done["keys"]],
    )
    path, sealed = written(done)
    assert done["octets"] == len(sealed)
    for canary in (b"DUPONT", b"bilan", b"bio@labo"):
        assert canary not in sealed
    assert b"" == people["juge"].reads(path).stdout
    with tarfile.open(fileobj=io.BytesIO(people["dpo"].reads(path).stdout)) as archive:
        files = {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]
    assert BODY == files["message.eml"]
    about = json.loads(files["case.json"])
    assert ("refused", "faux", "Appelé.") == (
        about["case"]["state"],
        about["case"]["copies"][0]["note"],
        about["case"]["notes"][0]["note"],
    )
    assert "123456789012345@patient.chu.example" == about["case"]["recipient"]
    assert "case.refused" in [row["event"] for row in about["journal"]]
    assert [("content.exported", "operator:bruno", WHY)] == await looks(keyed, copy.message.id)

    assert 0 == await escrow.sweep(keyed)
    clock.now = clock().replace(year=clock().year + 50)  # files have the machine's time
    assert 1 == await escrow.sweep(keyed)
    with pytest.raises(FileNotFoundError):
        written(done)


def written(done: dict[str, Any]) -> tuple[Path, bytes]:
    path = Path(done["path"])
    return path, path.read_bytes()


async def test_where_two_release_two_export(keyed: Rooms) -> None:
    """The same case, for the same keys."""
    keyed = strict(keyed, second_operator=("sender-suspended",))
    case, _ = await held(keyed)
    for keys in (["dpo"], None):
        said = await second(keyed, "quarantine.escrow", case=case, reason=WHY, keys=keys)
        assert "waiting" == said["status"]
    words = {"case": case, "reason": WHY, "actor": "operator:anne"}
    assert "done" == (await second(keyed, "quarantine.escrow", **words, keys=["dpo"]))["status"]


async def test_the_key_ring_leaves_for_a_reason(keyed: Rooms, people: dict[str, Person]) -> None:
    """For whom it was meant, and written down before it does."""
    with pytest.raises(OperationError, match="say why"):
        await second(keyed, "keys.escrow", reason=" ")
    done = await second(keyed, "keys.escrow", reason="copie au coffre", keys=["juge"])
    path, sealed = written(done)
    assert b"sceau-keys" not in sealed
    assert b'"sceau-keys-1"' in people["juge"].reads(path).stdout
    assert b"" == people["dpo"].reads(path).stdout
    (entry,) = [one for one in await keyed.journal.page(0) if one.event == "keys.exported"]
    assert ("copie au coffre", ["juge"]) == (entry.detail["reason"], entry.detail["keys"])


async def test_nobody_is_named_by_chance(rooms: Rooms, keyed: Rooms, tmp_path: Path) -> None:
    """An unknown name, no name at all, a key that cannot be read: nothing is written."""
    case, _ = await held(rooms)
    with pytest.raises(OperationError, match="nobody is named"):
        await second(rooms, "quarantine.escrow", case=case, reason=WHY)
    with pytest.raises(OperationError, match="no key is called curieux"):
        await second(keyed, "quarantine.escrow", case=case, reason=WHY, keys=["curieux"])
    (tmp_path / "dpo.asc").write_text("bruit")
    with pytest.raises(OperationError, match="dpo is not exactly one"):
        await second(keyed, "quarantine.escrow", case=case, reason=WHY)
    (tmp_path / "dpo.asc").unlink()
    with pytest.raises(OperationError, match="cannot be read"):
        await second(keyed, "quarantine.escrow", case=case, reason=WHY)
    assert [] == list(rooms.settings.paths.data.glob("exports/*"))
