"""A health space that lives: its list is issued day by day, and its signer may do anything.

It can roll over, expire, be revoked; others may forge; the list may go back, stand still, be cut off.
One gateway watches it, with a clock of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.demo import national
from gateway.demo.health import Holder
from gateway.demo.national import Entry
from smtp.address import parse
from smtp.envelope import Peer
from tests.trust.national import authority, pin, signer, signers
from tests.trust.simulator import NOW, MemoryStore
from trust.change import Policy
from trust.decision import decide
from trust.formats import mssante
from trust.keeper import Keeper
from trust.revocation import Standing, State
from trust.signatures.signers import Dates
from trust.verification import Demands, Offer
from trust.watch import Arrival, Source

MAX_AGE = timedelta(days=7)
NEXT = "alb2.sante.example"  # who signs after the roll-over


@dataclass
class Space:
    """The authority, its list, and a gateway that believes it."""

    entries: Sequence[Entry]
    now: datetime = NOW
    holder: Holder = field(default_factory=signer)
    also: tuple[Holder, ...] = ()  # pinned as well: a roll-over in the settings
    dates: Dates = Dates.OF_LIST
    standing: State = State.GOOD
    policy: Policy = field(default_factory=Policy)
    store: MemoryStore = field(default_factory=MemoryStore)
    told: list[str] = field(default_factory=list)
    keeper: Keeper = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start the gateway again, on what it kept."""
        pinned = signers(
            *(pin(each) for each in (signer(), *self.also)),
            dates=self.dates,
            revocation=lambda chain, now: Standing(self.standing),
        )
        form = mssante.WhiteList(pinned, MAX_AGE)
        source = Source(Demands("national", form, mssante.LIMIT), rolling=True)
        self.keeper = Keeper(
            [source],
            self.store,
            lambda: self.now,
            policy=self.policy,
            tell=lambda arrival: self.told.append(arrival.outcome),
        )

    def list(self, *entries: Entry, days: float = 0, holder: Holder | None = None) -> bytes:
        """Sign a list, of now or of some days before or after."""
        document = national.document(entries or self.entries, self.now + timedelta(days=days))
        return national.signed(document, holder or self.holder)

    async def offer(self, content: bytes) -> Arrival:
        """Have the gateway find it."""
        return await self.keeper.offer("national", Offer(content))

    def decides(self, sender: str, recipient: str, gateway: Holder) -> str:
        """Return what would become of a message that this gateway brings."""
        peer = Peer("192.0.2.1", certificate=gateway.der, listener="relay")
        found = decide(parse(sender), parse(recipient), peer, self.keeper.current, self.now)
        return f"{found.action} {found.reason}"


def gateway(
    name: str = "mss.labo.example", organisation: str = "LABO", unit: str = "1990000001"
) -> Holder:
    """Return the certificate of an operator's gateway."""
    return authority().gateway(name, organisation, unit)
