"""Who may not know what a message says reads nothing that people wrote about it."""

from typing import Any

import pytest

from gateway.console.discreet import discreet


def row(event: str, **detail: Any) -> dict[str, Any]:
    summary = f"ABCD-EFGH; {detail}; by operator:rene"
    facts = {"event": event, "actor": "operator:rene", "reference": "ABCD-EFGH", "seq": 7}
    return facts | {"summary": summary, "detail": detail}


@pytest.mark.parametrize(
    "told",
    [
        row("content.viewed", reason="Mme Canary", case="bd1a3d92ba5e"),
        row("operation.quarantine.preview", arguments={"case": "x", "reason": "Canary"}),
        row("case.released", note="Canary", words="Canary"),
        row("mailbox.read", folder="Patients/Canary"),
        {"event": "content.viewed", "actor": "operator:rene", "reason": "Canary", "said": "Canary"},
        {"notes": [{"by": "operator:rene", "at": "", "note": "Canary"}]},
        {"copies": ({"by": "operator:rene", "note": "Canary", "words": "Canary"},)},
    ],
)
def test_what_people_wrote(told: dict[str, Any]) -> None:
    """Wherever in an answer it stands; that there was something stays."""
    shown = str(discreet(told))
    assert "canary" not in shown.lower()
    assert "•••" in shown
    assert "operator:rene" in shown


@pytest.mark.parametrize(
    "told",
    [
        row("delivery.failed", said="550 5.1.1 no such mailbox", reason="no-such-mailbox"),
        row("trust.denied", reason="stolen key"),
        {"reason": "stolen key", "note": ""},
        {"by": "operator:rene", "note": "", "at": "2026-03-02"},
        ["a", 1, None],
    ],
)
def test_what_gateways_say_stays(told: Any) -> None:
    """Replies, refusals, and why somebody is not trusted, are for everybody in the house."""
    assert told == discreet(told)


def test_of_what_people_did_our_own_words_stay() -> None:
    """The reasons of a case, numbers, and from where."""
    detail = {"reason": "malware", "reasons": ["malware"], "recipients": 3, "ip": "192.0.2.7"}
    shown = discreet(row("case.held", **detail))
    assert detail == shown["detail"]
    assert "ABCD-EFGH; by operator:rene" == shown["summary"]
