"""The keeper as settings make it: three sources of three formats, each believed by its own rules."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from gateway.demo import national
from gateway.demo.national import Entry
from gateway.demo.pki import Authority
from gateway.operations.error import OperationError
from gateway.running import believing
from tests.trust.national import CHU, authority, document, pin, signed, signer
from tests.trust.signatures import gpg
from tests.trust.signatures.gpg import Keys
from tests.trust.simulator import NOW, MemoryStore
from tests.world.lists import Lists
from tests.world.site import Site
from trust.formats import direct, mssante, native
from trust.identity import Certificate
from trust.keeper import Keeper
from trust.revocation import Standing, State
from trust.verification import Outcome

NAMES = ("list", "national", "hisp")
SOURCES = """
openpgp = ["bob.asc"]
threshold = 2
list = "list.json"

[[trust.source]]
name = "national"
format = "mssante"
file = "national.xml"
anchors = "health.pem"

[[trust.source.signer]]
subject = '{subject}'
issuer = '{issuer}'
policy = "{policy}"

[[trust.source]]
name = "hisp"
format = "direct"
file = "bundle.p7b"
unsigned = true
domains = ["gw.labo.example", "hisp.example"]
max_age = 86400.0
"""


@dataclass
class World:
    """A gateway's folder, its keeper, and a clock."""

    site: Site
    lists: Lists
    keys: Keys
    now: datetime = NOW
    told: list[str] = field(default_factory=list)
    revoked: State = State.GOOD

    def keeper(self) -> Keeper:
        return believing.keeper(
            self.site.settings,
            cast("Any", MemoryStore()),
            lambda: self.now,
            cast("Any", self),
            cast("Any", None),
            revocation=lambda chain, now: Standing(self.revoked),
        )

    def tell(self, event: str, facts: Mapping[str, object]) -> None:
        self.told.append(event)

    def drop(self, name: str, content: bytes) -> Path:
        path = self.site.folder / name
        path.write_bytes(content)
        return path

    def native(self) -> None:
        content, envelope = self.lists.published(self.now)
        self.drop("list.json", content)
        self.drop("list.json.registre.p7s", envelope)
        self.drop("list.json.asc", self.keys.signed(content, self.keys.bob, "--armor"))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    with gpg.made(tmp_path_factory.mktemp("gpg") / "home") as made:
        yield made


@pytest.fixture
def world(keys: Keys, tmp_path: Path) -> World:
    pki = Authority.make(NOW)
    lists = Lists.make(pki)
    lists.add("labo.example", pki.issue("mx.labo.example"))
    certificate = signer().certificate
    sections = SOURCES.format(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        policy=pin(signer()).policy,
    )
    site = Site.make(tmp_path / "site", "labo.example", pki, lists, sections)
    made = World(site, lists, keys)
    made.drop("bob.asc", keys.public(keys.bob))
    made.drop("health.pem", authority().root.pem + authority().organisations.pem)
    return made


async def test_three_sources_in_one_list(world: World) -> None:
    """A domain is spoken for by the first that names it; an anchor, by what a certificate bears."""
    world.native()
    world.drop("national.xml", signed())
    world.drop(
        "bundle.p7b", pkcs7.serialize_certificates([authority().root.certificate], Encoding.DER)
    )
    keeper = world.keeper()

    outcomes = [await keeper.look(name) for name in NAMES]

    assert [Outcome.ACCEPTED] * 3 == [arrival.outcome for arrival in outcomes if arrival]
    assert keeper.current is not None
    assert {
        "labo.example": "list",
        "chu.example": "national",
        "gw.labo.example": "hisp",
        "hisp.example": "hisp",
    } == {domain: member.source for domain, member in keeper.current.members.items()}
    leaf = authority().gateway("gw.labo.example", "LABO", "1990000001")
    anchor = hashlib.sha256(authority().root.der).hexdigest()
    led = Certificate.parse(leaf.der).under(frozenset({anchor}))
    assert ["gw.labo.example"] == [each.domain for each in keeper.current.represented(led)]


async def test_one_openpgp_signature_is_missing(world: World) -> None:
    """Two of two, of whichever kind."""
    world.native()
    (world.site.folder / "list.json.asc").unlink()
    arrival = await world.keeper().look("list")
    assert arrival is not None
    assert (Outcome.UNSIGNED, "1 of the 2 signatures needed") == (arrival.outcome, arrival.sentence)


def national_list(*entries: Entry, days: int = 0) -> bytes:
    return signed(document(*entries, generated=NOW + timedelta(days=days)))


async def test_a_list_without_numbers_never_goes_back(world: World) -> None:
    """By its date: an older one, and another of the same moment, are refused (R-C4)."""
    keeper = world.keeper()
    for content, outcome in (
        (national_list(), Outcome.ACCEPTED),
        (national_list(), Outcome.UNCHANGED),
        (national_list(days=-1), Outcome.ROLLED_BACK),
        (national_list(Entry("labo.example", CHU)), Outcome.EQUIVOCATION),
        (national_list(days=1), Outcome.FUTURE),
    ):
        path = world.drop("national.xml", content)
        path.with_suffix(".next").write_bytes(content)
        path.with_suffix(".next").rename(path)
        arrival = await keeper.look("national")
        assert arrival is not None
        assert outcome is arrival.outcome
    assert keeper.current is not None
    assert 2 == len(keeper.current.members)


ODD = {
    "truncated, its checksum beside it": (signed()[:-300], Outcome.UNSIGNED),
    "unsigned": (document(), Outcome.UNSIGNED),
    "another signer": (signed(holder=signer("alb.autre.example")), Outcome.UNMATCHED),
    "signed, and no list": (signed(b"<a/>"), Outcome.MALFORMED),
    "too big": (b" " * ((32 << 20) + 1), Outcome.TOO_BIG),
}


@pytest.mark.parametrize(("content", "outcome"), ODD.values(), ids=ODD.keys())
async def test_what_never_comes_into_force(world: World, content: bytes, outcome: Outcome) -> None:
    """The status says why, in a word for each reason; the last verified list stays."""
    keeper = world.keeper()
    world.drop("national.xml", signed())
    await keeper.look("national")
    before = keeper.current
    world.drop("national.xml.sha256", hashlib.sha256(content).hexdigest().encode())
    world.drop("national.xml", content)
    arrival = await keeper.look("national")
    assert arrival is not None
    assert outcome is arrival.outcome
    assert before is keeper.current


@pytest.mark.parametrize(
    ("state", "outcome"),
    [(State.REVOKED, Outcome.SIGNER_REVOKED), (State.UNKNOWN, Outcome.SIGNER_UNSETTLED)],
)
async def test_the_signer_was_revoked(world: World, state: State, outcome: Outcome) -> None:
    """Or nobody knows, in which case it is asked again by itself."""
    world.revoked = state
    world.drop("national.xml", signed())
    arrival = await world.keeper().look("national")
    assert arrival is not None
    assert outcome is arrival.outcome
    assert arrival.passing


async def test_a_day_on_which_a_fifth_of_the_space_moves(world: World) -> None:
    """1,027 domains go from one operator to another: read and approved, not let through or lost."""
    before = national.entries()
    keeper = world.keeper()
    for days, listed in ((-1, before), (0, national.moved(before))):
        generated = NOW + timedelta(days=days)
        world.drop("national.xml", signed(national.document(listed, generated)))
        arrival = await keeper.look("national")
    assert arrival is not None
    assert Outcome.WAITING is arrival.outcome
    (pending,) = keeper.pending
    rows = [str(row) for row in pending.change.rows]
    assert any("1,027" in row for row in rows), rows
    assert Outcome.ACCEPTED is (await keeper.approve("marie", pending.digest)).outcome


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("health.pem", b"", "national"),
        ("health.pem", b"-----BEGIN CERTIFICATE-----", "national"),
        ("bob.asc", b"", "exactly one public key"),
    ],
)
def test_what_cannot_be_used(world: World, name: str, content: bytes, words: str) -> None:
    """Said at the start, with the source's name."""
    world.drop(name, content)
    with pytest.raises(OperationError, match=words):
        world.keeper()


def test_the_form_of_a_source_by_its_name(world: World, tmp_path: Path) -> None:
    """As ``sceau trust verify --source`` asks for it."""
    settings = world.site.settings
    kinds = [type(believing.form_of(settings, name, tmp_path / name)) for name in NAMES]
    assert [native.Source, mssante.WhiteList, direct.Bundle] == kinds
    with pytest.raises(OperationError, match="no source autre"):
        believing.form_of(settings, "autre", tmp_path / "autre")


@pytest.mark.parametrize(
    ("signers", "threshold"), [('"signer.crt", "other.crt"', 2), ('"signer.crt"', 1)]
)
def test_two_lists_have_signers_of_their_own(world: World, signers: str, threshold: int) -> None:
    """A list does not say whose it is: the one, offered as the other, would be believed there."""
    world.drop("other.crt", Authority.make(NOW).issue("Autre", signer=True).chain_pem)
    section = 'list = "list.json"\n[[trust.source]]\nname = "two"\nsigners = [{}]\nthreshold = {}\n'
    world.site.configure(section.format('"other.crt"', 1))
    assert ["list", "two"] == [each.name for each in world.keeper().standing().sources]
    world.site.configure(section.format(signers, threshold))
    with pytest.raises(OperationError, match="could sign that of"):
        world.keeper()
