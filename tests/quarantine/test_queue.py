import pytest

from quarantine.case import Event, Ruling, State
from quarantine.policy import Finding
from quarantine.queue import Queue, Which
from quarantine.review import Review
from tests.quarantine.conftest import HOUR, hold, message
from tests.world.clock import START
from tests.world.rest import Rest

CASES = 7


@pytest.fixture
async def ids(rest: Rest, review: Review) -> list[str]:
    """Cases of seven messages, opened an hour apart; the third and the sixth are decided."""
    found = []
    for n in range(CASES):
        await message(rest, f"N{n}", 2)
        await hold(rest, review, f"N{n}.1", [Finding("malware" if n % 2 else "macros")], hours=n)
        case = await hold(rest, review, f"N{n}.2", [Finding("script")], hours=n)
        found.append(case.id)
        if n in {2, 5}:
            ruling = Ruling("operator:anne", START + (20 - n) * HOUR, "vu")
            await review.decide(case, Event.RELEASE if n == 2 else Event.REFUSE, ruling, [])
    return found


async def walk(queue: Queue, which: Which, **how: object) -> list[str]:
    """Return the ids of all pages of two."""
    found, after = [], ""
    while True:
        page = await queue.page(which, after=after, limit=2, **how)  # type: ignore[arg-type]
        found += [case.id for case in page.cases]
        if not (after := page.after):
            return found
        assert len(page.cases) == 2


async def test_pages(rest: Rest, ids: list[str]) -> None:
    """What waits comes the longest first, what was decided the latest first; none twice."""
    queue = Queue(rest.database)
    assert [ids[n] for n in (0, 1, 3, 4, 6)] == await walk(queue, Which.HELD)
    assert [ids[2], ids[5]] == await walk(queue, Which.DECIDED)
    assert list(reversed(ids)) == await walk(queue, Which.ALL)


async def test_of_one_state_or_reason(rest: Rest, ids: list[str]) -> None:
    """One index is walked, the rest is passed over."""
    queue = Queue(rest.database)
    assert [ids[5]] == await walk(queue, Which.DECIDED, state=State.REFUSED)
    assert [ids[1], ids[3]] == await walk(queue, Which.HELD, reason="malware")
    assert [] == await walk(queue, Which.HELD, reason="malwar")


async def test_a_case_in_a_line(rest: Rest, review: Review, ids: list[str]) -> None:
    """How many copies, how many wait, and why."""
    case = review.register.find(ids[0])
    assert case is not None
    await review.decide(case, Event.REFUSE, Ruling("operator:anne", START), [], ["N0.1"])

    (one, *_) = (await Queue(rest.database).page()).cases
    assert (ids[0], "N0", State.HELD, 2, 1, ("script",), "N0.2") == (
        one.id,
        one.message,
        one.state,
        one.recipients,
        one.waiting,
        one.reasons,
        one.delivery,
    )
    assert (START, START, False) == (one.opened, one.decided, one.preserved)


@pytest.mark.usefixtures("ids")
async def test_a_case_that_is_gone_is_followed_by_the_first(rest: Rest) -> None:
    """It was purged meanwhile, or never was."""
    page = await Queue(rest.database).page(after="nonsense", limit=10)
    assert 5 == len(page.cases)


async def test_a_page_walks_along_an_index(rest: Rest, ids: list[str]) -> None:
    """However many cases there are."""
    asked: list[str] = []
    queue = Queue(rest.database)
    query = rest.database.query

    async def listening(sql: str, args: object = ()) -> object:
        asked.append(sql)
        return await query(sql, args)  # type: ignore[arg-type]

    rest.database.query = listening  # type: ignore[method-assign, assignment]
    for which in Which:
        await queue.page(which, after=ids[2])
    pages = [sql for sql in asked if "FROM hold" in sql]
    assert len(Which) == len(pages)
    for sql in pages:
        plan = rest.database.read(f"EXPLAIN QUERY PLAN {sql}", (1.0, "x", 2))
        told = " ".join(str(row[3]) for row in plan)
        assert "SEARCH hold USING" in told
        assert "TEMP B-TREE" not in told, sql
