from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from quarantine.case import Case, QuarantineError, State
from quarantine.register import Register
from quarantine.review import Review
from tests.world.clock import START
from tests.world.rest import Rest, stored
from vault.database import Statement

HOUR = timedelta(hours=1)


@pytest.fixture
async def review(rest: Rest) -> Review:
    await rest.commit(
        [
            Statement(
                "INSERT INTO message VALUES ('M', 'R', 0, 1, 'relay', 'labo.example',"
                " NULL, NULL, NULL, X'00')"
            ),
            *(_delivery(n) for n in range(1, 4)),
        ]
    )
    return Review(rest.database, Register(rest.database, rest.ring), timedelta(days=30))


def _delivery(n: int) -> Statement:
    return Statement(
        "INSERT INTO delivery (id, message, domain, recipient, facts, state, expires, changed)"
        " VALUES (?, 'M', 'chu.example', X'00', X'00', 'held', 0, 0)",
        (f"M.{n}",),
    )


async def hold(rest: Rest, review: Review, n: int = 1) -> Case:
    case, statements = review.holding(f"M.{n}", ("macro", "too-many"), START + n * HOUR)
    await rest.commit(statements)
    return case


def moved(case: Case) -> Sequence[Statement]:
    return [
        Statement(
            "UPDATE delivery SET state = ? WHERE id = ? AND state = 'held'",
            (case.state.value, case.delivery),
            expect=1,
        )
    ]


def state(rest: Rest, delivery: str = "M.1") -> str:
    ((found,),) = rest.database.read("SELECT state FROM delivery WHERE id = ?", (delivery,))
    return str(found)


async def test_held(rest: Rest, review: Review) -> None:
    """A case names its delivery, its reasons and its last day, and is listed oldest first."""
    second, first = await hold(rest, review, 2), await hold(rest, review, 1)

    assert [first, second] == review.register.cases()
    assert first == review.register.find(first.id) == review.register.of_delivery("M.1")
    assert (("macro", "too-many"), START + HOUR + timedelta(days=30)) == (
        first.reasons,
        first.expires,
    )
    assert review.register.of_delivery("M.3") is None


async def test_release(rest: Rest, review: Review) -> None:
    """Released, the case keeps the reviewer's words and the delivery goes on: one transaction."""
    case = await hold(rest, review)
    released = await review.release(case.id, "Vérifié par téléphone", START + 2 * HOUR, moved)

    assert (State.RELEASED, "Vérifié par téléphone") == (released.state, released.note)
    assert released == review.register.find(case.id)
    assert "released" == state(rest)
    assert [] == review.register.cases()


async def test_refuse(rest: Rest, review: Review) -> None:
    """Refused, the delivery ends; the reason that held it is reason enough."""
    case = await hold(rest, review)
    await review.refuse(case.id, "", START, moved)

    assert "refused" == state(rest)
    assert [case.id] == [c.id for c in review.register.cases(State.REFUSED)]


async def test_release_without_words(rest: Rest, review: Review) -> None:
    """Without a note nothing is released."""
    case = await hold(rest, review)
    with pytest.raises(QuarantineError, match="needs a note"):
        await review.release(case.id, " ", START, moved)

    assert "held" == state(rest)
    assert case == review.register.find(case.id)


async def test_two_reviewers(rest: Rest, review: Review) -> None:
    """Of two decisions taken at once the first stands, and the second reviewer is told."""
    case = await hold(rest, review)
    await review.refuse(case.id, "", START, moved)

    with pytest.raises(QuarantineError, match="already refused"):
        await review.release(case.id, "let it go", START, moved)
    with pytest.raises(QuarantineError, match="somebody else"):
        await review.expire(case, START, moved)
    assert "refused" == state(rest)


async def test_delivery_moved_on(rest: Rest, review: Review) -> None:
    """A decision about a delivery that is no longer held changes nothing, not even the case."""
    case = await hold(rest, review)
    await rest.commit([Statement("UPDATE delivery SET state = 'cancelled' WHERE id = 'M.1'")])
    with pytest.raises(QuarantineError, match="moved on"):
        await review.release(case.id, "let it go", START, moved)

    assert case == review.register.find(case.id)


async def test_expire(rest: Rest, review: Review) -> None:
    """A case nobody decided in time ends on its last day, not before."""
    case = await hold(rest, review)

    assert [] == review.register.overdue(case.expires - HOUR)
    (due,) = review.register.overdue(case.expires)
    assert State.EXPIRED == (await review.expire(due, case.expires, moved)).state
    assert [] == review.register.overdue(case.expires)


async def test_unknown_case(review: Review) -> None:
    """A mistyped case is said to be unknown."""
    with pytest.raises(QuarantineError, match="no case nonsense"):
        await review.refuse("nonsense", "", START, moved)


async def test_note_is_sealed(rest: Rest, review: Review, tmp_path: Path) -> None:
    """What a reviewer wrote may name a patient: it lies sealed."""
    case = await hold(rest, review)
    await review.release(case.id, "Mme DUPONT attend", START, moved)

    files = stored(tmp_path)
    assert b"too-many" in files, "the search finds what is there"
    assert b"DUPONT" not in files
