"""Access tokens of an OpenID Connect issuer, which runs beside the tests over real TLS."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from gateway.accounts.credentials import Credentials
from gateway.accounts.issuers import Issuer, Issuers, TokenError, UnreachableError
from gateway.accounts.logins import ISSUER_UNREACHABLE, Logins
from gateway.accounts.mailboxes import Accounts, Status
from gateway.demo.pki import Authority
from gateway.settings.login import Issuer as Settings
from gateway.settings.motion import Limits
from gateway.web.fetching import Fetching
from imap.store import Mailboxes
from smtp import reply
from smtp.address import Address, parse
from smtp.envelope import Peer
from tests.world.clock import START, Clock
from tests.world.rest import Rest
from tests.world.web import Web, answer, serving
from trust.addresses import Kind

AUTHORITY = Authority.make(START - timedelta(days=1))
RPPS, HOLDER = "10001234565", "rpps:10001234565"
KEY, OTHER = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("k1", "k2"))
DR = parse("dr@chu.example")
HERE = Peer("192.0.2.7", listener="imap")


@dataclass
class Connect:
    """The issuer: what it publishes, and the tokens it signs."""

    web: Web
    clock: Clock
    keys: list[Any] = field(default_factory=lambda: [KEY])

    @property
    def url(self) -> str:
        return self.web.url("/realms/sante")

    def publish(self, **document: object) -> None:
        found = {"issuer": self.url, "jwks_uri": self.web.url("/certs"), **document}
        keys = {"keys": [key.as_dict(private=False) for key in self.keys]}
        self.web.pages["/realms/sante/.well-known/openid-configuration"] = answer(
            msgspec.json.encode(found)
        )
        self.web.pages["/certs"] = answer(msgspec.json.encode(keys))

    def token(self, key: Any = KEY, algorithm: str = "RS256", **claims: object) -> str:
        now = int(self.clock().timestamp())
        said = {
            "iss": self.url,
            "aud": "sceau",
            "exp": now + 240,
            "iat": now,
            "preferred_username": f"8{RPPS}",
            **claims,
        }
        kept = {name: value for name, value in said.items() if value is not None}
        return jwt.encode({"alg": algorithm, "kid": key.kid}, kept, key, algorithms=[algorithm])

    def issuers(self) -> Issuers:
        settings = Settings.model_validate(
            {"url": self.url, "audience": "sceau", "anchors": "anchors.pem"}
        )
        return Issuers([Issuer(settings, self.web.anchors, Fetching(), self.clock)])


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    async with serving(AUTHORITY) as web:
        made = Connect(web, Clock())
        made.publish()
        yield made


@pytest.mark.parametrize("named", [f"8{RPPS}", RPPS, HOLDER])
async def test_a_token_of_the_holder_is_theirs(connect: Connect, named: str) -> None:
    """Named in the national form, by the number, or as we write it."""
    await connect.issuers().vouch(connect.token(preferred_username=named), HOLDER)


@pytest.mark.parametrize(
    ("claims", "slug"),
    [
        ({"exp": 1}, "expired_token"),
        ({"exp": None}, "missing_claim"),
        ({"aud": "another"}, "invalid_claim"),
        ({"aud": None}, "missing_claim"),
        ({"preferred_username": "899900000003"}, "holder-differs"),
        ({"preferred_username": None}, "holder-missing"),
        ({"preferred_username": ["x"]}, "holder-missing"),
        ({"iss": "https://elsewhere.example"}, "issuer-unknown"),
    ],
)
async def test_a_token_of_another_is_refused(
    connect: Connect, claims: dict[str, Any], slug: str
) -> None:
    """Another's, for another, too old: each is refused, and the journal knows why."""
    with pytest.raises(TokenError, match=slug):
        await connect.issuers().vouch(connect.token(**claims), HOLDER)


async def test_a_token_signed_by_another_key_is_refused(connect: Connect) -> None:
    """Also if it claims the issuer's key id, or one the issuer never had."""
    forged = RSAKey.generate_key(2048, {"kid": "k1"})
    issuers = connect.issuers()
    with pytest.raises(TokenError, match="bad_signature"):
        await issuers.vouch(connect.token(forged), HOLDER)
    with pytest.raises(TokenError):
        await issuers.vouch(connect.token(OTHER), HOLDER)


async def test_the_algorithm_is_ours_to_choose(connect: Connect) -> None:
    """No shared secret verifies what a key pair should have signed; nothing unsigned passes (RFC 8725 §3.1)."""
    secret = OctKey.import_key(b"k" * 32, {"kid": "k1"})
    ours = connect.issuers()
    with pytest.raises(TokenError):
        await ours.vouch(connect.token(secret, "HS256"), HOLDER)
    head, body, _ = connect.token().split(".")
    del head
    with pytest.raises(TokenError):
        await ours.vouch(f"eyJhbGciOiJub25lIn0.{body}.", HOLDER)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "W10.W10.W10", "é.é.é", "x" * 20_000])
async def test_what_is_no_token_is_refused(connect: Connect, text: str) -> None:
    """Any text is refused by an error of ours, and nobody is asked for keys."""
    with pytest.raises(TokenError):
        await connect.issuers().vouch(text, HOLDER)
    assert [] == connect.web.asked


async def test_keys_roll_over(connect: Connect) -> None:
    """A new key id is asked for at once, but not more often than once a minute."""
    issuers = connect.issuers()
    await issuers.vouch(connect.token(), HOLDER)
    connect.keys = [ECKey.generate_key("P-256", {"kid": "e1"})]
    connect.publish()
    with pytest.raises(TokenError):
        await issuers.vouch(connect.token(connect.keys[0], "ES256"), HOLDER)
    assert 2 == len(connect.web.asked)

    connect.clock.advance(seconds=61)
    await issuers.vouch(connect.token(connect.keys[0], "ES256"), HOLDER)
    assert 4 == len(connect.web.asked)


async def test_an_issuer_that_is_away_is_not_the_holders_fault(connect: Connect) -> None:
    """Without keys nobody can say; with keys that are known it goes on."""
    issuers, pages = connect.issuers(), dict(connect.web.pages)
    connect.web.pages.clear()
    with pytest.raises(UnreachableError):
        await issuers.vouch(connect.token(), HOLDER)
    connect.web.pages.update(pages)
    connect.clock.advance(seconds=61)
    await issuers.vouch(connect.token(), HOLDER)
    connect.web.pages.clear()
    connect.clock.advance(hours=2)
    await issuers.vouch(connect.token(), HOLDER)


@pytest.mark.parametrize(
    "document",
    [{"issuer": "https://elsewhere.example"}, {"jwks_uri": "http://127.0.0.1/certs"}],
)
async def test_a_document_of_another_issuer_is_not_believed(
    connect: Connect, document: dict[str, str]
) -> None:
    """Nor keys that would come in the clear (RFC 8414 §3.3)."""
    connect.publish(**document)
    with pytest.raises(UnreachableError):
        await connect.issuers().vouch(connect.token(), HOLDER)


async def test_a_mailbox_without_a_holder_has_no_token(connect: Connect) -> None:
    """Nor one whose holder is a word that no token can name by accident."""
    with pytest.raises(TokenError, match="holder-differs"):
        await connect.issuers().vouch(connect.token(), "")
    await connect.issuers().vouch(connect.token(preferred_username="ward-4"), "ward-4")


async def test_a_log_in_by_token(connect: Connect, rest: Rest) -> None:
    """It opens the mailbox that is named beside it, if that is the holder's and not closed."""
    accounts = Accounts(
        rest.database,
        rest.ring,
        Mailboxes(rest.database, rest.vault, rest.ring, connect.clock),
        connect.clock,
    )
    credentials = Credentials(rest.database, rest.ring, connect.clock)
    doctor = await accounts.add(DR, Kind.PER, HOLDER)
    await accounts.add(parse("x@chu.example"), Kind.PER, "rpps:99900000003")
    told: list[str] = []

    def logins(issuers: Issuers | None) -> Logins:
        return Logins(
            accounts,
            credentials,
            connect.clock,
            Limits(),
            lambda _, facts: told.append(str(facts["reason"])),
            issuers,
        )

    issuers = connect.issuers()
    assert DR == await logins(issuers).token(DR, connect.token(), HERE)
    for login in ("x@chu.example", "nobody@chu.example", ""):
        refused = await logins(issuers).token(login, connect.token(), HERE)
        assert reply.BAD_CREDENTIALS == refused
    assert ["token", *["holder-differs"] * 3] == told
    assert reply.BAD_CREDENTIALS == await logins(None).token(DR, connect.token(), HERE)

    connect.web.pages.clear()
    assert ISSUER_UNREACHABLE == await logins(connect.issuers()).token(DR, connect.token(), HERE)
    await accounts.set_status(doctor, Status.SUSPENDED)
    assert reply.BAD_CREDENTIALS == await logins(issuers).token(DR, connect.token(), HERE)


async def test_guessing_tokens_is_throttled(connect: Connect, rest: Rest) -> None:
    """As guessing passwords is."""
    accounts = Accounts(
        rest.database,
        rest.ring,
        Mailboxes(rest.database, rest.vault, rest.ring, connect.clock),
        connect.clock,
    )
    await accounts.add(DR, Kind.PER, HOLDER)
    logins = Logins(
        accounts,
        Credentials(rest.database, rest.ring, connect.clock),
        connect.clock,
        Limits(failed_logins=2),
        lambda *_: None,
        connect.issuers(),
    )
    said: list[Address | reply.Reply] = [
        await logins.token(DR, guess, HERE) for guess in ("a", "b", connect.token())
    ]
    assert [reply.BAD_CREDENTIALS, reply.BAD_CREDENTIALS, reply.LOGIN_THROTTLED] == said
