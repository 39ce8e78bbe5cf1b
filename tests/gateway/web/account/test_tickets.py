"""The tickets that forms carry."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.web.account.tickets import Tickets
from tests.world.clock import START

_TICKETS = Tickets()


def test_a_ticket_holds_for_its_browser_its_form_and_its_hour() -> None:
    """And for nothing else."""
    ticket = _TICKETS.issue("browser", "/form", START)
    assert _TICKETS.holds(ticket, "browser", "/form", START)
    assert not _TICKETS.holds(ticket, "another", "/form", START)
    assert not _TICKETS.holds(ticket, "", "/form", START)
    assert not _TICKETS.holds(ticket, "browser", "/other", START)
    assert not _TICKETS.holds(ticket, "browser", "/form", START + timedelta(hours=1))
    assert not Tickets().holds(ticket, "browser", "/form", START)


def test_a_spent_ticket_holds_no_more() -> None:
    """What a browser signed for it cannot be sent again."""
    tickets = Tickets()
    ticket = tickets.issue("browser", "/form", START)
    tickets.spend(ticket, START)
    assert not tickets.holds(ticket, "browser", "/form", START)


def test_spent_tickets_are_forgotten_when_they_are_old() -> None:
    """Memory is bounded by what is sent within their life."""
    tickets = Tickets()
    for number in range(10_000):
        tickets.spend(str(number), START)
    tickets.spend("new", START + timedelta(hours=2))
    assert ["new"] == list(tickets._spent)


def test_a_secret_is_the_tickets_own() -> None:
    """For each use another."""
    one, other = (_TICKETS.issue("b", "/f", START) for _ in range(2))
    found = {_TICKETS.secret(each, use) for each in (one, other) for use in ("seed", "passkey")}
    assert 4 == len(found)


@given(st.text(), st.text())
def test_any_text_holds_or_not(text: str, bound: str) -> None:
    """Nobody's invention holds, and none is an error."""
    assert not _TICKETS.holds(text, bound, "/form", START)
