"""``sceau send``: a laboratory's results by HTTPS, from a terminal or a script."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates

from gateway.cli import main
from tests.gateway.documents.made import PDF
from tests.gateway.documents.test_order import ABOUT
from tests.gateway.documents.test_oru_reader import made as oru
from tests.gateway.running.results import DR, LABO, MAIL, OTHER, Space, space
from tests.world.world import letter


class Terminal:
    """Files, a token, and the command."""

    def __init__(self, labo: Space, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        (self.folder / "ca.pem").write_bytes(labo.anchors)
        (self.folder / "token").write_text(labo.token + "\n")
        self.url = f"https://127.0.0.1:{labo.chu.ports['web']}"

    def put(self, name: str, content: bytes, **order: Any) -> Path:
        """Write a file, and what is said of it."""
        if order:
            (self.folder / f"{name}.json").write_text(json.dumps(order))
        (self.folder / name).write_bytes(content)
        return self.folder / name

    async def types(self, *words: object, token: str = "token") -> Result:
        """Run the command, while the gateway runs in this loop."""
        common = ["--url", self.url, "--anchors", self.folder / "ca.pem"]
        common += ["--token-file", self.folder / token]
        everything = ["send", *map(str, (*words, *common))]
        return await asyncio.to_thread(CliRunner().invoke, main, everything)


@pytest.fixture(autouse=True)
def _any_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's certificate is of mx.chu.example, which no resolver knows."""
    kept = httpx.Client.__init__

    def client(self: httpx.Client, **options: Any) -> None:
        options["verify"].check_hostname = False
        kept(self, **options)

    monkeypatch.setattr(httpx.Client, "__init__", client)


async def test_results_are_sent_and_waited_for(tmp_path: Path) -> None:
    """A mail as it is, a PDF with what lies beside it; sent again they are the same messages."""
    async with space(tmp_path) as labo:
        terminal = Terminal(labo, tmp_path)
        mail = terminal.put("a.eml", MAIL)
        pdf = terminal.put("b.pdf", PDF, to=[DR], key="2026-1", document=ABOUT)
        first = await terminal.types(mail, pdf, "--wait", 10, "--json")
        again = await terminal.types(mail, pdf)
        inbox = await labo.chu.inbox(DR)
    assert (0, 0) == (first.exit_code, again.exit_code), first.output + again.output
    rows = json.loads(first.stdout)
    assert [["delivered"]] * 2 == [[one["state"] for one in row["recipients"]] for row in rows]
    assert 2 == again.stdout.count("taken before, reference")
    assert 2 == len(inbox)


async def test_who_asks_in_hl7_is_answered_in_hl7(tmp_path: Path) -> None:
    """With --json, whether it was sent or not."""
    asks = (0, "|7|P|2.5", "|7|P|2.5|||AL|AL")
    async with space(tmp_path) as labo:
        terminal = Terminal(labo, tmp_path)
        good = terminal.put("a.hl7", oru(asks), to=[DR])
        bad = terminal.put("b.hl7", oru(asks, (3, "ED", "NM")), to=[DR])
        done = await terminal.types(good, bad, "--wait", 10, "--json")
    codes = [row["ack"].partition("MSA|")[2][:2] for row in json.loads(done.stdout)]
    assert ["AA", "CR"] == codes


async def test_to_and_order_are_named(tmp_path: Path) -> None:
    """``--to`` goes before what the mail and its order say."""
    async with space(tmp_path) as labo:
        terminal = Terminal(labo, tmp_path)
        mail = terminal.put("a.eml", MAIL)
        pdf = terminal.put("b.pdf", PDF)
        order = terminal.put("order.json", json.dumps({"to": [DR], "document": ABOUT}).encode())
        one = await terminal.types(mail, "--to", OTHER, "--key", "x", "--wait", 10)
        two = await terminal.types(pdf, "--to", OTHER, "--order", order, "--wait", 10)
        arrived = [len(await labo.chu.inbox(each)) for each in (DR, OTHER)]
    assert (0, 0) == (one.exit_code, two.exit_code), one.output + two.output
    assert [0, 2] == arrived


async def test_what_is_not_sent_is_told_in_words(tmp_path: Path) -> None:
    """Exit code 1, and each recipient's reason; the others are sent all the same."""
    async with space(tmp_path) as labo:
        terminal = Terminal(labo, tmp_path)
        stranger = terminal.put("a.eml", letter(LABO, ["x@inconnu.example"]))
        mixed = await terminal.types(stranger, terminal.put("b.eml", MAIL))
        terminal.put("wrong", b"sceau_x")
        nobody = await terminal.types(stranger, token="wrong")
        strange = await terminal.types(terminal.put("c.doc", b"x"))
        terminal.url = "https://127.0.0.1:1"
        away = await terminal.types(stranger)
    assert 1 == mixed.exit_code
    assert "x@inconnu.example: refused (550 5.7.1" in mixed.stdout
    assert "b.eml: taken, reference" in mixed.stdout
    assert "1 of 2 did not reach everybody" in mixed.stderr
    assert "not accepted" in nobody.stderr
    assert "it is one of .eml" in strange.stderr
    assert "is not reached" in away.stderr
    assert {1} == {each.exit_code for each in (nobody, strange, away)}


async def test_the_authority_is_who_signed(tmp_path: Path) -> None:
    """An anchor is an anchor, even if it is not self-signed; what is none is said."""
    async with space(tmp_path) as labo:
        terminal = Terminal(labo, tmp_path)
        mail = terminal.put("a.eml", MAIL)
        _, issuing = load_pem_x509_certificates((labo.chu.site.folder / "gateway.crt").read_bytes())
        terminal.put("ca.pem", issuing.public_bytes(Encoding.PEM))
        done = await terminal.types(mail)
        nones = []
        for content in (MAIL, b""):
            terminal.put("ca.pem", content)
            nones.append(await terminal.types(mail))
    assert 0 == done.exit_code, done.output
    for none in nones:
        assert 1 == none.exit_code
        assert "the anchors cannot be read" in none.stderr


async def test_what_cannot_be_taken_now_is_offered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk for a moment, a broken connection: the file is sent, once."""
    waited: list[float] = []
    monkeypatch.setattr("gateway.cli.send.time.sleep", waited.append)
    posted = httpx.Client.post
    answers = [httpx.Response(503, headers={"Retry-After": "7"}, json={}), None]

    def flaky(self: httpx.Client, *args: Any, **more: Any) -> httpx.Response:
        if not answers:
            return posted(self, *args, **more)
        answer = answers.pop(0)
        if answer is None:
            raise httpx.ReadError("gone")
        return answer

    monkeypatch.setattr(httpx.Client, "post", flaky)
    async with space(tmp_path) as labo:
        terminal = Terminal(labo, tmp_path)
        done = await terminal.types(terminal.put("a.eml", MAIL))
    assert 0 == done.exit_code, done.output
    assert [7.0] == waited


def test_wrong_usage(tmp_path: Path) -> None:
    """A key is one result's; a token never goes out in the clear."""
    for name in ("a.eml", "b.eml", "ca.pem"):
        (tmp_path / name).write_bytes(MAIL)
    files = [str(tmp_path / name) for name in ("a.eml", "b.eml")]
    common = ["--anchors", str(tmp_path / "ca.pem")]
    two = CliRunner().invoke(
        main, ["send", *files, "--key", "x", "--url", "https://mx.example", *common]
    )
    clear = CliRunner().invoke(main, ["send", files[0], "--url", "http://mx.example", *common])
    assert (2, 2) == (two.exit_code, clear.exit_code)
