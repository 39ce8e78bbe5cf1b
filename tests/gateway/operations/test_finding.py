"""A mailbox is found among many by what somebody on the telephone says of it."""

from typing import Any

import pytest

from gateway.operations import finding
from gateway.operations.error import OperationError
from tests.gateway.operations.conftest import Ask

_MADE = (
    ("dr.durand@labo.example", "Dr Agnès Durand", "rpps:10003456786"),
    ("biologie@labo.example", "Laboratoire de biologie", ""),
    ("dr.martin@labo.example", "Dr Paul Martin", ""),
)


@pytest.fixture
async def made(ask: Ask) -> None:
    for address, name, holder in _MADE:
        await ask("mailbox.add", address=address, name=name, holder=holder)


def addresses(found: dict[str, Any]) -> list[str]:
    return [each["address"].partition("@")[0] for each in found["mailboxes"]]


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["dr.martin", "biologie", "dr.durand"]),
        ("agnes", ["dr.durand"]),
        ("DURAND dr", ["dr.durand"]),
        ("10003456786", ["dr.durand"]),
        ("labo.example", ["dr.martin", "biologie", "dr.durand"]),
        ("Dr.Durand@labo.example", ["dr.durand"]),
        ("personne@labo.example", []),
        ("agnès martin", []),
    ],
)
async def test_any_word_finds(ask: Ask, search: str, found: list[str]) -> None:
    """Of the address, the name or the holder; case and accents make no difference."""
    assert found == addresses(await ask("mailbox.find", search=search))


@pytest.mark.usefixtures("made")
async def test_a_page_has_an_end(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says where the next begins; few rows are opened at once, however many there are."""
    monkeypatch.setattr(finding, "_AT_ONCE", 1)
    first = await ask("mailbox.find", limit=2)
    assert ["dr.martin", "biologie"] == addresses(first)
    rest = await ask("mailbox.find", limit=2, after=first["next"])
    assert (["dr.durand"], None) == (addresses(rest), rest["next"])
    assert [] == addresses(await ask("mailbox.find", search="dr.durand@labo.example", after=1))


@pytest.mark.usefixtures("made")
async def test_a_state_may_be_asked_for(ask: Ask) -> None:
    """And all are counted, whatever was asked."""
    await ask("mailbox.suspend", address="biologie@labo.example")
    found = await ask("mailbox.find", status="suspended")
    assert (["biologie"], {"active": 2, "suspended": 1, "closed": 0}) == (
        addresses(found),
        found["counts"],
    )
    exact = await ask("mailbox.find", status="active", search="biologie@labo.example")
    assert [] == addresses(exact)
    with pytest.raises(OperationError, match="sulking is no state"):
        await ask("mailbox.find", status="sulking")


async def test_a_patients_mailbox_does_not_show_their_number(ask: Ask) -> None:
    """Nor does a piece of it find anything; whoever has all of it finds it, or goes by its key."""
    number = "279035121518989"
    made = await ask("mailbox.add", address=f"{number}@labo.example")
    veiled = "•••@labo.example"
    assert [veiled] == [each["address"] for each in await ask("mailbox.list")]
    for search, found in (("", [veiled]), (number[:6], []), (f"{number}@labo.example", [veiled])):
        shown = (await ask("mailbox.find", search=search))["mailboxes"]
        assert found == [each["address"] for each in shown]
    assert "suspended" == (await ask("mailbox.suspend", address=made["key"]))["status"]
    found = await ask(
        "journal.search", event="operation.mailbox.suspend", who=f"{number}@labo.example"
    )
    assert 1 == len(found["rows"])


async def test_nor_does_what_it_is_called_by(ask: Ask) -> None:
    """People write the number into names, too; the rest of those finds it."""
    number = "279035121518989"
    await ask("mailbox.add", address="p.1@labo.example", name=f"Patiente {number}")
    for search, found in ((number[:6], []), ("patiente", ["p.1@labo.example"])):
        shown = (await ask("mailbox.find", search=search))["mailboxes"]
        assert found == [each["address"] for each in shown]
