"""What is told to operators who are not looking, and when: once a threshold, again after a while, and that it is over.

A ``Condition`` is what is wrong now, in words without a patient's name or an address. ``judge``
compares what is wrong with what was told and says what to tell; a thing that comes and goes within
minutes is told once. Pure: ``gateway.running.alerting`` looks, and carries the words outside. R-C5.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

SETTLED = timedelta(minutes=5)  # gone for so long, it is over


class Level(IntEnum):
    """How much it matters; each rise is told."""

    NOTICE = 1  # within weeks
    WARNING = 2  # within days
    ALARM = 3  # now: mail stands still, or somebody attacks


class Turn(StrEnum):
    """What is new about a condition."""

    RAISED = "raised"
    WORSE = "worse"
    AGAIN = "again"  # it still stands
    ENDED = "ended"


class Condition(msgspec.Struct, frozen=True):
    """Something that an operator must know; ``name`` is stable, ``about`` says which one of them."""

    name: str
    level: Level
    sentence: str
    cure: str = ""
    about: str = ""
    lasts: bool = True  # False: it happened, and is never over

    @property
    def key(self) -> str:
        """What stays the same while it lasts."""
        return f"{self.name}/{self.about}" if self.about else self.name


class Alert(msgspec.Struct, frozen=True):
    """One thing to tell."""

    id: str
    turn: Turn
    at: datetime
    since: datetime
    condition: Condition


class Told(msgspec.Struct, frozen=True):
    """A condition as it was last told, and since when it is gone if it is."""

    condition: Condition
    since: datetime
    told: datetime
    gone: datetime | None = None


Watched = Mapping[str, Told]
NOTHING: Watched = MappingProxyType({})


class Judged(NamedTuple):
    """What to remember, and what to tell."""

    watched: Watched
    alerts: tuple[Alert, ...]


def judge(
    watched: Watched, conditions: Iterable[Condition], now: datetime, again: timedelta
) -> Judged:
    """Compare what is wrong now with what was told before."""
    current = {each.key: each for each in conditions}
    kept: dict[str, Told] = {}
    alerts: list[Alert] = []

    def tell(turn: Turn, told: Told) -> None:
        alerts.append(_alert(turn, told.since, told.condition, now))

    for key, condition in current.items():
        before = watched.get(key)
        if before is None:
            kept[key] = Told(condition, now, now)
            tell(Turn.RAISED, kept[key])
        elif condition.level > before.condition.level:
            kept[key] = Told(condition, before.since, now)
            tell(Turn.WORSE, kept[key])
        elif now - before.told >= again:
            kept[key] = Told(condition, before.since, now)
            tell(Turn.AGAIN, kept[key])
        else:
            # The words may change as it lasts; what was told of it, and how grave, does not.
            kept[key] = msgspec.structs.replace(before, gone=None)
    for key in watched.keys() - current.keys():
        before = watched[key]
        gone = before.gone or now
        if not before.condition.lasts:
            if now - before.told < again:  # what happens again within the time is no news
                kept[key] = before
        elif now - gone >= SETTLED:
            tell(Turn.ENDED, before)
        else:
            kept[key] = msgspec.structs.replace(before, gone=gone)
    alerts.sort(key=lambda alert: (-alert.condition.level, alert.condition.key))
    return Judged(kept, tuple(alerts))


def _alert(turn: Turn, since: datetime, condition: Condition, now: datetime) -> Alert:
    # The same news has the same id, however often it is carried: receivers drop repetitions.
    named = f"{condition.key}\0{turn}\0{now.isoformat()}".encode()
    return Alert(hashlib.sha256(named).hexdigest()[:32], turn, now, since, condition)


_HEADS = {
    Turn.RAISED: "",
    Turn.WORSE: "worse: ",
    Turn.AGAIN: "still: ",
    Turn.ENDED: "over: ",
}


def subject(alert: Alert, site: str) -> str:
    """Return the one line that a telephone shows; ASCII, and nothing that a list or a peer wrote."""
    found = alert.condition
    level = found.level.name.lower()
    return f"[{site}] {level}: {_HEADS[alert.turn]}{found.name.replace('-', ' ')}"


def text(alert: Alert, site: str, host: str) -> str:
    """Return the words of a mail."""
    found = alert.condition
    lines = [found.sentence]
    if found.cure and alert.turn is not Turn.ENDED:
        lines += ["", f"What to do: {found.cure}"]
    if alert.turn is Turn.ENDED:
        lines = ["This is over:", "", *lines]
    lines += ["", f"Since {alert.since:%F %H:%M} UTC; told at {alert.at:%F %H:%M} UTC."]
    lines += [f"From the gateway {site} ({host}); docs/operating-trust.md says more."]
    return "\n".join(lines) + "\n"


def ending(domain: str, left: str, site: str, host: str) -> tuple[str, str]:
    """Return subject and words of the mail to a peer whose certificate runs out."""
    return f"[{site}] your certificate ends", (
        f"Le certificat par lequel votre passerelle parle pour {domain} arrive à son terme ({left}).\n"
        "Au-delà, le courrier entre nous attend, des deux côtés, jusqu'à ce qu'il soit renouvelé et,\n"
        "si son identité change, que la liste de confiance le nomme.\n\n"
        f"The certificate by which your gateway speaks for {domain} comes to its end ({left}).\n"
        "Beyond it the mail between us waits, on both sides, until it is renewed and, if its identity\n"
        "changes, until the trust list names it.\n\n"
        f"{site} ({host})\n"
    )


def payload(alert: Alert, site: str) -> bytes:
    """Return a CloudEvents 1.0 document in JSON: the body of a webhook."""
    found = alert.condition
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": alert.id,
        "source": f"sceau/{site}",
        "type": f"sante.sceau.alert.{alert.turn}",
        "subject": found.key,
        "time": alert.at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {
            "name": found.name,
            "about": found.about,
            "level": found.level.name.lower(),
            "sentence": found.sentence,
            "cure": found.cure,
            "since": alert.since.isoformat().replace("+00:00", "Z"),
        },
    }
    return msgspec.json.encode(event)


def signature(secret: bytes, body: bytes, now: datetime) -> str:
    """Return the header by which a receiver knows that we wrote this, and when.

    HMAC-SHA-256 over the time, a full stop and the body: a copy sent later shows its age.
    """
    at = str(int(now.timestamp()))
    made = hmac.new(secret, at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={made}"
