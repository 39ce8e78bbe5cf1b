"""What the verbs work on: the open rooms of one gateway, running or not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateway.accounts import Accounts
from gateway.receipts.outbox import Outbox
from gateway.relay.spool import Spool
from gateway.settings import Settings
from imap.store import Mailboxes
from quarantine.register import Register
from quarantine.review import Review
from trust.keeper import Keeper
from vault.database import Database
from vault.journal import Journal
from vault.keys import KeyRing
from vault.store import Vault


@dataclass(frozen=True, slots=True)
class Rooms:
    """One of each, made by ``gateway.app``."""

    settings: Settings
    clock: Callable[[], datetime]
    ring: KeyRing
    database: Database
    vault: Vault
    journal: Journal
    keeper: Keeper
    mailboxes: Mailboxes
    accounts: Accounts
    spool: Spool
    outbox: Outbox
    register: Register
    review: Review
    wake: Callable[[], None]  # rings the courier's bell; nobody hears it when nothing runs
