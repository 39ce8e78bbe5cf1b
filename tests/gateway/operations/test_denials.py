"""What an operator denies is kept, sealed and bound, and counts from the next decision on."""

import asyncio
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app import opened
from gateway.observe.logs import open_log
from gateway.operations.denials import Denial, DenialError, Denied, Kind, combined
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from smtp.address import parse
from smtp.envelope import Peer
from tests.gateway.operations.conftest import Ask
from tests.world.clock import Clock
from tests.world.lists import Lists
from tests.world.site import Site
from trust.decision import Decision, decide
from trust.identity import Certificate
from trust.overlay import Denials
from vault.database import Conflict, Statement

APP, DR = parse("bio@labo.example"), parse("dr@chu.example")
PRINT = "ab" * 32


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("CHU.example", Kind.DOMAIN, "chu.example"),
        ("hôpital.example", Kind.DOMAIN, "xn--hpital-ixa.example"),
        ("Dr@CHU.example", Kind.ADDRESS, "dr@chu.example"),
        ("CN=gw, O=Chu", Kind.OPERATOR, "dn:CN=gw, O=Chu"),
        ("dn:CN=gw,O=Chu", Kind.OPERATOR, "dn:CN=gw,O=Chu"),
        ("E=a@b.example,O=Chu", Kind.OPERATOR, "dn:E=a@b.example,O=Chu"),
        (f"spki:{PRINT}", Kind.OPERATOR, f"spki:{PRINT}"),
        ("san:mx.chu.example", Kind.OPERATOR, "san:mx.chu.example"),
        (PRINT, Kind.CERTIFICATE, PRINT),
        (f"SHA256:{PRINT.upper()}", Kind.CERTIFICATE, PRINT),
        (":".join(["AB"] * 32), Kind.CERTIFICATE, PRINT),
    ],
)
def test_its_form_says_what_it_is(text: str, kind: Kind, what: str) -> None:
    """An operator types what is in front of them; two spellings of one thing are one."""
    assert Denied(kind, what) == Denied.parse(f" {text} ")


@pytest.mark.parametrize("text", ["", "chu", "@chu.example", "CN=", "spki:00", "san:*.chu.example"])
def test_what_cannot_be_denied(text: str) -> None:
    """It is said so, and nothing is denied by mistake."""
    with pytest.raises(DenialError, match="cannot be denied"):
        Denied.parse(text)


@given(st.text())
def test_whatever_is_typed(text: str) -> None:
    """A value, which reads as itself, or our own error."""
    try:
        found = Denied.parse(text)
    except DenialError:
        return
    assert found.meant == Denied.parse(found.what).meant


@pytest.fixture
async def listed(rooms: Rooms, lists: Lists) -> Rooms:
    offer = lists.offer()
    await rooms.keeper.offer("list", offer)
    return rooms


def asked(rooms: Rooms, site: Site) -> Decision:
    peer = Peer("192.0.2.1", certificate=site.issued.der, listener="relay")
    return decide(APP, DR, peer, rooms.keeper.current, rooms.clock())


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("labo.example", "sender-denied"),
        ("Bio@labo.example", "sender-denied"),
        ("chu.example", "recipient-denied"),
        ("dr@chu.example", "recipient-denied"),
        ("CN=mx.chu.example,O=mx.chu.example,C=FR", "recipient-denied"),
    ],
)
async def test_denied_and_allowed_again(
    listed: Rooms, site: Site, ask: Ask, what: str, reason: str
) -> None:
    """From the next decision on, and until it is lifted."""
    heard: list[bool] = []
    listed.keeper.subscribe(lambda now, _: heard.append(now.overlay.denied.any))

    made = await ask("trust.deny", what=what, reason="clé volée")
    assert (1, "operator:anne", None) == (made["denial"], made["by"], made["lifted"])
    assert ("refuse", reason) == (asked(listed, site).action, asked(listed, site).reason)
    lifted = await ask("trust.allow", what=what.swapcase() if "=" not in what else what)
    assert lifted["lifted_by"] == "operator:anne"
    assert asked(listed, site).action == "allow"
    assert [True, False] == heard
    assert [] == await ask("trust.denials")
    assert [lifted] == await ask("trust.denials", everything=True)


async def test_a_certificate_is_denied(listed: Rooms, site: Site, ask: Ask) -> None:
    """By its fingerprint: the same operator may come with another."""
    print_ = Certificate.parse(site.issued.der).fingerprint
    made = await ask("trust.deny", what=print_, reason="perdue")
    assert ("certificate", 0) == (made["kind"], made["domains"])
    assert asked(listed, site).reason == "peer-denied"


async def test_an_operators_domains_are_counted(listed: Rooms, ask: Ask) -> None:
    """Whoever denies an operator learns whom that meets, and whether it is ourselves."""
    made = await ask("trust.deny", what="CN=labo.example,O=labo.example,C=FR", reason="essai")
    listed_member = listed.keeper.current
    assert listed_member is not None
    identity = str(listed_member.members["labo.example"].identities[0])
    await ask("trust.allow", what="CN=labo.example,O=labo.example,C=FR")
    made = await ask("trust.deny", what=identity, reason="essai")
    assert (1, ["labo.example"], ["labo.example"]) == (made["domains"], made["some"], made["ours"])


async def test_a_denial_outlives_a_restart(
    site: Site, clock: Clock, listed: Rooms, ask: Ask
) -> None:
    """It is read before anything is decided."""
    await ask("trust.deny", what="chu.example", reason="essai")
    again = combined(listed.denylist.all())
    assert Denials(domains=frozenset({"chu.example"})) == again == listed.keeper.overlay.denied
    await listed.database.close()
    async with opened(site.settings, open_log(io.StringIO()), clock) as rooms:
        assert again == rooms.keeper.overlay.denied


@pytest.mark.parametrize(
    ("verb", "arguments", "words"),
    [
        ("trust.deny", {"what": "?", "reason": "x"}, "cannot be denied"),
        ("trust.deny", {"what": "a.example", "reason": " "}, "needs a reason"),
        ("trust.deny", {"what": "b.example", "reason": "x"}, "denied already, by operator:anne"),
        ("trust.allow", {"what": "a.example"}, "is not denied here"),
    ],
)
async def test_slips(ask: Ask, verb: str, arguments: dict[str, str], words: str) -> None:
    """Each is told with what to do."""
    await ask("trust.deny", what="b.example", reason="x")
    with pytest.raises(OperationError, match=words):
        await ask(verb, **arguments)


async def test_who_has_not_the_key_ring_lifts_nothing(rooms: Rooms, ask: Ask) -> None:
    """A row that was changed, moved or removed is told of; the others go on counting."""
    told: list[str] = []
    rooms.denylist._tell = lambda event, facts: told.append(f"{event}: {facts['reason']}")
    for name in ("a", "b", "c"):
        await ask("trust.deny", what=f"{name}.example", reason="essai")
    swap = "UPDATE denial SET facts = (SELECT facts FROM denial WHERE id = 1) WHERE id = 2"
    await rooms.database.commit([Statement(swap)])
    assert ["a.example", "c.example"] == [one.denied.what for one in rooms.denylist.all()]
    assert ["denial.tampered: it does not open"] == told
    await rooms.database.commit([Statement("DELETE FROM denial WHERE id = 2")])
    assert {"a.example", "c.example"} == combined(rooms.denylist.all()).domains
    assert told[1:] == ["denial.tampered: a denial is missing"]


async def test_the_journal_says_who_denied_whom(rooms: Rooms, ask: Ask) -> None:
    """Found by the address as well."""
    await ask("trust.deny", what="dr@chu.example", reason="essai")
    await ask("trust.allow", what="dr@chu.example", reason="fini")
    found = await rooms.journal.by_address(DR)
    assert ["trust.denied", "trust.allowed"] == [
        entry.event for entry in found if not entry.event.startswith("operation")
    ]


async def test_two_at_the_same_moment(rooms: Rooms, ask: Ask) -> None:
    """No denial takes the place of another: the second is told to look again."""
    now = rooms.clock()
    adding = [
        rooms.denylist.add(Denied(Kind.DOMAIN, name), "x", "operator:anne", now, [])
        for name in ("a.example", "b.example")
    ]
    results = await asyncio.gather(*adding, return_exceptions=True)
    assert 1 == sum(isinstance(one, Conflict) for one in results)
    assert 1 == len(rooms.denylist.all())

    async def late(*_: object) -> Denial:
        raise Conflict("another came first")

    rooms.denylist.add = late  # type: ignore[assignment]
    with pytest.raises(OperationError, match="at this very moment"):
        await ask("trust.deny", what="c.example", reason="x")
