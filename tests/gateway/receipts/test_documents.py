import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gateway.receipts.receipt import TYPE_PREFIX, Kind, Receipt, topic
from gateway.relay.delivery import State
from smtp.envelope import MessageId
from smtp.reply import Reply
from tests.world.clock import START

DOCS = Path(__file__).parents[3] / "docs"
CONTRACT: Mapping[str, Any] = yaml.safe_load((DOCS / "asyncapi.yaml").read_text("utf-8"))
MESSAGE = CONTRACT["components"]["messages"]["receipt"]
EXAMPLES = {example["name"]: example["payload"] for example in MESSAGE["examples"]}
(IN_WORDS,) = re.findall(r"```json\n(.*?)```", (DOCS / "receipts.md").read_text("utf-8"), re.DOTALL)


def check(document: object) -> None:
    """Check a document as software would that was built from the contract."""
    schema = {**MESSAGE["payload"], "components": CONTRACT["components"]}
    jsonschema.Draft7Validator(schema).validate(document)


def made_again(document: Mapping[str, Any]) -> Any:
    """Return what we make of the facts in a document."""
    told = document["data"]
    code = told.get("code")
    receipt = Receipt(
        kind=Kind(document["type"].removeprefix(TYPE_PREFIX).removeprefix("delivery.")),
        at=datetime.fromisoformat(document["time"]),
        message=MessageId(told["message"]),
        state=told["state"],
        subject=document.get("subject", ""),
        recipient=told.get("recipient", ""),
        number=told.get("number"),
        attempts=told["attempts"],
        reply=Reply(code, told["enhanced"], "words that stay here") if code else None,
        reason=told.get("reason", ""),
        failure=told.get("failure"),
        id=document["id"],
    )
    return json.loads(receipt.encode(document["source"]))


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_what_we_make(name: str) -> None:
    """Each example of the contract is, member for member, what the code makes of its facts."""
    check(EXAMPLES[name])
    assert EXAMPLES[name] == made_again(EXAMPLES[name])


def test_page_shows_the_contract_s_example() -> None:
    """The page for people and the contract for programs show the same document."""
    assert EXAMPLES["delivered"] == json.loads(IN_WORDS)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("state", State)
def test_whatever_we_make_fits(kind: Kind, state: State) -> None:
    """Receipts of every kind and state keep the contract, with everything known and with nothing."""
    at = datetime(2026, 3, 2, tzinfo=UTC)
    message = MessageId("01KJPN3R8G7Q2M4V6X8Z0A2C4E")

    check(json.loads(Receipt(kind, at, message, state).encode("labo")))
    full = Receipt(
        kind, at, message, state, "<a@b>", "0f" * 16, 3, 2, Reply(450, "4.2.1", "x"), "put-off"
    )
    check(json.loads(full.encode("labo")))


@pytest.mark.parametrize(
    "broken",
    [
        {"specversion": "0.3"},
        {"id": ""},
        {"type": "other"},
        {"data": {}},
        {"data": {"message": "x"}},
    ],
)
def test_contract_has_teeth(broken: dict[str, object]) -> None:
    """The contract would notice a document that is not a receipt."""
    with pytest.raises(jsonschema.ValidationError):
        check({**EXAMPLES["accepted"], **broken})


def test_every_kind_is_named() -> None:
    """Both documents name every kind, and no other."""
    listed = MESSAGE["payload"]
    assert "#/components/schemas/receipt" == listed["$ref"]
    types = CONTRACT["components"]["schemas"]["receipt"]["properties"]["type"]["examples"]
    rows = re.findall(
        r"^\| `((?!data)[a-z.]+)` \|", (DOCS / "receipts.md").read_text("utf-8"), re.MULTILINE
    )

    assert {
        Receipt(kind, START, MessageId("01KJPN3R8G7Q2M4V6X8Z0A2C4E"), "x").type for kind in Kind
    } == set(types)
    assert set(Kind) == set(rows) & set(Kind)
    assert set(rows) - set(Kind) == {"id", "source", "type", "time", "subject"}


def test_address() -> None:
    """The channel is where the publisher publishes."""
    address = CONTRACT["channels"]["receipts"]["address"]

    assert topic("labo", "4bf9") == address.format(site="labo", mailbox="4bf9")
