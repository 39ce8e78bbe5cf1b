"""Results by HTTPS at a running gateway: handed in once, asked after, and told while it happens."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml

from gateway.app import clock
from gateway.demo.pki import Authority
from gateway.documents import cda, packing
from smtp.address import parse
from tests.gateway.documents.made import PDF
from tests.gateway.documents.test_order import ABOUT
from tests.world.lists import Lists
from tests.world.running import DOORS, Running, running, until
from tests.world.site import Site
from tests.world.world import letter
from trust.addresses import Kind
from trust.directory.entry import Entry
from trust.directory.reading import Directory

_LABO, _DR, _OTHER = "labo@chu.example", "dr@chu.example", "autre@chu.example"
_WEB = "\n[listen.web]\nport = 0\n"
_MAIL = letter(_LABO, [_DR])
_RAW = {"Content-Type": "message/rfc822"}
_DOCUMENT = yaml.safe_load((Path(__file__).parents[3] / "docs/openapi.yaml").read_text("utf-8"))
_RPPS = "rpps:10003456786"


class Space:
    """A gateway, a laboratory's token, and its client."""

    def __init__(self, chu: Running, client: httpx.AsyncClient) -> None:
        self.chu, self.client = chu, client

    async def post(self, content: Any = _MAIL, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.post("/v1/messages", content=content, headers=_RAW | named)
        return _checked(answer, "/v1/messages", "post")

    async def form(
        self, order: dict[str, Any] | None, document: bytes = PDF, kind: str = "application/pdf"
    ) -> httpx.Response:
        files: dict[str, Any] = {"document": ("x", document, kind)}
        if order is not None:
            files["order"] = (None, json.dumps(order), "application/json")
        answer = await self.client.post("/v1/messages", files=files)
        return _checked(answer, "/v1/messages", "post")

    async def standing(self, message: str) -> Any:
        answer = await self.client.get(f"/v1/messages/{message}")
        return _checked(answer, "/v1/messages/{id}", "get").json()

    async def arrived(self, message: str) -> Any:
        """Return how a message stands once nothing more becomes of it."""

        async def final() -> bool:
            return bool((await self.standing(message))["final"])

        await until(final, expected=True)
        return await self.standing(message)


def _checked(answer: httpx.Response, path: str, method: str) -> httpx.Response:
    """Return an answer, seen to be what the document says."""
    described = _DOCUMENT["paths"][path][method]["responses"][str(answer.status_code)]
    if "$ref" in described:
        described = _DOCUMENT["components"]["responses"][described["$ref"].rsplit("/", 1)[1]]
    content = described["content"][answer.headers["content-type"].partition(";")[0]]
    schema = {**content["schema"], "components": _DOCUMENT["components"]}
    jsonschema.validate(answer.json(), schema)
    return answer


@asynccontextmanager
async def space(folder: Path, sections: str = "") -> AsyncIterator[Space]:
    authority = Authority.make(clock().replace(microsecond=0))
    lists = Lists.make(authority)
    site = Site.make(folder / "chu", "chu.example", authority, lists, DOORS + _WEB + sections)
    lists.add("chu.example", site.issued)
    async with running(site) as chu:
        await chu.rooms.keeper.offer("list", lists.offer(clock().replace(microsecond=0)))
        people = [Entry(parse(_DR), Kind.PER, person=_RPPS, name="Claire Martin")]
        chu.rooms.keeper.beside([Directory.of(people)])
        for address in (_LABO, _DR, _OTHER):
            await chu.ask("mailbox.add", address=address)
        made = await chu.ask("token.add", address=_LABO, scopes=["submit"])
        context = ssl.create_default_context(cadata=authority.anchors_pem.decode())
        context.check_hostname = False
        chu.gateway._webs.results.events.every = 0.01
        async with httpx.AsyncClient(
            base_url=f"https://127.0.0.1:{chu.ports['web']}",
            verify=context,
            headers={"Authorization": f"Bearer {made['token']}"},
        ) as client:
            yield Space(chu, client)


async def test_a_mail_arrives_once(tmp_path: Path) -> None:
    """Ours when it is answered; offered again, by bytes or by key, it is the same message."""
    async with space(tmp_path) as labo:
        first = await labo.post(Idempotency_Key='"2026-1"')
        again = await labo.post(Idempotency_Key="2026-1")
        other = await labo.post(_MAIL + b"x\r\n", Idempotency_Key="2026-1")
        keyless = [await labo.post(), await labo.post(), await labo.post(_MAIL + b"x\r\n")]
        told = await labo.arrived(first.json()["message"])
        await labo.arrived(keyless[0].json()["message"])
        inbox = await labo.chu.inbox(_DR)

    assert [201, 200, 422] == [each.status_code for each in (first, again, other)]
    assert [201, 200, 422] == [each.status_code for each in keyless]
    assert f"/v1/messages/{told['message']}" == first.headers["location"]
    assert again.json()["message"] == told["message"]
    assert "other-bytes" == other.json()["reason"]
    assert [(_DR, "delivered")] == [(one["address"], one["state"]) for one in told["recipients"]]
    assert 2 == len(inbox)


async def test_a_document_is_packed_for_a_number(tmp_path: Path) -> None:
    """A PDF and its order become a document; a number stands for the mailbox that it has."""
    order = {"to": [_RPPS], "key": "2026-2", "document": ABOUT}
    async with space(tmp_path) as labo:
        taken = await labo.form(order)
        again = await labo.form(order)
        other = await labo.form(order, PDF + b"\n")
        nobody = await labo.form({**order, "key": "2026-3", "to": ["rpps:10001234565"]})
        alone = await labo.form(None)
        strange = await labo.form(order, kind="image/png")
        await labo.arrived(taken.json()["message"])
        (message,) = await labo.chu.inbox(_DR)
    (archive,) = packing.archives(base64.b64decode(message["content"]))
    assert PDF == cda.read(archive.documents[0].content).pdf
    assert [201, 200, 422] == [each.status_code for each in (taken, again, other)]
    assert (422, 422, 415) == (nobody.status_code, alone.status_code, strange.status_code)
    assert "no mailbox" in nobody.json()["words"]
    assert "companion" in alone.json()["words"]


async def test_who_is_refused_is_told_why(tmp_path: Path) -> None:
    """Nobody left: nothing is sent; somebody left: each other recipient has their reason."""
    strangers = letter(_LABO, ["x@inconnu.example"])
    mixed = letter(_LABO, ["x@inconnu.example", _DR])
    async with space(tmp_path) as labo:
        none = await labo.post(strangers)
        some = await labo.post(mixed)
        asked = await labo.client.post(
            "/v1/messages", params={"to": _OTHER}, content=mixed, headers=_RAW
        )
        await labo.arrived(asked.json()["message"])
        others = await labo.chu.inbox(_OTHER)
    assert (422, 201, 201) == (none.status_code, some.status_code, asked.status_code)
    assert ["x@inconnu.example"] == [one["address"] for one in none.json()["recipients"]]
    assert {_DR: True, "x@inconnu.example": False} == {
        one["address"]: one["taken"] for one in some.json()["recipients"]
    }
    assert 1 == len(others)


@pytest.mark.parametrize(
    ("content", "kind", "status", "reason"),
    [
        (b"no header at all", "message/rfc822", 422, "not-taken"),
        (b"From: a@b\r\nTo: " + _DR.encode() + b"\r\n\r\nx", "message/rfc822", 400, "key-needed"),
        (_MAIL, "text/plain", 415, "wrong-type"),
        (b"x", "multipart/form-data; boundary=b", 400, "bad-request"),
        (_MAIL + b"x" * 2000, "message/rfc822", 413, "too-big"),
    ],
)
async def test_what_cannot_be_a_result(
    tmp_path: Path, content: bytes, kind: str, status: int, reason: str
) -> None:
    """Each is told in words, and nothing is sent."""
    async with space(tmp_path, "\n[labs]\nlargest = 1500\n") as labo:
        answer = await labo.post(content, Content_Type=kind)
        assert 0 == len(await labo.chu.ask("spool.list", everything=True))
    assert (status, reason) == (answer.status_code, answer.json()["reason"])


async def test_a_token_for_something_else_sends_nothing(tmp_path: Path) -> None:
    """Nor does nobody; what others sent is not there."""
    async with space(tmp_path) as labo:
        taken = await labo.post()
        made = await labo.chu.ask("token.add", address=_LABO, scopes=["addresses"])
        wrong = await labo.post(Authorization=f"Bearer {made['token']}")
        nobody = await labo.post(Authorization="")
        made = await labo.chu.ask("token.add", address=_OTHER, scopes=["submit"])
        stranger = {"Authorization": f"Bearer {made['token']}"}
        where = taken.headers["location"]
        asked = [
            await labo.client.get(path, headers=stranger)
            for path in (where, f"{where}/events", "/v1/messages/nothing")
        ]
    assert (403, 401) == (wrong.status_code, nobody.status_code)
    assert [404, 404, 404] == [each.status_code for each in asked]


async def test_a_password_for_reading_sends_nothing(tmp_path: Path) -> None:
    """An application password's scopes hold here as they do at submission."""
    async with space(tmp_path) as labo:
        answers = []
        for scopes in (["addresses"], ["submit"]):
            owner = labo.chu.rooms.accounts.find(parse(_LABO))
            assert owner is not None
            made = await labo.chu.ask("mailbox.password", address=_LABO, scopes=scopes)
            answers.append(
                await labo.client.post(
                    "/v1/messages",
                    content=_MAIL,
                    headers=_RAW,
                    auth=(_LABO, made["password"]),
                )
            )
    assert [403, 201] == [each.status_code for each in answers]


async def test_events_are_told_from_the_last_one_seen(tmp_path: Path) -> None:
    """A message's story from its beginning, and only what follows for who saw some of it."""
    async with space(tmp_path) as labo:
        taken = (await labo.post()).json()
        await labo.arrived(taken["message"])
        where = f"/v1/messages/{taken['message']}/events"
        first = await _events(labo, where, 2)
        rest = await _events(labo, where, 1, {"Last-Event-ID": first[0]["id"]})
        everything = await _events(labo, "/v1/events", 2, {"Last-Event-ID": "0"})
    assert ["accepted", "delivered"] == [each["event"] for each in first]
    assert first[1:] == rest
    assert first == everything
    assert taken["recipients"][0]["key"] == json.loads(first[1]["data"])["data"]["recipient"]


async def _events(
    labo: Space, path: str, count: int, headers: dict[str, str] | None = None
) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    async with asyncio.timeout(10), labo.client.stream("GET", path, headers=headers) as answer:
        assert "text/event-stream" in answer.headers["content-type"]
        event: dict[str, str] = {}
        async for line in answer.aiter_lines():
            name, colon, value = line.partition(": ")
            if colon and name:
                event[name] = value
            elif not line and event:
                found.append(event)
                event = {}
            if len(found) == count:
                return found
    return found
