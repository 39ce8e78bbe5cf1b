"""What the verbs work on: the open rooms of one gateway, running or not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateway.accounts.credentials import Credentials
from gateway.accounts.factors import Factors
from gateway.accounts.invitations import Invitations
from gateway.accounts.mailboxes import Accounts, Mailbox
from gateway.accounts.operators import Operator, Operators
from gateway.accounts.shares import Shares
from gateway.certificates.emergencies import Emergencies
from gateway.certificates.watch import Watch
from gateway.observe.metrics import Metrics
from gateway.observe.notes import Notes
from gateway.operations.denials import Denylist
from gateway.operations.legal import LegalHolds
from gateway.receipts.outbox import Outbox
from gateway.relay.books import Books
from gateway.relay.desk import Desk
from gateway.relay.exchanges import Exchanges
from gateway.relay.notices import Notices
from gateway.relay.recalls import Ask, nobody
from gateway.relay.spool import Spool
from gateway.settings import Settings
from imap.store import Mailboxes
from quarantine.register import Register
from quarantine.review import Review
from smtp.address import Address
from trust.directories import Directories
from trust.keeper import Keeper
from vault.database import Database
from vault.exporting import Exporting
from vault.forgetting import Forgetting
from vault.journal import Journal
from vault.keys import KeyRing
from vault.store import Vault


def _nobody(_: object = None) -> None:
    """Nothing runs: nobody hears a bell, and nobody is connected."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """One of each, made by ``gateway.app``."""

    settings: Settings
    clock: Callable[[], datetime]
    ring: KeyRing
    database: Database
    vault: Vault
    journal: Journal
    exporting: Exporting
    forgetting: Forgetting
    legal: LegalHolds
    keeper: Keeper
    directories: Directories
    exchanges: Exchanges
    denylist: Denylist
    watch: Watch
    emergencies: Emergencies
    mailboxes: Mailboxes
    accounts: Accounts
    shares: Shares
    credentials: Credentials
    factors: Factors
    operators: Operators
    invitations: Invitations[Mailbox]
    summons: Invitations[Operator]  # to the console
    spool: Spool
    outbox: Outbox
    register: Register
    review: Review
    books: Books
    metrics: Metrics
    notes: Notes
    desk: Desk
    notices: Notices
    ask: Ask = nobody  # a peer, for what it was given: back
    wake: Callable[[], None] = _nobody  # rings the courier's bell
    leave: Callable[[Address], None] = _nobody  # ends a mailbox's connections
    actor: str = "gateway"  # who asks, for the journal
