"""Open rooms with a list in force and two mailboxes, and a way to ask as an operator."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.app import opened
from gateway.demo.pki import Authority
from gateway.observe.logs import open_log
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from tests.world.clock import START, Clock
from tests.world.lists import Lists
from tests.world.site import Site

Ask = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.make(START)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lists(authority: Authority) -> Lists:
    return Lists.make(authority)


@pytest.fixture
def site(tmp_path: Path, authority: Authority, lists: Lists) -> Site:
    made = Site.make(tmp_path / "labo", "labo.example", authority, lists)
    lists.add("labo.example", made.issued)
    lists.add("chu.example", authority.issue("mx.chu.example"), [("mx.chu.example", 25)])
    return made


@pytest.fixture
async def rooms(site: Site, clock: Clock) -> AsyncIterator[Rooms]:
    async with opened(site.settings, open_log(io.StringIO()), clock) as rooms:
        yield rooms


@pytest.fixture
def ask(rooms: Rooms) -> Ask:
    async def asked(verb: str, **arguments: Any) -> Any:
        return msgspec.to_builtins(await perform(rooms, "operator:anne", verb, arguments))

    return asked
