"""The mail listeners that the settings name, opened, renewed and closed together.

Submission and reading have TLS from the first octet (RFC 8314) or STARTTLS; sizes are limited a
listener (R-A8).
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime

from gateway.accounts.issuers import Issuer, Issuers
from gateway.accounts.logins import Logins
from gateway.accounts.principals import Principals
from gateway.accounts.witness import Witness
from gateway.labs.offering import Offering
from gateway.labs.offers import Offers
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.relay.intake import Intake, Onward
from gateway.relay.once import Once
from gateway.running import checks
from gateway.running.certifying import named
from gateway.settings.listen import ImapListener, Listener, WebListener
from gateway.web.fetching import Fetching
from imap import rules as reading
from imap import server as imap
from imap.visit import House
from smtp import tls
from smtp.address import Address, domain_of, key
from smtp.envelope import Peer
from smtp.receive.door import Door
from smtp.receive.rules import Rules
from smtp.receive.server import Limits
from trust.errors import IdentityError
from trust.identity import Certificate
from trust.members import Status
from trust.overlay import Doubt, Overlay
from trust.sources import TrustList

NAMES = ("submission", "submission_starttls", "submission_certificate", "relay")

AnyDoor = Door | imap.Door
Place = Listener | ImapListener | WebListener


class Doors:
    """The doors of one gateway."""

    def __init__(self, rooms: Rooms, onward: Onward) -> None:
        self._rooms = rooms
        self._settings = rooms.settings
        self.open_ones: list[AnyDoor] = []
        self.principals = Principals(rooms.accounts, rooms.shares, rooms.journal, rooms.clock)
        meant = frozenset(key(Address(each)) for each in rooms.settings.labs.once)
        once = Once(rooms.database, rooms.ring, meant)
        self.intake = Intake(rooms.desk, rooms.notices, rooms.settings.limits, onward, once)
        self.offering = Offering(rooms.desk, self.intake, Offers(rooms.database, rooms.ring))
        self.witness = self._witness()
        self.logins = Logins(
            rooms.accounts,
            rooms.credentials,
            rooms.clock,
            rooms.settings.limits,
            rooms.notes.tell,
            _issuers(rooms),
            self.revoked,
        )

    async def open(self) -> dict[str, int]:
        """Open every door of the settings; return their ports."""
        ports = {}
        for name in (*NAMES, *reading.LISTENERS):
            listener: Listener | ImapListener | None = getattr(self._settings.listen, name)
            if listener is None:
                continue
            door: AnyDoor
            if isinstance(listener, ImapListener):
                door = self._reading_door(name, listener)
            else:
                door = self._door(name, listener)
            try:
                ports[name] = await door.open(listener.host, listener.port)
            except OSError as error:
                raise cannot_bind(name, listener, error) from None
            self.open_ones.append(door)
        return ports

    def _door(self, name: str, listener: Listener) -> Door:
        site = self._settings.site
        rules = Rules.of(
            name,
            site.host,
            max_size=listener.max_size,
            max_recipients=listener.max_recipients,
            postmaster=site.postmaster,
            tokens=bool(self._settings.login.issuer),
            large=self._settings.large.largest if self._settings.large.enabled else 0,
        )
        limits = Limits(
            max_connections=listener.max_connections,
            max_connections_per_address=listener.max_connections_per_address,
            idle_timeout=listener.idle_timeout,
            grace=self._settings.limits.stop_within,
        )
        authenticator = self.logins if rules.mechanisms else None
        return Door(
            rules,
            self._context(rules),
            self.intake,
            authenticator,
            limits,
            self._tell,
        )

    def _reading_door(self, name: str, listener: ImapListener) -> imap.Door:
        rooms = self._rooms
        rules = reading.Rules.of(
            name,
            self._settings.site.host,
            max_size=rooms.mailboxes.append_limit,
            tokens=bool(self._settings.login.issuer),
        )
        limits = imap.Limits(
            max_connections=listener.max_connections,
            max_connections_per_address=listener.max_connections_per_address,
            idle_timeout=listener.idle_timeout,
            grace=self._settings.limits.stop_within,
        )
        return imap.Door(
            rules,
            self._context(rules),
            House(
                rooms.mailboxes,
                rooms.clock,
                self.principals,
                self.witness,
                rules.max_size,
                lambda command: rooms.metrics.imap.labels(command).inc(),
            ),
            self.logins,
            limits,
            rooms.notes.tell,
        )

    def _witness(self) -> Witness:
        rooms = self._rooms
        events = rooms.metrics.events
        return Witness(
            rooms.database,
            rooms.journal,
            rooms.mailboxes,
            rooms.accounts,
            rooms.shares,
            rooms.clock,
            lambda event, times: events.labels(event).inc(times),
        )

    def _context(self, rules: Rules | reading.Rules) -> ssl.SSLContext:
        ours, relay = self._settings.tls, rules.listener == "relay"
        keeper = self._rooms.keeper
        return tls.server_context(
            ours.certificate,
            ours.key,
            ours.anchors,
            client_certificates=rules.certificate,
            more=b"".join(named(keeper.current)) if relay else b"",
            # While a bridge stands the decision looks at every certificate's dates, TLS at none.
            any_date=relay and bool(keeper.overlay.bridges.all),
        )

    async def revoked(self, peer: Peer) -> bool:
        """Say whether a certificate that logs in was taken back, as far as that can be known now."""
        if peer.certificate is None:
            return False
        await self._rooms.watch.met(peer.certificate, peer.issuers, "mailbox")
        return not sound(peer.certificate, self._rooms.keeper.overlay, self._rooms.clock())

    def _tell(self, event: str, facts: Mapping[str, object]) -> None:
        self._rooms.notes.tell(event, facts)
        if event == "tls.failed" and "certificate" in facts:
            self._rooms.watch.turned_away(facts["certificate"], facts["reason"])

    def contexts(self) -> list[ssl.SSLContext]:
        """Return what each door would show and believe now; may run in a thread: it takes 20 ms."""
        return [self._context(door.rules) for door in self.open_ones]

    def take(self, contexts: Sequence[ssl.SSLContext]) -> None:
        """Let connections from now on see that."""
        for door, context in zip(self.open_ones, contexts, strict=True):
            door.context = context

    def list_changed(self, listed: TrustList, now: datetime) -> None:
        """End the connections that the new list no longer allows."""
        for door in self.open_ones:
            door.drop(lambda peer: welcome(peer, listed, now))

    def leave(self, who: Address) -> None:
        """End the connections of a mailbox, and of others those that have it open."""
        for door in self.open_ones:
            door.drop(lambda peer: peer.login is None or key(peer.login) != key(who))
        if (mailbox := self._rooms.accounts.find(who)) is not None:
            self._rooms.shares.stands_otherwise(mailbox)

    async def stop(self) -> None:
        """Close every door at once; return when messages in hand are finished or given up."""
        async with asyncio.TaskGroup() as group:
            for door in self.open_ones:
                group.create_task(door.stop())


def _issuers(rooms: Rooms) -> Issuers:
    fetching = Fetching()
    return Issuers(
        [
            Issuer(
                each, checks.readable(each.anchors, "the issuer's anchors"), fetching, rooms.clock
            )
            for each in rooms.settings.login.issuer
        ]
    )


def cannot_bind(name: str, listener: Place, error: OSError) -> OperationError:
    """Say why a door stays shut."""
    return OperationError(
        f"listener {name} cannot bind {listener.host}:{listener.port}: {error.strerror}",
        "another process has the port, or it needs a privilege (see config/sceau.service)",
    )


def sound(certificate: bytes, overlay: Overlay, now: datetime) -> bool:
    """Whether a certificate (DER) was not taken back by its authority, as far as is known."""
    return overlay.doubt(Certificate.parse(certificate), now) is not Doubt.REVOKED


def welcome(peer: Peer, listed: TrustList, now: datetime) -> bool:
    """Whether a connection may go on under a list; one that has not said who it is may."""
    denied = listed.overlay.denied
    if peer.login is not None:
        member = listed.member(domain_of(peer.login))
        if member is None or member.status is Status.REVOKED or denied.whom(peer.login):
            return False
    if peer.certificate is None:
        return True
    try:
        certificate = Certificate.parse(peer.certificate)
    except IdentityError:
        return False
    doubt = listed.overlay.doubt(certificate, now)
    if peer.listener != "relay":
        return doubt is not Doubt.REVOKED
    standing = listed.overlay.certificates.of(certificate.fingerprint, now)
    certificate = certificate.under(standing.anchors, lent=standing.lent)
    speaks = any(m.status is not Status.REVOKED for m in listed.represented(certificate))
    # One that nobody vouches for may stay: its mail is put off until somebody does.
    return speaks and doubt in {None, Doubt.UNKNOWN} and not denied.shown(certificate)
