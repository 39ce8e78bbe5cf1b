from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from gateway.accounts import passwords
from gateway.accounts.credentials import Credentials, fingerprint
from gateway.accounts.mailboxes import AccountError, Accounts, Mailbox
from gateway.accounts.tokens import Scope, hashed
from gateway.demo.pki import Authority
from imap.store import Mailboxes
from smtp.address import parse
from tests.world.clock import START, Clock
from tests.world.rest import Rest, stored
from trust.addresses import Kind
from vault.database import Statement

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PROGRAM = Authority.make(START).issue("labo", days=30)


@pytest.fixture
def credentials(rest: Rest) -> Credentials:
    return Credentials(rest.database, rest.ring, Clock(), CHEAP)


@pytest.fixture
async def mailbox(rest: Rest) -> Mailbox:
    mailboxes = Mailboxes(rest.database, rest.vault, rest.ring, Clock())
    return await Accounts(rest.database, rest.ring, mailboxes, Clock()).add(
        parse("labo@labo.example"), Kind.APP
    )


async def test_password(credentials: Credentials, mailbox: Mailbox) -> None:
    """An application password is found by its first group and kept as argon2id only."""
    made, shown = await credentials.add_password(mailbox, "poste 4", START + timedelta(days=1))

    assert made == credentials.password_of(mailbox, shown[:4])
    assert [made] == credentials.of(mailbox)
    assert ("poste 4", START, START + timedelta(days=1)) == (made.label, made.created, made.expires)
    assert passwords.matches(made.secret, passwords.typed(shown), CHEAP)


async def test_selector_is_the_mailboxs_own(
    credentials: Credentials, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two passwords of a mailbox never share their first group."""
    first, second, third = (passwords.typed(f"{group}-0000") for group in ("aaaa", "aaaa", "bbbb"))
    coming = iter((first, second, third))
    monkeypatch.setattr("gateway.accounts.passwords.new", lambda: next(coming))
    await credentials.add_password(mailbox)
    await credentials.add_password(mailbox)

    assert ["1.aaaa", "1.bbbb"] == sorted(made.id for made in credentials.of(mailbox))


async def test_certificate(credentials: Credentials, mailbox: Mailbox) -> None:
    """A certificate is known by its fingerprint and opens no longer than it is valid itself."""
    made = await credentials.add_certificate(mailbox, PROGRAM.der, "automate")

    assert [made] == credentials.with_certificate(PROGRAM.der)
    assert fingerprint(PROGRAM.der) == made.secret
    assert PROGRAM.certificate.not_valid_after_utc == made.expires
    assert [] == credentials.with_certificate(b"another")


async def test_not_a_certificate(credentials: Credentials, mailbox: Mailbox) -> None:
    """Bytes that are no certificate are refused in words."""
    with pytest.raises(AccountError, match=r"not an X\.509"):
        await credentials.add_certificate(mailbox, b"-----BEGIN")


async def test_revoked(credentials: Credentials, mailbox: Mailbox) -> None:
    """A revoked credential opens nothing, stays in the list, and is revoked once."""
    made, shown = await credentials.add_password(mailbox)
    await credentials.revoke(mailbox, made.id)

    (found,) = credentials.of(mailbox)
    assert START == found.revoked
    assert not found.usable(START)
    assert found == credentials.password_of(mailbox, shown[:4])
    with pytest.raises(AccountError, match="no such credential in force"):
        await credentials.revoke(mailbox, made.id)


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE credential SET secret = 'f0'",
        "UPDATE credential SET mailbox = 2",
        "UPDATE credential SET label = NULL",
        "UPDATE credential SET id = '2.x'",
        "UPDATE credential SET expires = NULL",
        "UPDATE credential SET expires = expires + 1",
        "UPDATE credential SET revoked = 0",
        "UPDATE mailbox SET key = 'another' WHERE id = 1",
    ],
)
async def test_what_was_written_by_another_hand_opens_nothing(
    rest: Rest, mailbox: Mailbox, forgery: str
) -> None:
    """Who can write to the database, and has not the keys, lets nobody in, and is told of."""
    told: list[str] = []
    credentials = Credentials(
        rest.database, rest.ring, Clock(), CHEAP, lambda slug, _: told.append(slug)
    )
    mailboxes = Mailboxes(rest.database, rest.vault, rest.ring, Clock())
    accounts = Accounts(rest.database, rest.ring, mailboxes, Clock())
    victim = await accounts.add(parse("chef@labo.example"), Kind.PER)
    await credentials.add_certificate(mailbox, PROGRAM.der)
    await rest.database.commit([Statement(forgery, (), expect=1)])

    assert [] == credentials.with_certificate(PROGRAM.der)
    assert [] == [*credentials.of(mailbox), *credentials.of(victim)]
    assert {"credential.tampered"} == set(told)


async def test_a_revoked_credential_does_not_come_back(
    rest: Rest, credentials: Credentials, mailbox: Mailbox
) -> None:
    """Clearing the column in the database revives nothing, and nothing is revoked over it."""
    made = await credentials.add_certificate(mailbox, PROGRAM.der)
    await credentials.revoke(mailbox, made.id)
    await rest.database.commit([Statement("UPDATE credential SET revoked = NULL", (), expect=1)])

    assert [] == credentials.with_certificate(PROGRAM.der)
    with pytest.raises(AccountError):
        await credentials.revoke(mailbox, made.id)


async def test_usable(credentials: Credentials, mailbox: Mailbox) -> None:
    """A credential ends at its hour; one without an hour does not end by itself."""
    ending, _ = await credentials.add_password(mailbox, expires=START + timedelta(hours=1))
    endless, _ = await credentials.add_password(mailbox)

    assert ending.usable(START + timedelta(minutes=59))
    assert not ending.usable(START + timedelta(hours=1))
    assert endless.usable(datetime(2100, 1, 1, tzinfo=UTC))


async def test_nothing_in_clear(credentials: Credentials, mailbox: Mailbox, tmp_path: Path) -> None:
    """Neither the password nor the owner's words for it lie in clear, nor show in a ``repr``."""
    made, shown = await credentials.add_password(mailbox, "poste de Mme DUPONT")

    files = stored(tmp_path)
    assert made.secret.encode() in files, "the search finds what is there"
    for canary in (shown.encode(), passwords.typed(shown).text.encode(), b"DUPONT"):
        assert canary not in files
    assert made.secret not in repr(made)


async def test_token(credentials: Credentials, mailbox: Mailbox) -> None:
    """A token is kept as a hash, found by it, and bound to what it is good for."""
    later = START + timedelta(days=1)
    made, text = await credentials.add_token(mailbox, [Scope.ADDRESSES], later, "logiciel")

    assert made == credentials.with_token(text)
    assert [made] == credentials.of(mailbox)
    assert (frozenset({Scope.ADDRESSES}), later, "logiciel") == (
        made.scopes,
        made.expires,
        made.label,
    )
    assert (hashed(text), "token") == (made.secret, made.kind)
    assert text not in repr(made)


@pytest.mark.parametrize("text", ["", "sceau_", "sceau_" + "a" * 31, "sceau_" + "A" * 32, "é" * 38])
def test_what_is_no_token_is_not_looked_up(credentials: Credentials, text: str) -> None:
    """Whatever a client sends, only the shape of a token asks the database anything."""
    assert hashed(text) is None
    assert credentials.with_token(text) is None


async def test_a_token_changed_at_rest_opens_nothing(
    credentials: Credentials, mailbox: Mailbox, rest: Rest
) -> None:
    """Who writes to the database can neither lengthen a token's life nor give it to another."""
    _, text = await credentials.add_token(mailbox, [Scope.ADDRESSES], START + timedelta(days=1))
    await rest.database.commit([Statement("UPDATE credential SET expires = 9e9", ())])

    assert credentials.with_token(text) is None
