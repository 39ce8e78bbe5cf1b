"""What an operator denies is known again in every form in which it may come."""

from smtp.address import parse
from tests.trust.simulator import dn, gateway, issued
from trust.identity import Certificate, Identity, Way
from trust.overlay import Denials, Overlay

LABO = Certificate.parse(gateway("labo.example").der)
CHU = Certificate.parse(gateway("chu.example").der)
OPERATOR = dn(gateway("labo.example"))


def test_nothing_denied() -> None:
    """Nearly always there is nothing to ask."""
    assert not Overlay().denied.any
    assert not Denials().shown(LABO)
    assert not Denials().operated(LABO.marks)


def test_an_address() -> None:
    """Denied in whatever case it is written; its neighbours are not."""
    denied = Denials(addresses=frozenset({"dr.martin@chu.example"}))
    assert denied.any
    assert denied.whom(parse("Dr.Martin@chu.example"))
    assert not denied.whom(parse("dr.durand@chu.example"))


def test_a_domain() -> None:
    """All its addresses with it, and no domain below."""
    denied = Denials(domains=frozenset({"chu.example"}))
    assert denied.whom(parse("dr.martin@chu.example"))
    assert not denied.whom(parse("dr.martin@mx.chu.example"))


def test_a_certificate() -> None:
    """One certificate, and no other of the same holder."""
    denied = Denials(certificates=frozenset({LABO.fingerprint}))
    assert denied.shown(LABO)
    assert not denied.shown(CHU)
    other = issued("gw.labo.example", organisation="gw.labo.example")
    assert not denied.shown(Certificate.parse(other.der))


def test_an_operator() -> None:
    """Every certificate of that name, now and later."""
    denied = Denials(operators=frozenset({OPERATOR.mark}))
    assert denied.shown(LABO)
    assert not denied.shown(CHU)


def test_a_domain_of_a_denied_operator() -> None:
    """Denied with its operator if nobody else may speak for it."""
    denied = Denials(operators=frozenset({OPERATOR.mark}))
    other = Identity(Way.SAN, "gw.autre.example")
    assert denied.operated([OPERATOR.mark])
    assert not denied.operated([OPERATOR.mark, other.mark])
