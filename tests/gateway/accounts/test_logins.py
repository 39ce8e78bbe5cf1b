import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

import pytest
from argon2 import PasswordHasher

from gateway.accounts import passwords
from gateway.accounts.credentials import Credential, Credentials, fingerprint
from gateway.accounts.logins import CERTIFICATE_UNKNOWN, WRONG_SCOPE, Logins
from gateway.accounts.mailboxes import Accounts, Mailbox, Status
from gateway.accounts.tokens import Scope
from gateway.demo.pki import Authority
from gateway.settings.motion import Limits
from imap.store import Mailboxes
from smtp import reply
from smtp.address import Address, parse
from smtp.envelope import Peer
from smtp.reply import Reply
from tests.world.clock import START, Clock
from tests.world.rest import Rest
from trust.addresses import Kind

LABO = parse("Labo@labo.example")
HERE = Peer(ip="192.0.2.7", listener="submission")
AUTHORITY = Authority.make(START)
PROGRAM = AUTHORITY.issue("labo", days=30)
CERTIFIED = replace(HERE, certificate=PROGRAM.der)


class Counting(PasswordHasher):
    """A cheap hasher that counts what it was asked."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.asked: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
        self.asked.append(str(hash))
        return super().verify(hash, password)


@dataclass(slots=True)
class Door:
    """A mailbox with a password, and what guards it."""

    accounts: Accounts
    credentials: Credentials
    hasher: Counting
    clock: Clock
    mailbox: Mailbox
    credential: Credential
    password: str
    events: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    def logins(self, limit: int = 3) -> Logins:
        limits = Limits(failed_logins=limit, lockout=300)
        return Logins(
            self.accounts,
            self.credentials,
            self.clock,
            limits,
            lambda event, detail: self.events.append((event, detail)),
        )


@pytest.fixture
async def door(rest: Rest) -> Door:
    clock, hasher = Clock(), Counting()
    mailboxes = Mailboxes(rest.database, rest.vault, rest.ring, Clock())
    accounts = Accounts(rest.database, rest.ring, mailboxes, clock)
    credentials = Credentials(rest.database, rest.ring, clock, hasher)
    mailbox = await accounts.add(LABO, Kind.APP)
    credential, password = await credentials.add_password(mailbox)
    return Door(accounts, credentials, hasher, clock, mailbox, credential, password)


def wrong(password: str) -> str:
    """The right first group, the wrong rest: only argon2id can tell."""
    return password[:4] + passwords.new().shown[4:]


async def test_right_password(door: Door) -> None:
    """The right password opens its mailbox, under the address as it was registered."""
    assert LABO == await door.logins().password("labo@LABO.example", door.password, HERE)
    assert [("login.accepted", "password")] == [(e, d["reason"]) for e, d in door.events]


async def test_what_a_password_is_for(door: Door) -> None:
    """One for reading is not whole, and neither is what opens nothing."""
    _, reading = await door.credentials.add_password(door.mailbox, scopes=[Scope.READ])
    logins = door.logins()

    assert logins.is_whole("LABO@labo.example", door.password)
    assert not logins.is_whole(LABO, reading)
    assert not logins.is_whole(LABO, "anything at all")
    assert not logins.is_whole("no address", door.password)


@pytest.mark.parametrize("login", ["labo@labo.example", "nobody@labo.example", "no address"])
async def test_wrong_password(door: Door, login: str) -> None:
    """A wrong password and an unknown address get the same words after the same work."""
    logins = door.logins()

    assert reply.BAD_CREDENTIALS == await logins.password(login, wrong(door.password), HERE)
    assert 1 == len(door.hasher.asked)
    ((event, detail),) = door.events
    assert ("login.failed", "password", "192.0.2.7", "submission") == (
        event,
        detail["reason"],
        detail["ip"],
        detail["listener"],
    )


async def test_unknown_first_group(door: Door) -> None:
    """A password of no credential costs one argon2id too."""
    assert reply.BAD_CREDENTIALS == await door.logins().password(LABO, "anything at all", HERE)
    assert 1 == len(door.hasher.asked)


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.CLOSED])
async def test_status(door: Door, status: Status) -> None:
    """A suspended or closed mailbox refuses the right password in the same words."""
    logins = door.logins()
    await logins.password(LABO, door.password, HERE)
    await door.accounts.set_status(door.mailbox, status)

    assert reply.BAD_CREDENTIALS == await logins.password(LABO, door.password, HERE)


async def test_revoked_at_once(door: Door) -> None:
    """A password verified a moment ago opens nothing once it is revoked."""
    logins = door.logins()
    await logins.password(LABO, door.password, HERE)
    await door.credentials.revoke(door.mailbox, door.credential.id)

    assert reply.BAD_CREDENTIALS == await logins.password(LABO, door.password, HERE)


async def test_expired(door: Door) -> None:
    """A password ends at its hour, though it was verified the second before."""
    _, password = await door.credentials.add_password(
        door.mailbox, expires=START + timedelta(seconds=10)
    )
    logins = door.logins()

    assert LABO == await logins.password(LABO, password, HERE)
    door.clock.advance(seconds=10)
    assert reply.BAD_CREDENTIALS == await logins.password(LABO, password, HERE)


async def test_verified_once_for_many(door: Door) -> None:
    """Many connections of one program cost one or two argon2id, and again after half a minute."""
    logins = door.logins()
    await asyncio.gather(*(logins.password(LABO, door.password, HERE) for _ in range(20)))
    assert len(door.hasher.asked) <= 2

    door.hasher.asked.clear()
    door.clock.advance(seconds=30)
    await logins.password(LABO, door.password, HERE)
    assert 1 == len(door.hasher.asked)


async def test_locked_after_failures(door: Door) -> None:
    """After so many failures even the right password waits, until the lock ends."""
    logins = door.logins(limit=3)
    for _ in range(3):
        assert reply.BAD_CREDENTIALS == await logins.password(LABO, wrong(door.password), HERE)
    door.hasher.asked.clear()

    assert reply.LOGIN_THROTTLED == await logins.password(LABO, door.password, HERE)
    assert [] == door.hasher.asked, "a locked door does no work"
    assert "login.throttled" == door.events[-1][0]
    door.clock.advance(seconds=300)
    assert LABO == await logins.password(LABO, door.password, HERE)


async def test_guesses_at_once(door: Door) -> None:
    """Guesses made all at once are not all looked at."""
    logins = door.logins(limit=3)
    answers = await asyncio.gather(
        *(logins.password(LABO, wrong(door.password), HERE) for _ in range(50))
    )

    assert len(door.hasher.asked) <= 5
    assert reply.LOGIN_THROTTLED in answers


async def test_stranger_does_not_lock_the_owner_out(door: Door) -> None:
    """However many fail from elsewhere: where the mailbox is used its own password opens it."""
    logins = door.logins(limit=3)
    for n in range(29):
        await logins.password(LABO, wrong(door.password), Peer(ip=f"203.0.113.{n // 3}"))
    assert LABO == await logins.password(LABO, door.password, HERE)

    await logins.password(LABO, wrong(door.password), Peer(ip="203.0.113.99"))
    assert LABO == await logins.password(LABO, door.password, HERE)
    elsewhere = Peer(ip="203.0.113.98")
    assert reply.LOGIN_THROTTLED == await logins.password(LABO, door.password, elsewhere)


@pytest.mark.parametrize(
    ("places", "locked"),
    [
        (["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:ffff::"], True),
        (["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"], False),
        (["192.0.2.7", "::ffff:192.0.2.7", "::ffff:192.0.2.7"], True),
        (["::ffff:192.0.2.7", "::ffff:192.0.2.8", "::ffff:192.0.2.9"], False),
    ],
)
async def test_one_house_is_one_place(
    door: Door,
    places: list[str],
    locked: bool,  # noqa: FBT001
) -> None:
    """Under IPv6 a guesser has as many addresses as it likes, and one network."""
    logins = door.logins(limit=3)
    for ip in places:
        await logins.password(LABO, wrong(door.password), Peer(ip=ip))
    said = await logins.password(LABO, door.password, Peer(ip=places[0]))
    assert (reply.LOGIN_THROTTLED if locked else LABO) == said


async def test_only_so_many_places_are_familiar(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is remembered is bounded; who was longest away is a stranger again."""
    monkeypatch.setattr("gateway.accounts.lockout._FAMILIAR", 1)
    logins = door.logins(limit=3)
    there = Peer(ip="192.0.2.8")
    for place in (HERE, there):
        assert LABO == await logins.password(LABO, door.password, place)
    for n in range(30):
        await logins.password(LABO, wrong(door.password), Peer(ip=f"203.0.113.{n // 3}"))
    assert reply.LOGIN_THROTTLED == await logins.password(LABO, door.password, HERE)
    assert LABO == await logins.password(LABO, door.password, there)


async def test_one_origin_many_mailboxes(door: Door) -> None:
    """Whoever tries many addresses from one place is locked out there, and only there."""
    logins = door.logins(limit=3)
    for n in range(30):
        await logins.password(f"a{n}@labo.example", "guess", HERE)

    assert reply.LOGIN_THROTTLED == await logins.password(LABO, door.password, HERE)
    elsewhere = replace(HERE, ip="192.0.2.8")
    assert LABO == await logins.password(LABO, door.password, elsewhere)


async def test_success_forgives(door: Door) -> None:
    """A mistyped password or two are forgotten once the right one is given."""
    logins = door.logins(limit=3)
    for _ in range(4):
        for _ in range(2):
            await logins.password(LABO, wrong(door.password), HERE)
        assert LABO == await logins.password(LABO, door.password, HERE)
        door.clock.advance(seconds=31)


@pytest.mark.parametrize("authzid", ["", "labo@labo.example"])
async def test_certificate(door: Door, authzid: str) -> None:
    """A registered certificate opens its mailbox, named or not."""
    await door.credentials.add_certificate(door.mailbox, PROGRAM.der)

    assert LABO == await door.logins().certificate(authzid, CERTIFIED)


async def refused(door: Door, authzid: str = "", peer: Peer = CERTIFIED) -> bool:
    said: Address | Reply = await door.logins().certificate(authzid, peer)
    return said == CERTIFICATE_UNKNOWN


async def test_a_certificate_that_was_taken_back_opens_nothing(door: Door) -> None:
    """Its authority knows of the theft before our operator does."""
    taken_back = True

    async def revoked(peer: Peer) -> bool:
        assert CERTIFIED == peer
        return taken_back

    await door.credentials.add_certificate(door.mailbox, PROGRAM.der)
    logins = door.logins()
    logins._revoked = revoked
    said = await logins.certificate("", CERTIFIED)
    assert isinstance(said, Reply)
    assert "revoked" in said.text
    assert "certificate-revoked" == door.events[0][1]["reason"]

    taken_back = False
    assert LABO == await logins.certificate("", CERTIFIED)


async def test_certificate_of_nobody(door: Door) -> None:
    """A certificate of our own authority that nobody registered opens nothing, and is told of."""
    assert await refused(door)
    assert await refused(door, peer=HERE)
    assert fingerprint(PROGRAM.der) == door.events[0][1]["certificate"]
    assert "" == door.events[1][1]["certificate"]


async def test_certificate_of_another(door: Door) -> None:
    """A certificate does not open a mailbox it was not registered for, nor a non-address."""
    await door.credentials.add_certificate(door.mailbox, PROGRAM.der)

    assert await refused(door, "chef@labo.example")
    assert await refused(door, "chef")


async def test_certificate_of_several(door: Door) -> None:
    """A certificate of several mailboxes must say which."""
    other = await door.accounts.add(parse("automate@labo.example"), Kind.APP)
    for mailbox in (door.mailbox, other):
        await door.credentials.add_certificate(mailbox, PROGRAM.der)

    assert await refused(door)
    assert other.address == await door.logins().certificate("automate@labo.example", CERTIFIED)


async def test_certificate_ended(door: Door) -> None:
    """A revoked or expired certificate, and one of a suspended mailbox, opens nothing."""
    made = await door.credentials.add_certificate(door.mailbox, PROGRAM.der)
    await door.accounts.set_status(door.mailbox, Status.SUSPENDED)
    assert await refused(door)
    await door.accounts.set_status(door.mailbox, Status.ACTIVE)

    door.clock.advance(days=30)
    assert await refused(door)
    door.clock.advance(days=-30)
    await door.credentials.revoke(door.mailbox, made.id)
    assert await refused(door)


async def test_certificates_are_throttled(door: Door) -> None:
    """Certificates that open nothing lock their place of origin like any failure."""
    logins = door.logins(limit=1)
    assert CERTIFICATE_UNKNOWN == await logins.certificate("", CERTIFIED)
    assert reply.LOGIN_THROTTLED == await logins.certificate("", CERTIFIED)


async def test_revoked_while_being_verified(door: Door) -> None:
    """A password revoked while it is being verified opens nothing."""
    logins = door.logins()
    await logins._slow.acquire()
    await logins._slow.acquire()  # the log-in waits its turn
    async with asyncio.TaskGroup() as group:
        attempt = group.create_task(logins.password(LABO, door.password, HERE))
        await door.credentials.revoke(door.mailbox, door.credential.id)
        logins._slow.release()

    assert reply.BAD_CREDENTIALS == attempt.result()


async def _token(door: Door, *scopes: Scope) -> str:
    _, text = await door.credentials.add_token(
        door.mailbox, scopes, door.clock() + timedelta(days=1)
    )
    return text


async def test_a_token_opens_its_mailbox_for_its_purpose(door: Door) -> None:
    """Software says its token; another purpose than the token's own is refused, and told of."""
    logins = door.logins()
    text, other = await _token(door, Scope.ADDRESSES), await _token(door)

    assert door.mailbox == logins.software(text, HERE, Scope.ADDRESSES)
    assert WRONG_SCOPE == logins.software(other, HERE, Scope.ADDRESSES)
    assert [("login.failed", "scope")] == [(e, d["reason"]) for e, d in door.events]


async def test_a_token_ends(door: Door) -> None:
    """Revoked, expired, or its mailbox suspended: it opens nothing, and says the same each time."""
    logins = door.logins(limit=9)
    text = await _token(door, Scope.ADDRESSES)
    credential = door.credentials.with_token(text)
    assert credential is not None
    await door.accounts.set_status(door.mailbox, Status.SUSPENDED)
    suspended = logins.software(text, HERE, Scope.ADDRESSES)
    await door.accounts.set_status(door.mailbox, Status.ACTIVE)
    opened = logins.software(text, HERE, Scope.ADDRESSES)
    door.clock.now += timedelta(days=2)
    expired = logins.software(text, HERE, Scope.ADDRESSES)
    door.clock.now -= timedelta(days=2)
    await door.credentials.revoke(door.mailbox, credential.id)
    revoked = logins.software(text, HERE, Scope.ADDRESSES)

    assert door.mailbox == opened
    assert [reply.BAD_CREDENTIALS] * 3 == [suspended, expired, revoked]


async def test_tokens_are_guessed_no_faster_than_passwords(door: Door) -> None:
    """Too many wrong ones from a place, and a right one from there waits too."""
    logins = door.logins(limit=2)
    text = await _token(door, Scope.ADDRESSES)
    for _ in range(2):
        assert reply.BAD_CREDENTIALS == logins.software("sceau_" + "a" * 32, HERE, Scope.ADDRESSES)

    assert reply.LOGIN_THROTTLED == logins.software(text, HERE, Scope.ADDRESSES)
    elsewhere = replace(HERE, ip="198.51.100.9")
    assert door.mailbox == logins.software(text, elsewhere, Scope.ADDRESSES)


async def test_a_token_is_no_password(door: Door) -> None:
    """What was made for looking addresses up sends no mail."""
    text = await _token(door, Scope.ADDRESSES)
    assert reply.BAD_CREDENTIALS == await door.logins().password(LABO, text, HERE)
