"""Failed log-ins, counted by account with origin, by account, and by origin, until they lock.

Pure: the caller says what time it is. Who guesses from elsewhere does not lock out the places from which
an account is used. R-B5.
"""

from datetime import datetime, timedelta

from gateway.accounts.throttle import Throttle

_FAMILIAR = 10_000  # places remembered from which somebody logged in
_WIDER = 10  # an account from anywhere, or an origin with any account, may fail so many times more


class Lockout:
    """``limit`` failures lock for ``window``."""

    def __init__(self, limit: int, window: timedelta) -> None:
        self._near = Throttle(limit, window)
        self._wide = Throttle(limit * _WIDER, window)
        self._familiar: dict[str, None] = {}  # account with origin, the latest log-in last

    def locked(self, account: str, origin: str, now: datetime) -> bool:
        """Whether there were too many failures; ``account`` is empty where none was named."""
        pair = f"{account}|{origin}"
        return (
            self._near.locked(pair, now)
            or self._wide.locked(f"ip|{origin}", now)
            or (account != "" and pair not in self._familiar and self._wide.locked(account, now))
        )

    def failed(self, account: str, origin: str, now: datetime) -> None:
        """Count a failure."""
        self._near.failed(f"{account}|{origin}", now)
        self._wide.failed(f"ip|{origin}", now)
        if account:
            self._wide.failed(account, now)

    def welcomed(self, account: str, origin: str) -> None:
        """Remember from where somebody logged in."""
        pair = f"{account}|{origin}"
        self._familiar.pop(pair, None)
        self._familiar[pair] = None
        if len(self._familiar) > _FAMILIAR:
            self._familiar.pop(next(iter(self._familiar)))

    def forgive(self, account: str, origin: str) -> None:
        """Forget the failures of whoever has just proved who they are."""
        self._near.forgive((f"{account}|{origin}",))
