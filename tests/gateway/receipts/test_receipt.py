import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.receipts.receipt import Kind, Receipt, topic
from smtp import reply
from smtp.envelope import MessageId
from smtp.reply import Reply

AT = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
MESSAGE = MessageId("01KJPN3R8G7Q2M4V6X8Z0A2C4E")


def receipt(**changes: Any) -> Receipt:
    fields: dict[str, Any] = {
        "kind": Kind.FAILED,
        "at": AT,
        "message": MESSAGE,
        "state": "failed",
        "subject": "<r1@labo.example>",
        "recipient": "9f86d081884c7d65",
        "number": 1,
        "attempts": 3,
        "reply": reply.NO_SUCH_MAILBOX,
        "reason": "refused",
        "id": "5f1d3a",
    }
    return Receipt(**{**fields, **changes})


def test_document() -> None:
    """A receipt is a CloudEvents 1.0 document: the codes of the reply, none of its words."""
    assert {
        "specversion": "1.0",
        "id": "5f1d3a",
        "source": "labo",
        "type": "sante.sceau.delivery.failed",
        "time": "2026-03-02T08:30:00.123Z",
        "subject": "<r1@labo.example>",
        "datacontenttype": "application/json",
        "data": {
            "message": MESSAGE,
            "reference": "8Z0A-2C4E",
            "recipient": "9f86d081884c7d65",
            "number": 1,
            "state": "failed",
            "attempts": 3,
            "code": 550,
            "enhanced": "5.1.1",
            "reason": "refused",
        },
    } == json.loads(receipt().encode("labo"))


def test_what_is_unknown_is_absent() -> None:
    """An attribute without a value is left out, as CloudEvents demands of an empty subject."""
    bare = Receipt(Kind.ACCEPTED, AT, MESSAGE, "queued")
    document = json.loads(bare.encode("labo"))

    assert "subject" not in document
    assert ["attempts", "message", "reference", "state"] == sorted(document["data"])


def test_reply_without_enhanced_code() -> None:
    """A reply may have no enhanced code (RFC 2034 gives none to a greeting)."""
    document = json.loads(receipt(reply=Reply(220, "", "hello")).encode("labo"))

    assert 220 == document["data"]["code"]
    assert "enhanced" not in document["data"]


@pytest.mark.parametrize(
    "leak",
    [
        {"state": "Mailbox unavailable"},
        {"reason": "dr.martin@chu.example"},
        {"reason": "no such user Dupont"},
        {"recipient": "dr.martin@chu.example"},
        {"recipient": "Jean Dupont"},
    ],
)
def test_no_foreign_text(leak: dict[str, str]) -> None:
    """A sentence or an address where a slug or a key belongs is refused, not published."""
    with pytest.raises(ValueError, match="a receipt"):
        receipt(**leak)


def test_ids_are_unique() -> None:
    """Every receipt has an id of its own, by which a consumer deduplicates."""
    made = {Receipt(Kind.ACCEPTED, AT, MESSAGE, "queued").id for _ in range(100)}

    assert 100 == len(made)


def test_topic() -> None:
    """The topic names the site and the mailbox's opaque key, never an address."""
    assert "sceau/v1/receipts/labo/4bf92f35" == topic("labo", "4bf92f35")


@given(
    kind=st.sampled_from(Kind),
    subject=st.text(),
    number=st.none() | st.integers(1, 10_000),
    at=st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1)),  # noqa: DTZ001 - hypothesis adds the zone
)
def test_any_subject(kind: Kind, subject: str, number: int | None, at: datetime) -> None:
    """Whatever a sender wrote in its Message-ID, the document stays JSON and gives it back."""
    document = json.loads(receipt(kind=kind, subject=subject, number=number, at=at).encode("x"))

    assert subject == document.get("subject", "")
    assert number == document["data"].get("number")
    family = "" if kind.startswith("application.") else "delivery."
    assert f"sante.sceau.{family}{kind}" == document["type"]
