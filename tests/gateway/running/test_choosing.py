"""A number with several mailboxes: held, and sent to the one that an operator picks."""

from pathlib import Path
from typing import Any

import pytest

from gateway.operations.error import OperationError
from smtp.address import parse
from tests.gateway.documents.test_order import ABOUT
from tests.gateway.running.results import DR, OTHER, Space, space
from trust.addresses import Kind
from trust.directory.entry import Entry
from trust.directory.reading import Directory

HOUSE = "finess:540002698"


async def _offered(labo: Space, *to: str, key: str = "2026-9") -> Any:
    people = [Entry(parse(each), Kind.ORG, organisation=HOUSE) for each in (DR, OTHER)]
    labo.chu.rooms.keeper.beside([Directory.of(people)])
    return await labo.form({"to": to, "key": key, "document": ABOUT})


async def _case(labo: Space) -> Any:
    (row,) = (await labo.chu.ask("quarantine.list"))["cases"]
    return await labo.chu.ask("quarantine.show", case=row["id"])


async def test_an_operator_picks_the_mailbox(tmp_path: Path) -> None:
    """Held, named by its number; nobody else waits for it; then it arrives, and is told of."""
    async with space(tmp_path) as labo:
        taken = (await _offered(labo, HOUSE, DR)).json()
        case = await _case(labo)
        with pytest.raises(OperationError, match="waits for who is meant"):
            await labo.chu.ask("quarantine.release", case=case["id"], note="go")
        for wrong, words in (
            ("x@chu.example", "has no mailbox x@chu"),
            ("labo@chu.example", "it has"),
        ):
            with pytest.raises(OperationError) as refused:
                await labo.chu.ask("quarantine.choose", case=case["id"], to=wrong, note="w")
            assert words in f"{refused.value} {refused.value.hint}"
        with pytest.raises(OperationError, match="a note must say why"):
            await labo.chu.ask("quarantine.choose", case=case["id"], to=OTHER, note=" ")
        with pytest.raises(OperationError, match="nobody's mailbox"):
            await labo.chu.ask(
                "quarantine.choose", case=case["id"], to=OTHER, note="w", number="rpps:1"
            )
        await labo.chu.ask("quarantine.choose", case=case["id"], to=OTHER.upper(), note="garde")
        told = await labo.arrived(taken["message"])
        arrived = await labo.chu.inbox(OTHER)
        entries = await labo.chu.rooms.journal.by_message(taken["message"])
        inbox = await labo.chu.inbox(DR)

    assert [HOUSE] == [e["address"] for e in taken["recipients"] if e["state"] == "held"]
    assert {HOUSE, DR} == {e["address"] for e in taken["recipients"]}
    (held,) = [each for each in case["copies"] if each["number"]]
    assert (HOUSE, [DR, OTHER]) == (held["number"], sorted(held["choices"], reverse=True))
    assert (1, 1) == (len(inbox), len(arrived))
    assert {DR: "delivered", OTHER: "delivered"} == {
        each["address"]: each["state"] for each in told["recipients"]
    }
    assert "case.addressed" in {each.event for each in entries}


async def test_a_house_may_want_them_refused(tmp_path: Path) -> None:
    """Then the laboratory reads which mailboxes there are."""
    async with space(tmp_path, '\n[labs]\nambiguous = "refuse"\n') as labo:
        refused = await _offered(labo, HOUSE)
    assert 422 == refused.status_code
    assert f"{HOUSE} has several mailboxes" in refused.json()["words"]


async def test_nobody_writes_to_what_stands_for_a_number(tmp_path: Path) -> None:
    """The address is no address, whoever names it."""
    async with space(tmp_path) as labo:
        refused = await _offered(labo, "540002698@finess.invalid")
    assert "no mail address" in refused.json()["words"]


async def test_who_has_it_by_address_has_it_once(tmp_path: Path) -> None:
    """An operator who picks that very mailbox is told; what waits can be ended."""
    async with space(tmp_path) as labo:
        await _offered(labo, HOUSE, DR)
        case = await _case(labo)
        with pytest.raises(OperationError, match="has this message already"):
            await labo.chu.ask("quarantine.choose", case=case["id"], to=DR, note="w")
        await labo.chu.ask("quarantine.refuse", case=case["id"], note="has it")
        assert 1 == len(await labo.chu.inbox(DR))
