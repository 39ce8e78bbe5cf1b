"""Where lists are looked for: a path where somebody drops them, or an address of the web."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from tests.trust.simulator import NOW, ListAuthority, member
from tests.trust.site import Site
from trust.signatures import ENVELOPES_LIMIT
from trust.verification import Outcome

CHU, LABO = member("chu.example"), member("labo.example")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(ListAuthority().add(CHU, LABO), tmp_path / "list.json")


async def test_a_dropped_list(site: Site) -> None:
    """Found, verified, in force; looked at again only when it changes."""
    keeper = site.keeper()
    site.drop(*site.authority.publish())
    arrival = await keeper.look("list")
    assert arrival is not None
    assert arrival.good
    assert await keeper.look("list") is None
    site.drop(*site.authority.publish())
    assert await keeper.look("list") is not None
    assert [(1, None), (2, 1)] == site.changes
    assert NOW == keeper.standing().sources[0].looked


async def test_the_missing_signature_arrives_later(site: Site) -> None:
    """A list waits for its second signer; a new signature is a change."""
    keeper = site.keeper()
    content, envelopes = site.authority.publish()
    site.drop(content, envelopes[:1])
    await keeper.look("list")
    assert await keeper.look("list") is None
    site.drop(content, envelopes)
    await keeper.look("list")
    assert ["unsigned", "accepted"] == site.outcomes


async def test_only_its_own_signatures_are_read(site: Site) -> None:
    """Another list's signatures, or other files, beside it do not count."""
    keeper = site.keeper(dropped=site.dropped.with_name("[list].json"))
    content, envelopes = site.authority.publish()
    site.dropped.with_name("[list].json").write_bytes(content)
    site.dropped.with_name("l.json.a.p7s").write_bytes(envelopes[0])
    site.dropped.with_name("[list].json.p7s").write_bytes(envelopes[0])
    site.dropped.with_name("[list].json.b.p7s").write_bytes(envelopes[1])
    arrival = await keeper.look("list")
    assert arrival is not None
    assert arrival.sentence == "1 of the 2 signatures needed"


async def test_no_list_was_dropped(site: Site) -> None:
    """Told once; the list in force stays when the file goes."""
    keeper = site.keeper()
    for _ in range(2):
        arrival = await keeper.look("list")
        assert arrival is not None
        assert arrival.outcome is Outcome.NOT_FOUND
    site.drop(*site.authority.publish())
    await keeper.look("list")
    site.dropped.unlink()
    await keeper.look("list")
    assert ["not-found", "accepted", "not-found"] == site.outcomes
    assert keeper.current is not None


async def test_a_file_that_cannot_be_read(site: Site) -> None:
    """Told once, tried again every time."""
    keeper = site.keeper()
    site.dropped.mkdir()
    for _ in range(2):
        arrival = await keeper.look("list")
        assert arrival is not None
        assert arrival.outcome is Outcome.UNREADABLE
    assert ["unreadable"] == site.outcomes


async def test_what_is_dropped_may_be_huge(site: Site) -> None:
    """No more than the limit and one octet of each file is read, and not of every file."""
    site.limit = 1000
    site.drop_huge(site.dropped)
    keeper = site.keeper()
    arrival = await keeper.look("list")
    assert arrival is not None
    assert arrival.outcome is Outcome.TOO_BIG

    site.limit = 1 << 20
    keeper = site.keeper()
    content, envelopes = site.authority.publish()
    site.drop(content, envelopes)
    site.drop_huge(site.beside("huge.p7s"))
    arrival = await keeper.look("list")
    assert arrival is not None
    assert arrival.good


async def test_junk_crowds_no_signature_out(site: Site) -> None:
    """However many files lie beside the list, those that sign it count, and the rest is told of."""
    keeper = site.keeper()
    junk = [bytes([n]) * n for n in range(2 * ENVELOPES_LIMIT)]
    foreign = ListAuthority().add(CHU).publish()[1]
    content, envelopes = site.authority.publish()
    site.drop(content, [*junk, *foreign, *envelopes])
    arrival = await keeper.look("list")
    assert arrival is not None
    assert arrival.good
    assert len(junk) + len(foreign) == keeper.standing().sources[0].useless
    (kept,) = site.store.offers.values()
    assert len(envelopes) == len(kept.signatures)


async def test_what_is_no_file_beside_a_list_stops_nothing(site: Site) -> None:
    """A pipe, a folder, a link to nowhere, a file of another's: passed over without waiting."""
    keeper = site.keeper()
    os.mkfifo(site.beside("a.p7s"))
    site.beside("b.p7s").mkdir()
    site.beside("c.p7s").symlink_to(site.beside("nowhere"))
    site.drop(*site.authority.publish())
    arrival = await keeper.look("list")
    assert arrival is not None
    assert arrival.good
    assert 3 == keeper.standing().sources[0].useless


async def test_a_list_that_is_a_pipe(site: Site) -> None:
    """The gateway does not wait for somebody to write into it."""
    os.mkfifo(site.dropped)
    arrival = await site.keeper().look("list")
    assert arrival is not None
    assert arrival.outcome is Outcome.UNREADABLE


async def test_no_more_is_read_than_some(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest files first, up to so many octets in all."""
    keeper = site.keeper()
    content, envelopes = site.authority.publish()
    monkeypatch.setattr("trust.dropped._OCTETS", sum(map(len, envelopes)) - 1)
    site.drop(content, envelopes)
    arrival = await keeper.look("list")
    assert arrival is not None
    assert arrival.sentence == "1 of the 2 signatures needed"


async def test_a_list_of_tomorrow_is_tried_again(site: Site) -> None:
    """The file did not change, but the day did."""
    keeper = site.keeper()
    site.drop(*site.authority.publish(issued=NOW + timedelta(hours=1)))
    await keeper.look("list")
    await keeper.look("list")
    site.clock.now += timedelta(hours=1)
    await keeper.look("list")
    assert ["future", "accepted"] == site.outcomes


async def test_a_list_replaced_by_rename(site: Site) -> None:
    """Even with the same size and time, a renamed file is another file."""
    keeper = site.keeper()
    content, envelopes = site.authority.publish()
    site.drop(content, envelopes)
    await keeper.look("list")
    new = site.dropped.with_name("new")
    new.write_bytes(content)
    stat = site.dropped.stat()
    os.utime(new, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    new.replace(site.dropped)
    arrival = await keeper.look("list")
    assert arrival is not None
    assert arrival.outcome is Outcome.UNCHANGED
