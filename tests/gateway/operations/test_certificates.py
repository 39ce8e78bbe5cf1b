"""Who has which certificate; and on a Sunday, patience by one operator, a bridge by two."""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from gateway.demo.pki import Authority, Issued
from gateway.operations.error import OperationError
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from gateway.relay.delivery import Event, step
from smtp import reply
from tests.gateway.operations.conftest import Ask, spooled
from tests.world.clock import Clock
from tests.world.lists import Lists
from trust.identity import Certificate
from trust.revocation import Source, Standing, Standings, State

DAY = timedelta(days=1)


@pytest.fixture
async def expired(rooms: Rooms, lists: Lists, authority: Authority, clock: Clock) -> Issued:
    """A peer's certificate that ran out yesterday, and is not revoked."""
    old = authority.issue("mx.vieux.example", starts=clock() - 30 * DAY, days=29)
    lists.add("vieux.example", old)
    rooms.keeper.current = lists.current(clock())
    rooms.watch._seen(old.der, (), "peer")
    stands(rooms, old, Standing(State.GOOD, clock(), clock() + DAY, Source.CRL))
    return old


def stands(rooms: Rooms, one: Issued, standing: Standing) -> None:
    fingerprint = Certificate.parse(one.der).fingerprint
    known = Standings({fingerprint: standing}, asked=True)
    rooms.keeper.overlaid(replace(rooms.keeper.overlay, certificates=known))


@pytest.fixture
def bridging(rooms: Rooms) -> None:
    object.__setattr__(rooms.settings.certificates, "bridge", True)


async def by(rooms: Rooms, who: str, verb: str, **arguments: Any) -> Any:
    return msgspec.to_builtins(await perform(rooms, f"operator:{who}", verb, arguments))


async def test_certificates_are_listed_with_whom_they_speak_for(
    ask: Ask, rooms: Rooms, expired: Issued
) -> None:
    """By when they end."""
    (row,) = await ask("certificates.list")

    assert (["vieux.example"], "good", "crl", -1) == tuple(
        row[name] for name in ("domains", "state", "source", "days")
    )
    assert [] == await ask("certificates.list", within=-10)


async def test_held_mail_does_not_grow_old(ask: Ask, rooms: Rooms, clock: Clock) -> None:
    """However long it takes; when it is resumed its clock goes on."""
    copy = await spooled(rooms)
    await ask("spool.hold", domain="CHU.example", why="dimanche")
    (row,) = await ask("spool.holds")
    assert ("chu.example", "operator:anne", "dimanche") == (row["domain"], row["by"], row["why"])

    clock.advance(days=9)
    sending = step(step(copy.delivery, Event.DUE, clock()), Event.ATTEMPT, clock())
    tried = msgspec.structs.replace(copy, delivery=sending)
    later = rooms.desk.scale().put_off(tried, reply.NEXT_HOP_EXPIRED, "next-hop-expired")
    assert "deferred" == later.after.state
    assert later.after.expires > clock()

    await ask("spool.resume", domain="chu.example")
    now_too_late = rooms.desk.scale().put_off(tried, reply.NEXT_HOP_EXPIRED, "next-hop-expired")
    assert "expired" == now_too_late.after.state
    with pytest.raises(OperationError, match="was not held"):
        await ask("spool.resume", domain="chu.example")
    with pytest.raises(OperationError, match="no domain"):
        await ask("spool.hold", domain="not a domain")


async def test_a_bridge_is_off_unless_the_settings_allow_it(ask: Ask, expired: Issued) -> None:
    """It is a decision made before the emergency, not in it."""
    with pytest.raises(OperationError, match="switched off"):
        await ask("trust.bridge", domain="vieux.example")


async def test_a_bridge_needs_two_operators(
    rooms: Rooms, expired: Issued, bridging: None, clock: Clock
) -> None:
    """The one who asks does not confirm; it ends by itself, or by one operator at once."""
    first = await by(rooms, "anne", "trust.bridge", domain="vieux.example", hours=12)
    assert (False, "operator:anne") == (first["stands"], first["asked_by"])
    certificate = Certificate.parse(expired.der)
    assert rooms.keeper.overlay.bridges.over(certificate, clock()) is None
    with pytest.raises(OperationError, match="another operator must confirm"):
        await by(rooms, "anne", "trust.bridge", domain="vieux.example")

    built = await by(rooms, "bob", "trust.bridge", domain="vieux.example")
    assert (True, "operator:bob", 12.0) == (
        built["stands"],
        built["confirmed_by"],
        built["hours"],
    )
    assert rooms.keeper.overlay.bridges.over(certificate, clock()) is not None
    assert [built] == await by(rooms, "bob", "trust.bridges")
    with pytest.raises(OperationError, match="stands until"):
        await by(rooms, "carl", "trust.bridge", domain="vieux.example")

    await by(rooms, "anne", "trust.unbridge", domain="vieux.example")
    assert rooms.keeper.overlay.bridges.over(certificate, clock()) is None


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing(State.REVOKED, why="key-compromise"), "is revoked"),
        (Standing(State.UNKNOWN, why="unreachable"), "does not say that it is not revoked"),
        (Standing(State.GOOD, why="names-nobody"), "does not say that it is not revoked"),
    ],
)
async def test_a_bridge_carries_only_what_is_known_not_to_be_revoked(
    rooms: Rooms, expired: Issued, bridging: None, standing: Standing, words: str
) -> None:
    """Silence is not enough for this; and it is asked again when the second confirms."""
    await by(rooms, "anne", "trust.bridge", domain="vieux.example")
    stands(rooms, expired, standing)
    with pytest.raises(OperationError, match=words):
        await by(rooms, "bob", "trust.bridge", domain="vieux.example")


async def test_a_bridge_is_over_an_expired_certificate_of_that_member(
    rooms: Rooms, expired: Issued, bridging: None, authority: Authority
) -> None:
    """Not over a good one, not over somebody else's, not over what is no certificate."""
    pem = base64.b64encode(authority.issue("mx.vieux.example").chain_pem).decode()
    with pytest.raises(OperationError, match="has not expired"):
        await by(rooms, "anne", "trust.bridge", domain="vieux.example", octets=pem)
    other = base64.b64encode(expired.chain_pem).decode()
    with pytest.raises(OperationError, match="does not speak for"):
        await by(rooms, "anne", "trust.bridge", domain="chu.example", octets=other)
    junk = base64.b64encode(b"junk").decode()
    with pytest.raises(OperationError, match="no certificate"):
        await by(rooms, "anne", "trust.bridge", domain="vieux.example", octets=junk)
    with pytest.raises(OperationError, match="that we met has expired"):
        await by(rooms, "anne", "trust.bridge", domain="chu.example")
    with pytest.raises(OperationError, match="72 hours at most"):
        await by(rooms, "anne", "trust.bridge", domain="vieux.example", hours=73)
    given = await by(rooms, "anne", "trust.bridge", domain="vieux.example", octets=other)
    assert not given["stands"]
