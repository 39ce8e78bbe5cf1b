"""The journal is searched backwards, by its indexes, and never wholly read."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from smtp.address import parse
from vault import search
from vault.database import Database
from vault.journal import Journal
from vault.search import Search

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DR, LAB = parse("dr@chu.example"), parse("bio@labo.example")


async def written(database: Database, journal: Journal, count: int = 40) -> None:
    """Write a message accepted each minute, every fourth refused, and an operator's verb each hour."""
    for n in range(count):
        at = NOW + timedelta(minutes=n)
        event = "recipient.refused" if n % 4 == 3 else "message.accepted"
        entries = [journal.entry(at, event, "mailbox:k", message=f"M{n:02}", who=LAB, whom=DR)]
        if n % 10 == 0:
            entries.append(journal.entry(at, "operation.trace", "operator:anne", who=DR))
        await database.commit(entries)


async def test_rows_are_found_by_what_they_are(database: Database, journal: Journal) -> None:
    """By event, actor, address, message and time, alone and together, the newest first."""
    await written(database, journal)
    at = NOW.timestamp()

    async def numbers(what: Search, limit: int = 100) -> list[int]:
        return [entry.seq for entry in (await journal.find(what, limit)).entries]

    assert [44, 40, 36, 31, 27, 22, 18, 14, 9, 5] == await numbers(
        Search(events=("recipient.refused",))
    )
    assert [35, 24, 13, 2] == await numbers(Search(actor="operator:anne"))
    assert 44 == len(await numbers(Search(about=journal.key(DR))))
    assert [44, 43] == await numbers(Search(about=journal.key(LAB)), 2)
    assert [35, 24, 13, 2] == await numbers(
        Search(about=journal.key(DR), events=("operation.trace",))
    )
    assert [1] == await numbers(Search(message="M00"))
    assert [] == await numbers(Search(message="M00", actor="operator:anne"))
    assert [8, 7] == await numbers(
        Search(since=at + 300, until=at + 420, events=("message.accepted", "recipient.refused"))
    )
    assert [44] == await numbers(Search(since=at + 39 * 60))
    assert [2, 1] == await numbers(Search(until=at + 60))


async def test_a_search_goes_on_where_it_stopped(database: Database, journal: Journal) -> None:
    """Page by page everything is found once, and the last page says that it is the last."""
    await written(database, journal)

    seen, before = [], None
    while True:
        found = await journal.find(Search(events=("message.accepted",)), 7, before)
        seen += [entry.seq for entry in found.entries]
        before = found.before
        if before is None:
            break

    assert 30 == len(seen)
    assert sorted(set(seen), reverse=True) == seen


@pytest.mark.parametrize("examined", [1, 3, 10, 100])
async def test_every_page_together_is_everything(
    database: Database, journal: Journal, monkeypatch: pytest.MonkeyPatch, examined: int
) -> None:
    """However short each step, and whichever index ends first: each row once, none left out."""
    await written(database, journal)
    monkeypatch.setattr(search, "EXAMINED", examined)
    rare, usual = "recipient.refused", "message.accepted"
    dr, hour = journal.key(DR), NOW.timestamp() + 900
    everything = (await journal.page(0))[::-1]
    for what in (
        Search(events=(rare,), about=dr),
        Search(events=(usual,), about=dr),
        Search(events=("operation.trace",), actor="operator:anne", about=dr),
        Search(events=(rare, "operation.trace")),
        Search(actor="mailbox:k", since=hour),
        Search(events=(rare,), until=hour),
    ):
        seen, before = [], None
        while True:
            found = await journal.find(what, 2, before)
            seen += [entry.seq for entry in found.entries]
            before = found.before
            if before is None:
                break
        wanted = [
            one.seq
            for one in everything
            if (not what.events or one.event in what.events)
            and what.actor in {"", one.actor}
            and (what.since or 0) <= one.at.timestamp() < (what.until or 2**40)
        ]
        assert wanted == seen, what


async def test_no_step_looks_at_everything(
    database: Database, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is nowhere to be found costs a bounded look, which says how far it went."""
    await written(database, journal)
    monkeypatch.setattr(search, "EXAMINED", 10)

    found = await journal.find(Search(actor="mailbox:nobody"), 5)

    assert ([], 35) == (found.entries, found.before)
    assert 25 == (await journal.find(Search(actor="mailbox:nobody"), 5, found.before)).before


async def test_a_moment_is_found_whatever_was_purged(database: Database, journal: Journal) -> None:
    """Rows may be gone: the halving looks at those that are there."""
    await written(database, journal)
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("DELETE FROM journal WHERE seq < 10 OR seq BETWEEN 15 AND 30")

    found = await journal.find(Search(since=(NOW + timedelta(minutes=35)).timestamp()), 100)

    assert [44, 43, 42, 41, 40] == [entry.seq for entry in found.entries]
    assert [] == (await journal.find(Search(until=NOW.timestamp()), 100)).entries


async def test_an_empty_journal_has_nothing(database: Database, journal: Journal) -> None:
    """Neither rows nor an error."""
    assert [] == (await journal.find(Search(since=1.0, until=2.0), 5)).entries
    assert list(search.USUAL) == await journal.events()


async def test_events_are_listed_without_reading_all(database: Database, journal: Journal) -> None:
    """What there is to choose from, the frequent ones always among it."""
    await written(database, journal)

    assert [*search.USUAL, "operation.trace", "recipient.refused"] == await journal.events()


def plans() -> Iterator[tuple[str, str, tuple[object, ...]]]:
    """Yield each kind of search with the index that must carry it."""
    for index, what in (
        ("journal_message", Search(message="M")),
        ("journal_whom", Search(about=b"k")),
        ("journal_operator", Search(actor="operator:anne")),
        ("journal_event", Search(events=("login.failed", "tls.failed"))),
        ("INTEGER PRIMARY KEY", Search(events=("message.accepted",))),
        ("INTEGER PRIMARY KEY", Search(actor="peer:ab")),
    ):
        ((sql, args),) = search.walks(what, 1, 9, 5)
        yield index, sql, args
    both = search.walks(Search(about=b"k", events=("login.failed",)), 1, 9, 5)
    for index, (sql, args) in zip(("journal_who", "journal_event"), both, strict=True):
        yield index, sql, args
    yield "journal_event", search.EVENTS, ()
    yield "journal_message", search.TELLING, ("[]", "[]")
    yield "INTEGER PRIMARY KEY", search.AT, (1.0,)


@pytest.mark.parametrize(("index", "sql", "args"), list(plans()))
async def test_each_search_walks_an_index(
    database: Database, index: str, sql: str, args: tuple[object, ...]
) -> None:
    """Whatever grows with the journal is never scanned or sorted."""
    steps = [row[3] for row in database.read(f"EXPLAIN QUERY PLAN {sql}", args)]

    assert any(index in step for step in steps), steps
    assert not [step for step in steps if step == "SCAN journal"]


@pytest.mark.parametrize(
    ("what", "exact"),
    [
        (Search(events=("login.failed",)), True),
        (Search(about=b"k"), True),
        (Search(message="M"), True),
        (Search(), False),
        (Search(events=("message.accepted",)), False),
        (Search(about=b"k", events=("login.failed",)), False),
        (Search(actor="peer:ab"), False),
        (Search(about=b"k", since=1.0), False),
        (Search(message="M", until=1.0), False),
    ],
)
def test_what_an_index_answers_alone_is_read_no_further(what: Search, exact: bool) -> None:  # noqa: FBT001 - a table
    """A page of it costs a page."""
    assert (None if exact else search.EXAMINED) == what.examined
