"""What the gateway would connect to: all of it, and nothing that it would not."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.app import clock
from gateway.cli.call import Asking
from gateway.doctor import egress
from gateway.doctor.egress import Place
from gateway.doctor.examination import reaching
from gateway.doctor.finding import Finding, Level
from gateway.settings import Settings
from tests.gateway.doctor.conftest import Trial

_MORE = """
[siem]
host = "siem.example"
[receipts]
host = "broker.example"
[alerts]
webhook = "https://hook.example/sceau"
heartbeat = "https://beat.example:8443/ping"
[[login.issuer]]
url = "https://auth.example/realms/sante"
audience = "sceau"
anchors = "pki/anchors.pem"
[[mailboxes.server]]
name = "dovecot"
kind = "imap"
host = "mail.example"
domains = ["essai.example"]
anchors = "pki/anchors.pem"
credentials_file = "mail.credentials"
[[trust.source]]
name = "national"
format = "native"
signers = ["pki/signer-1.crt"]
url = "https://list.example/list.xml"
url_anchors = "pki/anchors.pem"
signatures = ["https://sign.example/a"]
[[trust.directory]]
name = "annuaire"
format = "annuaire"
url = "https://annuaire.example/x"
url_anchors = "pki/anchors.pem"
"""


def test_every_place_that_the_settings_name(trial: Trial) -> None:
    """Each with its port, for a firewall's table."""
    heads = {line for line in _MORE.splitlines() if line.startswith("[")}
    text = trial.config.read_text("utf-8")
    kept = [line for line in text.splitlines() if line.partition(" ")[0] not in heads]
    trial.config.write_text("\n".join(kept) + _MORE)
    found = {str(place) for place in egress.named(trial.settings)}
    assert {
        "siem.example:6514",
        "broker.example:8883",
        "hook.example:443",
        "beat.example:8443",
        "auth.example:443",
        "mail.example:993",
        "list.example:443",
        "sign.example:443",
        "annuaire.example:443",
    } == found


def test_a_trial_speaks_to_nobody(trial: Trial) -> None:
    """Nothing set, nothing named, and that is said."""
    findings = list(reaching(trial.config, Asking(trial.config, as_json=False).perform, clock()))
    assert ["dns", "egress"] == [each.what for each in findings]
    assert "nothing else is spoken to" in findings[-1].sentence


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_place_is_knocked_at(listening: int) -> None:
    """Who is there is reached, who is not is told of with what to do."""
    there = Place("127.0.0.1", listening, "a", "k")
    with socket.create_server(("127.0.0.1", 0)) as gone:
        closed = Place("127.0.0.1", gone.getsockname()[1], "b", "k")
    nowhere = Place("nowhere.invalid", 1, "c", "k")
    findings = list(egress.knocked("egress", [there, closed, nowhere]))
    assert [Level.OK, Level.WARN, Level.WARN] == [each.level for each in findings]
    assert "refused" in findings[1].sentence
    assert "it has no address" in findings[2].sentence
    assert findings[1].cure


def test_silence_is_a_firewall(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not answer at all is named so."""

    def silent(*_: object) -> socket.socket:
        raise TimeoutError

    monkeypatch.setattr("socket.create_connection", silent)
    (finding,) = egress.knocked("egress", [Place("a.example", 1, "a", "k")])
    assert "a firewall?" in finding.sentence


def test_members_are_where_mail_goes(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their hosts are tried, ours is not; those by MX, and those beyond the first, are counted."""
    monkeypatch.setattr(egress, "_MEMBERS", 1)
    monkeypatch.setattr(egress, "_knock", lambda _: "")
    settings = trial.settings
    members = [
        {"domain": settings.site.domains[0], "hosts": ["us.example:25"]},
        {"domain": "a.example", "hosts": ["mx.a.example", "mx2.a.example:2525"]},
        {"domain": "b.example", "hosts": []},
    ]
    findings = list(_of_members(settings, members))
    assert [
        "mx.a.example:25 for mail for a.example (the trust list) is reached",
        "hosts of members that were not tried: 1",
        "members without a host, whose MX is asked, port 25: 1",
    ] == [each.sentence for each in findings]


def _of_members(settings: Settings, members: list[dict[str, Any]]) -> Iterator[Finding]:
    return egress._members(settings, lambda *_, **__: {"members": members})


def test_our_certificate_says_whom_to_ask(trial: Trial, tmp_path: Path) -> None:
    """With revocation off nobody is asked."""
    settings = trial.settings
    off = settings.certificates.model_copy(update={"revocation": "off"})
    quiet = settings.model_copy(update={"certificates": off})
    assert [] == list(egress._authorities(quiet, clock()))
    assert Place("crl.example", 80, "w", "k") == egress._web("http://crl.example/a.crl", "w", "k")
