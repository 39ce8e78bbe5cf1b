"""A person's factors: kept sealed, shown once each, bound to their mailbox."""

import asyncio
import base64
from collections.abc import Mapping
from datetime import timedelta

import pyotp
import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from gateway.accounts import factors as room
from gateway.accounts import passphrases
from gateway.accounts.factors import Factor, Factors, Kind, fits, seed
from gateway.accounts.mailboxes import AccountError, Accounts, Mailbox
from imap.store import Mailboxes
from smtp.address import parse
from tests.world.clock import START, Clock
from tests.world.rest import Rest, stored
from trust.addresses import Kind as Whose
from vault.errors import Conflict

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
SEED = seed(b"12345678901234567890")


class Scene:
    """A doctor and a colleague, and what they show."""

    def __init__(self, rest: Rest) -> None:
        self.rest, self.clock = rest, Clock()
        self.told: list[str] = []
        mailboxes = Mailboxes(rest.database, rest.vault, rest.ring, self.clock)
        self.accounts = Accounts(rest.database, rest.ring, mailboxes, self.clock)
        self.factors = Factors(rest.database, rest.ring, self.clock, CHEAP, self.tell)

    def tell(self, event: str, facts: Mapping[str, object]) -> None:
        self.told.append(event)

    async def mailbox(self, address: str = "dr@chu.example") -> Mailbox:
        return await self.accounts.add(parse(address), Whose.PER)

    async def add(self, mailbox: Mailbox, kind: Kind, secret: str, **more: str) -> Factor:
        made, statements = self.factors.adding(mailbox, kind, secret, **more)  # type: ignore[arg-type]
        await self.rest.commit(statements)
        return made

    def code(self, ahead: int = 0) -> str:
        return pyotp.TOTP(SEED).at(self.clock(), counter_offset=ahead)


@pytest.fixture
def scene(rest: Rest) -> Scene:
    return Scene(rest)


# RFC 6238, appendix B: the last six digits of SHA-1's column.
@pytest.mark.parametrize(
    ("at", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_standards_own_codes(at: int, code: str) -> None:
    """Ours are those that the RFC prints."""
    moment = START.fromtimestamp(at, START.tzinfo)
    assert at // 30 == fits(SEED, f"{code[:3]} {code[3:]}", moment)


def test_a_code_counts_for_a_minute_and_a_half_and_once() -> None:
    """A clock may be half a minute wrong; a step that was used is over, and those before it."""
    step = int(START.timestamp()) // 30
    codes = {away: pyotp.TOTP(SEED).generate_otp(step + away) for away in range(-2, 3)}
    found = {away: fits(SEED, code, START) for away, code in codes.items()}
    assert {-2: None, -1: step - 1, 0: step, 1: step + 1, 2: None} == found
    assert fits(SEED, codes[0], START, after=step) is None
    assert step + 1 == fits(SEED, codes[1], START, after=step)


@given(st.text())
def test_any_text_is_no_code(text: str) -> None:
    """Or the code of some step; never an error."""
    step = fits(SEED, text, START)
    assert step is None or abs(step - int(START.timestamp()) // 30) <= 1


async def test_a_code_opens_once(scene: Scene) -> None:
    """Of two who show it at the same moment, one comes in."""
    mailbox = await scene.mailbox()
    made = await scene.add(mailbox, Kind.TOTP, SEED)
    found = await asyncio.gather(*[scene.factors.coded(mailbox, scene.code()) for _ in range(3)])
    assert [made.id] == [each.id for each in found if each is not None]
    assert await scene.factors.coded(mailbox, scene.code()) is None
    assert await scene.factors.coded(mailbox, scene.code(-1)) is None
    scene.clock.advance(seconds=30)
    assert await scene.factors.coded(mailbox, scene.code()) is not None
    (kept,) = scene.factors.of(mailbox)
    assert scene.clock() == kept.used


async def test_a_passphrase_is_the_persons_alone(scene: Scene) -> None:
    """Whoever has none, and nobody, is refused by as much work."""
    mailbox, other = await scene.mailbox(), await scene.mailbox("x@chu.example")
    hashed = passphrases.hashed("des mots à moi", CHEAP)
    await scene.add(mailbox, Kind.PASSPHRASE, hashed)
    assert await scene.factors.knows(mailbox, "des mots à moi")
    assert await scene.factors.knows(mailbox, "des mots a\u0300 moi")  # composed otherwise
    assert not await scene.factors.knows(mailbox, "d'autres mots")
    assert not await scene.factors.knows(other, "des mots à moi")
    assert not await scene.factors.knows(None, "des mots à moi")


async def test_a_new_passphrase_takes_the_place_of_the_old(scene: Scene) -> None:
    """There is one."""
    mailbox = await scene.mailbox()
    for text in ("la première phrase", "la seconde phrase"):
        await scene.add(mailbox, Kind.PASSPHRASE, passphrases.hashed(text, CHEAP))
    assert 1 == len(scene.factors.of(mailbox))
    assert await scene.factors.knows(mailbox, "la seconde phrase")


async def test_a_passkey_is_found_by_its_name(scene: Scene) -> None:
    """And a name is nobody's twice."""
    mailbox = await scene.mailbox()
    made = await scene.add(mailbox, Kind.PASSKEY, "public", name="bmFtZQ")
    assert made == scene.factors.passkey("bmFtZQ")
    assert scene.factors.passkey("other") is None
    with pytest.raises(Conflict):
        await scene.add(await scene.mailbox("x@chu.example"), Kind.PASSKEY, "x", name="bmFtZQ")


async def test_a_factor_fits_no_other_mailbox(scene: Scene) -> None:
    """Who writes to the database without the keys gives nobody a factor, and is told of."""
    mailbox, victim = await scene.mailbox(), await scene.mailbox("x@chu.example")
    made = await scene.add(mailbox, Kind.PASSKEY, "public", name="bmFtZQ")
    scene.rest.database._writer.connection.execute(
        "UPDATE factor SET owner = ? WHERE id = ?", (victim.key, made.id)
    )
    assert [] == scene.factors.of(victim)
    assert scene.factors.passkey("bmFtZQ") is None
    assert ["factor.tampered"] * 2 == scene.told


async def test_another_passkeys_row_does_not_answer_for_it(scene: Scene) -> None:
    """Its look-up moved in the database, its sealed name did not."""
    mailbox = await scene.mailbox()
    made = await scene.add(mailbox, Kind.PASSKEY, "public", name="bmFtZQ")
    handle = scene.rest.ring.index("b3RoZXI", "passkey")
    scene.rest.database._writer.connection.execute(
        "UPDATE factor SET handle = ? WHERE id = ?", (handle, made.id)
    )
    assert scene.factors.passkey("b3RoZXI") is None


async def test_the_last_second_factor_stays(scene: Scene) -> None:
    """Or nobody came in again; a passphrase alone is none."""
    mailbox = await scene.mailbox()
    passphrase = await scene.add(mailbox, Kind.PASSPHRASE, "x")
    one = await scene.add(mailbox, Kind.TOTP, SEED)
    for wrong in (one.id, passphrase.id, "unknown"):
        with pytest.raises(AccountError):
            await scene.factors.remove(mailbox, wrong)
    await scene.add(mailbox, Kind.PASSKEY, "public", name="bmFtZQ")
    await scene.factors.remove(mailbox, one.id)
    assert scene.factors.one(mailbox, one.id) is None
    assert not await scene.factors.moved(mailbox, one, 7)


async def test_of_two_removals_one_factor_is_left(scene: Scene) -> None:
    """However close together they are asked for."""
    mailbox = await scene.mailbox()
    made = [await scene.add(mailbox, Kind.PASSKEY, "x", name=name) for name in ("YQ", "Yg")]
    done = await asyncio.gather(
        *[scene.factors.remove(mailbox, each.id) for each in made], return_exceptions=True
    )
    assert 1 == len([each for each in done if isinstance(each, AccountError)])
    assert 1 == len(scene.factors.of(mailbox))


async def test_emptying_can_demand_that_there_is_none(scene: Scene) -> None:
    """A first invitation ends nothing."""
    mailbox = await scene.mailbox()
    await scene.rest.commit([scene.factors.emptying(mailbox, unless_empty=True)])
    await scene.add(mailbox, Kind.TOTP, SEED)
    with pytest.raises(Conflict):
        await scene.rest.commit([scene.factors.emptying(mailbox, unless_empty=True)])
    await scene.rest.commit([scene.factors.emptying(mailbox)])
    assert [] == scene.factors.of(mailbox)


async def test_a_mailbox_has_so_many(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row costs room."""
    monkeypatch.setattr(room, "_MOST", 2)
    mailbox = await scene.mailbox()
    for _ in range(2):
        await scene.add(mailbox, Kind.TOTP, SEED)
    with pytest.raises(Conflict):
        await scene.add(mailbox, Kind.TOTP, SEED)


async def test_nothing_of_a_factor_is_in_clear(scene: Scene) -> None:
    """Neither its secret nor its label."""
    mailbox = await scene.mailbox()
    made = await scene.add(mailbox, Kind.TOTP, SEED, label="Téléphone rouge")
    lies = stored(scene.rest.database.path.parent)
    assert SEED.encode() not in lies
    assert base64.b32decode(SEED) not in lies
    assert "Téléphone rouge".encode() not in lies
    assert SEED not in repr(made)


def test_an_app_reads_the_picture() -> None:
    """Its address and whose it is are in it."""
    found = pyotp.parse_uri(room.uri(SEED, "dr@chu.example", "Sceau chu"))
    assert ("dr@chu.example", "Sceau chu", SEED) == (found.name, found.issuer, found.secret)


async def test_the_clock_is_the_rooms(scene: Scene) -> None:
    """Codes are judged by one time."""
    scene.clock.advance(hours=1)
    assert START + timedelta(hours=1) == scene.factors.now()
