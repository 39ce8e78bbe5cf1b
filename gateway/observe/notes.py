"""What happens outside any transaction, told to the journal, the log and the metrics.

Failed log-ins, failed handshakes, refused sessions, wrong next hops, lists that were turned away:
the doors report them by a plain call that must not wait. The same event over and over becomes one
entry that says how often, so that nobody can fill the disk by knocking; nothing is dropped
unsaid (R-I3, R-J4).
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from gateway.observe.metrics import Metrics
from smtp.address import Address
from vault.database import Database
from vault.errors import VaultError
from vault.journal import Journal

_KINDS = 1000  # different events remembered at once; beyond that they are counted together
_PAUSE = 1.0  # seconds between two writings
# A person should look: somebody else answers at a next hop, the audit cannot be proven, the trust
# list that came is an attack or a grave mistake.
ALARMS = frozenset(
    {
        "bridge.built",
        "bridge.used",
        "certificate.expires",
        "certificate.revoked",
        "credential.tampered",
        "denial.tampered",
        "document.stranger",
        "factor.copied",
        "factor.tampered",
        "hold.tampered",
        "journal.unsigned",
        "large.corrupt",
        "large.refused",
        "large.wrong_certificate",
        "mailbox.tampered",
        "operator.tampered",
        "opposition.tampered",
        "peer.wrong_certificate",
        "thread.tampered",
        "trust.altered-history",
        "trust.broken-chain",
        "trust.equivocation",
        "trust.implausible",
        "trust.rolled-back",
        "trust.signer-revoked",
        "trust.unmatched-signature",
        "trust.unsigned",
        "trust.untrusted-signer",
    }
)

Told = Callable[[str, Mapping[str, object]], None]

_Facts = tuple[tuple[str, object], ...]


def _nobody(_event: str, _facts: Mapping[str, object]) -> None:
    """Nobody listens."""


class Notes:
    """One per process; ``run`` is a task of the gateway's group."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
        metrics: Metrics,
        *,
        pause: float = _PAUSE,
    ) -> None:
        self._database, self._journal, self._clock = database, journal, clock
        self._log, self._metrics, self._pause = log, metrics, pause
        self._seen: dict[tuple[str, _Facts], tuple[datetime, int]] = {}
        self._bell = asyncio.Event()
        self.alarmed: Told = _nobody  # who is told of alarms outside the console

    def tell(self, event: str, facts: Mapping[str, object]) -> None:
        """Take note of an event; addresses under ``who`` and ``whom``, the message's id, facts."""
        error = facts.get("exception")
        if isinstance(error, BaseException):
            self.crashed(event, error)
            facts = {name: fact for name, fact in facts.items() if name != "exception"}
        self._metrics.events.labels(event).inc()
        if event in ALARMS:
            self.alarmed(event, facts)
        key = (event, tuple(sorted((name, _flat(fact)) for name, fact in facts.items())))
        if key not in self._seen and len(self._seen) >= _KINDS:
            key = (event, (("reason", "many"),))
        since, times = self._seen.get(key, (self._clock(), 0))
        self._seen[key] = (since, times + 1)
        self._bell.set()

    def crashed(self, loop: str, error: BaseException) -> None:
        """Take note of a bug that a boundary caught: where it is, and nothing it choked on."""
        self._metrics.crashes.labels(loop).inc()
        self._log.error("loop.crashed", loop=loop, exc_info=error)

    async def run(self) -> None:
        """Write what was told, at once and then in groups."""
        while True:
            await self._bell.wait()
            await self.write()
            await asyncio.sleep(self._pause)

    async def write(self) -> None:
        """Write what was told so far; what the disk does not take is kept for the next time."""
        self._bell.clear()
        told, self._seen = self._seen, {}
        statements = []
        for (event, facts), (since, times) in told.items():
            detail = dict(facts)
            tell = self._log.warning if event in ALARMS else self._log.info
            tell(event, count=times, **_anonymous(detail))
            actor = f"peer:{detail['certificate']}" if detail.get("certificate") else "gateway"
            statements.append(
                self._journal.entry(
                    since,
                    event,
                    actor,
                    message=_text(detail.pop("message", None)),
                    who=_address(detail.pop("who", None)),
                    whom=_address(detail.pop("whom", None)),
                    **detail,
                    **({"times": times} if times > 1 else {}),
                )
            )
        if not statements:
            return
        try:
            await self._database.commit(statements)
        except VaultError as error:
            self._log.error("journal.failed", count=len(statements), exc_info=error)
            self._seen = {**told, **self._seen}


def _flat(fact: object) -> object:
    return fact if fact is None or isinstance(fact, str | int | float | bool) else str(fact)


def _anonymous(detail: Mapping[str, object]) -> dict[str, object]:
    return {name: fact for name, fact in detail.items() if name not in {"who", "whom"} and fact}


def _address(fact: object) -> Address | None:
    # Only values that were parsed come here; ``tell`` takes no raw text under these names.
    return Address(str(fact)) if fact else None


def _text(fact: object) -> str | None:
    return str(fact) if fact else None
