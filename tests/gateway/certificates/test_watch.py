"""Every certificate is asked about before its mail, and from then on ahead of time."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from gateway.certificates.register import Register
from gateway.certificates.shelf import Answers
from gateway.certificates.watch import Watch
from gateway.demo.pki import Issued
from gateway.settings.certificates import Certificates
from tests.trust.pki import BY_CRL, CRL, SILENT, Pki
from tests.world.clock import START, Clock
from tests.world.lists import Lists
from tests.world.rest import Rest, stored
from trust.authorities import Authorities, Manners
from trust.bridges import Bridge, Bridges
from trust.formats.direct import Bundle
from trust.identity import Certificate
from trust.keeper import Keeper
from trust.revocation import Standing, State
from trust.sources import Edition, TrustList
from trust.verification import Offer

HOUR = timedelta(hours=1)


@dataclass
class Desk:
    """A watch that runs, over a list with one member."""

    clock: Clock
    pki: Pki
    rest: Rest
    keeper: Keeper
    settings: Certificates
    told: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    changed: list[TrustList] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch = self.made()
        self.keeper.subscribe(lambda listed, _: self.changed.append(listed))

    def made(self) -> Watch:
        answers = Answers(self.rest.database, self.rest.ring)
        return Watch(
            Authorities(self.pki, answers, self.clock, Manners()),
            Register(self.rest.database, self.rest.ring),
            self.keeper,
            self.settings,
            lambda: self.pki.anchors,
            self.clock,
            lambda event, facts: self.told.append((event, facts)),
        )

    def standing(self, leaf: Issued) -> Standing:
        fingerprint = Certificate.parse(leaf.der).fingerprint
        return self.keeper.overlay.certificates.of(fingerprint, self.clock())

    async def met(self, leaf: Issued, role: str = "peer") -> None:
        await self.watch.met(leaf.der, self.pki.others, role)

    def events(self, name: str) -> list[Mapping[str, object]]:
        return [facts for event, facts in self.told if event == name]

    async def looked(self) -> None:
        """Wait until nothing is being asked, and nothing is due."""
        self.watch._bell.set()
        for _ in range(2000):
            known = self.watch._known.values()
            if not any(one.looking or one.again <= self.clock() for one in known):
                return
            await asyncio.sleep(0.001)
        raise AssertionError("the watch never rests")


class Nothing:
    """A trust store that keeps nothing."""

    async def history(self) -> list[object]:
        return []


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = Clock()
    pki, rest = Pki.make(clock), Rest.open(tmp_path)
    lists = Lists(pki.authority.issue("Registre", signer=True, days=900), clock())
    lists.add("labo.example", pki.issue())
    keeper = Keeper([lists.source], Nothing(), clock)  # type: ignore[arg-type]
    keeper.current = lists.current()
    made = Desk(clock, pki, rest, keeper, Certificates(wait=2))
    await made.watch.restore(Bridges())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.watch.run())
        yield made
        task.cancel()
    await rest.vault.close()
    await rest.database.close()


async def test_a_new_certificate_is_known_before_its_mail(desk: Desk) -> None:
    """It waits for the answer, and the next connection for nothing."""
    leaf = desk.pki.issue()
    assert State.UNKNOWN is desk.standing(leaf).state

    await desk.met(leaf)
    assert State.GOOD is desk.standing(leaf).state
    await desk.met(leaf)
    assert [CRL] == desk.pki.asked
    assert [] == desk.changed


@pytest.mark.parametrize("also_ours", [False, True])
async def test_an_anchor_that_a_list_lent(desk: Desk, also_ours: bool) -> None:  # noqa: FBT001
    """A chain that leads to nothing of ours is marked, unless the operator believes it as well."""
    root = desk.pki.authority.root.certificate
    bag = pkcs7.serialize_certificates([root], Encoding.DER)
    bundle = Bundle(("labo.example",), None, timedelta(days=9))
    edition = Edition("hisp", bundle.verify(Offer(bag), START), bundle.read, START)
    desk.keeper.current = TrustList.of([edition])
    ours = desk.pki.anchors if also_ours else ()
    desk.watch._anchors = lambda: ours
    leaf = desk.pki.issue()

    await desk.met(leaf)

    standing = desk.standing(leaf)
    assert (State.GOOD, not also_ours) == (standing.state, standing.lent)
    assert frozenset({root.fingerprint(hashes.SHA256()).hex()}) == standing.anchors


async def test_who_waits_waits_for_a_bounded_time(desk: Desk) -> None:
    """An authority that takes for ever costs a moment, then the mail is put off."""
    desk.settings = Certificates(wait=0)
    desk.watch._settings = desk.settings
    gate = asyncio.Event()
    get = desk.pki.get

    async def slow(url: str, **how: object) -> object:
        await gate.wait()
        return await get(url, **how)  # type: ignore[arg-type]

    desk.pki.__class__.get, kept = slow, desk.pki.__class__.get  # type: ignore[assignment, method-assign]
    try:
        leaf = desk.pki.issue()
        await desk.met(leaf)
        assert State.UNKNOWN is desk.standing(leaf).state
    finally:
        desk.pki.__class__.get = kept  # type: ignore[method-assign]
        gate.set()


async def test_one_that_becomes_revoked_is_told_at_once(desk: Desk) -> None:
    """The next look finds it; connections end with the swap, and nobody forgets it."""
    leaf = desk.pki.issue()
    await desk.met(leaf)
    desk.pki.register.revoke(leaf, desk.clock())
    desk.clock.advance(hours=2)
    await desk.looked()

    assert State.REVOKED is desk.standing(leaf).state
    (facts,) = desk.events("certificate.revoked")
    assert ("peer", "key-compromise") == (facts["kind"], facts["reason"])
    assert 1 == len(desk.changed)

    again = replace(desk, told=[], changed=[])
    await again.watch.restore(Bridges())
    assert State.REVOKED is again.standing(leaf).state


async def test_answers_are_renewed_ahead_of_their_end(desk: Desk) -> None:
    """No decision ever meets an answer that ran out, while its authority answers."""
    leaf = desk.pki.issue()
    await desk.met(leaf)
    for _ in range(60):
        desk.clock.advance(hours=1)
        await desk.looked()
        until = desk.standing(leaf).until
        assert until is not None
        assert until - desk.clock() > 20 * HOUR


async def test_a_silent_authority_costs_mail_only_after_the_grace(desk: Desk) -> None:
    """Four hours after the last answer's end nobody vouches, and an operator hears of it once."""
    leaf = desk.pki.issue()
    await desk.met(leaf)
    desk.pki.pages[CRL] = SILENT
    desk.clock.advance(hours=27)
    await desk.looked()
    assert State.GOOD is desk.standing(leaf).state

    desk.clock.advance(hours=1)
    await desk.looked()
    assert State.UNKNOWN is desk.standing(leaf).state

    desk.pki.pages[CRL] = desk.pki.register.crl(desk.clock())
    desk.clock.advance(hours=1)
    await desk.met(leaf)
    assert State.GOOD is desk.standing(leaf).state


async def test_expiries_are_told_once_a_threshold(desk: Desk) -> None:
    """Sixty, thirty and seven days ahead, for peers and for ourselves; and for whom."""
    leaf = desk.pki.issue(days=800)
    desk.watch.ours(leaf.der, desk.pki.others)
    told = []
    for left in range(100, -1, -1):
        desk.clock.now = leaf.certificate.not_valid_after_utc - timedelta(days=left)
        await desk.watch.warn()
        told += [(left, facts["reason"]) for facts in desk.events("certificate.expires")]
        desk.told.clear()

    assert [(60, "60 days"), (30, "30 days"), (7, "7 days")] == told


async def test_a_bridge_is_told_at_each_use(desk: Desk) -> None:
    """Loudly, both for who comes and for whom we reach."""
    leaf = desk.pki.issue(days=699, asking=BY_CRL)
    one = Certificate.parse(leaf.der)
    now = desk.clock()
    built = Bridge("labo.example", one.spki_sha256, one.subject, now, now + HOUR, "a", "b")
    desk.keeper.overlaid(replace(desk.keeper.overlay, bridges=Bridges.of([built])))

    await desk.met(leaf)
    await desk.met(leaf, "next-hop")
    assert ["labo.example", "labo.example"] == [f["domain"] for f in desk.events("bridge.used")]
    await desk.met(desk.pki.issue())
    assert 2 == len(desk.events("bridge.used"))


async def test_a_handshake_that_failed_names_whose_it_was(desk: Desk) -> None:
    """Also which member it belongs to; and bytes that are no certificate harm nobody."""
    desk.watch.failed(desk.pki.issue().der, "certificate has expired", "peer")
    desk.watch.failed(b"rubbish", "unable to get local issuer certificate", "next-hop")

    first, second = desk.events("certificate.unverified")
    assert ("labo.example", "certificate has expired") == (first["domain"], first["reason"])
    assert "certificate" not in second


async def test_a_signer_is_asked_about_from_a_thread(desk: Desk) -> None:
    """A list's signer cannot wait: it is unknown until somebody asked, and that begins at once."""
    signer = desk.pki.issue("alb.example")
    chain = (signer.der, *desk.pki.others, *desk.pki.anchors)
    now = desk.clock()
    first = await asyncio.to_thread(desk.watch.vouched, chain, now)
    assert State.UNKNOWN is first.state
    await asyncio.sleep(0)
    await desk.looked()
    later = await asyncio.to_thread(desk.watch.vouched, chain, now)
    assert State.GOOD is later.state


async def test_whom_nobody_shows_is_forgotten(desk: Desk) -> None:
    """After ninety days; ours never."""
    ours, theirs = desk.pki.issue("ours"), desk.pki.issue()
    desk.watch.ours(ours.der, desk.pki.others)
    await desk.met(theirs)
    await desk.looked()
    desk.clock.advance(days=91)
    await desk.watch.warn()

    assert ["ours"] == [met.role for met in desk.watch.all()]
    assert State.UNKNOWN is desk.standing(theirs).state


async def test_what_lies_on_the_disk_names_no_certificate(desk: Desk, tmp_path: Path) -> None:
    """Who works with whom is nobody's business who has a copy of the database."""
    leaf = desk.pki.issue("canari.labo.example")
    await desk.met(leaf)
    await desk.looked()

    assert b"canari" not in stored(tmp_path)
    assert b"pki.example" not in stored(tmp_path)


async def test_bytes_that_are_no_certificate_are_not_watched(desk: Desk) -> None:
    """The decision refuses them; nothing is asked, nothing kept."""
    await desk.watch.met(b"rubbish", (), "peer")
    assert [] == desk.watch.all()
    assert "<Watch 0 certificates>" == repr(desk.watch)
