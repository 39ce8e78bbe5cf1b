"""A thousand moved domains are read as one row, ranked by our own mail, and decided by a person."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from gateway.operations.error import OperationError
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from gateway.relay.delivery import State
from tests.gateway.operations.conftest import Ask, spooled
from tests.world.clock import START, Clock
from tests.world.lists import Lists
from tests.world.site import Site
from trust.identity import Identity, Way
from trust.members import Member
from vault.database import Statement

MANY = 1027
OLD, NEW = (
    Identity(Way.DN, f"CN=mss.{name.lower()}.example,O={name},C=FR") for name in ("SISRA", "SARA")
)


def moved(number: int) -> str:
    return f"d{number:04}.example"


async def imports(rooms: Rooms, lists: Lists) -> dict[str, Any]:
    content, signature = (base64.b64encode(each).decode() for each in lists.published(START))
    arguments = {"octets": content, "signatures": [signature]}
    found = await perform(rooms, "operator:anne", "trust.import", arguments)
    assert isinstance(found, dict)
    return found


@pytest.fixture
async def waiting(rooms: Rooms, lists: Lists) -> dict[str, Any]:
    """A list in force, and one that moves a thousand domains to another operator."""
    for number in range(MANY):
        lists.members[moved(number)] = Member(moved(number), (OLD,))
    await imports(rooms, lists)
    for number in range(MANY):
        lists.members[moved(number)] = Member(moved(number), (NEW,))
    lists.members["neuf.example"] = Member("neuf.example", (NEW,))
    return await imports(rooms, lists)


async def test_a_thousand_moved_domains_are_one_row(waiting: dict[str, Any], ask: Ask) -> None:
    """By cause; the row that our mail waits on comes first."""
    assert "waiting" == waiting["outcome"]
    (change,) = await ask("trust.diff")
    assert ("list", "version 2", 1, 1, []) == (
        change["source"],
        change["version"],
        change["needed"],
        change["missing"],
        change["approvals"],
    )
    assert MANY + 1 == change["domains_waiting"]
    first, second = change["rows"]
    assert "1,027 domains move from SISRA to SARA" == first["sentence"]
    assert (MANY, 3) == (first["count"], len(first["domains"]))
    assert "1 domain of SARA added" == second["sentence"]
    (whole,) = await ask("trust.diff", domains=True, version=change["digest"][:6].upper())
    assert MANY == len(whole["rows"][0]["domains"])
    assert [] == await ask("trust.diff", source="autre")


async def test_rows_are_ranked_by_our_own_mail(
    rooms: Rooms, waiting: dict[str, Any], ask: Ask, clock: Clock
) -> None:
    """What waits first, then what was sent in the last thirty days."""
    del waiting
    for to in ("dr@neuf.example", f"dr@{moved(7)}", "dr@autre.example"):
        await spooled(rooms, to=to)
    await spooled(rooms, to=f"dr@{moved(8)}", state=State.DELIVERED)
    await spooled(rooms, to=f"dr@{moved(9)}", state=State.DELIVERED)
    (change,) = await ask("trust.diff")
    assert [("moved", 3, 1), ("added", 1, 1)] == [
        (row["cause"], row["messages"], row["waiting"]) for row in change["rows"]
    ]
    clock.advance(days=31)
    (change,) = await ask("trust.diff")
    assert {("moved", 1, 1), ("added", 1, 1)} == {
        (row["cause"], row["messages"], row["waiting"]) for row in change["rows"]
    }


async def test_approved_by_its_digest(rooms: Rooms, waiting: dict[str, Any], ask: Ask) -> None:
    """In force at once, the courier woken; never by digits that two lists could be made to share."""
    woken: list[bool] = []
    read = {"digest": waiting["digest"]}
    with pytest.raises(OperationError, match="too short to say which"):
        await ask("trust.approve", digest=waiting["digest"][:31])
    done = await perform(
        replace(rooms, wake=lambda: woken.append(True)), "operator:anne", "trust.approve", read
    )
    assert isinstance(done, dict)
    assert ("accepted", 0, ["operator:anne"]) == (
        done["outcome"],
        done["missing"],
        done["approvals"],
    )
    assert waiting["digest"] == done["digest"]
    assert [True] == woken
    assert [] == await ask("trust.diff")
    assert frozenset() == rooms.keeper.overlay.waiting
    with pytest.raises(OperationError, match=r"no change with the digest .* waits"):
        await ask("trust.approve", **read)
    past = (await ask("trust.history"))["history"]
    assert ["verified", "in-force", "verified", "waiting", "approved", "in-force"] == [
        entry["step"] for entry in past
    ]
    assert "operator:anne" == past[-2]["by"]


async def test_rejected_with_a_reason(rooms: Rooms, waiting: dict[str, Any], ask: Ask) -> None:
    """The version before stays, and these bytes are not offered to anybody again."""
    with pytest.raises(OperationError, match="needs a reason"):
        await ask("trust.reject", reason=" ")
    done = await ask("trust.reject", digest=waiting["digest"][:8], reason="SARA n'en sait rien")
    assert "rejected" == done["outcome"]
    assert "SARA n'en sait rien" in done["sentence"]
    listed = rooms.keeper.current
    assert listed is not None
    assert 1 == listed.editions[0].claims.version
    assert [] == await ask("trust.diff")


@pytest.mark.parametrize("verb", ["trust.approve", "trust.reject"])
async def test_another_digest(waiting: dict[str, Any], ask: Ask, verb: str) -> None:
    """Nobody approves what they have not read."""
    del waiting
    more = {"reason": "x"} if verb == "trust.reject" else {}
    with pytest.raises(OperationError, match=r"no change with the digest 0{32} waits"):
        await ask(verb, digest="0" * 32, **more)


async def test_the_past_is_compared(rooms: Rooms, waiting: dict[str, Any], ask: Ask) -> None:
    """Any version with the one before it, or with another; by number or by digest."""
    await ask("trust.approve", digest=waiting["digest"])
    (first,) = await ask("trust.diff", version="1")
    assert (None, "version 1") == (first["against"], first["version"])
    (after,) = await ask("trust.diff", version=waiting["digest"][:8])
    assert ("version 1", 1027) == (after["against"], after["rows"][0]["count"])
    (back,) = await ask("trust.diff", version="1", against="2")
    assert "1,027 domains move from SARA to SISRA" in {row["sentence"] for row in back["rows"]}
    with pytest.raises(OperationError, match="there is no version 7"):
        await ask("trust.diff", version="7")
    with pytest.raises(OperationError, match="there is no version ab"):
        await ask("trust.diff", version="ab")
    names = "SELECT id FROM trust_edition"
    assert 2 == len(rooms.database.read(names))


async def test_the_history_is_verified_again(
    rooms: Rooms, waiting: dict[str, Any], ask: Ask
) -> None:
    """Every version is read as on the day it came; what is not as it was is an error."""
    del waiting
    assert 2 == (await ask("trust.history", verify=True))["verified"]
    assert (await ask("trust.history"))["verified"] is None
    await rooms.database.commit([Statement("UPDATE trust_edition SET signatures = x'00'")])
    with pytest.raises(OperationError, match=r"not as it was: version 1 of list: .*; version 2"):
        await ask("trust.history", verify=True)
    await rooms.database.commit([Statement("DELETE FROM trust_trail WHERE seq = 1")])
    with pytest.raises(OperationError, match="it was altered at entry 1"):
        await ask("trust.history", verify=True)


async def test_a_version_that_no_longer_opens(
    rooms: Rooms, waiting: dict[str, Any], ask: Ask
) -> None:
    """It is said so; the list in force goes on."""
    await ask("trust.approve", digest=waiting["digest"])
    await rooms.database.commit([Statement("UPDATE trust_edition SET signatures = x'00'")])
    with pytest.raises(OperationError, match="version 1 cannot be read again"):
        await ask("trust.diff", version="2")


async def test_a_disk_that_fails(rooms: Rooms, waiting: dict[str, Any], ask: Ask) -> None:
    """An approval that was not kept does not count."""
    object.__setattr__(rooms.keeper._store, "database", None)
    with pytest.raises(OperationError, match="could not be stored"):
        await ask("trust.approve", digest=waiting["digest"])
    assert 1 == rooms.keeper.pending[0].missing


class TestTwoOperators:
    """Where the settings say two."""

    @pytest.fixture
    def site(self, site: Site) -> Site:
        text = site.config.read_text("utf-8")
        site.config.write_text(text.replace("[trust]", "[trust]\napprovals = 2"), "utf-8")
        return site

    async def test_two_must_agree(self, rooms: Rooms, waiting: dict[str, Any], ask: Ask) -> None:
        """One operator, however often, is one."""
        done = await ask("trust.approve", digest=waiting["digest"][:32])
        assert ("waiting", 1) == (done["outcome"], done["missing"])
        with pytest.raises(OperationError, match="has agreed already, and another operator must"):
            await ask("trust.approve", digest=waiting["digest"])
        done = await perform(
            rooms, "operator:brice", "trust.approve", {"digest": waiting["digest"]}
        )
        assert isinstance(done, dict)
        assert ("accepted", 0) == (done["outcome"], done["missing"])
        assert ["operator:anne", "operator:brice"] == done["approvals"]
