"""An answer counts by its signature, for the certificate it names, and says no more than it says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.pki import Asking, Authority, Issued
from gateway.demo.revocation import Register
from trust import judge
from trust.chain import Chain, chains
from trust.judge import AnswerError
from trust.revocation import Source, Standing, State

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ASKING = Asking(("http://pki.example/aci.crl",), ("http://ocsp.example/",))
OURS = Authority.make(NOW - timedelta(days=900), "Sante")
OTHER = Authority.make(NOW - timedelta(days=900), "Sante")  # the same names, other keys
LEAF = OURS.issue("mx.labo.example", days=1000, asking=ASKING)
EXPIRED = OURS.issue("mx.vieux.example", days=800, asking=ASKING)
HOUR = timedelta(hours=1)


def chain(leaf: Issued = LEAF, now: datetime = NOW) -> Chain:
    return chains(leaf.der, [OURS.issuing.der], [OURS.root.der], now).found[0]


def by_crl(der: bytes, leaf: Issued = LEAF, now: datetime = NOW) -> Standing:
    way = chain(leaf)
    return judge.by_crl(way, way.links[0], der, now)


def by_ocsp(
    register: Register, leaf: Issued = LEAF, now: datetime = NOW, at: datetime = NOW - HOUR
) -> Standing:
    way = chain(leaf)
    return judge.by_ocsp(way, way.links[0], register.answer(way.links[0].request(), at), now)


@pytest.mark.parametrize("leaf", [LEAF, EXPIRED])
def test_a_list_that_does_not_name_it_is_good_until_its_end(leaf: Issued) -> None:
    """An expired certificate too can be good otherwise: a bridge asks for that."""
    good = Standing(State.GOOD, NOW, NOW + 23 * HOUR, Source.CRL)

    assert good == by_crl(Register(OURS.issuing).crl(NOW - HOUR), leaf)


@pytest.mark.parametrize("leaf", [LEAF, EXPIRED])
@pytest.mark.parametrize("at", [NOW - 2 * HOUR, NOW + HOUR, NOW - timedelta(days=400)])
def test_a_list_that_names_it_revokes_at_once(at: datetime, leaf: Issued) -> None:
    """Also if it says that it holds from an hour hence: the authority knows by now."""
    register = Register(OURS.issuing)
    register.revoke(leaf, at)
    found = by_crl(register.crl(NOW - HOUR), leaf)

    assert (State.REVOKED, Source.CRL) == (found.state, found.source)
    assert ("key-compromise", at, False) == (found.why, found.since, found.hold)


def test_a_hold_is_a_revocation_that_may_end() -> None:
    """RFC 5280 §5.3.1: certificateHold, and nothing else."""
    register = Register(OURS.issuing)
    register.revoke(LEAF, NOW - HOUR, x509.ReasonFlags.certificate_hold)

    assert by_crl(register.crl(NOW - HOUR)).hold
    assert by_ocsp(register).hold


def test_what_was_said_before_a_hold_does_not_lift_it() -> None:
    """It was true then, it is signed, it has not run out: whoever is on the way may bring it again."""
    way, register, since = chain(), Register(OURS.issuing), NOW - HOUR
    for at, lifts in ((since - HOUR, False), (since + HOUR / 2, True)):
        answers = register.crl(at), register.answer(way.links[0].request(), at)
        for judged, answer in zip((judge.by_crl, judge.by_ocsp), answers, strict=True):
            if lifts:
                assert State.GOOD is judged(way, way.links[0], answer, NOW, since).state
                continue
            with pytest.raises(AnswerError, match="older-than-the-hold"):
                judged(way, way.links[0], answer, NOW, since)


def scoped(**scope: object) -> bytes:
    """A list that says of itself for which certificates it is (RFC 5280 §5.2.5)."""
    point: dict[str, Any] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    } | scope
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(OURS.issuing.certificate.subject)
        .last_update(NOW - HOUR)
        .next_update(NOW + HOUR)
        .add_extension(x509.IssuingDistributionPoint(**point), critical=True)
    )
    return builder.sign(OURS.issuing.key, SHA256()).public_bytes(Encoding.DER)


_ELSEWHERE = [x509.UniformResourceIdentifier("http://pki.example/others.crl")]
_HERE = [x509.UniformResourceIdentifier("http://pki.example/aci.crl")]


@pytest.mark.parametrize(
    "scope",
    [
        {"only_contains_ca_certs": True},
        {"only_contains_attribute_certs": True},
        {"full_name": _ELSEWHERE},
        {"only_some_reasons": frozenset({x509.ReasonFlags.superseded})},
    ],
)
def test_a_list_for_others_is_none(scope: dict[str, Any]) -> None:
    """That of its authorities, or of another part, does not say that ours is not revoked."""
    with pytest.raises(AnswerError):
        by_crl(scoped(**scope))
    way = chain()
    with pytest.raises(AnswerError):
        judge.by_crl(way, way.links[0], scoped(**scope), NOW)
    assert State.GOOD is by_crl(scoped(full_name=_HERE)).state


def test_the_same_serial_of_another_authority_is_another_certificate() -> None:
    """Who revokes number 7 of its own does not revoke ours: the issuer counts, not the number."""
    register = Register(OTHER.issuing)
    register.revoke(LEAF, NOW - HOUR)

    with pytest.raises(AnswerError):
        by_crl(register.crl(NOW - HOUR))
    with pytest.raises(AnswerError):
        by_ocsp(register)
    assert (
        chain().links[0].key
        != chains(OTHER.issue("x").der, [OTHER.issuing.der], [OTHER.root.der], NOW)
        .found[0]
        .links[0]
        .key
    )


def test_an_answer_that_ran_out_says_what_it_said() -> None:
    """How long it counts after its end is the grace's business."""
    register = Register(OURS.issuing)
    ended = NOW - HOUR

    assert ended == by_crl(register.crl(NOW - 25 * HOUR)).until
    assert ended == by_ocsp(register, at=NOW - 25 * HOUR).until
    register.revoke(LEAF, NOW - 26 * HOUR)
    assert State.REVOKED is by_crl(register.crl(NOW - 25 * HOUR)).state
    assert State.REVOKED is by_ocsp(register, at=NOW - 25 * HOUR).state


def test_an_answer_from_the_future_is_none() -> None:
    """Five minutes of a clock's difference are borne."""
    register = Register(OURS.issuing)

    assert State.GOOD is by_crl(register.crl(NOW + timedelta(minutes=4))).state
    with pytest.raises(AnswerError, match="from-the-future"):
        by_crl(register.crl(NOW + HOUR))
    with pytest.raises(AnswerError, match="from-the-future"):
        by_ocsp(register, at=NOW + HOUR)


def test_the_authority_answers_for_itself_or_by_whom_it_names() -> None:
    """RFC 6960 §4.2.2.2: the CA, or a responder that it certified for this."""
    responder = OURS.issue("ocsp", days=1000, responder=True)
    register = Register(OURS.issuing, responder)

    assert Standing(State.GOOD, NOW, NOW + 23 * HOUR, Source.OCSP) == by_ocsp(register)
    register.revoke(LEAF, NOW - HOUR)
    assert State.REVOKED is by_ocsp(register).state
    assert State.REVOKED is by_ocsp(Register(OURS.issuing, revoked=register.revoked)).state


@pytest.mark.parametrize(
    "signer", [OURS.issue("mx.labo.example"), OTHER.issue("ocsp", responder=True)]
)
def test_nobody_else_answers(signer: Issued) -> None:
    """A member's own certificate is no responder, nor is another authority's."""
    with pytest.raises(AnswerError):
        by_ocsp(Register(OURS.issuing, signer))


def test_an_answer_about_another_certificate_is_none() -> None:
    """A good answer for one is not a good answer for all."""
    way, other = chain(), chain(EXPIRED)
    answer = Register(OURS.issuing).answer(other.links[0].request(), NOW - HOUR)

    with pytest.raises(AnswerError):
        judge.by_ocsp(way, way.links[0], answer, NOW)


def test_a_list_that_was_changed_is_none() -> None:
    """One octet, and the signature is nobody's."""
    der = bytearray(Register(OURS.issuing).crl(NOW - HOUR))
    der[-1] ^= 1
    with pytest.raises(AnswerError, match="not-signed"):
        by_crl(bytes(der))


def test_what_a_responder_does_not_know_is_no_answer() -> None:
    """``unknown`` and ``tryLater`` are not good; the list may still say."""
    unsuccessful = bytes.fromhex("30030a0103")  # RFC 6960 §4.2.1: tryLater
    way = chain()
    with pytest.raises(AnswerError, match="ocsp-try-later"):
        judge.by_ocsp(way, way.links[0], unsuccessful, NOW)


@pytest.mark.parametrize("junk", [b"", b"<html>Are you a robot?</html>", b"0\x03\x02\x01\x01"])
def test_a_page_is_no_answer(junk: bytes) -> None:
    """The health PKI's host sends a challenge in HTML when it is asked too often."""
    way = chain()
    with pytest.raises(AnswerError):
        judge.by_crl(way, way.links[0], junk, NOW)
    with pytest.raises(AnswerError):
        judge.by_ocsp(way, way.links[0], junk, NOW)


@given(at=st.integers(0, 2000), octet=st.integers(0, 255), crl=st.booleans())
def test_any_change_gives_no_answer_or_the_same(*, at: int, octet: int, crl: bool) -> None:
    """Whatever came over plain HTTP: a standing that was signed, or our error."""
    way, register = chain(), Register(OURS.issuing)
    register.revoke(LEAF, NOW - HOUR)
    asked = way.links[0].request()
    der = bytearray(register.crl(NOW - HOUR) if crl else register.answer(asked, NOW - HOUR))
    der[at % len(der)] = octet
    try:
        found = (judge.by_crl if crl else judge.by_ocsp)(way, way.links[0], bytes(der), NOW)
    except AnswerError:
        return
    assert State.REVOKED is found.state
