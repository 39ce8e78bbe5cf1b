"""Watches every certificate that we meet: how it stands, and when it ends.

A certificate that nobody has shown before is asked about while its holder says EHLO; mail waits for
that answer, a bounded time, and is put off if none comes. From then on answers are renewed ahead of
their end, and a decision only looks up what is known. One that becomes revoked is gone from open
connections and from the next attempt at once. R-A5.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.certificates.register import Met, Register
from gateway.settings.certificates import Certificates
from trust.authorities import Authorities, Revocation
from trust.bridges import Bridges
from trust.errors import IdentityError
from trust.identity import Certificate
from trust.keeper import Keeper
from trust.revocation import Standing, Standings, State

_AT_ONCE = 20  # certificates asked about at the same time
_MOST = 20_000  # certificates remembered; beyond that strangers' are not
_DAY = timedelta(days=1)
_FORGET = timedelta(days=90)
_SOON = timedelta(seconds=30)
_ROUND = 60.0

Tell = Callable[[str, Mapping[str, object]], None]
OURS, SIGNER = "ours", "signer"


@dataclass(slots=True)
class _Known:
    """What is known of one certificate; ``answered`` once it was asked about since the start."""

    met: Met
    again: datetime
    looking: bool = False
    answered: asyncio.Event = field(default_factory=asyncio.Event)


class Watch:
    """One a gateway; ``run`` is a task of its group."""

    def __init__(  # noqa: PLR0917 - what it stands between
        self,
        authorities: Authorities,
        register: Register,
        keeper: Keeper,
        settings: Certificates,
        anchors: Callable[[], tuple[bytes, ...]],
        clock: Callable[[], datetime],
        tell: Tell,
        intermediates: tuple[bytes, ...] = (),
    ) -> None:
        self._authorities, self._register, self._keeper = authorities, register, keeper
        self._settings, self._anchors, self._clock, self._tell = settings, anchors, clock, tell
        self._intermediates = intermediates
        self._known: dict[str, _Known] = {}
        self._bell = asyncio.Event()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._loop: asyncio.AbstractEventLoop | None = None

    def __repr__(self) -> str:
        return f"<Watch {len(self._known)} certificates>"

    async def restore(self, bridges: Bridges) -> None:
        """Take up what was known before a restart, and the bridges that stand."""
        await self._authorities.restore()
        now = self._clock()
        for met in self._register.all():
            self._known[met.fingerprint] = _Known(met, now)
        known = {one.met.fingerprint: one.met.standing for one in self._known.values()}
        standings = Standings(known, asked=True, grace=timedelta(seconds=self._settings.grace))
        overlay = self._keeper.overlay
        laid = replace(overlay, certificates=standings, bridges=bridges)
        self._keeper.overlaid(laid, quietly=True)

    def all(self) -> list[Met]:
        """Return every certificate, by when it ends."""
        return sorted((one.met for one in self._known.values()), key=lambda met: met.expires)

    def states(self) -> dict[str, int]:
        """Return how many certificates stand how."""
        known = (self._standing(each).state.value for each in self._known.values())
        return {state.value: 0 for state in State} | dict(Counter(known))

    async def met(self, certificate: bytes, issuers: tuple[bytes, ...], role: str) -> None:
        """Return once it is known how a certificate (DER) stands, or after a bounded time."""
        known = self._seen(certificate, issuers, role)
        if known is None:
            return
        if self._standing(known).state is not State.UNKNOWN:
            self._used(known)
            return
        known.answered.clear()
        known.again = min(known.again, self._clock())
        self._bell.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.wait):
                await known.answered.wait()
        self._used(known)

    def _used(self, known: _Known) -> None:
        """Tell of each use of a bridge, loudly."""
        now, overlay = self._clock(), self._keeper.overlay
        if not overlay.bridges.all:
            return
        certificate = Certificate.parse(known.met.certificate)
        bridge = overlay.bridges.over(certificate, now)
        if bridge is not None and overlay.doubt(certificate, now) is None:
            facts = {"certificate": certificate.fingerprint, "until": bridge.ends}
            self._tell("bridge.used", {"domain": bridge.domain, "kind": known.met.role, **facts})

    def failed(self, shown: bytes, why: str, role: str) -> None:
        """Tell operators whose certificate did not verify, and why."""
        facts: dict[str, object] = {"kind": role, "reason": why}
        with suppress(IdentityError):
            facts |= self._holder(Certificate.parse(shown))
        self._tell("certificate.unverified", facts)

    def turned_away(self, fingerprint: object, why: object) -> None:
        """Tell which member it is that a handshake turned away, if we met its certificate before."""
        known = self._known.get(str(fingerprint))
        if known is not None:
            holder = self._holder(Certificate.parse(known.met.certificate))
            self._tell("certificate.unverified", {"kind": known.met.role, "reason": why, **holder})

    def _holder(self, certificate: Certificate) -> dict[str, object]:
        facts: dict[str, object] = {
            "certificate": certificate.fingerprint,
            "subject": certificate.text,
        }
        listed = self._keeper.current
        if listed is not None and (members := listed.represented(certificate)):
            facts["domain"] = members[0].domain
        return facts

    def ours(self, certificate: bytes, issuers: tuple[bytes, ...]) -> None:
        """Watch our own certificate, instead of the one before."""
        for known in self._known.values():
            if known.met.role == OURS:
                known.met = replace(known.met, role="former")
        self._seen(certificate, issuers, OURS)
        self._bell.set()

    def vouched(self, chain: tuple[bytes, ...], now: datetime) -> Standing:
        """Return how a list's signer stands, for a thread that cannot wait; ask if nobody has."""
        fingerprint = hashlib.sha256(chain[0]).hexdigest()
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(self._wanted, chain)
        return self._keeper.overlay.certificates.of(fingerprint, now)

    def _wanted(self, chain: tuple[bytes, ...]) -> None:
        if self._seen(chain[0], chain[1:], SIGNER) is not None:
            self._bell.set()

    def look_again(self) -> None:
        """Judge every chain anew: anchors have changed."""
        now = self._clock()
        for known in self._known.values():
            known.again = now
        self._bell.set()

    async def run(self) -> None:
        """Ask ahead of time, for ever; nothing that one certificate does stops the others."""
        self._loop = asyncio.get_running_loop()
        for known in self._known.values():
            known.looking = False
        async with asyncio.TaskGroup() as group:
            while True:
                self._bell.clear()
                now = self._clock()
                for known in list(self._known.values()):
                    if not known.looking and known.again <= now:
                        known.looking = True
                        group.create_task(self._look(known))
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause(now)):
                        await self._bell.wait()

    def _pause(self, now: datetime) -> float:
        dues = [known.again for known in self._known.values() if not known.looking]
        soonest = min(dues, default=now + _DAY)
        return max(0.0, min(_ROUND, (soonest - now).total_seconds()))

    def _seen(self, der: bytes, issuers: Iterable[bytes], role: str) -> _Known | None:
        """Return what is known of a certificate, written down if it is new."""
        now = self._clock()
        fingerprint = hashlib.sha256(der).hexdigest()
        known = self._known.get(fingerprint)
        if known is not None:
            known.met = replace(known.met, seen=now, role=role if role == OURS else known.met.role)
            return known
        if len(self._known) >= _MOST:
            return None
        try:
            certificate = Certificate.parse(der)
        except IdentityError:
            return None  # the decision refuses it
        met = Met(fingerprint, role, certificate.not_after, now, der, tuple(issuers))
        known = self._known[fingerprint] = _Known(met, now)
        return known

    def _standing(self, known: _Known) -> Standing:
        return self._keeper.overlay.certificates.of(known.met.fingerprint, self._clock())

    async def _look(self, known: _Known) -> None:
        try:
            async with self._slots:
                met = known.met
                ours = self._anchors()
                if met.role == SIGNER:  # its list pins an authority of its own
                    ours += met.issuers[-1:]
                listed = self._keeper.current
                anchors = ours + (listed.anchors if listed is not None else ())
                others = (*met.issuers, *self._intermediates)
                standing = await self._authorities.standing(met.certificate, others, anchors)
            await self._learn(known, _lent(standing, ours))
        except Exception as error:  # noqa: BLE001 - one certificate never stops the watch
            self._tell("certificate.unjudged", {"kind": known.met.role, "exception": error})
            known.again = self._clock() + _SOON
        finally:
            known.looking = False
            known.answered.set()
            self._bell.set()

    async def _learn(self, known: _Known, standing: Standing) -> None:
        now, met = self._clock(), known.met
        before = self._keeper.overlay.certificates
        after = before.learned({met.fingerprint: standing})
        known.met = replace(met, standing=after.known[met.fingerprint])
        known.again = self._next(known.met.standing, now)
        revoked = self._news(met, before.of(met.fingerprint, now), known.met.standing)
        overlay = replace(self._keeper.overlay, certificates=after)
        self._keeper.overlaid(overlay, quietly=not revoked)
        await self._register.keep([known.met])

    def _news(self, met: Met, before: Standing, after: Standing) -> bool:
        """Tell what an operator should hear of; return whether connections must end."""
        facts = {"certificate": met.fingerprint, "kind": met.role, "reason": after.why}
        if after.state is State.REVOKED and before.state is not State.REVOKED:
            self._tell("certificate.revoked", facts)
            return True
        if after.state is State.UNKNOWN and before.state is State.GOOD:
            self._tell("certificate.unvouched", facts)
        return False

    def _next(self, standing: Standing, now: datetime) -> datetime:
        """Return when to ask again: ahead of the answer's end, and gently."""
        if standing.final or self._settings.revocation is Revocation.OFF:
            return now + _DAY
        if standing.state is State.UNKNOWN:
            return now + _SOON
        pause = timedelta(seconds=self._settings.refresh)
        if standing.until is not None:
            pause = min(pause, (standing.until - now) / 2)
        return now + max(pause, _SOON)

    async def warn(self) -> None:
        """Tell of each certificate that ends soon, once a threshold; forget whom nobody shows."""
        now, told = self._clock(), []
        for known in self._known.values():
            met = known.met
            left = (met.expires - now) / _DAY
            ahead = [days for days in self._settings.warn_days if left <= days]
            if (
                not ahead
                or met.role == "former"
                or (met.warned is not None and met.warned <= min(ahead))
            ):
                continue
            known.met = replace(met, warned=min(ahead))
            told.append(known.met)
            self._tell("certificate.expires", self._expiry(met, now))
        await self._register.keep(told)
        old = [one for one in self._known.values() if now - one.met.seen > _FORGET]
        gone = {one.met.fingerprint for one in old if one.met.role != OURS}
        if gone:
            await self._register.forget(now - _FORGET)
            for fingerprint in gone:
                del self._known[fingerprint]
            overlay = self._keeper.overlay
            kept = overlay.certificates.without(frozenset(gone))
            self._keeper.overlaid(replace(overlay, certificates=kept), quietly=True)

    def _expiry(self, met: Met, now: datetime) -> dict[str, object]:
        days = max(0, (met.expires - now).days)
        facts = {"certificate": met.fingerprint, "kind": met.role, "until": met.expires}
        return {
            **facts,
            "domain": ", ".join(self.domains(met)[:3]),
            "reason": "1 day" if days == 1 else f"{days} days",
        }

    def speaks_for(self, fingerprint: str) -> tuple[str, ...]:
        """Return the members for whom a certificate that we met speaks; none for another."""
        known = self._known.get(fingerprint)
        return () if known is None else self.domains(known.met)

    def domains(self, met: Met) -> tuple[str, ...]:
        """Return the members whom a certificate speaks for, under the list in force."""
        listed = self._keeper.current
        if listed is None:
            return ()
        certificate = Certificate.parse(met.certificate)
        return tuple(member.domain for member in listed.represented(certificate))


def _lent(standing: Standing, ours: tuple[bytes, ...]) -> Standing:
    """Return how a certificate stands, and whether its chain leads to no anchor of our own."""
    own = {hashlib.sha256(der).hexdigest() for der in ours}
    return replace(standing, lent=bool(standing.anchors) and standing.anchors.isdisjoint(own))
