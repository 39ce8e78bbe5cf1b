"""What others see of us, and what we need of them: each that does not answer is named."""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from dns.exception import DNSException
from dns.resolver import NXDOMAIN, NoAnswer

from gateway.app import clock
from gateway.demo.pki import Asking as Places
from gateway.demo.pki import Authority
from gateway.doctor import doors, neighbours
from gateway.doctor.finding import Finding, Level
from gateway.web.setup.records import records
from gateway.web.setup.servers import Servers
from tests.gateway.doctor.conftest import Trial, nobody_to_ask

BOUND = {
    "imap": 993,
    "imap_starttls": 143,
    "submission": 465,
    "submission_starttls": 587,
    "web": 443,
}


class Zone:
    """A name service that knows what it was given."""

    def __init__(self, known: dict[tuple[str, str], list[str]], refusal: type[Exception]) -> None:
        self.known, self.refusal = known, refusal

    def resolve(self, qname: str, rdtype: str, *, lifetime: float) -> Iterable[object]:
        try:
            return self.known[qname.rstrip("."), rdtype]
        except KeyError:
            raise self.refusal from None


def zone(trial: Trial, *, without: str = "") -> dict[tuple[str, str], list[str]]:
    """The zone that the records make, but for one."""
    known = {
        (each.name, each.kind): [each.value]
        for each in records(Servers.of(trial.settings, BOUND))
        if each.kind == "SRV"
    }
    for name in ("mx", "autoconfig", "autodiscover"):
        known[f"{name}.essai.example", "A"] = ["192.0.2.1"]
        known[f"{name}.essai.example", "AAAA"] = []
    known.pop((without, "SRV"), None)
    return known


def named(trial: Trial, asking: Zone) -> list[Level]:
    return [each.level for each in neighbours.names(trial.settings, BOUND, lambda: asking)]


def test_a_zone_that_is_whole(trial: Trial) -> None:
    """CNAME or the same addresses, both will do; what is not offered may be left out."""
    known = zone(trial, without="_pop3._tcp.essai.example")

    assert [Level.OK] == named(trial, Zone(known, NXDOMAIN))


def test_a_record_that_is_missing(trial: Trial) -> None:
    """It is counted, and named."""
    asking = Zone(zone(trial, without="_imaps._tcp.essai.example"), NoAnswer)
    (found,) = neighbours.names(trial.settings, BOUND, lambda: asking)

    assert "1 of 9" in found.sentence
    assert "_imaps._tcp.essai.example" in found.sentence


def test_a_record_that_says_another_port(trial: Trial) -> None:
    """Priority and weight may differ, port and host not."""
    known = zone(trial)
    known["_imaps._tcp.essai.example", "SRV"] = ["10 5 993 mx.essai.example."]
    right = named(trial, Zone(known, NXDOMAIN))
    known["_imaps._tcp.essai.example", "SRV"] = ["0 1 994 mx.essai.example."]

    assert [[Level.OK], [Level.WARN]] == [right, named(trial, Zone(known, NXDOMAIN))]


def test_no_name_service(trial: Trial) -> None:
    """A machine without one, and one whose own does not answer, are told so."""
    silent = named(trial, Zone({}, DNSException))
    without = neighbours.names(trial.settings, BOUND, nobody_to_ask)

    assert [Level.WARN] == silent
    assert [Level.WARN] == [each.level for each in without]


@contextmanager
def listening(words: bytes) -> Iterator[int]:
    """Somebody who says these words to whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                while True:
                    line, _ = server.accept()
                    with line:
                        line.sendall(words)
                        line.recv(1024)
            except OSError:
                pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def door(trial: Trial, name: str, port: int) -> Finding:
    found = doors.doors(trial.settings, dict.fromkeys(doors._WAYS, 1) | {name: port})
    return next(each for each in found if each.what == f"port {name}")


@pytest.mark.parametrize("name", sorted(doors._WAYS))
def test_a_stranger_at_our_port(trial: Trial, name: str) -> None:
    """Whoever does not speak as the listener must is no listener of ours."""
    with listening(b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        found = door(trial, name, port)

    assert Level.FAIL == found.level


@pytest.mark.parametrize("name", sorted(doors._WAYS))
def test_nobody_at_our_port(trial: Trial, name: str) -> None:
    """It says where nothing listens."""
    assert "nothing listens at 127.0.0.1:1" in door(trial, name, 1).sentence


@pytest.mark.parametrize(
    ("words", "level"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Level.OK),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", Level.WARN),
    ],
)
def test_a_gateway_that_is_not_ready(trial: Trial, words: bytes, level: Level) -> None:
    """It runs, and says itself that it cannot take mail."""
    with listening(words) as port:
        assert level == door(trial, "status", port).level


def test_what_programs_are_told_leads_nowhere(trial: Trial) -> None:
    """A host without an address, or without anybody who is believed there, is warned of."""
    nowhere = list(neighbours.outside(trial.settings, BOUND))
    trial.edit("[setup]", '[setup]\nhost = "127.0.0.1"\n')
    with listening(b"no TLS\r\n") as port:
        closed = list(neighbours.outside(trial.settings, dict.fromkeys(BOUND, 1) | {"web": port}))

    assert [Level.WARN] == [each.level for each in nowhere]
    assert [Level.OK, *[Level.WARN] * 5] == [each.level for each in closed]


def test_a_revocation_list_that_nobody_serves(trial: Trial) -> None:
    """What our own certificate names is fetched as others do."""
    authority = Authority.make(clock())
    pki = trial.folder / "pki"
    (pki / "anchors.pem").write_bytes(authority.anchors_pem)
    with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as port:
        asking = Places(crl=(f"http://127.0.0.1:{port}/list.crl", "http://127.0.0.1:1/list.crl"))
        authority.issue("mx.essai.example", asking=asking).write(pki, "gateway")
        (strange, _) = neighbours.authorities(trial.settings, clock())
        trial.edit("[certificates]", '[certificates]\ninside = ["127.0.0.1"]')
        found = list(neighbours.authorities(trial.settings, clock()))

    assert {Level.OK, Level.WARN} == {each.level for each in found}
    assert (Level.WARN, "inside" in strange.cure) == (strange.level, True)
