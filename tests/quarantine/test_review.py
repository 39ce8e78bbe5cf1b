import asyncio
from pathlib import Path

import pytest

from quarantine.case import Event, QuarantineError, Ruling, State
from quarantine.policy import Finding
from quarantine.review import Review
from tests.quarantine.conftest import HOUR, MACROS, hold, moved
from tests.world.clock import START
from tests.world.rest import Rest, stored
from vault.database import Statement

ANNE = Ruling("operator:anne", START + 2 * HOUR, "Vérifié par téléphone", "Merci")
BRUNO = Ruling("operator:bruno", START + 2 * HOUR)


def state(rest: Rest, delivery: str = "M.1") -> str:
    ((found,),) = rest.database.read("SELECT state FROM delivery WHERE id = ?", (delivery,))
    return str(found)


async def test_held(rest: Rest, review: Review) -> None:
    """A case names its message, its copies, what was found, and its last day."""
    case = await hold(rest, review)

    (one,) = case.copies
    assert ("M", "M.1", ("macros", "executable"), MACROS) == (
        case.message,
        one.delivery,
        one.reasons,
        one.found,
    )
    assert (START, START + review.keep) == (case.opened, case.expires)
    assert case == review.register.find(case.id) == review.register.of_message("M")
    assert one == review.register.waiting("M.1")
    assert review.register.waiting("M.2") is None
    assert review.register.of_delivery("M.3") is None


async def test_copies_of_one_message_are_one_case(rest: Rest, review: Review) -> None:
    """Whether they are held together or one after the other: a person looks at a message."""
    together = [s for n in (1, 2) for s in review.opening(f"M.{n}", ("macros",), START)]
    await rest.commit(together)
    case = await hold(rest, review, "M.3", [Finding("malware")], hours=1)

    assert ["M.1", "M.2", "M.3"] == [one.delivery for one in case.copies]
    assert (START, ("macros", "malware")) == (case.opened, case.reasons)
    assert START + HOUR + review.keep == case.expires
    assert 1 == review.register.count()


async def test_release(rest: Rest, review: Review) -> None:
    """Released, the case keeps the reviewer's words and the delivery goes on: one transaction."""
    case = await hold(rest, review)
    released = await review.decide(case, Event.RELEASE, ANNE, moved(case.waiting, "queued"))

    assert (State.RELEASED, ANNE) == (released.state, released.copies[0].ruling)
    assert released == review.register.find(case.id)
    assert "queued" == state(rest)
    assert 0 == review.register.count()
    assert frozenset({"macros", "executable"}) == review.register.waived("M.1")


async def test_some_recipients(rest: Rest, review: Review) -> None:
    """Each is decided about once; the case ends with the last of them."""
    await hold(rest, review)
    case = await hold(rest, review, "M.2")
    half = await review.decide(case, Event.REFUSE, BRUNO, [], ["M.2"])
    assert State.HELD is half.state
    assert half == review.register.find(case.id)

    ended = await review.decide(half, Event.RELEASE, ANNE, [])
    assert State.RELEASED is ended.state
    assert ended == review.register.find(case.id)
    assert frozenset() == review.register.waived("M.2")


async def test_release_without_words(rest: Rest, review: Review) -> None:
    """Without a note nothing is released."""
    case = await hold(rest, review)
    with pytest.raises(QuarantineError, match="needs a note"):
        await review.decide(case, Event.RELEASE, BRUNO, moved(case.waiting, "queued"))

    assert "held" == state(rest)
    assert case == review.register.find(case.id)


async def test_two_reviewers_at_once(rest: Rest, review: Review) -> None:
    """Of two decisions taken at the same moment one stands, and the other reviewer is told."""
    case = await hold(rest, review)
    answers = await asyncio.gather(
        review.decide(case, Event.REFUSE, BRUNO, moved(case.waiting, "refused")),
        review.decide(case, Event.RELEASE, ANNE, moved(case.waiting, "queued")),
        return_exceptions=True,
    )

    assert [False, True] == [isinstance(answer, QuarantineError) for answer in answers]
    assert "somebody else" in str(answers[1])
    assert "refused" == state(rest)
    assert BRUNO == (review.register.find(case.id) or case).copies[0].ruling


async def test_delivery_moved_on(rest: Rest, review: Review) -> None:
    """A decision about a delivery that is no longer held changes nothing, not even the case."""
    case = await hold(rest, review)
    await rest.commit([Statement("UPDATE delivery SET state = 'cancelled' WHERE id = 'M.1'")])
    with pytest.raises(QuarantineError, match="moved on"):
        await review.decide(case, Event.RELEASE, ANNE, moved(case.waiting, "queued"))

    assert case == review.register.find(case.id)


async def test_cancelled(rest: Rest, review: Review) -> None:
    """A copy that goes nowhere any more asks nobody; the others still do."""
    await hold(rest, review)
    await hold(rest, review, "M.2")
    await rest.commit(review.cancelling("M.1", BRUNO))

    case = review.register.of_message("M")
    assert case is not None
    assert [State.CANCELLED, State.HELD] == [one.state for one in case.copies]
    await rest.commit(review.cancelling("M.2", BRUNO))
    assert State.CANCELLED is (review.register.find(case.id) or case).state
    assert [] == review.cancelling("M.2", BRUNO)


async def test_held_again_for_another_reason(rest: Rest, review: Review) -> None:
    """Released and held once more it waits in a case of its own; the first keeps its ruling."""
    first = await hold(rest, review)
    await review.decide(first, Event.RELEASE, ANNE, [])
    second = await hold(rest, review, found=[Finding("attempts-lost")], hours=3)

    assert first.id != second.id
    assert (("attempts-lost",), State.HELD) == (second.reasons, second.state)
    assert second == review.register.of_delivery("M.1")
    assert State.RELEASED is (review.register.find(first.id) or first).state
    assert frozenset({"macros", "executable"}) == review.register.waived("M.1")


async def test_held_again_while_others_wait(rest: Rest, review: Review) -> None:
    """It waits anew in the case that is still open, beside what was decided of it before."""
    await hold(rest, review)
    case = await hold(rest, review, "M.2")
    await review.decide(case, Event.RELEASE, ANNE, [], ["M.1"])
    again = await hold(rest, review, found=[Finding("attempts-lost")], hours=3)

    assert case.id == again.id
    assert [("M.1", "released"), ("M.2", "held"), ("M.1", "held")] == [
        (one.delivery, one.state) for one in again.copies
    ]
    ended = await review.decide(again, Event.REFUSE, BRUNO, [], ["M.1"])
    assert ended == review.register.find(case.id)
    assert ["released", "held", "refused"] == [one.state for one in ended.copies]


async def test_overdue(rest: Rest, review: Review) -> None:
    """A case nobody decided in time is found on its last day, not before."""
    case = await hold(rest, review)

    assert [] == review.register.overdue(case.expires - HOUR)
    assert [case] == review.register.overdue(case.expires)
    await review.decide(case, Event.EXPIRE, BRUNO, moved(case.waiting, "expired"))
    assert [] == review.register.overdue(case.expires)


async def test_urgency(rest: Rest, review: Review) -> None:
    """Since when somebody waits, and when the first of them has waited too long."""
    assert review.register.urgency() is None
    first = await hold(rest, review)
    assert (START, START + review.keep) == review.register.urgency()
    await review.decide(first, Event.REFUSE, BRUNO, [])
    assert review.register.urgency() is None


async def test_unknown_case(review: Review) -> None:
    """A mistyped case is no case."""
    assert review.register.find("nonsense") is None


async def test_words_are_sealed(rest: Rest, review: Review, tmp_path: Path) -> None:
    """What was found may name a patient, and so may what a reviewer wrote: it lies sealed."""
    case = await hold(rest, review)
    named = Ruling("operator:anne", START, "Mme DUPONT attend", "DUPONT")
    await rest.commit([review.register.remarking(case.id, named)])
    await rest.commit([review.register.preserving(case, named)])
    await review.decide(case, Event.RELEASE, named, [])

    files = stored(tmp_path)
    assert b"executable" in files, "the search finds what is there"
    assert b"DUPONT" not in files
    kept = review.register.find(case.id)
    assert kept is not None
    assert ([named], named) == (review.register.remarks(case.id), kept.preserved)


async def test_another_hand_releases_nothing(rest: Rest, review: Review) -> None:
    """A row that says released, without our seal, waives no reason; nor does one of another's."""
    case = await hold(rest, review)
    await hold(rest, review, "M.2")
    await rest.commit([Statement("UPDATE held SET state = 'released' WHERE delivery = 'M.1'")])
    assert frozenset() == review.register.waived("M.1")

    await review.decide(review.register.find(case.id) or case, Event.REFUSE, ANNE, [], ["M.2"])
    await rest.commit([Statement("UPDATE held SET state = 'released' WHERE delivery = 'M.2'")])
    assert frozenset() == review.register.waived("M.2")
    await rest.commit(
        [
            Statement(
                "UPDATE held SET ruling = (SELECT ruling FROM held WHERE delivery = 'M.2'),"
                " found = x'00' WHERE delivery = 'M.1'"
            )
        ]
    )
    assert frozenset() == review.register.waived("M.1")
    damaged = review.register.find(case.id)
    assert damaged is not None
    assert (None, ()) == (damaged.copies[0].ruling, damaged.copies[0].found)


async def test_a_damaged_legal_hold_still_holds(rest: Rest, review: Review) -> None:
    """What may be evidence stays until somebody lifts it."""
    case = await hold(rest, review)
    await rest.commit([Statement("UPDATE hold SET preserved = x'00'")])
    found = review.register.find(case.id)
    assert found is not None
    assert found.preserved is not None
    await rest.commit([review.register.preserving(found, None)])
    assert case == review.register.find(case.id)


async def test_past_cases(rest: Rest, review: Review) -> None:
    """Found oldest first, but for what waits, is on its way, or is preserved."""
    case = await hold(rest, review)
    await review.decide(case, Event.RELEASE, ANNE, moved(case.waiting, "queued"))
    late = START + 3 * HOUR
    assert [] == await review.register.past(late), "it is on its way, and must not be held again"
    await rest.commit([Statement("UPDATE delivery SET state = 'delivered'")])

    ((decided, name),) = await review.register.past(late)
    assert (case.id, ANNE.at.timestamp()) == (name, decided)
    assert [] == await review.register.past(late, (decided, name))
    assert [] == await review.register.past(ANNE.at)
    kept = review.register.find(case.id)
    assert kept is not None
    await rest.commit([review.register.preserving(kept, ANNE)])
    assert [] == await review.register.past(late)
