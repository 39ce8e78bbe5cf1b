"""Where lists are looked for: a path where somebody drops them, or an address of the web."""

import hashlib
import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.demo.pki import Authority
from gateway.web.fetching import Fetching
from tests.trust.simulator import NOW, ListAuthority, MemoryStore, member
from tests.trust.site import Site
from tests.world.web import answer, serving
from trust import dropped
from trust.fetching import NO_HEADERS, Fetched, FetchError, FetchState, NotModified
from trust.formats import native
from trust.keeper import Keeper
from trust.places import Dropped, Web
from trust.signatures.quorum import ENVELOPE_LIMIT, ENVELOPES_LIMIT
from trust.verification import Demands, Offer, OfferError, Outcome
from trust.watch import Found, Seen, Source

NOW_HERE = datetime.now(UTC)  # noqa: TID251 - TLS asks the real clock
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
    site.dropped.with_name("[list].json.a.sha256").write_bytes(envelopes[0])
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


@pytest.mark.parametrize("large", [1, 1 << 20])
async def test_a_large_list_is_mapped(
    site: Site, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    """It is verified, read and kept as a small one is, and given back once it is in force."""
    monkeypatch.setattr(dropped, "LARGE", large)
    monkeypatch.setattr(native, "_PIECE", large)
    found = list[Found]()
    look = Dropped.look

    async def looked(place: Dropped, before: Seen | None) -> Found | None:
        if (seen := await look(place, before)) is not None:
            found.append(seen)
        return seen

    monkeypatch.setattr(Dropped, "look", looked)
    keeper = site.keeper()
    site.drop(*site.authority.publish())
    await keeper.look("list")

    assert ["accepted"] == site.outcomes
    content = found[0].offer.content
    assert isinstance(content, mmap.mmap) is (large == 1)
    assert not isinstance(content, mmap.mmap) or content.closed


async def test_what_is_read_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes to the file afterwards changes nothing of what is verified."""
    monkeypatch.setattr(dropped, "LARGE", 1)
    path = tmp_path / "list.json"
    path.write_bytes(b"signed")
    found = await Dropped(path, 10).look(None)
    with path.open("r+b") as file:
        file.write(b"FORGED")

    assert found is not None
    assert b"signed" == bytes(found.offer.content)


async def test_a_list_that_ends_before_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that has fewer octets than it said, as one that is being replaced, is read again."""
    monkeypatch.setattr(dropped, "LARGE", 1)
    with pytest.raises(OfferError, match="it was cut off while it was read"):
        await Dropped(Path("/sys/devices/system/cpu/online"), 1 << 20).look(None)


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


# The web.


@dataclass
class Host:
    """Answers as a web server would; ``pages`` by URL, or what goes wrong."""

    pages: dict[str, bytes | FetchState] = field(default_factory=dict)
    tagged: bool = True
    asked: list[tuple[str, str, int]] = field(default_factory=list)

    async def get(
        self,
        url: str,
        *,
        limit: int,
        within: float,
        anchors: bytes = b"",
        etag: str = "",
        plain: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Fetched | NotModified:
        assert (b"the host's CA", False, 60, {}) == (anchors, plain, within, dict(headers))
        self.asked.append((url, etag, limit))
        page = self.pages.get(url, FetchState.NOT_FOUND)
        if isinstance(page, FetchState):
            raise FetchError(page, f"{url}: {page}")
        tag = hashlib.sha256(page).hexdigest() if self.tagged else ""
        return NotModified(tag) if tag and tag == etag else Fetched(page, tag)

    async def post(self, url: str, body: bytes, **_: object) -> Fetched:
        raise AssertionError


URL = "https://list.example/list.json"


def web(host: Host, *signatures: str) -> Web:
    return Web(host, URL, b"the host's CA", 1000, signatures)


async def test_a_list_of_the_web_is_taken_when_it_changes() -> None:
    """An unchanged one costs an answer without a body."""
    host = Host({URL: b"one"})
    place = web(host)
    found = await place.look(None)
    assert found is not None
    assert Offer(b"one") == found.offer
    assert await place.look(found.seen) is None
    host.pages[URL] = b"two"
    found = await place.look(found.seen)
    assert found is not None
    assert Offer(b"two") == found.offer
    assert [(URL, 1000)] * 3 == [(url, limit) for url, _, limit in host.asked]


async def test_a_signature_that_comes_later_is_a_change() -> None:
    """All of it is taken anew then, so that it fits together."""
    first, second = f"{URL}.1.p7s", f"{URL}.2.p7s"
    host = Host({URL: b"list", first: b"one"})
    place = web(host, first, second)
    found = await place.look(None)
    assert found is not None
    assert Offer(b"list", (b"one",)) == found.offer
    host.pages[second] = b"two"
    found = await place.look(found.seen)
    assert found is not None
    assert Offer(b"list", (b"one", b"two")) == found.offer
    assert {1000, ENVELOPE_LIMIT} == {limit for _, _, limit in host.asked}
    assert await place.look(found.seen) is None
    host.pages[first] = b"another"
    found = await place.look(found.seen)
    assert found is not None
    assert Offer(b"list", (b"another", b"two")) == found.offer


async def test_a_host_without_tags_is_asked_for_all_of_it() -> None:
    """It costs more, and is as good."""
    place = web(Host({URL: b"one"}, tagged=False))
    for _ in range(2):
        found = await place.look(("",))
        assert found is not None
        assert Offer(b"one") == found.offer


@pytest.mark.parametrize("state", FetchState)
async def test_why_a_list_did_not_come(state: FetchState) -> None:
    """Each reason keeps its word."""
    with pytest.raises(OfferError, match=r"list\.example") as missing:
        await web(Host({URL: state})).look(None)
    assert state.value == missing.value.outcome.value


async def test_a_signature_that_cannot_be_had_is_told() -> None:
    """None there is one thing, a host that fails another."""
    host = Host({URL: b"list", f"{URL}.p7s": FetchState.TIMEOUT})
    with pytest.raises(OfferError) as missing:
        await web(host, f"{URL}.p7s").look(None)
    assert Outcome.TIMEOUT is missing.value.outcome


def test_which_place_gives_its_author_s_word(site: Site) -> None:
    """A host was asked just now; a file may have lain there for a year."""
    assert (True, False) == (web(Host()).confirms, Dropped(site.dropped, 1000).confirms)


async def test_a_list_is_fetched_over_https(site: Site) -> None:
    """From a real server, whose certificate no other authority could have issued; nothing twice."""
    authority, other = Authority.make(NOW_HERE), Authority.make(NOW_HERE, "Autre")
    offer = site.authority.offer()
    form = site.authority.demands.form
    async with serving(authority) as server:
        server.pages["/list.json"] = answer(bytes(offer.content), ETag='"1"')
        server.pages["/one.p7s"] = answer(offer.signatures[0], ETag='"a"')
        server.pages["/two.p7s"] = answer(offer.signatures[1], ETag='"b"')
        places = [
            Web(
                Fetching(),
                server.url("/list.json"),
                anchors,
                1 << 20,
                (server.url("/one.p7s"), server.url("/two.p7s")),
            )
            for anchors in (server.anchors, other.anchors_pem)
        ]
        keepers = [
            Keeper([Source(Demands("list", form, 1 << 20), place)], MemoryStore(), site.clock)
            for place in places
        ]
        arrivals = [await keeper.look("list") for keeper in keepers]
        asked = len(server.asked)
        server.pages.clear()
        gone = await keepers[0].look("list")

    assert [Outcome.ACCEPTED, Outcome.TLS_FAILED] == [each and each.outcome for each in arrivals]
    assert (3, Outcome.NOT_FOUND) == (asked, gone and gone.outcome)
    assert keepers[0].current is not None
    assert ["chu.example", "labo.example"] == sorted(keepers[0].current.members)
