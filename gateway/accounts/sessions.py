"""Who is in by a browser: sessions in memory, by the hash of a random name, and never at rest.

Pure: the caller says what time it is. A restart ends them all, and whoever reads this process's
memory finds no name that would open one. A session ends when nothing happens, at the latest at the end
of a working day, and when its owner or its factor ends.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

_MOST = 20  # of one person: the oldest makes room


@dataclass(frozen=True, slots=True)
class Session:
    """One browser of one person."""

    owner: str  # the person's key
    factor: str  # the id of what was shown to come in
    began: datetime
    since: datetime  # the last time that a second factor was shown
    seen: datetime
    key: str  # stands for it here: the hash of its name


class Sessions:
    """All that are open."""

    def __init__(self, idle: timedelta, longest: timedelta) -> None:
        self._idle, self._longest = idle, longest
        self._open: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, owner: str, factor: str, now: datetime) -> str:
        """Open one; return its name, which is told to the browser and kept nowhere."""
        self._sweep(now)
        name = secrets.token_urlsafe(32)
        own = [each for each in self._open.values() if each.owner == owner]
        for oldest in sorted(own, key=lambda each: each.seen)[: max(0, len(own) - _MOST + 1)]:
            self._open.pop(oldest.key)
        key = _key(name)
        self._open[key] = Session(owner, factor, now, now, now, key)
        return name

    def of(self, name: str, now: datetime, *, idly: bool = False) -> Session | None:
        """Return the session of this name, and note that it is alive.

        ``idly``: a page asks by itself, nobody did anything, and nothing is noted.
        """
        found = self._open.get(_key(name))
        if found is None or not self._alive(found, now):
            return None
        if idly:
            return found
        self._open[found.key] = alive = replace(found, seen=now)
        return alive

    def proved(self, key: str, factor: str, now: datetime) -> str | None:
        """Note that a second factor was shown again; return the session's new name, if it still is."""
        session = self._open.pop(key, None)
        if session is None:
            return None
        name = secrets.token_urlsafe(32)
        renamed = replace(session, factor=factor, since=now, seen=now, key=_key(name))
        self._open[renamed.key] = renamed
        return name

    def end(self, which: Callable[[Session], bool]) -> None:
        """End those of which this is so."""
        self._open = {key: each for key, each in self._open.items() if not which(each)}

    def _alive(self, session: Session, now: datetime) -> bool:
        return now < session.seen + self._idle and now < session.began + self._longest

    def _sweep(self, now: datetime) -> None:
        self.end(lambda session: not self._alive(session, now))


def _key(name: str) -> str:
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
