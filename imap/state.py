"""Where a connection stands, and what may be said there: two tables.

    NOT_AUTHENTICATED --log-in--> AUTHENTICATED <--close / select--> SELECTED ; LOGOUT from all

RFC 3501 §3, §6.
"""

from enum import Enum


class State(Enum):
    """Where a connection stands (RFC 3501 §3)."""

    NOT_AUTHENTICATED = "not authenticated"
    AUTHENTICATED = "authenticated"
    SELECTED = "selected"
    LOGOUT = "logout"


class Turn(Enum):
    """What changes where it stands."""

    LOGGED_IN = "logged in"
    OPENED = "opened"
    SHUT = "shut"
    GONE = "gone"


TRANSITIONS: dict[tuple[State, Turn], State] = {
    (State.NOT_AUTHENTICATED, Turn.LOGGED_IN): State.AUTHENTICATED,
    (State.AUTHENTICATED, Turn.OPENED): State.SELECTED,
    (State.AUTHENTICATED, Turn.SHUT): State.AUTHENTICATED,
    (State.SELECTED, Turn.OPENED): State.SELECTED,
    (State.SELECTED, Turn.SHUT): State.AUTHENTICATED,
    (State.NOT_AUTHENTICATED, Turn.GONE): State.LOGOUT,
    (State.AUTHENTICATED, Turn.GONE): State.LOGOUT,
    (State.SELECTED, Turn.GONE): State.LOGOUT,
}

_OUTSIDE = frozenset({State.NOT_AUTHENTICATED})
INSIDE = frozenset({State.AUTHENTICATED, State.SELECTED})
_OPEN = frozenset({State.SELECTED})
_ANYWHERE = frozenset({"CAPABILITY", "NOOP", "LOGOUT", "ID"})
_BEFORE = frozenset({"STARTTLS", "AUTHENTICATE", "LOGIN"})
_ON_MESSAGES = frozenset(
    {
        *("CHECK", "CLOSE", "UNSELECT", "EXPUNGE", "SEARCH", "FETCH", "STORE", "COPY", "MOVE"),
        *("UID EXPUNGE", "UID SEARCH", "UID FETCH", "UID STORE", "UID COPY", "UID MOVE"),
    }
)


def allowed(name: str) -> frozenset[State]:
    """Return the states in which a command may be given (RFC 3501 §6)."""
    if name in _ANYWHERE:
        return _OUTSIDE | INSIDE
    if name in _BEFORE:
        return _OUTSIDE
    return _OPEN if name in _ON_MESSAGES else INSIDE
