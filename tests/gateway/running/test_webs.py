"""The web of a running gateway: looked up by people and software, published for other gateways."""

import asyncio
import hashlib
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml

from gateway.app import clock
from gateway.demo.pki import Authority, Issued
from gateway.operations.addresses import WORDS
from gateway.operations.error import OperationError
from smtp.address import parse
from tests.world.lists import Lists
from tests.world.running import DOORS, Running, running
from tests.world.site import Site
from trust.addresses import Kind, Listed
from trust.directory.entry import Entry
from trust.directory.reading import Directory
from trust.revocation import Source, Standing, Standings, State

_DR = "dr@chu.example"
_WEB = "".join(f"\n[listen.{name}]\nport = 0\n" for name in ("web", "web_certificate"))
_DOCUMENT = yaml.safe_load((Path(__file__).parents[3] / "docs/openapi.yaml").read_text("utf-8"))
_PEOPLE = Directory.of(
    [
        Entry(parse("claire.martin@labo.example"), Kind.PER, name="Claire Martin"),
        Entry(parse("cache@labo.example"), Kind.PER, name="Claire Cachée", hidden=True),
        *(
            Entry(parse(f"infirmier.{n:02}@labo.example"), Kind.PER, name="<b>Un Infirmier</b>")
            for n in range(30)
        ),
    ]
)


class World:
    """One gateway with a web, and a client of it."""

    def __init__(self, chu: Running, authority: Authority, lists: Lists) -> None:
        self.chu, self.authority, self.lists = chu, authority, lists

    def client(self, listener: str = "web", issued: Issued | None = None) -> httpx.AsyncClient:
        context = ssl.create_default_context(cadata=self.authority.anchors_pem.decode())
        context.check_hostname = False
        if issued is not None:
            context.load_cert_chain(*issued.write(self.chu.site.folder, "client"))
        port = self.chu.ports[listener]
        return httpx.AsyncClient(base_url=f"https://127.0.0.1:{port}", verify=context)

    async def ask(self, path: str, listener: str = "web", **more: Any) -> httpx.Response:
        async with self.client(listener) as client:
            return await client.get(path, **more)

    async def token(self) -> dict[str, str]:
        made = await self.chu.ask("token.add", address=_DR, scopes=["addresses"])
        return {"Authorization": f"Bearer {made['token']}"}


@asynccontextmanager
async def _world(folder: Path, sections: str = "") -> AsyncIterator[World]:
    authority = Authority.make(clock().replace(microsecond=0))
    lists = Lists.make(authority)
    site = Site.make(folder / "chu", "chu.example", authority, lists, DOORS + _WEB + sections)
    lists.add("chu.example", site.issued)
    lists.add("labo.example", authority.issue("mx.labo.example"))
    lists.addresses.append(Listed(parse("labo@labo.example"), Kind.APP))
    async with running(site) as chu:
        await chu.rooms.keeper.offer("list", lists.offer(clock().replace(microsecond=0)))
        chu.rooms.keeper.beside([_PEOPLE])
        await chu.ask("mailbox.add", address=_DR)
        yield World(chu, authority, lists)


def _checked(answer: httpx.Response, path: str) -> Any:
    """Return what was answered, seen to be what the document says."""
    described = _DOCUMENT["paths"][path]["get"]["responses"][str(answer.status_code)]
    if "$ref" in described:
        described = _DOCUMENT["components"]["responses"][described["$ref"].rsplit("/", 1)[1]]
    content = described["content"][answer.headers["content-type"].partition(";")[0]]
    told = json.loads(answer.content)
    jsonschema.validate(told, {**content["schema"], "components": _DOCUMENT["components"]})
    return told


async def test_software_looks_up_with_a_token(tmp_path: Path) -> None:
    """By name and by address; the hidden are nowhere; every answer is as the document says."""
    async with _world(tmp_path) as world:
        token = await world.token()
        found = await world.ask("/v1/addresses?q=MARTIN", headers=token)
        both = await world.ask("/v1/addresses?q=claire", headers=token)
        exact = await world.ask("/v1/addresses?q=cache@labo.example", headers=token)
        outside = await world.ask("/v1/addresses?q=x@webmail.example", headers=token)
        nobody = await world.ask("/v1/addresses?q=nobody@chu.example", headers=token)
        answers = [found, both, exact, outside, nobody]
        told = [_checked(answer, "/v1/addresses") for answer in answers]
        await world.chu.rooms.notes.write()
        journal = await world.chu.ask("trace", what=_DR)
        log = world.chu.log.getvalue()

    assert ["claire.martin@labo.example"] == [each["address"] for each in told[0]["results"]]
    assert 1 == told[1]["found"]
    assert ("trusted", "domain-trusted", None) == _said(told[2])
    assert ("not-trusted", "recipient-not-listed", None) == _said(told[3])
    assert ("not-trusted", "no-such-mailbox", None) == _said(told[4])
    assert "no-store" == found.headers["cache-control"]
    assert "address.searched" in {line["event"] for line in journal}
    assert "martin" not in log.lower()


def _said(told: Any) -> tuple[str, str, Any]:
    answer = told["answer"]
    assert all(answer["words"].values())
    return answer["state"], answer["reason"], answer["entry"]


async def test_a_directory_is_not_carried_away(tmp_path: Path) -> None:
    """A page at a time, so many pages, so many questions a minute."""
    limits = "\n[lookup]\nper_minute = 6\npage = 10\nmost = 20\n"
    async with _world(tmp_path, limits) as world:
        token = await world.token()
        pages = [
            await world.ask(f"/v1/addresses?q=infirmier&page={number}", headers=token)
            for number in ("1", "2", "3", "0", "x", "1", "1")
        ]
        too_little = await world.ask("/v1/addresses?q=a", headers=token)
    told = [_checked(answer, "/v1/addresses") for answer in pages]

    assert [(10, True), (10, False)] == [(len(each["results"]), each["more"]) for each in told[:2]]
    assert 20 == told[0]["found"]
    assert ["no-page"] * 3 == [each["reason"] for each in told[2:5]]
    assert (200, 429) == (pages[5].status_code, pages[6].status_code)
    assert 1 <= int(pages[6].headers["retry-after"]) <= 10
    assert 429 == too_little.status_code


async def test_who_does_not_log_in_learns_nothing(tmp_path: Path) -> None:
    """No proof, a wrong one, one for something else; too many, and the right one waits too."""
    async with _world(tmp_path) as world:
        password = (await world.chu.ask("mailbox.password", address=_DR))["password"]
        path = "/v1/addresses?q=martin"
        nothing = await world.ask(path)
        odd = [
            await world.ask(path, headers={"Authorization": said})
            for said in ("Basic ?", "Basic", "Bearer canari", "Bearer " + "x" * 2000, "Digest x")
        ]
        right = await world.ask(path, auth=(_DR, password))
        for _ in range(5):
            await world.ask(path, auth=(_DR, "wrong"))
        waiting = await world.ask(path, auth=(_DR, password))

    for answer in (nothing, *odd):
        assert 401 == answer.status_code
        assert "Basic" in answer.headers["www-authenticate"]
        _checked(answer, "/v1/addresses")
    assert 200 == right.status_code
    assert "throttled" == _checked(waiting, "/v1/addresses")["reason"]


async def test_a_revoked_token_is_at_once_none(tmp_path: Path) -> None:
    """And a suspended mailbox's is none either."""
    async with _world(tmp_path) as world:
        token, other = await world.token(), await world.token()
        rows = await world.chu.ask("token.list")
        await world.chu.ask("token.revoke", address=_DR, credential=rows[0]["credential"])
        path = "/v1/addresses?q=martin"
        codes = {(await world.ask(path, headers=each)).status_code for each in (token, other)}
        await world.chu.ask("mailbox.suspend", address=_DR)
        suspended = [(await world.ask(path, headers=each)).status_code for each in (token, other)]

    assert {200, 401} == codes
    assert [401, 401] == suspended
    assert ["addresses"] == rows[0]["scopes"]


@pytest.mark.parametrize(
    "wrong", [{"scopes": []}, {"scopes": ["all"]}, {"days": 0}, {"days": 9999}]
)
async def test_a_token_is_for_something_and_for_a_time(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    """None is for ever, none is for everything."""
    async with _world(tmp_path) as world:
        with pytest.raises(OperationError):
            await world.chu.ask("token.add", **({"address": _DR, "scopes": ["addresses"]} | wrong))


async def test_software_logs_in_with_its_certificate(tmp_path: Path) -> None:
    """On a listener of its own: the other asks no browser for one."""
    async with _world(tmp_path) as world:
        program, stranger = world.authority.issue("logiciel"), world.authority.issue("autre")
        await world.chu.ask("mailbox.certificate", address=_DR, certificate=program.chain_pem)
        answers = []
        for issued in (program, stranger):
            async with world.client("web_certificate", issued) as client:
                answers.append(await client.get("/v1/addresses?q=martin"))
        with pytest.raises(httpx.TransportError):
            await world.ask("/v1/addresses?q=martin", "web_certificate")

    assert [200, 401] == [answer.status_code for answer in answers]


async def test_a_revoked_certificate_opens_nothing(tmp_path: Path) -> None:
    """What its authority has revoked is refused at once, and told of."""
    async with _world(tmp_path) as world:
        program = world.authority.issue("logiciel")
        await world.chu.ask("mailbox.certificate", address=_DR, certificate=program.chain_pem)
        known = hashlib.sha256(program.der).hexdigest()
        revoked = Standing(State.REVOKED, clock(), source=Source.CRL)
        keeper = world.chu.rooms.keeper
        keeper.overlaid(replace(keeper.overlay, certificates=Standings({known: revoked})))
        async with world.client("web_certificate", program) as client:
            answer = await client.get("/v1/addresses?q=martin")
        page = world.chu.rooms.metrics.page().decode()

    assert 401 == answer.status_code
    assert 'sceau_events_total{event="login.failed"} 1.0' in page


async def test_open_connections_are_counted(tmp_path: Path) -> None:
    """Beside those of the mail listeners."""
    async with _world(tmp_path) as world:
        _, writer = await asyncio.open_connection("127.0.0.1", world.chu.ports["status"])
        async with world.client() as client:
            await client.get("/v1/openapi.json")
            page = world.chu.rooms.metrics.page().decode()
        writer.close()

    assert 'sceau_sessions_open{listener="web"} 1.0' in page
    assert 'sceau_sessions_open{listener="status"} 1.0' in page


async def test_a_person_looks_up_without_a_script(tmp_path: Path) -> None:
    """French or English, nothing of a directory is markup, and no other page may frame it."""
    async with _world(tmp_path) as world:
        auth = (_DR, (await world.chu.ask("mailbox.password", address=_DR))["password"])
        empty = await world.ask("/addresses", auth=auth)
        french = await world.ask("/addresses?q=infirmier", auth=auth)
        english = await world.ask(
            "/addresses?q=nobody@webmail.example", auth=auth, headers={"Accept-Language": "de, en"}
        )
        hostile = await world.ask('/addresses?lang=en&q="><script>x</script>', auth=auth)
        style = await world.ask("/web.css")

    assert "Chercher une adresse" in empty.text
    assert "&lt;b&gt;Un Infirmier" in french.text
    assert "page=2" in french.text
    assert WORDS["recipient-not-listed"][1] in english.text
    assert 'lang="en"' in english.text
    assert "/addresses?q=" in hostile.text
    assert "lang=fr" in hostile.text.partition("/addresses?q=")[2].partition('"')[0]
    for answer in (empty, french, english, hostile):
        assert 200 == answer.status_code
        assert "<script" not in answer.text
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "text/css" in style.headers["content-type"]


async def test_the_document_names_every_route(tmp_path: Path) -> None:
    """What is offered is described, and what is described is offered."""
    async with _world(tmp_path, f'\n[publish]\nfolder = "{tmp_path}/published"\n') as world:
        served = await world.ask("/v1/openapi.json")
        routes = {
            getattr(route, "path", "").replace(":path", "")
            for route in world.chu.gateway._webs._routes()
        }
    # Pages behind a session are for people, and no software's business.
    routes = {path for path in routes if not path.startswith(("/account", "/read"))}

    assert _DOCUMENT == json.loads(served.content)
    assert _DOCUMENT["paths"].keys() == routes


def test_every_reason_has_its_words() -> None:
    """In both languages, and no two reasons the same."""
    said = [words for pair in WORDS.values() for words in pair]
    assert all(said)
    assert len(said) == len(set(said))


async def test_without_a_list_nothing_is_known(tmp_path: Path) -> None:
    """An answer all the same: not now."""
    async with _world(tmp_path) as world:
        world.chu.rooms.keeper.current = None
        token = await world.token()
        words = await world.ask("/v1/addresses?q=martin", headers=token)
        exact = await world.ask("/v1/addresses?q=x@labo.example", headers=token)

    assert 0 == _checked(words, "/v1/addresses")["found"]
    assert ("unknown", "list-missing", None) == _said(_checked(exact, "/v1/addresses"))


async def test_a_renewed_certificate_is_taken_without_a_restart(tmp_path: Path) -> None:
    """As at the mail listeners: new connections see the new one."""
    async with _world(tmp_path) as world:
        ports = [world.chu.ports[name] for name in ("web", "web_certificate")]
        before = [await _shown(port) for port in ports]
        world.authority.issue("mx.chu.example").write(world.chu.site.folder, "gateway")
        await world.chu.gateway.reload()
        after = [await _shown(port) for port in ports]

    assert before[0] == before[1]
    assert after[0] == after[1]
    assert before != after


async def _shown(port: int) -> str:
    return await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))


async def test_a_port_that_is_taken_is_said_so(tmp_path: Path) -> None:
    """With the listener's name."""
    authority = Authority.make(clock())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        section = f"[listen.web]\nport = {taken.getsockname()[1]}\n"
        site = Site.make(tmp_path / "a", "a.example", authority, Lists.make(authority), section)
        with pytest.raises(BaseExceptionGroup) as caught:
            async with running(site):
                pass

    assert caught.group_contains(OperationError, match="listener web cannot bind")


async def test_an_operator_looks_up_the_same(tmp_path: Path) -> None:
    """One operation; what an operator asks wrongly is said in words."""
    async with _world(tmp_path) as world:
        ask = world.chu.ask
        found = await ask("address.search", q="claire", sender=_DR)
        ours = await ask("address.search", q=_DR)
        for wrong in ({"q": "a"}, {"q": "martin", "page": 99}, {"q": "martin", "sender": "x"}):
            with pytest.raises(OperationError):
                await ask("address.search", **wrong)

    assert ["Claire Martin"] == [each["name"] for each in found["results"]]
    assert ("trusted", "domain-trusted", None) == _said(ours)


async def test_who_is_hidden_here_is_hidden_whatever_a_directory_shows(tmp_path: Path) -> None:
    """Our own word on the *liste rouge* counts at once, and so does that a mailbox is closed."""
    async with _world(tmp_path) as world:
        ask = world.chu.ask
        people = [
            Entry(parse(each), Kind.PER, name="Zoé Durand") for each in (_DR, "z@chu.example")
        ]
        world.chu.rooms.keeper.beside([Directory.of(people)])
        before = await ask("address.search", q="durand")
        await ask("mailbox.describe", address=_DR, hidden=True)
        after = await ask("address.search", q="durand")
        exact = await ask("address.search", q=_DR)

    assert [_DR] == [each["address"] for each in before["results"]]
    assert (0, []) == (after["found"], after["results"])
    assert ("trusted", "domain-trusted", None) == _said(exact)


async def test_a_stranger_of_the_sender_is_told_so(tmp_path: Path) -> None:
    """Where the obstacle is the sender, the words are about the sender."""
    async with _world(tmp_path) as world:
        told = await world.chu.ask("address.search", q="x@labo.example", sender="y@webmail.example")

    assert ("not-trusted", "sender-not-listed", None) == _said(told)
    assert "Your own address" in told["answer"]["words"]["en"]
