"""Which way a domain lies."""

from collections.abc import Iterable

import pytest

from gateway.demo.pki import Authority
from gateway.relay.routes import NULL_MX, Hosts, Lookup, Ours, Route, candidates, route
from tests.world.clock import START
from tests.world.lists import Lists
from trust.sources import TrustList

OURS = frozenset({"labo.example"})


@pytest.fixture(scope="module")
def listed() -> TrustList:
    authority = Authority.make(START)
    lists = Lists.make(authority)
    certificate = authority.issue("CHU")
    lists.add("chu.example", certificate, [("mx1.chu.example", 2525), ("mx2.chu.example", 25)])
    lists.add("clinique.example", certificate)
    return lists.current()


@pytest.mark.parametrize(
    ("domain", "way"),
    [
        ("labo.example", Ours()),
        ("chu.example", Hosts((("mx1.chu.example", 2525), ("mx2.chu.example", 25)))),
        ("clinique.example", Lookup("clinique.example")),
        ("unknown.example", Lookup("unknown.example")),
    ],
)
def test_the_list_says_where_before_dns_does(listed: TrustList, domain: str, way: Route) -> None:
    """Our own domains first, then the hosts the list names, and only then DNS."""
    assert way == route(domain, OURS, listed, 25)


def test_without_a_list_only_our_own_domains_are_known() -> None:
    """No list, no hosts to believe."""
    assert Ours() == route("labo.example", OURS, None, 25)
    assert Lookup("chu.example") == route("chu.example", OURS, None, 25)


def backwards(names: Iterable[str]) -> list[str]:
    return list(names)[::-1]


def test_mx_hosts_are_tried_by_preference_and_equals_in_any_order() -> None:
    """Load spreads over equals only (RFC 5321 §5.1)."""
    answers = [(20, "c.example."), (10, "a.example."), (10, "B.example.")]
    found = candidates("chu.example", answers, 25, backwards)
    assert Hosts((("b.example", 25), ("a.example", 25), ("c.example", 25))) == found


def test_a_domain_without_mx_is_its_own_host() -> None:
    """The implicit MX (RFC 5321 §5.1)."""
    assert Hosts((("chu.example", 26),)) == candidates("chu.example", [], 26, backwards)


def test_a_domain_that_takes_no_mail_says_so() -> None:
    """A null MX ends the delivery at once (RFC 7505)."""
    assert NULL_MX == candidates("chu.example", [(0, ".")], 25, backwards)
