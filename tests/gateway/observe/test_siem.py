"""What the SIEM is told: well-formed, complete, and nobody's name in it."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.observe import siem
from gateway.observe.siem import Observer, Told
from vault.journal import Entry

AT = datetime(2026, 11, 22, 14, 4, 36, 120000, tzinfo=UTC)
US = Observer("mx.chu-nord.example", "chu-nord")
KEY = b"\xab" * 16
# RFC 5424 §6, for what we write: one element of structured data, a message in UTF-8.
_SYSLOG = re.compile(
    rb"<(\d{1,3})>1 (\S+) ([!-~]{1,255}) sceau - ([!-~]{1,32})"
    rb' \[sceau@32473((?: [a-z]+="(?:[^"\\\]]|\\["\\\]])*")*)\] \xef\xbb\xbf(.*)',
    re.DOTALL,
)


def entry(event: str = "login.failed", actor: str = "gateway", **more: Any) -> Entry:
    facts: dict[str, Any] = {"message": None, "who": None, "whom": None, "detail": {}} | more
    return Entry(7, AT, event, actor, **facts)


def document(told: Entry, who: bytes | None = None, whom: bytes | None = None) -> dict[str, Any]:
    return siem.ecs(Told(told, who, whom), US)


def test_a_failed_log_in() -> None:
    """What happened, to which account by its pseudonym, from where, with what result."""
    told = entry(
        who="1790335121518@patient.example", detail={"ip": "192.0.2.7", "reason": "password"}
    )
    assert {
        "@timestamp": "2026-11-22T14:04:36.120000Z",
        "ecs": {"version": "8.11"},
        "message": "login.failed",
        "event": {
            "kind": "event",
            "id": "chu-nord-7",
            "sequence": 7,
            "action": "login.failed",
            "module": "sceau",
            "dataset": "sceau.journal",
            "outcome": "failure",
            "category": ["authentication"],
            "reason": "password",
        },
        "observer": {
            "hostname": "mx.chu-nord.example",
            "name": "chu-nord",
            "product": "sceau",
            "type": "mail-gateway",
        },
        "user": {"name": "gateway"},
        "sceau": {
            "actor": "gateway",
            "who": {"id": "ab" * 16, "domain": "patient.example"},
            "detail": {"ip": "192.0.2.7", "reason": "password"},
        },
        "source": {"ip": "192.0.2.7"},
    } == document(told, KEY)


def test_nobody_is_named() -> None:
    """Whatever an entry says of people stays in the house: words that a log may hold go, masked."""
    told = entry(
        "operation.mailbox.add",
        who="canary@chu.example",
        whom="canary@labo.example",
        message="M1",
        detail={
            "arguments": {"address": "canary@chu.example", "name": "Canary"},
            "said": "550 canary unknown",
            "reason": "mail for canary@chu.example",
            "text": "canary",
        },
    )
    for written in (siem.syslog, siem.line):
        octets = written(Told(told, KEY, KEY), US)
        assert b"canary" not in octets.lower()
        assert b"M1" in octets


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        ("content.viewed", {"reason": "Mme Canary asks for her results"}),
        ("content.exported", {"reason": "Canary"}),
        ("trust.denied", {"reason": "key of canary stolen"}),
        ("mailbox.read", {"folder": "Patients/Canary"}),
    ],
)
def test_what_people_wrote_stays_in_the_house(event: str, detail: dict[str, Any]) -> None:
    """A reason that somebody states and a folder that somebody named may name a patient."""
    for written in (siem.syslog, siem.line):
        assert b"canary" not in written(Told(entry(event, detail=detail), None, None), US).lower()


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        ("message.refused", {"reason": "sender-not-listed"}),
        ("recipient.refused", {"reason": "4.7.1"}),
        ("hold.tampered", {"reason": "it does not open"}),
        ("mailbox.read", {"folder": "INBOX"}),
    ],
)
def test_what_the_gateway_wrote_is_told(event: str, detail: dict[str, Any]) -> None:
    """Its own words go: they are the same for everybody."""
    assert detail == document(entry(event, detail=detail))["sceau"]["detail"]


def test_an_unknown_kind_is_told_as_it_is() -> None:
    """A kind that nobody foresaw gets no category and no outcome that would be wrong."""
    found = document(entry("future.thing"))
    assert "category" not in found["event"]
    assert ("future.thing", "unknown") == (found["event"]["action"], found["event"]["outcome"])
    assert "success" == document(entry("message.accepted"))["event"]["outcome"]


def test_the_head_of_a_day_leaves_the_house() -> None:
    """Word for word, so that its signature can be checked where we cannot reach it."""
    head = "sceau journal head v1\nseq 4\nhash ab\nat x\nAAAA==\n"
    assert head == document(entry("journal.day", detail={"digest": head}))["sceau"]["head"]


@pytest.mark.parametrize(
    ("event", "severity"),
    [
        ("journal.unsigned", 2),
        ("denial.tampered", 2),
        ("peer.wrong_certificate", 4),
        ("login.failed", 5),
        ("message.accepted", 6),
    ],
)
def test_severity(event: str, severity: int) -> None:
    """What a person should look at is louder."""
    assert (
        siem.syslog(Told(entry(event), None, None), US)
        .partition(b">")[0]
        .endswith(b"<%d" % (13 * 8 + severity))
    )
    alert = document(entry(event))["event"]["kind"]
    assert ("alert" if severity < 5 else "event") == alert


@given(
    event=st.text(max_size=50),
    actor=st.text(max_size=50),
    host=st.text(max_size=300),
    detail=st.dictionaries(
        st.sampled_from(["reason", "ip", "text", "count"]), st.text(max_size=20) | st.integers()
    ),
)
def test_any_entry_is_well_formed(
    event: str, actor: str, host: str, detail: dict[str, Any]
) -> None:
    """The frame's length is right, the header parses, the message is JSON: whatever was written."""
    told = Told(entry(event, actor, detail=detail), None, None)
    octets = siem.syslog(told, Observer(host, "x"))
    length, _, message = octets.partition(b" ")
    assert int(length) == len(message)
    found = _SYSLOG.fullmatch(message)
    assert found is not None
    assert event == json.loads(found[6])["event"]["action"]
    lines = siem.line(told, US)
    assert lines.count(b"\n") == 1
    assert 7 == json.loads(lines)["event"]["sequence"]


def test_a_parameter_is_escaped() -> None:
    """RFC 5424 §6.3.3."""
    octets = siem.syslog(Told(entry(actor='a"b]c\\d'), None, None), US)
    assert b'actor="a\\"b\\]c\\\\d"' in octets
