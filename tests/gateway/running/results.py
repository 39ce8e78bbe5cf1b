"""A laboratory's software beside a running gateway, and the document that says what it may ask."""

import json
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import yaml

from gateway.app import clock
from gateway.demo.pki import Authority
from smtp.address import parse
from tests.gateway.documents.made import PDF
from tests.world.lists import Lists
from tests.world.running import DOORS, Running, running, until
from tests.world.site import Site
from tests.world.world import letter
from trust.addresses import Kind
from trust.directory.entry import Entry
from trust.directory.reading import Directory

LABO, DR, OTHER = "labo@chu.example", "dr@chu.example", "autre@chu.example"
MAIL = letter(LABO, [DR])
RAW = {"Content-Type": "message/rfc822"}
RPPS = "rpps:10003456786"
_WEB = "\n[listen.web]\nport = 0\n"
DOCUMENT = yaml.safe_load((Path(__file__).parents[3] / "docs/openapi.yaml").read_text("utf-8"))


class Space:
    """A gateway, a laboratory's token, and its client."""

    def __init__(self, chu: Running, client: httpx.AsyncClient, anchors: bytes, token: str) -> None:
        self.chu, self.client, self.anchors, self.token = chu, client, anchors, token

    async def post(self, content: Any = MAIL, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.post("/v1/messages", content=content, headers=RAW | named)
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

    async def morning(self) -> Any:
        answer = await self.client.get("/v1/morning")
        return _checked(answer, "/v1/morning", "get").json()

    async def arrived(self, message: str) -> Any:
        """Return how a message stands once nothing more becomes of it."""

        async def final() -> bool:
            return bool((await self.standing(message))["final"])

        await until(final, expected=True)
        return await self.standing(message)


def _checked(answer: httpx.Response, path: str, method: str) -> httpx.Response:
    """Return an answer, seen to be what the document says."""
    described = DOCUMENT["paths"][path][method]["responses"][str(answer.status_code)]
    if "$ref" in described:
        described = DOCUMENT["components"]["responses"][described["$ref"].rsplit("/", 1)[1]]
    content = described["content"][answer.headers["content-type"].partition(";")[0]]
    schema = {**content["schema"], "components": DOCUMENT["components"]}
    jsonschema.validate(answer.json(), schema)
    return answer


@asynccontextmanager
async def space(folder: Path, sections: str = "", also: Sequence[str] = ()) -> AsyncIterator[Space]:
    """Run a gateway with a laboratory; ``also``: domains that it may write to, and nobody answers."""
    authority = Authority.make(clock().replace(microsecond=0))
    lists = Lists.make(authority)
    site = Site.make(folder / "chu", "chu.example", authority, lists, DOORS + _WEB + sections)
    for domain in ("chu.example", *also):
        lists.add(domain, site.issued)
    async with running(site) as chu:
        await chu.rooms.keeper.offer("list", lists.offer(clock().replace(microsecond=0)))
        people = [Entry(parse(DR), Kind.PER, person=RPPS, name="Claire Martin")]
        chu.rooms.keeper.beside([Directory.of(people)])
        for address in (LABO, DR, OTHER):
            await chu.ask("mailbox.add", address=address)
        made = await chu.ask("token.add", address=LABO, scopes=["submit"])
        context = ssl.create_default_context(cadata=authority.anchors_pem.decode())
        context.check_hostname = False
        chu.gateway._webs.results.events.every = 0.01
        async with httpx.AsyncClient(
            base_url=f"https://127.0.0.1:{chu.ports['web']}",
            verify=context,
            headers={"Authorization": f"Bearer {made['token']}"},
        ) as client:
            yield Space(chu, client, authority.anchors_pem, made["token"])
