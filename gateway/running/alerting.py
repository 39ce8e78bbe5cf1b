"""Carries alerts outside: mail through our own spool, a webhook, and a heartbeat whose silence alarms.

What was told, and what a webhook has not taken yet, is one sealed row: a restart repeats nothing
and loses nothing. Whatever one way does, the others go on. R-C5.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Self

import msgspec

from gateway.observe import alerts
from gateway.observe.alerts import Alert, Condition, Level, Told, Watched
from gateway.operations.rooms import Rooms
from gateway.running import checks
from gateway.running.conditions import conditions
from smtp.address import Address
from smtp.envelope import Notify
from trust.fetching import Fetch, FetchError
from trust.verification import Outcome
from vault.database import Statement
from vault.errors import SealError, VaultError

ROUND = 15.0  # seconds between two looks
_WITHIN = 20.0  # seconds that a webhook or a heartbeat may take
_ANSWER = 64 << 10  # octets of their answers that are read
_KEPT = 200  # alerts that wait for a webhook; beyond that the oldest go
_PLACE = "alarm/1/facts"
# What became of a source's last offer is a condition, and so told already.
_SEEN = frozenset(f"trust.{outcome}" for outcome in Outcome) - {"trust.altered-history"}
_PEERS = frozenset({"peer", "next-hop"})
_QUIETLY = frozenset({Notify.NEVER})  # not every house has a postmaster's mailbox
_UNSPEAKABLE = frozenset({"who", "whom", "message", "mailbox"})


class _Facts(msgspec.Struct, frozen=True):
    watched: dict[str, Told] = {}
    unsent: tuple[Alert, ...] = ()


class Alerting:
    """One a gateway; ``run`` is a task of its group."""

    def __init__(
        self,
        rooms: Rooms,
        fetch: Fetch,
        look: Callable[[], Iterable[Condition]],
        *,
        anchors: bytes = b"",
        secret: bytes = b"",
    ) -> None:
        self._rooms, self._fetch, self._look = rooms, fetch, look
        self._settings = rooms.settings.alerts
        self._anchors, self._secret = anchors, secret
        self._happened: dict[str, Condition] = {}
        self._ending: dict[str, str] = {}  # peers whose certificate runs out: how much is left
        self._beat: datetime | None = None  # when the heartbeat was last heard
        self._facts = self._kept()
        self._bell = asyncio.Event()

    @classmethod
    def of(cls, rooms: Rooms, fetch: Fetch, expires: Callable[[], datetime]) -> Self:
        """Return what looks after a gateway; ``expires`` says when its certificate does."""
        settings = rooms.settings.alerts
        anchors = checks.readable(settings.anchors or rooms.settings.tls.anchors, "the anchor file")
        secret = b""
        if settings.webhook_secret_file is not None:
            secret = checks.private(settings.webhook_secret_file, "the secret").strip()
        made = cls(
            rooms, fetch, lambda: conditions(rooms, expires()), anchors=anchors, secret=secret
        )
        rooms.notes.alarmed = made.happened
        return made

    def happened(self, event: str, facts: Mapping[str, object]) -> None:
        """Take note of an event that a person should look at; it is told at the next look."""
        if event in _SEEN:
            return
        if event == "certificate.expires" and facts.get("kind") in _PEERS and facts.get("domain"):
            first = str(facts["domain"]).partition(",")[0]
            self._ending[first] = str(facts.get("reason", ""))
        said = [
            f"{name} {fact}" for name, fact in facts.items() if name not in _UNSPEAKABLE and fact
        ]
        name = event.replace(".", "-").replace("_", "-")
        sentence = f"{event} was noted: {', '.join(said) or 'see the journal'}."
        self._happened[name] = Condition(
            name, Level.ALARM, sentence, "look at the journal", lasts=False
        )
        self._bell.set()

    async def run(self) -> None:
        """Look again and again."""
        while True:
            self._bell.clear()
            await self.round()
            with suppress(TimeoutError):
                async with asyncio.timeout(ROUND):
                    await self._bell.wait()

    async def round(self) -> None:
        """Look once, tell what is new, send what is still to be sent."""
        happened, self._happened = self._happened, {}
        found = [*self._seen(), *happened.values()]
        again = timedelta(seconds=self._settings.again_after)
        watched, told = alerts.judge(self._facts.watched, found, self._rooms.clock(), again)
        if told or watched != self._facts.watched:
            await self._tell(watched, told)
        await self._write_to_peers()
        await self._post()
        await self._pulse(well=not any(one.level is Level.ALARM for one in found))

    def _seen(self) -> list[Condition]:
        try:
            return list(self._look())
        except VaultError as error:
            return [_failing(error)]

    async def _tell(self, watched: Watched, told: tuple[Alert, ...]) -> None:
        """Remember what is told, in the transaction that spools the mail."""
        for alert in told:
            facts = {"kind": alert.condition.key, "reason": alert.condition.sentence}
            self._rooms.notes.tell(f"alert.{alert.turn}", facts)
        unsent = (*self._facts.unsent, *told)[-_KEPT:] if self._settings.webhook else ()
        kept = _Facts(dict(watched), unsent)
        try:
            await self._keep(kept, [s for alert in told for s in await self._mails(alert)])
        except VaultError as error:  # the disk fails: what it would keep is told all the same
            self._rooms.notes.crashed("alerting", error)
            self._facts = kept
        else:
            self._rooms.wake()

    async def _mails(self, alert: Alert) -> list[Statement]:
        site = self._rooms.settings.site
        subject = alerts.subject(alert, site.name)
        words = alerts.text(alert, site.name, site.host)
        return [
            statement
            for to in self._settings.mail
            for statement in await self._rooms.notices.alerting(Address(to), subject, words)
        ]

    async def _write_to_peers(self) -> None:
        """Tell the postmasters of peers whose certificate runs out: the remedy is theirs."""
        ending, self._ending = self._ending, {}
        site = self._rooms.settings.site
        for domain, left in ending.items():
            subject, words = alerts.ending(domain, left, site.name, site.host)
            to = Address(f"postmaster@{domain}")
            try:
                mail = await self._rooms.notices.alerting(to, subject, words, _QUIETLY)
                await self._rooms.database.commit(mail)
            except VaultError as error:  # told again with the next look
                self._rooms.notes.crashed("alerting", error)
                self._ending.setdefault(domain, left)
        if ending:
            self._rooms.wake()

    async def _post(self) -> None:
        """Bring what waits to the webhook, in order; what it does not take waits."""
        while self._facts.unsent:
            first, *rest = self._facts.unsent
            body = alerts.payload(first, self._rooms.settings.site.name)
            now = self._rooms.clock()
            signed = {"Sceau-Signature": alerts.signature(self._secret, body, now)}
            try:
                await self._fetch.post(
                    self._settings.webhook,
                    body,
                    media_type="application/cloudevents+json",
                    limit=_ANSWER,
                    within=_WITHIN,
                    anchors=self._anchors,
                    headers=signed if self._secret else {},
                )
            except FetchError as error:
                self._rooms.notes.tell("alert.unsent", {"reason": error.state.value})
                return
            left = _Facts(self._facts.watched, tuple(rest))
            try:
                await self._keep(left, [])
            except VaultError:  # then a restart may bring it twice: it has an id
                self._facts = left

    async def _pulse(self, *, well: bool) -> None:
        """Show that we live and are well; nothing is shown otherwise, and that is the alarm."""
        now, every = self._rooms.clock(), timedelta(seconds=self._settings.heartbeat_every)
        if not (self._settings.heartbeat and well) or (self._beat and now - self._beat < every):
            return
        try:
            await self._fetch.get(
                self._settings.heartbeat, limit=_ANSWER, within=_WITHIN, anchors=self._anchors
            )
        except FetchError as error:
            self._rooms.notes.tell("heartbeat.unheard", {"reason": error.state.value})
        else:
            self._beat = now

    async def _keep(self, facts: _Facts, also: list[Statement]) -> None:
        sealed = self._rooms.ring.seal(msgspec.json.encode(facts), _PLACE)
        saving = Statement("INSERT OR REPLACE INTO alarm (id, facts) VALUES (1, ?)", (sealed,))
        await self._rooms.database.commit([saving, *also])
        self._facts = facts

    def _kept(self) -> _Facts:
        rows = self._rooms.database.read("SELECT facts FROM alarm")
        with suppress(SealError, msgspec.MsgspecError):
            if rows:
                return msgspec.json.decode(self._rooms.ring.open(rows[0][0], _PLACE), type=_Facts)
        return _Facts()


def _failing(error: VaultError) -> Condition:
    return Condition(
        "database-failing",
        Level.ALARM,
        f"The database cannot be read ({type(error).__name__}): no mail is taken.",
        "look at the disk, and at the gateway's log",
    )
