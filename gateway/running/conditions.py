"""What is wrong with this gateway now, in an operator's words: the rooms are looked at, nothing is changed.

No patient, no address, no message in it: the words leave the house. R-C5.
"""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta

from gateway.observe.alerts import Condition, Level
from gateway.operations.rooms import Rooms
from gateway.relay.delivery import State
from gateway.running.housekeeping import told_upto
from gateway.running.standing import oldest_delivery, oldest_receipt
from trust.verification import Outcome
from trust.watch import Pending, SourceStanding

# Somebody may be attacking, or has made a grave mistake: said as loudly as that mail stands still.
_GRAVE = frozenset(
    {
        Outcome.BACKDATED,
        Outcome.BROKEN_CHAIN,
        Outcome.EQUIVOCATION,
        Outcome.ROLLED_BACK,
        Outcome.SIGNER_REVOKED,
        Outcome.UNMATCHED,
        Outcome.UNSIGNED,
        Outcome.UNTRUSTED_SIGNER,
    }
)
_MOVING = (State.QUEUED, State.SENDING, State.DEFERRED)
_EXPIRES = ((7, Level.ALARM), (30, Level.WARNING), (60, Level.NOTICE))  # days ahead
_SHOWN = ((0, Level.WARNING), (7, Level.WARNING), (30, Level.NOTICE))
_AHEAD = timedelta(days=30)
_FORGOTTEN = timedelta(days=7)  # since when nobody renewed: it is known by then
_LAST = timedelta(days=1)  # before a case expires
_MOST = 2000  # certificates looked at in one go: mail waits while we look


def conditions(rooms: Rooms, certificate: datetime) -> Iterator[Condition]:
    """Say what is wrong; ``certificate`` is when ours expires."""
    yield from _lists(rooms)
    yield from _certificate(rooms.clock(), certificate)
    yield from _members(rooms)
    yield from _bridges(rooms)
    yield from _critical(rooms)
    yield from _mail(rooms)
    yield from _doors(rooms)
    yield from _cases(rooms)
    yield from _scanner(rooms)
    yield from _siem(rooms)
    yield from _disk(rooms)


def _lists(rooms: Rooms) -> Iterator[Condition]:
    standing = rooms.keeper.standing()
    if standing.listed is None:
        yield Condition(
            "list-missing",
            Level.ALARM,
            "No trust list is in force: all mail with other gateways waits.",
            "sceau trust show says why; sceau trust import brings one in",
        )
    for source in standing.sources:
        yield from _source(rooms, source)


def _source(rooms: Rooms, source: SourceStanding) -> Iterator[Condition]:
    now, name = rooms.clock(), source.name
    if source.lost and rooms.keeper.current is not None:
        yield Condition(
            "list-missing",
            Level.ALARM,
            f"The list of {name} was in force, and cannot be used now: mail with whom it may have"
            " named waits until it is back; nothing is refused for it.",
            f"sceau trust show --source {name} says why; sceau trust import brings one in",
            name,
        )
    if source.edition is not None:
        until = source.edition.claims.stale_after
        soon = timedelta(seconds=rooms.settings.alerts.stale_before)
        if until - now <= soon or source.age is not None:
            gone = until <= now
            level = Level.WARNING if until - now <= soon else Level.NOTICE
            yield Condition(
                "list-stale",
                Level.ALARM if gone else level,
                f"The list of {name} {'is' if gone else 'will be'} stale from {until:%F %H:%M} UTC on:"
                " mail with its members waits until a newer one comes; nothing is refused for it.",
                f"get a newer list from its authority: sceau trust show --source {name}",
                name,
            )
    last = source.last
    if (
        last is not None
        and not last.good
        and last.outcome not in {Outcome.WAITING, Outcome.REJECTED}
    ):
        grave = last.outcome in _GRAVE
        yield Condition(
            f"list-{last.outcome}",
            Level.ALARM if grave else Level.WARNING,
            f"What the source {name} offered was not taken ({last.outcome}): {last.sentence}."
            " The list in force stays.",
            "ask its authority by telephone what it has signed"
            if grave
            else "see sceau trust show",
            name,
        )
    if source.pending is not None:
        yield _waiting(source.pending)


def _waiting(pending: Pending) -> Condition:
    domains = len(pending.judgement.waiting)
    return Condition(
        "change-waits",
        Level.ALARM if domains else Level.WARNING,
        f"A change of the list of {pending.source} waits for {pending.missing} more to agree"
        f" ({pending.judgement.why}); domains whose mail is put off meanwhile: {domains:,}.",
        f"sceau trust diff, then sceau trust approve {pending.digest[:32]}",
        f"{pending.source}-{pending.digest[:12]}",
    )


def _certificate(now: datetime, expires: datetime) -> Iterator[Condition]:
    left = expires - now
    level = next((level for days, level in _EXPIRES if left <= timedelta(days=days)), None)
    if level is not None:
        verb = "expired" if left <= timedelta() else "expires"
        yield Condition(
            "certificate-expires",
            level,
            f"Our own certificate {verb} on {expires:%F %H:%M} UTC: no peer accepts us after that.",
            "renew it, put it in place, then send SIGHUP",
        )


def _members(rooms: Rooms) -> Iterator[Condition]:
    """The certificates that members last showed: a domain is judged by the one that lasts longest."""
    now, ours = rooms.clock(), rooms.settings.site.domains
    seen = [each for each in rooms.watch.all() if each.expires - now > -_FORGOTTEN]
    if not seen or seen[0].expires - now > _AHEAD:  # they come by when they end
        return
    last = {
        domain: each
        for each in seen[:_MOST]
        for domain in rooms.watch.domains(each)
        if domain not in ours
    }
    for domain, met in sorted(last.items()):
        left = met.expires - now
        level = next((level for days, level in _SHOWN if left <= timedelta(days=days)), None)
        if level is not None:
            gone = left <= timedelta()
            yield Condition(
                "member-certificate-expires",
                level,
                f"The certificate of {domain} {'expired' if gone else 'expires'} on"
                f" {met.expires:%F %H:%M} UTC: mail with it waits {'now' if gone else 'from then on'}.",
                "tell its operator; when it has expired: docs/certificates.md",
                domain,
            )


def _bridges(rooms: Rooms) -> Iterator[Condition]:
    now = rooms.clock()
    for bridge in rooms.keeper.overlay.bridges.all:
        if bridge.begins <= now < bridge.ends:
            yield Condition(
                "bridge-in-use",
                Level.WARNING,
                f"Mail with {bridge.domain} passes under an expired certificate until"
                f" {bridge.ends:%F %H:%M} UTC, as {bridge.asked_by} and {bridge.confirmed_by} agreed.",
                f"ask {bridge.domain} for their new certificate",
                bridge.domain,
            )


def _critical(rooms: Rooms) -> Iterator[Condition]:
    """Results that may not wait, did not arrive, and that nobody has said to take care of."""
    for each in rooms.desk.criticals.waiting():
        reference = each.facts.reference
        whom = f"; {each.facts.person} was told" if each.facts.person else ""
        yield Condition(
            "critical-escalated",
            Level.ALARM,
            f"The critical result {reference} did not arrive in time{whom}.",
            f"let it arrive by other means, then: sceau lab acknowledge {reference}",
            reference,
        )


def _mail(rooms: Rooms) -> Iterator[Condition]:
    settings, at = rooms.settings.alerts, rooms.clock().timestamp()
    if (age := at - oldest_delivery(rooms, _MOVING, at)) > settings.stuck_after:
        yield Condition(
            "mail-stuck",
            Level.WARNING,
            f"The oldest message has waited for {_long(age)}.",
            "sceau spool list says for whom, and what the peer answered",
        )
    if rooms.settings.receipts.host and (
        (age := at - oldest_receipt(rooms, at)) > settings.broker_after
    ):
        yield Condition(
            "broker-down",
            Level.WARNING,
            f"Receipts have waited for the broker for {_long(age)}; none is lost, mail goes on.",
            "look at the broker, and at [receipts]",
        )


def _doors(rooms: Rooms) -> Iterator[Condition]:
    """Ways in for laboratories that nobody watches: what is put there goes nowhere meanwhile."""
    now = rooms.clock()
    for name, since in sorted(rooms.desk.away.items()):
        if (age := (now - since).total_seconds()) > rooms.settings.alerts.door_after:
            yield Condition(
                "door-away",
                Level.WARNING,
                f"The {name} has not been reached for {_long(age)}: results that lie there wait.",
                "look at that folder or IMAP server; sceau doctor says what is wrong with it",
                name,
            )


def _cases(rooms: Rooms) -> Iterator[Condition]:
    """Messages that nobody looks at: their senders were told to wait, and some have patients."""
    now, urgency = rooms.clock(), rooms.register.urgency()
    if urgency is None:
        return
    since, until = urgency
    age = (now - since).total_seconds()
    last = until - now <= _LAST
    if age > rooms.settings.alerts.case_after or last:
        yield Condition(
            "case-waits",
            Level.ALARM if last else Level.WARNING,
            f"Held messages wait for a person: {rooms.register.count():,}, the oldest for {_long(age)};"
            f" the next one expires on {until:%F %H:%M} UTC.",
            "sceau quarantine list, then release or refuse",
        )


def _siem(rooms: Rooms) -> Iterator[Condition]:
    if not rooms.settings.siem.host:
        return
    at = rooms.clock().timestamp()
    rows = rooms.database.read(
        "SELECT at FROM journal WHERE seq > ? ORDER BY seq LIMIT 1", (told_upto(rooms),)
    )
    if rows and (age := at - rows[0][0]) > rooms.settings.siem.behind_after:
        yield Condition(
            "siem-behind",
            Level.WARNING,
            f"The SIEM was told nothing for {_long(age)}; every row of the journal waits for it, none"
            " is purged, mail goes on.",
            "look at it, and at [siem]; sceau doctor says whether it is reached",
        )


def _scanner(rooms: Rooms) -> Iterator[Condition]:
    inspections = rooms.desk.screening.inspections
    if inspections is not None and inspections.silent:
        yield Condition(
            "scanner-silent",
            Level.WARNING,
            f"The virus scanner gives no verdict ({inspections.silent}): messages wait for it, then"
            " the rules say what becomes of them (not-scanned).",
            "look at clamd, and at [quarantine] scanner",
        )


def _disk(rooms: Rooms) -> Iterator[Condition]:
    free = shutil.disk_usage(rooms.settings.paths.data).free
    reserve = rooms.settings.vault.reserve
    if free < 2 * reserve:
        full = free < reserve
        yield Condition(
            "disk-full",
            Level.ALARM if full else Level.WARNING,
            f"The data folder's disk has {free >> 20:,} MiB left of its reserve of"
            f" {reserve >> 20:,} MiB: {'every new message is put off' if full else 'soon mail is put off'}.",
            "make room",
        )


def _long(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:.0f} hours" if hours >= 2 else f"{seconds / 60:.0f} min"
