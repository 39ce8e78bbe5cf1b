"""Our mailboxes as directories have them, and where a directory differs."""

import pytest

from smtp.address import parse
from tests.trust.extraction import finess, rpps
from trust.addresses import Kind
from trust.directory.entry import Entry
from trust.directory.report import Report
from trust.formats import annuaire
from trust.publication import Difference, Finding, differences, extraction, published

ZOE = Entry(parse("zoe@chu.example"), Kind.PER, f"rpps:{rpps(7)}", name="Zoé BARBER")
WARD = Entry(
    parse("cardio@chu.example"), Kind.ORG, "", f"finess:{finess(3)}", "", "", "CHU", "CARDIOLOGIE"
)
MACHINE = Entry(parse("machine@chu.example"), Kind.APP)
SHY = ZOE._replace(address=parse("shy@chu.example"), hidden=True)


def test_what_is_published() -> None:
    """Applications and the hidden are in no directory of ours."""
    assert [ZOE, WARD] == published([ZOE, WARD, MACHINE, SHY])


def test_what_we_publish_can_be_read() -> None:
    """The flat shape is the one that is published for all; a bar in a name breaks no line."""
    named = ZOE._replace(name="Zoé|BARBER")
    assert [ZOE._replace(name="Zoé BARBER"), WARD] == list(
        annuaire.entries(extraction([named, WARD]), Report())
    )


def test_nothing_differs() -> None:
    """A directory that says what we say needs no work; it need not name applications."""
    assert [] == differences([ZOE, WARD, MACHINE, SHY], [ZOE, WARD])
    assert [] == differences([ZOE], [ZOE._replace(name="Dr Zoé")])
    assert [] == differences([ZOE._replace(person="")], [ZOE])


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ([], [ZOE], (Finding.CLOSED, "", "PER")),
        ([ZOE], [], (Finding.UNLISTED, "PER", "")),
        ([ZOE], [ZOE._replace(kind=Kind.ORG)], (Finding.KIND, "PER", "ORG")),
        ([ZOE._replace(hidden=True)], [ZOE], (Finding.SHOWN, "hidden", "shown")),
        (
            [ZOE],
            [ZOE._replace(person=f"rpps:{rpps(8)}")],
            (Finding.HOLDER, f"rpps:{rpps(7)}", f"rpps:{rpps(8)}"),
        ),
    ],
)
def test_what_differs(
    ours: list[Entry], theirs: list[Entry], found: tuple[Finding, str, str]
) -> None:
    """Each difference is said with both sides."""
    assert [Difference("zoe@chu.example", *found)] == differences(ours, theirs)
