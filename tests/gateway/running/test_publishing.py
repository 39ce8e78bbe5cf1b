"""An authority publishes by HTTPS, and another gateway believes it: the whole way."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from click.testing import CliRunner, Result

from gateway.app import clock
from gateway.cli import main
from gateway.demo.pki import Authority, Issued
from smtp import tls
from tests.world.lists import Lists
from tests.world.running import Running, running, until
from tests.world.site import Site
from trust.members import Status
from trust.signatures import cms

_STATUS = "\n[listen.status]\nport = 0\n"


@dataclass
class World:
    """The authority's gateway, another one that fetches from it, and the list's two signers."""

    folder: Path
    authority: Authority
    lists: Lists
    second: Issued
    registry: Running
    published: Path

    @classmethod
    @asynccontextmanager
    async def opened(cls, folder: Path) -> AsyncIterator["World"]:
        authority = Authority.make(clock().replace(microsecond=0))
        lists = Lists.make(authority)
        lists.add("chu.example", authority.issue("mx.chu.example"))
        published = folder / "published"
        web = f'\n[listen.web]\nport = 0\n[publish]\nfolder = "{published}"\n'
        site = Site.make(folder / "registry", "registre.example", authority, lists, web)
        authority.issue("registre", hosts=("127.0.0.1",)).write(site.folder, "gateway")
        second = authority.issue("Second", signer=True)
        (folder / "second.crt").write_bytes(second.chain_pem)
        (folder / "first.crt").write_bytes(lists.signer.chain_pem)
        (folder / "anchors.pem").write_bytes(authority.anchors_pem)
        async with running(site) as registry:
            yield cls(folder, authority, lists, second, registry, published)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.registry.ports['web']}/trust"

    def drafted(self, now: datetime | None = None) -> list[str]:
        """Write a new version and both signatures of it; return their paths."""
        content, first = self.lists.published((now or clock()).replace(microsecond=0))
        second = cms.sign(content, self.second.certificate, self.second.key)
        paths = [self.folder / f"{self.lists.version}.{end}" for end in ("json", "1.p7s", "2.p7s")]
        for path, octets in zip(paths, (content, first, second), strict=True):
            path.write_bytes(octets)
        return [str(path) for path in paths]

    def sceau(self, *arguments: str) -> Result:
        believed = [f"--signer={self.folder / name}" for name in ("first.crt", "second.crt")]
        return CliRunner().invoke(main, ["trust", *arguments, *believed, "--threshold=2", "--json"])

    def publish(self, *paths: str) -> Any:
        said = self.sceau("publish", *(paths or self.drafted()), "--to", str(self.published))
        assert 0 == said.exit_code, said.output
        return json.loads(said.stdout)

    def walk(self, place: str, *more: str) -> Result:
        return self.sceau("verify", "--history", place, *more)

    @asynccontextmanager
    async def follower(self) -> AsyncIterator[Running]:
        """Run a gateway whose one source is what this authority publishes."""
        site = Site.make(self.folder / "chu", "chu.example", self.authority, self.lists)
        text = site.config.read_text().replace('signers = ["signer.crt"]\npoll = 0.2\n', "")
        source = (
            f'[[trust.source]]\nname = "registre"\nurl = "{self.url}/list.json"\n'
            f'url_anchors = "anchors.pem"\nthreshold = 2\npoll = 0.05\n'
            f'signers = ["{self.folder}/first.crt", "{self.folder}/second.crt"]\n'
        )
        site.config.write_text(text + source + _STATUS)
        async with running(site) as follower:
            yield follower


def _version(follower: Running) -> int | None:
    listed = follower.rooms.keeper.current
    return listed.editions[0].claims.version if listed else None


async def test_what_one_publishes_another_believes(tmp_path: Path) -> None:
    """Fetched with pinned anchors, asked again with its mark, verified, put in force."""

    async def version() -> int | None:
        return _version(follower)

    async def unchanged() -> bool:
        asked = 'sceau_web_requests_total{listener="web",route="/trust/{name:path}",status="304"}'
        return asked in world.registry.rooms.metrics.page().decode()

    async with World.opened(tmp_path) as world:
        first = world.publish()
        async with world.follower() as follower:
            await until(version, 1)
            world.lists.change("chu.example", status=Status.SUSPENDED)
            second = world.publish()
            await until(version, 2)
            member = follower.rooms.keeper.current
            await until(unchanged, expected=True)

    assert (1, 1, 2, 2) == (
        first["version"],
        first["versions"],
        second["version"],
        second["versions"],
    )
    assert member is not None
    assert Status.SUSPENDED is member.members["chu.example"].status


async def test_the_history_is_walked_in_a_folder_and_over_https(tmp_path: Path) -> None:
    """Whoever was given versions before finds them there, or knows that something was rewritten."""
    async with World.opened(tmp_path) as world:
        held = world.drafted()
        world.publish(*held)
        world.publish()
        world.publish()
        here = world.walk(str(world.published), "--holding", held[0])
        there = await asyncio.to_thread(
            world.walk, world.url, "--anchors", str(tmp_path / "anchors.pem")
        )
        unpinned = world.walk(world.url)
        stranger = Authority.make(clock(), "Autre")
        (tmp_path / "other.pem").write_bytes(stranger.anchors_pem)
        elsewhere = await asyncio.to_thread(
            world.walk, world.url, "--anchors", str(tmp_path / "other.pem")
        )
        index = world.published / "index.json"
        index.write_bytes(index.read_bytes().replace(b'"version": 2', b'"version": 7'))
        forged = world.walk(str(world.published))

    found = json.loads(here.stdout)
    assert (3, 1, 3) == (found["versions"], found["first"], found["last"])
    assert found == json.loads(there.stdout)
    assert "--anchors is needed" in unpinned.output
    assert "did not prove who it is" in elsewhere.output
    assert "does not come after version 1" in forged.output
    assert {1} == {each.exit_code for each in (unpinned, elsewhere, forged)}


async def test_a_rolled_back_or_truncated_folder_moves_nobody(tmp_path: Path) -> None:
    """What was put in force stays, and it is said why the other is not."""
    async with World.opened(tmp_path) as world:
        old = world.drafted()
        world.publish(*old)
        before = {
            path.name: path.read_bytes() for path in world.published.iterdir() if path.is_file()
        }
        world.publish()
        async with world.follower() as follower:

            async def version() -> int | None:
                return _version(follower)

            async def outcome() -> str:
                (source,) = follower.rooms.keeper.standing().sources
                return str(source.last.outcome) if source.last else ""

            await until(version, 2)
            for name, octets in before.items():
                (world.published / name).write_bytes(octets)
            await until(outcome, "rolled-back")
            current = world.published / "list.json"
            current.write_bytes(current.read_bytes()[:-10])
            await until(outcome, "unsigned")
            current.unlink()
            await until(outcome, "not-found")
            assert 2 == await version()


async def test_what_would_not_be_believed_is_not_published(tmp_path: Path) -> None:
    """Too few signatures, the wrong order, no list at all: nothing is written."""
    async with World.opened(tmp_path) as world:
        first, second = world.drafted(), world.drafted()
        cases = [
            (first[:2], "1 of the 2 signatures needed"),
            ([first[1], *first[1:]], "0 of the 2 signatures needed"),
            ([first[0], *second[1:]], "0 of the 2 signatures needed"),
        ]
        for paths, why in cases:
            said = world.sceau("publish", *paths, "--to", str(world.published))
            assert 1 == said.exit_code
            assert why in said.output, why
            assert not world.published.exists()
        world.publish(*second)
        said = world.sceau("publish", *first, "--to", str(world.published))
        assert "does not come after version 2" in said.output
        world.publish(*second)


async def test_only_what_is_published_is_served(tmp_path: Path) -> None:
    """No name leads out of the folder, or to a draft that lies in it."""
    async with World.opened(tmp_path) as world:
        world.publish()
        (world.published / "secret.json").write_text("canari")
        (world.published / "versions" / "9.json").symlink_to(tmp_path / "anchors.pem")
        (world.published / "versions" / "8.json").mkdir()
        context = tls.asking_context(world.authority.anchors_pem)
        async with httpx.AsyncClient(verify=context, base_url=world.url) as client:
            codes = [
                (await client.get(f"/{name}")).status_code
                for name in (
                    "secret.json",
                    "%2e%2e/anchors.pem",
                    "versions/9.json",
                    "versions/8.json",
                    "versions/01.json",
                    "versions",
                    "",
                )
            ]
            current = await client.get("/list.json")
            again = await client.get(
                "/list.json", headers={"If-None-Match": f'"x", {current.headers["etag"]}'}
            )
            fixed = await client.get("/versions/1.json")
            head = await client.head("/versions/1.json.p7s")

    assert [404] * 7 == codes
    assert (200, 304) == (current.status_code, again.status_code)
    assert b"" == again.content == head.content
    assert "application/pkcs7-signature" == head.headers["content-type"]
    assert fixed.content == current.content
    assert "immutable" in fixed.headers["cache-control"]
    assert "no-cache" == current.headers["cache-control"]


async def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    """In words, and nothing is half published."""
    async with World.opened(tmp_path) as world:
        world.published.write_text("a file")
        said = world.sceau("publish", *world.drafted(), "--to", str(tmp_path / "published" / "x"))
        assert 1 == said.exit_code
        assert "cannot be written" in said.output
