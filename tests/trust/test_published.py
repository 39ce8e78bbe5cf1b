"""A published history holds together from its first version to its last, or it is said where not."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.pki import Authority
from tests.world.clock import START
from tests.world.lists import Lists
from trust import published
from trust.errors import SignatureError
from trust.formats import native
from trust.published import CURRENT, INDEX, SIGNED, Index, Step, TrailError, Version, path_of
from trust.signatures.cms import sign
from trust.signatures.gathering import gathered
from trust.signatures.quorum import Quorum, verify

AUTHORITY = Authority.make(START)


@dataclass
class Folder:
    """A published folder, in memory."""

    lists: Lists
    files: dict[str, bytes] = field(default_factory=dict)
    index: Index | None = None

    def publish(self, days: int = 0) -> Version:
        version = self.next(days)
        self.index = published.extended(self.index, version, self.lists.quorum, START)
        place = path_of(self.index.versions[-1].version)
        self.files |= {
            place: version.content,
            place + SIGNED: version.signatures[0],
            CURRENT: version.content,
            INDEX: published.write_index(self.index),
        }
        return version

    def next(self, days: int = 0) -> Version:
        content, signature = self.lists.published(START + timedelta(days=days))
        return Version(content, (signature,))

    def find(self, name: str) -> bytes:
        if name not in self.files:
            raise TrailError(f"no {name}")
        return self.files[name]

    def walk(self, *known: bytes) -> tuple[Step, ...]:
        return published.walk(self.find, self.lists.quorum, known)


def lists() -> Lists:
    made = Lists.make(AUTHORITY)
    made.add("labo.example", AUTHORITY.issue("mx.labo.example"))
    return made


@pytest.fixture
def folder() -> Folder:
    made = Folder(lists())
    for day in range(3):
        made.publish(day)
    return made


def test_a_history_is_walked(folder: Folder) -> None:
    """Every version by its number, each carrying the hash of the one before."""
    steps = folder.walk(folder.files["versions/2.json"])

    assert [1, 2, 3] == [step.version for step in steps]
    assert [None, *(step.digest for step in steps[:-1])] == [step.previous for step in steps]
    assert published.read_index(folder.files[INDEX]).versions == steps


def test_a_history_may_begin_later(folder: Folder) -> None:
    """Who begins to publish at version 4 has no earlier ones to show."""
    version = folder.next(4)
    late = Folder(folder.lists)
    late.index = published.extended(None, version, folder.lists.quorum, START)
    assert [4] == [step.version for step in late.index.versions]


def test_the_same_version_again_changes_nothing(folder: Folder) -> None:
    """A publication that was cut short is repeated."""
    content = folder.files[CURRENT]
    again = Version(content, (folder.files["versions/3.json" + SIGNED],))
    late = START + timedelta(days=1000)
    assert folder.index == published.extended(folder.index, again, folder.lists.quorum, late)


def test_what_must_not_be_published(folder: Folder) -> None:
    """Unsigned, stale, not the next, of another line, dated before: the others would refuse it."""
    index, quorum = folder.index, folder.lists.quorum
    stranger = Folder(lists())
    stranger.lists.add("autre.example", AUTHORITY.issue("mx.autre.example"))
    elsewhere = [stranger.next(day) for day in range(4)]
    good = folder.next(5)
    skipped = folder.next(6)
    cases = [
        (replace(good, signatures=()), START, "signatures needed"),
        (replace(good, content=good.content + b" "), START, "signatures needed"),
        (good, START + timedelta(days=100), "stale already"),
        (skipped, START, "does not come after version 3"),
    ]
    for version, now, why in cases:
        with pytest.raises(TrailError, match=why):
            published.extended(index, version, quorum, now)
    for version, why in ((elsewhere[2], "another list than ours"), (elsewhere[3], "as ours")):
        with pytest.raises(TrailError, match=why):
            published.extended(index, version, stranger.lists.quorum, START)


def test_a_version_dated_before_the_last_is_refused() -> None:
    """Time goes one way."""
    folder = Folder(lists())
    folder.publish(5)
    with pytest.raises(TrailError, match="dated before"):
        folder.publish(4)


def test_a_signed_list_of_another_form_is_refused(folder: Folder) -> None:
    """A signature over what is no list publishes nothing."""
    signer = folder.lists.signer
    signed = sign(b"{}", signer.certificate, signer.key)
    with pytest.raises(TrailError, match="not to be believed"):
        published.extended(None, Version(b"{}", (signed,)), folder.lists.quorum, START)


def _cut(folder: Folder) -> None:
    index = published.read_index(folder.files[INDEX])
    folder.files[INDEX] = published.write_index(Index(index.versions[:2]))


def _rolled_back(folder: Folder) -> None:
    _cut(folder)
    folder.files[CURRENT] = folder.files["versions/2.json"]


def _left_out(folder: Folder) -> None:
    index = published.read_index(folder.files[INDEX])
    folder.files[INDEX] = published.write_index(Index((index.versions[0], index.versions[2])))


def _forged(folder: Folder) -> None:
    index = published.read_index(folder.files[INDEX])
    first, second, third = index.versions
    forged = msgspec.structs.replace(second, digest="0" * 64)
    third = msgspec.structs.replace(third, previous="0" * 64)
    folder.files[INDEX] = published.write_index(Index((first, forged, third)))


def _dated(folder: Folder) -> None:
    index = published.read_index(folder.files[INDEX])
    first = msgspec.structs.replace(index.versions[0], issued=START - timedelta(days=9))
    folder.files[INDEX] = published.write_index(Index((first, *index.versions[1:])))


def _altered(folder: Folder) -> None:
    folder.files["versions/1.json"] = folder.files["versions/1.json"].replace(b"labo", b"lab0")


def _missing(folder: Folder) -> None:
    del folder.files["versions/1.json"]


def _unsigned(folder: Folder) -> None:
    folder.files["versions/2.json.p7s"] = folder.files["versions/1.json.p7s"]


def _exchanged(folder: Folder) -> None:
    folder.files[CURRENT] = folder.files["versions/2.json"]


@pytest.mark.parametrize(
    "damage",
    [_cut, _left_out, _forged, _dated, _altered, _missing, _unsigned, _exchanged],
)
def test_a_history_that_was_touched_is_refused(
    folder: Folder, damage: Callable[[Folder], None]
) -> None:
    """Cut, forged, altered, unsigned: nothing in it can be changed unseen."""
    damage(folder)
    with pytest.raises(TrailError):
        folder.walk()


def test_a_history_cut_whole_is_seen_by_who_holds_more(folder: Folder) -> None:
    """A consistent past is a past; who has seen version 3 knows that it is not the present."""
    held = folder.files[CURRENT]
    _rolled_back(folder)
    assert 2 == len(folder.walk())
    with pytest.raises(TrailError, match="version 3, which you hold"):
        folder.walk(held)


@given(st.binary(max_size=200))
def test_any_octets_are_an_index_or_our_error(octets: bytes) -> None:
    """Nothing that a folder may hold is a crash."""
    with contextlib.suppress(TrailError):
        published.read_index(octets)


@pytest.mark.parametrize(
    "octets",
    [
        b'{"versions":[]}',
        b'{"versions":[{"version":1,"digest":"a","issued":"2026-01-01T00:00:00","previous":null}]}',
        b'{"format":"other","versions":[{"version":1,"digest":"","issued":"2026-01-01T00:00:00Z","previous":null}]}',
    ],
)
def test_an_index_of_another_form_is_refused(octets: bytes) -> None:
    """Empty, without a time zone, of another format."""
    with pytest.raises(TrailError, match="index"):
        published.read_index(octets)


def test_signatures_are_gathered_in_one_file() -> None:
    """Two signers who signed apart count as two when their files are one."""
    one, two = lists(), AUTHORITY.issue("Second", signer=True)
    content, first = one.published()
    second = sign(content, two.certificate, two.key)
    quorum = Quorum.of([one.signer.chain_pem, two.chain_pem], 2)
    whole = gathered([first, second, second])

    assert 2 == len(verify(content, [whole], quorum).signers)
    assert whole == gathered([whole])
    assert native.digest(content)


@pytest.mark.parametrize("envelopes", [[], [b""], [b"junk"], [b"0\x80"], [b"0\x03\x02\x01\x01"]])
def test_what_is_no_signature_is_not_gathered(envelopes: list[bytes]) -> None:
    """OpenPGP and junk have no place in a CMS file."""
    with pytest.raises(SignatureError):
        gathered(envelopes)
