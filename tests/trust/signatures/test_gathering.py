"""Signatures of one list go into one file, whatever they were made with, and come out as they were."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.trust.signatures.gpg import Keys
from tests.trust.simulator import NOW, ListAuthority, member, signer
from trust import published
from trust.errors import SignatureError
from trust.published import CURRENT, INDEX, SIGNED, TrailError, Version, path_of
from trust.signatures import cms
from trust.signatures.gathering import PARTS, gathered, parted
from trust.signatures.openpgp import Ring
from trust.signatures.quorum import Quorum, verify

CONTENT = b"the list"
ONE = b"-----BEGIN PGP SIGNATURE-----\n\nAA==\n-----END PGP SIGNATURE-----\n"


def test_both_kinds_in_one_file(keys: Keys, ring: Ring) -> None:
    """A CMS signer and two of OpenPGP, one in armour and one not, count as three."""
    authority = signer(1)
    plain = cms.sign(CONTENT, authority.certificate, authority.key)
    alice, bob = keys.signed(CONTENT, keys.alice, "--armor"), keys.signed(CONTENT, keys.bob)
    quorum = Quorum.of([authority.chain_pem], 3, ring)

    whole = gathered([alice, plain, bob, plain, alice])

    assert 3 == len(verify(CONTENT, [whole], quorum, NOW).signers)
    assert whole == gathered([whole])
    assert 3 == len(parted(whole))


def test_one_that_does_not_count_takes_nothing_away(keys: Keys, ring: Ring) -> None:
    """Who adds a signature to the file undoes none of the others; alone it is said what it lacks."""
    quorum = Quorum({}, 1, ring)
    other, good = keys.signed(b"another", keys.bob), keys.signed(CONTENT, keys.alice)

    assert {keys.alice} == verify(CONTENT, [gathered([other, good])], quorum, NOW).signers
    with pytest.raises(SignatureError, match="other bytes; made over other bytes"):
        verify(CONTENT, [gathered([other, keys.signed(b"a third", keys.alice)])], quorum, NOW)


def test_more_than_anybody_needs() -> None:
    """Each signature costs a process: a file with very many is not looked at."""
    assert PARTS == len(parted(ONE * PARTS))
    with pytest.raises(SignatureError, match="more than 8"):
        parted(ONE * (PARTS + 1))


@given(st.binary(max_size=80), st.lists(st.just(ONE), max_size=3))
@example(b"", [])
@example(ONE + b"junk", [])
def test_nothing_is_lost(front: bytes, armoured: list[bytes]) -> None:
    """Any octets are parted into what is, put together, all of them but for blank lines."""
    octets = front + b"".join(armoured)

    assert octets.split() == b"".join(parted(octets)).split()


def test_a_key_that_expired_since_signed_well(keys: Keys, ring: Ring) -> None:
    """A history is walked years later: each version is judged at its own date."""
    quorum = Quorum({}, 1, ring)
    folder: dict[str, bytes] = {}
    authority = ListAuthority()
    authority.add(member("chu.example"))
    content, _ = authority.publish()
    version = Version(content, (gathered([keys.signed(content, keys.alice)]),))
    index = published.extended(None, version, quorum, NOW)
    place = path_of(index.versions[0].version)
    folder |= {place: content, place + SIGNED: version.signatures[0], CURRENT: content}
    folder[INDEX] = published.write_index(index)

    assert index.versions == published.walk(folder.__getitem__, quorum)
    with pytest.raises(TrailError, match="expired"):
        published.extended(None, version, quorum, NOW + timedelta(days=400))
