"""Open rooms with a list in force and two mailboxes, and a way to ask as an operator."""

import base64
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.app import opened
from gateway.demo.pki import Authority
from gateway.observe.logs import open_log
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from gateway.relay.delivery import Delivery, State, delivery_id, holder
from gateway.relay.message import Copy, Message, Summary
from quarantine.policy import Finding
from smtp.address import Address
from smtp.envelope import Mail, Recipient, new_message_id
from tests.world.clock import START, Clock
from tests.world.lists import Lists
from tests.world.rest import blocks
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


@pytest.fixture
def site_certificate(site: Site) -> str:
    return base64.b64encode(site.issued.der).decode()


async def spooled(
    rooms: Rooms,
    to: str = "dr@chu.example",
    state: State = State.DEFERRED,
    name: str = "<1@labo>",
    others: Sequence[str] = (),
    body: bytes = b"Subject: Bilan\r\nMessage-ID: <1@labo>\r\n\r\nok\r\n",
) -> Copy:
    """Put a message from bio@labo.example into the spool, as the intake would."""
    now = rooms.clock()
    message = Message(
        new_message_id(now),
        now,
        len(body),
        "submission",
        Mail(Address("bio@labo.example")),
        Summary(Address("bio@labo.example"), "bio@labo.example", "=?utf-8?q?Bilan?=", "", name),
    )
    due = now + timedelta(hours=1) if state in {State.QUEUED, State.DEFERRED} else None
    copies = [
        Copy(
            message,
            Recipient(Address(each)),
            Delivery(delivery_id(message.id, n), state, now, now + timedelta(days=1), due, 1),
        )
        for n, each in enumerate((to, *others), 1)
    ]
    sealed = await rooms.vault.put(blocks(body))
    await rooms.database.commit(
        [
            *rooms.spool.entering(message, copies),
            *rooms.vault.holding(sealed, [holder(copy.delivery.id) for copy in copies]),
            *(rooms.books.told(copy, copy.delivery, "message.accepted", now) for copy in copies),
        ]
    )
    return copies[0]


async def held(
    rooms: Rooms,
    to: Sequence[str] = ("dr@chu.example",),
    found: Sequence[Finding] = (Finding("sender-suspended"),),
    **how: Any,
) -> tuple[str, Copy]:
    """Put a message into quarantine; return its case, and its first copy."""
    copy = await spooled(rooms, to[0], State.HELD, others=to[1:], **how)
    reasons = tuple(one.reason for one in found)
    await rooms.database.commit(
        [
            statement
            for each in rooms.spool.copies(copy.message.id)
            for statement in rooms.review.opening(each.delivery.id, reasons, rooms.clock(), found)
        ]
    )
    case = rooms.register.of_delivery(copy.delivery.id)
    assert case is not None
    return case.id, copy
