"""What is believed is shown source by source, page by page; and why somebody is, or is not, trusted."""

import base64

import pytest

from gateway.operations.error import OperationError
from smtp.address import parse
from tests.gateway.operations.conftest import Ask
from tests.world.clock import START, Clock
from tests.world.lists import Lists
from trust.addresses import Kind, Listed
from trust.members import Member


async def imports(ask: Ask, lists: Lists) -> object:
    content, signature = (base64.b64encode(each).decode() for each in lists.published(START))
    return await ask("trust.import", octets=content, signatures=[signature])


async def test_without_any_list(ask: Ask) -> None:
    """The sources are shown all the same: that is where an operator looks for the reason."""
    shown = await ask("trust.show")
    assert [("list", 1, "none", None)] == [
        (each["source"], each["rank"], each["state"], each["version"]) for each in shown["sources"]
    ]
    assert (0, [], None) == (shown["total"], shown["members"], shown["next"])


async def test_how_a_source_stands(clock: Clock, ask: Ask, lists: Lists) -> None:
    """Which version, until when, who signed it, and what became of the last offer."""
    imported = await imports(ask, lists)
    assert isinstance(imported, dict)
    assert ("accepted", 1) == (imported["outcome"], imported["version"])
    shown = await ask("trust.show")
    (source,) = shown["sources"]
    assert ("good", "version 1", 2) == (source["state"], source["version"], source["members"])
    assert imported["digest"] == source["digest"]
    assert 1 == len(source["signers"])
    with pytest.raises(OperationError, match=r"not put in force \(unsigned\)"):
        await ask("trust.import", octets=base64.b64encode(b"{}").decode(), signatures=[])
    (source,) = (await ask("trust.show"))["sources"]
    assert ("unsigned", "version 1") == (source["state"], source["version"])
    clock.advance(days=30)
    assert (await ask("trust.show"))["stale"]


async def test_members_come_by_the_page(ask: Ask, lists: Lists) -> None:
    """Ten thousand domains must not flood a terminal."""
    for number in range(7):
        name = f"d{number}.example"
        lists.members[name] = Member(name, lists.members["chu.example"].identities)
    await imports(ask, lists)
    first = await ask("trust.show", limit=4)
    assert ["chu.example", "d0.example", "d1.example", "d2.example"] == [
        each["domain"] for each in first["members"]
    ]
    assert (9, "d2.example") == (first["total"], first["next"])
    rest = await ask("trust.show", after=first["next"], limit=100)
    assert (5, None) == (len(rest["members"]), rest["next"])


async def test_members_are_searched(ask: Ask, lists: Lists) -> None:
    """By a piece of the domain, or of who speaks for it; case makes no difference."""
    await imports(ask, lists)
    found = [await ask("trust.show", search=piece) for piece in ("CHU", "mx.chu.ex", "nobody")]
    assert [["chu.example"], ["chu.example"], []] == [
        [each["domain"] for each in one["members"]] for one in found
    ]
    assert [1, 1, 0] == [one["total"] for one in found]
    assert [] == (await ask("trust.show", source="list", limit=0))["members"]


async def test_one_member_whole(ask: Ask, lists: Lists) -> None:
    """With its hosts, its addresses, and every source that names it."""
    lists.addresses.append(Listed(parse("dr@chu.example"), Kind.PER))
    await imports(ask, lists)
    one = await ask("trust.show", domain="CHU.example")
    assert ("chu.example", ["mx.chu.example:25"]) == (one["domain"], one["hosts"])
    assert ["list"] == one["named_by"]
    assert (1, ["dr@chu.example"]) == (one["listed"], one["addresses"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"domain": "out.example"}, r"out\.example is not on the list"),
        ({"source": "autre"}, "no source is called autre"),
    ],
)
async def test_what_is_not_there(
    ask: Ask, lists: Lists, arguments: dict[str, str], words: str
) -> None:
    """It is said so."""
    await imports(ask, lists)
    with pytest.raises(OperationError, match=words):
        await ask("trust.show", **arguments)


async def test_an_import_for_nobody(ask: Ask) -> None:
    """A source that the settings do not name takes nothing."""
    with pytest.raises(OperationError, match="no source is called autre"):
        await ask("trust.import", octets="", signatures=[], source="autre")


async def test_a_decision_is_explained(ask: Ask, lists: Lists) -> None:
    """Why a message would pass or not; who denied it, when and why."""
    await imports(ask, lists)
    steps = await ask("trust.explain", recipient="x@out.example", sender="bio@labo.example")
    assert "refuse" in {step["outcome"] for step in steps}
    asked_of = await ask("trust.explain", recipient="x@chu.example")
    assert "allow" == asked_of[-1]["outcome"]
    await ask("trust.deny", what="chu.example", reason="clé volée")
    steps = await ask("trust.explain", recipient="x@chu.example", sender="bio@labo.example")
    *_, found, verdict = steps
    assert ("recipient-denial", "refuse") == (found["step"], verdict["outcome"])
    assert "clé volée (operator:anne, 2026-03-02T" in found["sentence"]


async def test_a_denied_certificate_is_explained(
    ask: Ask, lists: Lists, site_certificate: str
) -> None:
    """By its own fingerprint, or by the operator that it names."""
    await imports(ask, lists)
    lists_identity = str(lists.members["labo.example"].identities[0])
    question = {
        "recipient": "x@chu.example",
        "sender": "bio@chu.example",
        "certificate": site_certificate,
    }
    await ask("trust.deny", what=lists_identity, reason="fermé")
    found = {each["step"]: each for each in await ask("trust.explain", **question)}
    assert found["peer-denial"]["sentence"].endswith("denied here by ourselves. fermé" + _BY)
    garbage = base64.b64encode(b"x").decode()
    steps = await ask("trust.explain", **{**question, "certificate": garbage})
    assert "peer-unreadable" in steps[-1]["sentence"]


_BY = f" (operator:anne, {START:%Y-%m-%dT%H:%M:%S}.000Z)"
