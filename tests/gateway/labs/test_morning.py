"""What a person reads in the morning: whom, why, what to do, in both languages; and that nobody is missing."""

import csv
import io
from typing import Any

import pytest

from gateway.labs.morning import COLUMNS, Account, Answer, Left, Morning, as_csv, counted
from gateway.receipts.bounce import Why
from smtp.reply import Reply
from tests.world.clock import START

OTHER = Why("aucun patient", "no patient")
FULL = Reply(452, "4.2.2", "Mailbox full")


@pytest.mark.parametrize(
    ("left", "why", "do"),
    [
        (Left(START, Answer.EXPIRED, "a@b", said=FULL), "mailbox is full", "does not have it"),
        (Left(START, Answer.UNCONFIRMED, "a@b", said=FULL), "did not confirm", "ask the recipient"),
        (Left(START, Answer.CORRECTED, "a@b"), "the cause is not known", "wrongly"),
        (Left(START, Answer.NOT_SENT, "", words=OTHER), "no patient", "hand it in again"),
    ],
)
def test_a_row_says_why_and_what_to_do(left: Left, why: str, do: str) -> None:
    """In words for whoever prints it, calls, or writes again."""
    row = left.row()
    assert set(COLUMNS) == set(row)
    assert why in row["why"]
    assert do in row["do"]
    assert row["pourquoi"] not in {"", row["why"]}
    assert row["que_faire"]


def test_files_and_keys_are_for_who_may_know_them() -> None:
    """They bear patients' names."""
    left = Left(START, Answer.FAILED, "a@b", key="k", file="DESMAUX.pdf")
    assert ("k", "DESMAUX.pdf") == (left.row()["key"], left.row()["file"])
    assert ("", "") == (left.row(files=False)["key"], left.row(files=False)["file"])


def test_the_count_leaves_nobody_out() -> None:
    """Or says that it does."""
    rows = (Left(START, Answer.FAILED, "a@b"), Left(START, Answer.FAILED, "c@d", earlier=True))
    account = Account(3, 4, 1, 1, counted(rows, earlier=False), 1, counted(rows, earlier=True))
    assert account.whole
    assert not Account(3, 5, 1, 1, 1, 1).whole
    told = Morning(START, START, account, rows).told()
    assert 2 == len(list(told["rows"]))  # type: ignore[call-overload]
    assert "3 results, 4 recipients: 1 delivered, 1 on their way, 1 to go another way" in str(
        told["words"]
    )


def test_a_cell_is_no_formula() -> None:
    """A spreadsheet computes nothing of what a file or a peer is called; the last line is the count."""
    left = Left(
        START, Answer.FAILED, "a@b", key="a;=cmd()", file="=cmd()", said=Reply(550, "5.1.1", "No")
    )
    told: dict[str, Any] = Morning(START, START, Account(1, 1, 0, 0, 1, 0), (left,)).told()
    first, last = csv.DictReader(io.StringIO(as_csv(told)))
    assert ("'=cmd()", "550 5.1.1 No") == (first["file"], first["said"])
    assert "a;'=cmd()" == first["key"]  # French spreadsheets begin a cell there
    assert ("account", told["words"]) == (last["answer"], last["why"])
