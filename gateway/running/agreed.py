"""What the settings say, as the values that rooms work with: small, and each made in one place."""

from collections.abc import Iterable
from datetime import timedelta

from gateway.documents.coherence import Citizens
from gateway.receipts.citizens import ANSWER
from gateway.relay.critical import Care, Urgency
from gateway.relay.delivery import Schedule
from gateway.relay.ends import Terms
from gateway.relay.inspections import Inspections
from gateway.relay.large.large import Large
from gateway.relay.screening import Screening
from gateway.relay.threads import Rules
from gateway.settings import Settings
from imap.store import Limits
from quarantine.rate import Rate
from smtp.address import Address, key
from vault.database import Database
from vault.keys import KeyRing


def screening(settings: Settings, inspections: Inspections) -> Screening:
    """Return what is looked for in a message, and how much a mailbox may send."""
    quarantine = settings.quarantine
    rate = Rate(quarantine.rate)
    return Screening(quarantine.policy, inspections, rate, quarantine.recipients)


def urgency(settings: Settings) -> Urgency:
    """Return what was agreed about critical results."""
    labs = settings.labs
    return Urgency(
        Care(timedelta(seconds=labs.critical_within)),
        {
            key(Address(each.mailbox)): Care(
                timedelta(seconds=each.within),
                each.person,
                tuple(map(Address, each.mail)),
                each.importance,
            )
            for each in labs.critical
        },
        everybody=labs.critical_from == "all",
    )


def terms(settings: Settings) -> Terms:
    """Return by when software has its last answer."""
    within = settings.receipts.final_within
    return Terms(timedelta(seconds=within) if within else None)


def citizens(settings: Settings) -> Rules:
    """Return what the house says of citizens."""
    said = settings.citizens
    return Rules(
        Citizens(settings.journal.citizens, said.digits, _keys(said.services)),
        _keys(said.pharmacies),
        said.largest,
        said.enforce,
        ANSWER if said.answer is None else said.answer,
        timedelta(days=said.thread_days) if said.thread_days else None,
    )


def _keys(addresses: Iterable[str]) -> frozenset[str]:
    return frozenset(key(Address(each)) for each in addresses)


def large(settings: Settings, database: Database, ring: KeyRing) -> Large | None:
    """Return what keeps and fetches what is too large for a next hop; None: that is off."""
    large = settings.large
    return Large.of(large, database, ring) if large.enabled else None


def room(settings: Settings) -> Limits:
    """Return how much a mailbox holds."""
    return Limits(settings.mailboxes.quota, settings.mailboxes.append_limit)


def schedule(settings: Settings) -> Schedule:
    """Return when what was put off is tried again."""
    relay = settings.relay
    return Schedule.of(relay.retry, relay.jitter, relay.expire_after, relay.delay_notice_after)
