"""A CRL of any size is read beside the loop, once, and then looked up in a few octets."""

from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.pki import Asking
from tests.trust.pki import CRL, Memory, Pki
from tests.world.clock import Clock
from trust import authorities as asking
from trust import judge, rolls
from trust.authorities import Authorities, Manners
from trust.chain import Chain, chains, rebuilt
from trust.errors import ApartError
from trust.judge import AnswerError
from trust.revocation import Standing, State
from trust.rolls import Reading, Roll, read, reading

SERIALS = st.lists(st.integers(1, 2**160), max_size=40)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pki(clock: Clock) -> Pki:
    return Pki.make(clock)


def way(pki: Pki, name: str = "mx.labo.example") -> Chain:
    return chains(pki.issue(name).der, pki.others, pki.anchors, pki.clock()).found[0]


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many octets were read whole, each time."""
    sizes: list[int] = []

    async def counted(chain: Chain, link: object, der: bytes, *rest: object) -> Reading:
        sizes.append(len(der))
        return await reading(chain, link, der, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(asking, "reading", counted)
    return sizes


@given(named=SERIALS, others=SERIALS)
def test_who_is_named_is_never_missed(named: list[int], others: list[int]) -> None:
    """A number on the list is found, whatever lies beside it; another is found by its end alone."""
    ends = {rolls._end(serial) for serial in named}
    now = Clock()()
    roll = Roll(now, now, b"", 0, b"".join(sorted(ends)))

    assert all(roll.may_name(serial) for serial in named)
    assert [rolls._end(serial) in ends for serial in others] == [
        roll.may_name(serial) for serial in others
    ]
    assert f"<Roll of {len(ends)}, 0 octets>" == repr(roll)


async def test_another_process_reads_as_a_thread_does(
    pki: Pki, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same standing, or the same word for why there is none."""
    good, bad = pki.issue(), pki.issue("mx.bad.example")
    pki.register.revoke(bad, clock())
    der = pki.register.crl(clock())
    monkeypatch.setattr(rolls, "SMALL", 0)
    for leaf, state in ((good, State.GOOD), (bad, State.REVOKED)):
        chain = chains(leaf.der, pki.others, pki.anchors, clock()).found[0]
        here = read(chain, chain.links[0], der, clock(), None)
        assert here == await reading(chain, chain.links[0], der, clock())
        assert state is here.standing.state

    with pytest.raises(AnswerError, match="not-a-crl"):
        await reading(chain, chain.links[0], b"0\x00", clock())


def test_the_child_side(pki: Pki, clock: Clock) -> None:
    """What another process is asked, and what it says, in this one."""
    chain, der = way(pki), pki.register.crl(clock())
    question = msgspec.msgpack.encode(rolls._Question(chain.ders, 0, clock(), None))

    said = msgspec.msgpack.decode(rolls.read_apart(question, der), type=rolls._Answer)
    assert read(chain, chain.links[0], der, clock(), None) == said.reading
    said = msgspec.msgpack.decode(rolls.read_apart(question, b"0"), type=rolls._Answer)
    assert (None, "not-a-crl") == (said.reading, said.why)


def test_a_chain_is_made_again_from_its_certificates(pki: Pki) -> None:
    """Another process has the same one."""
    chain = way(pki)

    assert chain == rebuilt(chain.ders)


async def test_a_process_that_breaks_is_no_answer(
    pki: Pki, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bomb, or one that takes too long: the authority is silent, as if it had not answered."""

    async def broken(*_: object, **__: object) -> bytes:
        raise ApartError("it was not done")

    monkeypatch.setattr(rolls, "apart", broken)
    monkeypatch.setattr(rolls, "SMALL", 0)
    chain = way(pki)
    with pytest.raises(AnswerError, match="too-much-to-read"):
        await reading(chain, chain.links[0], pki.register.crl(clock()), clock())


def test_an_entry_that_cannot_be_read(
    pki: Pki, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed by an authority, and nonsense all the same: no answer, and no accident."""

    def nonsense(_: bytes) -> object:
        class Crl:
            last_update_utc = next_update_utc = clock()

            def __iter__(self) -> Iterator[object]:
                raise ValueError

        return Crl()

    monkeypatch.setattr(judge, "by_crl", lambda *_: Standing(State.GOOD))
    monkeypatch.setattr(x509, "load_der_x509_crl", nonsense)
    chain = way(pki)
    with pytest.raises(AnswerError, match="not-a-crl"):
        read(chain, chain.links[0], b"", clock(), None)


async def test_a_list_is_read_whole_once(pki: Pki, clock: Clock, whole: list[int]) -> None:
    """Four hundred certificates of one authority are looked up; only who may be named is read for."""
    authorities = Authorities(pki, Memory(), clock, Manners())
    bad = pki.issue("mx.bad.example")
    pki.register.revoke(bad, clock())
    leaves = [pki.issue(f"mx{n}.example") for n in range(5)]
    found = [await authorities.standing(one.der, pki.others, pki.anchors) for one in leaves]
    assert {State.GOOD} == {one.state for one in found}
    assert 1 == len(whole)

    named = await authorities.standing(bad.der, pki.others, pki.anchors)
    assert State.REVOKED is named.state
    assert 2 == len(whole)


async def test_the_same_list_is_not_read_again(pki: Pki, clock: Clock, whole: list[int]) -> None:
    """A host that knows no ETag sends it each hour; it is the same octet for octet."""
    pki.pages[CRL] = pki.register.crl(clock(), timedelta(days=7))
    authorities, leaf = Authorities(pki, Memory(), clock, Manners()), pki.issue()
    for _ in range(3):
        found = await authorities.standing(leaf.der, pki.others, pki.anchors)
        assert State.GOOD is found.state
        clock.advance(hours=2)

    assert [CRL] * 3 == pki.asked
    assert 1 == len(whole)


async def test_memory_holds_no_whole_list(pki: Pki, clock: Clock) -> None:
    """Eight octets a number; the rest lies sealed on the shelf."""
    for number in range(50):
        pki.register.revoke(pki.issue(f"mx{number}.example"), clock())
    shelf = Memory()
    authorities = Authorities(pki, shelf, clock, Manners())
    await authorities.standing(pki.issue().der, pki.others, pki.anchors)

    (listing,) = authorities._lists.values()
    assert 50 * 8 == len(listing.roll.serials)
    assert len(msgspec.msgpack.encode(listing)) < 50 * 8 + 400
    assert 3 == len(shelf.kept)


async def test_a_list_that_was_lost_is_fetched_again(pki: Pki, clock: Clock) -> None:
    """Somebody changed the database: nothing is believed of it, and the authority is asked."""
    shelf = Memory()
    authorities = Authorities(pki, shelf, clock, Manners())
    await authorities.standing(pki.issue().der, pki.others, pki.anchors)
    bad = pki.issue("mx.bad.example")
    pki.register.revoke(bad, clock())
    clock.advance(hours=2)
    await authorities.standing(pki.issue("x.example").der, pki.others, pki.anchors)
    (name,) = (name for name in shelf.kept if name.startswith("octets "))
    for octets in ({}, {name: b"other"}):
        del shelf.kept[name]
        shelf.kept |= octets
        found = await authorities.standing(bad.der, pki.others, pki.anchors)
        assert (State.UNKNOWN, "lost") == (found.state, found.why)
        other = await authorities.standing(pki.issue().der, pki.others, pki.anchors)
        assert State.GOOD is other.state
    assert State.REVOKED is (await authorities.standing(bad.der, pki.others, pki.anchors)).state


async def test_a_list_that_is_for_others_is_not_read_again_and_again(
    pki: Pki, clock: Clock, whole: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it does not cover it will not cover in a second either."""
    authorities = Authorities(pki, Memory(), clock, Manners())
    await authorities.standing(pki.issue().der, pki.others, pki.anchors)
    elsewhere = pki.issue("x.example")
    (name,) = authorities._lists
    authorities._lists[name] = msgspec.structs.replace(authorities._lists[name], scopes=())

    async def refused(*_: object) -> Reading:
        whole.append(0)
        raise AnswerError("not-for-this-certificate-or-not-signed")

    monkeypatch.setattr(asking, "reading", refused)
    for _ in range(5):
        found = await authorities.standing(elsewhere.der, pki.others, pki.anchors)
        assert State.UNKNOWN is found.state
        assert "not-for-this-certificate-or-not-signed" == found.why
    assert [0] == whole[1:]


async def test_lists_without_end_are_bounded(
    pki: Pki, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An authority that names another list in each certificate fills no disk; who is used stays."""
    size = len(pki.register.crl(clock()))
    monkeypatch.setattr(asking, "_MOST", 3 * size + size // 2)
    urls = [f"http://pki.example/{number}.crl" for number in range(8)]
    pki.pages |= dict.fromkeys(urls, pki.pages[CRL])
    shelf = Memory()
    authorities = Authorities(pki, shelf, clock, Manners())
    for url in urls:
        for place in (CRL, url):
            leaf = pki.issue(asking=Asking(crl=(place,)))
            found = await authorities.standing(leaf.der, pki.others, pki.anchors)
            assert State.GOOD is found.state

    assert [urls[-2], CRL, urls[-1]] == [name.split()[1] for name in authorities._lists]
    assert 6 == sum(not name.startswith("answer ") for name in shelf.kept)
    assert 1 == pki.asked.count(CRL)
