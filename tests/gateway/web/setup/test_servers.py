"""What mail programs are told is one value, and the DNS records say the same."""

import pytest

from gateway.web.setup.records import records
from gateway.web.setup.servers import Server, Servers
from tests.gateway.web.setup.conftest import Settled


def test_what_is_bound_and_what_is_mapped(settled: Settled) -> None:
    """A port that any would do is the one taken; what the settings say of outside wins over both."""
    mapped = settled('[setup]\nhost = "mail.chu.example"\nimap = 10993\nsubmission = 10465\n')
    inside = Servers.of(settled(), {"submission": 2465})
    outside = Servers.of(mapped, {"submission": 2465})

    assert Server("mx.chu.example", 2465) == inside.sending[0]
    assert Server("mail.chu.example", 10465) == outside.sending[0]
    assert (Server("mail.chu.example", 10993), Server("mail.chu.example", 143, starttls=True)) == (
        outside.reading
    )
    assert "https://mail.chu.example/setup" == outside.page


def test_a_port_elsewhere_is_in_the_page_s_address(settled: Settled) -> None:
    """443 goes without saying, another does not; without a web there is no page."""
    assert (
        "https://mx.chu.example:8443/setup" == Servers.of(settled("[setup]\nweb = 8443\n"), {}).page
    )
    assert not Servers("chu", ("chu.example",)).page


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("dr@chu.example", "chu.example"),
        ("personne.n.a@CLINIQUE.example", "clinique.example"),
        ("dr@labo.example", None),
        ("chu.example", None),
        ("", None),
    ],
)
def test_an_address_is_in_a_domain_of_ours_or_in_none(
    servers: Servers, address: str, domain: str | None
) -> None:
    """Whether the mailbox exists is not looked at."""
    assert domain == servers.domain(address)


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("autoconfig.chu.example", "chu.example"),
        ("autodiscover.clinique.example:8443", "clinique.example"),
        ("chu.example", "chu.example"),
        ("mx.chu.example", None),
        ("autoconfig.labo.example", None),
        ("[::1]:443", None),
        ("", None),
    ],
)
def test_the_host_that_is_asked_tells_the_domain(
    servers: Servers, host: str, domain: str | None
) -> None:
    """Which other domains live here is not told."""
    assert domain == servers.hosted(host)


def test_of_one_domain_alone_nobody_need_say_which() -> None:
    """A gateway of one domain answers for it at whatever name."""
    assert "chu.example" == Servers("chu", ("chu.example",)).hosted("mx.chu.example")


def test_the_zone(servers: Servers) -> None:
    """Each kind of TLS has its own record; what we have not is said not to be there."""
    lines = [str(each) for each in records(servers) if each.name.endswith("chu.example")]

    assert [
        "_imaps._tcp.chu.example. 3600 IN SRV 0 1 993 mx.chu.example.",
        "_imap._tcp.chu.example. 3600 IN SRV 0 1 143 mx.chu.example.",
        "_submissions._tcp.chu.example. 3600 IN SRV 0 1 465 mx.chu.example.",
        "_submission._tcp.chu.example. 3600 IN SRV 0 1 587 mx.chu.example.",
        "_pop3s._tcp.chu.example. 3600 IN SRV 0 0 0 .",
        "_pop3._tcp.chu.example. 3600 IN SRV 0 0 0 .",
        "_autodiscover._tcp.chu.example. 3600 IN SRV 0 1 443 mx.chu.example.",
        "autoconfig.chu.example. 3600 IN CNAME mx.chu.example.",
        "autodiscover.chu.example. 3600 IN CNAME mx.chu.example.",
    ] == lines


def test_the_zone_of_a_gateway_without_web() -> None:
    """No page, no names for one."""
    found = list(records(Servers("chu", ("chu.example",))))

    assert {"0 0 0 ."} == {each.value for each in found}
