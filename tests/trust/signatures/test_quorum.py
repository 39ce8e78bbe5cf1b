"""k distinct of the pinned signers, by whichever kind of signature; what does not count is named."""

from collections.abc import Iterator

import pytest

from tests.trust.signatures.gpg import Keys
from tests.trust.simulator import NOW, signer
from trust.errors import SignatureError
from trust.signatures import openpgp
from trust.signatures.cms import fingerprint, sign
from trust.signatures.quorum import ENVELOPE_LIMIT, ENVELOPES_LIMIT, Quorum, sift, verify

CONTENT = b'{"addresses":[]}\n'
ONE, TWO = signer(0), signer(1)


def signed(number: int, content: bytes = CONTENT) -> bytes:
    return sign(content, signer(number).certificate, signer(number).key)


def quorum(threshold: int = 1, ring: openpgp.Ring | None = None) -> Quorum:
    return Quorum.of((ONE.chain_pem, TWO.der), threshold, ring)


def test_one_signature_of_one() -> None:
    """The signer is known by the SHA-256 of its key."""
    verified = verify(CONTENT, [signed(0)], quorum())
    assert verified.content == CONTENT
    assert {fingerprint(ONE.key.public_key())} == verified.signers


def test_two_of_two() -> None:
    """Each in a file of its own."""
    assert len(verify(CONTENT, [signed(0), signed(1)], quorum(2)).signers) == 2


@pytest.mark.parametrize(
    ("envelopes", "words"),
    [
        ([], "^0 of the 2 signatures needed$"),
        ([signed(0)], "^1 of the 2"),
        ([signed(0), signed(0)], "^1 of the 2"),
        ([signed(0), signed(9)], "signature 2: made by none of the pinned signers"),
        ([signed(0), signed(1, CONTENT[:-1])], "signature 2: made over other bytes"),
        ([signed(0), signed(1)[:-1]], "signature 2: not a CMS signature in DER"),
        ([signed(0), signed(1) + b"\0"], "signature 2: not a CMS signature in DER"),
        ([signed(0), b""], "signature 2: not a CMS signature in DER"),
        ([signed(0), ONE.der], "signature 2: not a CMS signature in DER"),
        ([signed(0), bytes(ENVELOPE_LIMIT + 1)], "too large"),
        ([signed(1)] * (ENVELOPES_LIMIT + 1), "more than 64"),
    ],
)
def test_too_few(envelopes: list[bytes], words: str) -> None:
    """One signer twice is one; each useless file is named with what it lacks."""
    with pytest.raises(SignatureError, match=words):
        verify(CONTENT, envelopes, quorum(2))


def test_a_bad_file_undoes_nothing() -> None:
    """Who can drop a file must not be able to undo a well-signed list."""
    assert verify(CONTENT, [b"garbage", signed(9), signed(1), signed(0)], quorum(2)).signers


def test_what_does_not_count_is_sifted_out() -> None:
    """Files that add a signer go on; the others only where some are missing, to say what they lack."""
    junk = [b"x"] * 100
    good = (signed(1), signed(0))
    assert (good, ()) == sift(CONTENT, [*junk, good[0], good[0], signed(9), good[1]], quorum(2))
    assert ((good[0],), (b"x",) * 8) == sift(CONTENT, [good[0], *junk], quorum(2))


def test_nothing_is_looked_at_once_all_have_signed() -> None:
    """The rest cannot change anything."""

    def envelopes() -> Iterator[bytes]:
        yield from (signed(0), signed(1))
        raise AssertionError("looked further")

    assert 2 == len(sift(CONTENT, envelopes(), quorum(2))[0])


@pytest.mark.parametrize(
    ("certificates", "threshold"),
    [
        ([ONE.der], 0),
        ([ONE.der], 2),
        ([ONE.der, ONE.chain_pem], 2),
        ([], 1),
        ([b"not a certificate"], 1),
        ([b"-----BEGIN CERTIFICATE-----"], 1),
        ([ONE.key_pem], 1),
    ],
)
def test_a_quorum_that_cannot_be(certificates: list[bytes], threshold: int) -> None:
    """One key pinned twice is one signer: a threshold it cannot reach is a mistake."""
    with pytest.raises(SignatureError):
        Quorum.of(certificates, threshold)


def test_both_kinds_count_alike(keys: Keys, ring: openpgp.Ring) -> None:
    """Two of four: one signs with a certificate's key, one with a card through gpg-agent."""
    both = (signed(0), keys.signed(CONTENT, keys.alice))
    verified = verify(CONTENT, both, quorum(2, ring), NOW)
    assert {fingerprint(ONE.key.public_key()), keys.alice} == verified.signers
    assert (both, ()) == sift(CONTENT, [b"\x99", *both, *both], quorum(2, ring))
    with pytest.raises(SignatureError, match="2 of the 3"):
        verify(CONTENT, (*both, *both), quorum(3, ring), NOW)


def test_openpgp_keys_alone(keys: Keys, ring: openpgp.Ring) -> None:
    """No certificate need be pinned; how many there are bounds the threshold."""
    alone = Quorum.of((), 2, ring)
    by = [keys.signed(CONTENT, each) for each in (keys.alice, keys.bob)]
    assert {keys.alice, keys.bob} == verify(CONTENT, by, alone, NOW).signers
    with pytest.raises(SignatureError, match="never be reached"):
        Quorum.of((), 3, ring)


def test_an_openpgp_signature_where_none_is_pinned(keys: Keys) -> None:
    """It is told apart and does not count."""
    with pytest.raises(SignatureError, match="no OpenPGP key is pinned"):
        verify(CONTENT, [keys.signed(CONTENT, keys.alice)], quorum(), NOW)


def test_an_openpgp_key_expires(keys: Keys, ring: openpgp.Ring) -> None:
    """The moment that counts is given, so a list is judged by when it came."""
    by = [keys.signed(CONTENT, keys.alice)]
    assert verify(CONTENT, by, Quorum.of((), 1, ring), NOW).signers
    with pytest.raises(SignatureError, match="expired"):
        verify(CONTENT, by, Quorum.of((), 1, ring), NOW.replace(year=NOW.year + 2))


def test_signers_of_one_list_may_be_enough_for_another(ring: openpgp.Ring) -> None:
    """Keys of either kind that both pin, as many as the other asks for."""
    alone, both = Quorum.of((ONE.chain_pem,), 1), quorum(2)
    assert [False, True] == [alone.suffices(both), both.suffices(alone)]
    assert not alone.suffices(Quorum.of((TWO.der,), 1, ring))
    assert quorum(1, ring).suffices(Quorum.of((), 1, ring))
