"""What goes wrong with lists in the world, and what a gateway makes of it."""

import hashlib
from datetime import timedelta

import pytest

from gateway.demo.national import Entry
from tests.trust import national
from tests.trust.national import CHU, LABO, signer
from tests.trust.space import NEXT, Space, gateway
from trust.revocation import State
from trust.signatures.signers import Dates
from trust.verification import Outcome

A, B = "a@labo.example", "b@chu.example"
LISTED = "allow listed"


@pytest.fixture
def space() -> Space:
    return Space([Entry("labo.example", LABO), Entry("chu.example", CHU)])


async def test_right_ca_wrong_domain(space: Space) -> None:
    """Every operator has a certificate of that authority; it speaks for its own domains alone."""
    await space.offer(space.list())
    other = gateway("mss.chu.example", "CHU", "1990000002")
    assert LISTED == space.decides(A, B, gateway())
    assert "refuse peer-not-entitled" == space.decides(A, B, other)


async def test_right_domain_removed_a_second_ago(space: Space) -> None:
    """The very next question has the new answer, on whichever connection."""
    await space.offer(space.list())
    assert LISTED == space.decides(A, B, gateway())
    space.now += timedelta(seconds=1)
    await space.offer(space.list(Entry("chu.example", CHU)))
    assert "refuse sender-not-listed" == space.decides(A, B, gateway())


async def test_list_stale(space: Space) -> None:
    """Nothing newer came for too long: mail waits, nothing is bounced."""
    await space.offer(space.list())
    space.now += timedelta(days=7)
    assert "defer list-stale" == space.decides(A, B, gateway())
    await space.offer(space.list())
    assert LISTED == space.decides(A, B, gateway())


async def test_list_rolled_back(space: Space) -> None:
    """An old list, though well signed, brings back nobody; not after a restart either."""
    before = space.list(days=-1)
    await space.offer(space.list(Entry("chu.example", CHU)))
    for _ in range(2):
        assert Outcome.ROLLED_BACK is (await space.offer(before)).outcome
        assert "refuse sender-not-listed" == space.decides(A, B, gateway())
        space.restart()
        await space.keeper.restore()


async def test_list_truncated_but_checksum_right(space: Space) -> None:
    """A checksum beside a truncated file proves that it was truncated before."""
    await space.offer(space.list())
    space.now += timedelta(hours=1)
    for cut in (-1, -20, -1500, 300, 0):
        content = space.list()[:cut]
        assert hashlib.sha256(content).hexdigest()
        arrival = await space.offer(content)
        assert arrival.outcome in {Outcome.UNSIGNED, Outcome.MALFORMED}
    assert LISTED == space.decides(A, B, gateway())


async def test_list_unsigned(space: Space) -> None:
    """Whole, from the right place, and worth nothing."""
    arrival = await space.offer(national.document())
    assert (Outcome.UNSIGNED, None) == (arrival.outcome, space.keeper.current)


async def test_list_cut_off_before_it_was_signed(space: Space) -> None:
    """Well signed, and most of the space is missing from it."""
    whole = [Entry(f"d{n}.example", LABO) for n in range(100)]
    await space.offer(space.list(*space.entries, *whole))
    space.now += timedelta(hours=1)
    arrival = await space.offer(space.list(*whole[:40]))
    assert Outcome.IMPLAUSIBLE is arrival.outcome
    assert LISTED == space.decides(A, B, gateway())


async def test_two_lists_of_one_moment(space: Space) -> None:
    """An authority that tells different gateways different things is found out."""
    await space.offer(space.list())
    arrival = await space.offer(space.list(Entry("evil.example", LABO)))
    assert Outcome.EQUIVOCATION is arrival.outcome


async def test_forged_by_another_member(space: Space) -> None:
    """Of the same authority, even with a certificate made for signing."""
    arrival = await space.offer(space.list(holder=signer("alb.voleur.example")))
    assert Outcome.UNMATCHED is arrival.outcome
    arrival = await space.offer(space.list(holder=gateway()))
    assert Outcome.UNMATCHED is arrival.outcome


@pytest.mark.parametrize(
    ("dates", "outcome"),
    [(Dates.OF_LIST, Outcome.ACCEPTED), (Dates.NOW, Outcome.UNTRUSTED_SIGNER)],
)
async def test_signer_s_certificate_expired_since(
    space: Space, dates: Dates, outcome: Outcome
) -> None:
    """Whether a list outlives its signer's certificate is the operator's to say."""
    space.dates = dates
    space.restart()
    content = space.list(days=334)
    space.now += timedelta(days=336)
    assert outcome is (await space.offer(content)).outcome


async def test_signer_s_certificate_expires_while_its_list_is_in_force(space: Space) -> None:
    """What was verified stays verified, over a restart too."""
    space.dates = Dates.NOW
    space.now += timedelta(days=334)
    space.restart()
    await space.offer(space.list())
    space.now += timedelta(days=2)
    space.restart()
    await space.keeper.restore()
    assert LISTED == space.decides(A, B, gateway())


async def test_signer_revoked(space: Space) -> None:
    """What it signs from then on is refused; what it signed before stays, until it is stale."""
    await space.offer(space.list())
    space.now += timedelta(days=1)
    space.standing = State.REVOKED
    assert Outcome.SIGNER_REVOKED is (await space.offer(space.list())).outcome
    assert LISTED == space.decides(A, B, gateway())
    space.now += timedelta(days=6)
    assert "defer list-stale" == space.decides(A, B, gateway())


async def test_signer_rolls_over(space: Space) -> None:
    """To a name that is not pinned: refused. To one that is: an operator has to agree, once."""
    await space.offer(space.list())
    space.now += timedelta(hours=1)
    space.holder = signer(NEXT)
    assert Outcome.UNMATCHED is (await space.offer(space.list())).outcome
    space.also = (space.holder,)
    space.restart()
    await space.keeper.restore()

    arrival = await space.offer(space.list())

    assert Outcome.WAITING is arrival.outcome
    assert "signed by another key" in arrival.sentence
    assert LISTED == space.decides(A, B, gateway())
    assert arrival.digest is not None
    assert (await space.keeper.approve("anne", arrival.digest)).good
    space.now += timedelta(hours=1)
    assert Outcome.ACCEPTED is (await space.offer(space.list())).outcome


async def test_a_source_that_is_frozen(space: Space) -> None:
    """Somebody keeps giving the same bytes: told while there is time, and again when there is none."""
    content = space.list()
    await space.offer(content)
    for _ in range(8):
        space.now += timedelta(days=1)
        assert Outcome.UNCHANGED is (await space.offer(content)).outcome
        await space.keeper.look("national")
    assert ["accepted", "ageing", "stale"] == space.told


async def test_many_operators_for_a_domain_and_many_domains_for_an_operator(space: Space) -> None:
    """The list is many to many, and says so in as many entries."""
    await space.offer(
        space.list(*space.entries, Entry("labo.example", CHU), Entry("tiers.example", LABO))
    )
    other = gateway("mss.chu.example", "CHU", "1990000002")
    assert [LISTED, "refuse peer-not-entitled", LISTED] == [
        space.decides(A, B, other),
        space.decides("a@tiers.example", B, other),
        space.decides("a@tiers.example", B, gateway()),
    ]


@pytest.mark.parametrize(
    ("organisation", "written"),
    [
        ("HOPITAL  SAINT JEAN", 'CN=mss.x.example,O="HOPITAL  SAINT JEAN"{}'),
        ("CLCC\u00a0 INSTITUT", 'CN=mss.x.example,O="CLCC\u00a0 INSTITUT"{}'),
        ('CRLCC "PAUL STRAUSS"', 'CN=mss.x.example,O=CRLCC "PAUL STRAUSS"{}'),
        ('FRANCK "JOLY"', 'CN=mss.x.example,O="FRANCK "JOLY""{}'),
        ("HÔPITAL ÉTÉ", "CN=mss.x.example,O=Ho\u0302pital Été{}"),
        ("ORDRE", "C=FR,ST=Essai (99),O=ordre,OU=1990000001,CN=MSS.X.EXAMPLE"),
    ],
)
async def test_names_as_people_write_them(space: Space, organisation: str, written: str) -> None:
    """Quotes, double spaces, no-break spaces, accents, another order: the same operator."""
    leaf = gateway("mss.x.example", organisation)
    name = written.format(",OU=1990000001,ST=Essai (99),C=FR")
    await space.offer(space.list(Entry("labo.example", name), *space.entries[1:]))
    assert LISTED == space.decides(A, B, leaf)
