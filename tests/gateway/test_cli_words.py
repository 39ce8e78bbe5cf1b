"""What a person reads from each verb: tables, pairs and sentences."""

import asyncio
import io
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.app import opened
from gateway.cli import main
from gateway.demo.pki import Authority
from gateway.observe.logs import open_log
from gateway.relay.message import Copy
from tests.gateway.operations.conftest import held, spooled
from tests.vault.people import Person, ended
from tests.world.clock import START, Clock
from tests.world.lists import Lists
from tests.world.site import Site

_DR = "dr@labo.example"


class Operator:
    """Someone at a terminal, at a site without a running gateway."""

    def __init__(self, folder: Path) -> None:
        authority = Authority.make(START)
        self.lists = Lists.make(authority)
        self.site = Site.make(folder / "labo", "labo.example", authority, self.lists)
        self.lists.add("labo.example", self.site.issued)
        self.lists.add("chu.example", authority.issue("mx.chu"), [("mx.chu.example", 25)])
        self.folder = folder

    def types(self, *words: object) -> str:
        """Return what a command prints; it must succeed."""
        done = CliRunner().invoke(main, [*map(str, words), "-c", str(self.site.config)])
        assert 0 == done.exit_code, done.output
        return done.stdout

    def imports(self) -> None:
        content, signature = self.lists.published(START)
        (self.folder / "list.json").write_bytes(content)
        (self.folder / "list.json.a.p7s").write_bytes(signature)
        self.types("trust", "import", self.folder / "list.json", self.folder / "list.json.a.p7s")


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


@pytest.fixture
def case(operator: Operator) -> tuple[str, Copy]:
    async def fill() -> tuple[str, Copy]:
        async with opened(operator.site.settings, open_log(io.StringIO()), Clock()) as rooms:
            await spooled(rooms)
            return await held(rooms)

    operator.types("mailbox", "add", "bio@labo.example")
    return asyncio.run(fill())


def test_mailboxes(operator: Operator) -> None:
    """From made to closed."""
    crt, _ = Authority.make(START).issue("robot", email=_DR).write(operator.folder, "robot")

    assert f"address    {_DR}" in operator.types("mailbox", "add", _DR, "--kind", "app")
    assert "INBOX is empty." in operator.types("mailbox", "show", _DR)
    shown = operator.types("mailbox", "password", _DR)
    assert ["Log-in", _DR, "Password"] == shown.split()[:3]
    assert "fingerprint" in operator.types("mailbox", "certificate", _DR, crt)
    assert "password" in operator.types("mailbox", "credentials", _DR)
    (first, *_) = json.loads(operator.types("mailbox", "credentials", _DR, "--json"))
    ended = operator.types("mailbox", "revoke", _DR, first["credential"])
    assert f"{first['credential']} opens {_DR} no more." in ended
    assert f"{_DR} is suspended." in operator.types("mailbox", "suspend", _DR)
    assert f"{_DR} is active." in operator.types("mailbox", "resume", _DR)
    assert f"{_DR} is closed." in operator.types("mailbox", "close", _DR)


def test_the_spool(operator: Operator, case: tuple[str, Copy]) -> None:
    """What waits, one message in full, and its end."""
    copy = case[1]

    assert "dr@chu.example" in operator.types("spool", "list")
    shown = operator.types("spool", "show", copy.message.reference)
    assert f"reference   {copy.message.reference}" in shown
    assert "1 delivery will be tried now." in operator.types(
        "spool", "retry", "--domain", "chu.example"
    )
    assert "Cancelled: 1 delivery." in operator.types("spool", "cancel", copy.message.id)
    story = operator.types("trace", copy.message.reference)
    assert "delivery.cancelled" in story
    assert f"{copy.message.reference}; bio@labo.example → dr@chu.example" in story
    assert "failed" in operator.types("receipts", "tail")
    resent = operator.types("receipts", "resend", "--mailbox", "bio@labo.example")
    assert "0 receipts will be pushed again." in resent


@pytest.mark.parametrize(("verb", "state"), [("release", "released"), ("refuse", "refused")])
def test_the_quarantine(operator: Operator, case: tuple[str, Copy], verb: str, state: str) -> None:
    """Seen, then decided."""
    number = case[0]

    assert "sender-suspended" in operator.types("quarantine", "list")
    assert f"id             {number}\n" in operator.types("quarantine", "show", number)
    noted = operator.types("quarantine", "note", number, "Le labo rappelle.")
    assert f"Case {number} has 1 note." in noted
    assert "Le labo rappelle. (operator:" in operator.types("quarantine", "show", number)
    kept = operator.types("quarantine", "preserve", number, "--note", "réquisition")
    assert f"Case {number} is under a legal hold." in kept
    assert "Under a legal hold: réquisition" in operator.types("quarantine", "show", number)
    lifted = operator.types("quarantine", "preserve", number, "--note", "close", "--lift")
    assert f"Case {number} is under no legal hold." in lifted
    said = operator.types("quarantine", verb, number, "--note", "vu", "--tell", "Merci.")
    assert f"Case {number} is {state}." in said
    assert number in operator.types("quarantine", "list", "--all")
    assert "Nothing waits." in operator.types("quarantine", "list")


def test_a_look_into_a_case(operator: Operator, case: tuple[str, Copy]) -> None:
    """The text, and what the message is made of; nothing in it speaks to the terminal."""
    seen = operator.types("quarantine", "preview", case[0], "--reason", "le labo demande")
    assert "Subject: Bilan" in seen
    assert "[1 text/plain]\nok\n" in seen
    assert "content.viewed" in operator.types("trace", case[1].message.reference)


def test_a_page_of_cases(operator: Operator, case: tuple[str, Copy]) -> None:
    """The next one is named, not shown."""
    number = case[0]
    rows = json.loads(operator.types("quarantine", "list", "--limit", 1, "--json"))
    assert [number] == [row["id"] for row in rows]
    assert "None." in operator.types("quarantine", "list", "--state", "released")
    assert "Nothing waits." in operator.types("quarantine", "list", "--reason", "malware")


def test_an_export(operator: Operator, case: tuple[str, Copy]) -> None:
    """Written where it was asked, readable by the named key alone; never over another file."""
    dpo = Person.make(operator.folder / "dpo")
    with ended({"dpo": dpo}):
        (operator.folder / "dpo.asc").write_bytes(dpo.public)
        keys = f'[quarantine]\nescrow_keys = ["{operator.folder / "dpo.asc"}"]\n'
        operator.site.configure(keys)
        out = operator.folder / "case.gpg"
        words = ["quarantine", "escrow", case[0], "--reason", "réquisition", "--key", "dpo"]
        said = operator.types(*words, "-o", out)
        assert "can be read by dpo <dpo@essai.example>." in said
        assert b"Subject: Bilan" in dpo.reads(out).stdout
        again = CliRunner().invoke(main, [*words, "-o", str(out), "-c", str(operator.site.config)])
        ring = operator.folder / "ring.gpg"
        said = operator.types("keys", "escrow", "--reason", "copie au coffre", "-o", ring)
        assert "can be read by dpo <dpo@essai.example>." in said
        assert operator.site.settings.paths.keys.read_bytes() == dpo.reads(ring).stdout
    assert 1 == again.exit_code
    assert "was not written" in again.stderr


def test_keys_and_journal(operator: Operator) -> None:
    """The keys by number, the journal by its count."""
    assert "Key 2 is in use." in operator.types("keys", "rotate")
    assert "Public key of the journal's head: " in operator.types("keys", "list")
    assert "rows" in operator.types("journal", "verify")


def test_the_list(operator: Operator) -> None:
    """Who is on it, and a decision step by step; on the clock of today this list is stale."""
    operator.imports()

    assert "mx.chu.example:25" in operator.types("trust", "show")
    steps = operator.types("trust", "explain", "x@out.example", "--from", _DR)
    assert steps.startswith("1. ")
    assert "list-stale" in steps


def test_a_new_ring_comes_with_advice(operator: Operator) -> None:
    """Losing it loses everything."""
    (operator.site.folder / "keys" / "ring.json").unlink()

    assert "Keep a copy in a safe place" in operator.types("keys", "create")


def test_a_passphrase_locks_the_ring(operator: Operator) -> None:
    """Without it the rooms stay shut."""
    site = operator.site
    (site.folder / "keys" / "ring.json").unlink()
    (site.folder / "passphrase").touch(mode=0o600)
    (site.folder / "passphrase").write_text("agrafe cheval\n")
    plain = site.config.read_text()
    site.config.write_text(plain.replace("[tls]", 'passphrase_file = "passphrase"\n[tls]'))
    operator.types("keys", "create")

    assert "There are no mailboxes." in operator.types("mailbox", "list")
    site.config.write_text(plain)
    done = CliRunner().invoke(main, ["mailbox", "list", "-c", str(site.config)])
    assert (1, True) == (done.exit_code, "give its passphrase" in done.stderr)


@pytest.mark.parametrize("wrong", ["list", "key", "pair"])
def test_what_cannot_be_signed_is_said_so(tmp_path: Path, wrong: str) -> None:
    """A signature is never put under what is no list."""
    authority = Authority.make(START)
    lists = Lists.make(authority)
    lists.add("labo.example", authority.issue("a"))
    crt, key = lists.signer.write(tmp_path, "signer")
    (tmp_path / "list.json").write_bytes(b"{}" if wrong == "list" else lists.published()[0])
    if wrong == "key":
        key.write_text("no key")
    if wrong == "pair":
        _, key = authority.issue("b").write(tmp_path, "other")
    words = ["trust", "sign", tmp_path / "list.json", "--certificate", crt, "--key", key]
    done = CliRunner().invoke(main, [str(word) for word in words])

    expected = {"list": "was not signed", "key": "cannot be read", "pair": "is not the key of"}
    assert 1 == done.exit_code
    assert expected[wrong] in done.stderr


def test_the_demonstration_is_told_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its options reach it, and its exit code is the command's."""
    asked: list[object] = []

    class Story:
        @staticmethod
        def run(**options: object) -> int:
            asked.append(options)
            return 1

    monkeypatch.setitem(sys.modules, "gateway.demo.story", Story)
    monkeypatch.setattr("gateway.demo.story", Story, raising=False)
    done = CliRunner().invoke(main, ["demo", "--once", "--json", "--port-base", "4000"])

    assert 1 == done.exit_code
    assert [
        {"once": True, "as_json": True, "folder": None, "port_base": 4000, "day": False}
    ] == asked


def test_a_long_answer_is_one_line_of_json(operator: Operator) -> None:
    """Programs read line by line."""
    operator.types("mailbox", "add", _DR, "--name", "Deux\nlignes")
    lines = operator.types("mailbox", "list", "--json").splitlines()

    assert 1 == len(lines)
    assert "Deux\nlignes" == json.loads(lines[0])[0]["name"]
    assert "Deux?lignes" in operator.types("mailbox", "list")
