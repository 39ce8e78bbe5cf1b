"""Logging in by a browser at an issuer that stands beside the tests, over real TLS."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc.jwk import ECKey

from gateway.accounts.codeflow import CodeFlow, Errand
from gateway.accounts.issuers import Issuer, TokenError, UnreachableError
from gateway.demo.connect import Connect
from gateway.demo.pki import Authority
from gateway.settings.large_reader import Reader
from gateway.web.fetching import Fetching
from tests.world.clock import START, Clock
from trust.fetching import Fetched

AUTHORITY = Authority.make(START - timedelta(days=1))
BACK = "https://mx.chu.example/document/back"
DURAND = "810001234565"
PEOPLE = {"Dr Durand": {"SubjectNameID": DURAND}}


@dataclass
class House:
    """The issuer, and what we know of it."""

    connect: Connect
    flow: CodeFlow

    async def came_back(self, errand: Errand, who: str = "Dr Durand") -> dict[str, str]:
        """Go to the issuer, click, and return what comes back."""
        place = urlsplit(await self.flow.address(errand, BACK))
        target = f"{place.path}?{place.query}"
        said = self.connect.answer("POST", target, {}, f"who={who}")
        assert said.place.startswith(BACK)
        return dict(parse_qsl(urlsplit(said.place).query))

    async def named(self, **other: Any) -> str:
        errand = Errand.to("x", START)
        answered = await self.came_back(errand) | other
        return await self.flow.holder(errand, answered, BACK)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = Clock()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = AUTHORITY.issue("connect", hosts=("127.0.0.1",))
    context.load_cert_chain(*issued.write(tmp_path, "connect"))
    connect = Connect("sceau", "s3cret:é", PEOPLE, clock=lambda: clock().timestamp())
    with connect.serving(context):
        settings = Reader.model_validate(
            {
                "url": connect.url,
                "audience": "sceau",
                "anchors": "anchors.pem",
                "origin": "https://mx.chu.example",
            }
        )
        issuer = Issuer(settings, AUTHORITY.anchors_pem, Fetching(), clock)
        yield House(connect, CodeFlow(issuer, settings, Fetching(), "s3cret:é"))


@pytest.mark.parametrize("beside", [True, False])
async def test_who_logs_in_is_named(house: House, beside: bool) -> None:  # noqa: FBT001
    """Whether the ID token says who it is, or the userinfo."""
    house.connect.beside = beside
    assert DURAND == await house.named()


async def test_the_issuer_is_asked_as_it_must_be(house: House) -> None:
    """A code, for us, by PKCE, as strongly as the settings want (OIDC Core §3.1.2.1, RFC 7636)."""
    errand = Errand.to("x", START)
    asked = dict(parse_qsl(urlsplit(await house.flow.address(errand, BACK)).query))
    assert {
        "response_type": "code",
        "client_id": "sceau",
        "redirect_uri": BACK,
        "scope": "openid scope_all",
        "state": errand.state,
        "nonce": errand.nonce,
        "code_challenge": errand.challenge,
        "code_challenge_method": "S256",
        "acr_values": "eidas1",
    } == asked
    assert errand.verifier not in str(asked)


@pytest.mark.parametrize(
    ("claims", "slug"),
    [
        ({"nonce": "another"}, "nonce-differs"),
        ({"nonce": None}, "nonce-differs"),
        ({"aud": "another"}, "invalid_claim"),
        ({"aud": ["sceau", "another"], "azp": "another"}, "invalid_claim"),
        ({"iss": "https://elsewhere.example"}, "invalid_claim"),
        ({"exp": 1}, "expired_token"),
        ({"acr": "eidas0"}, "log-in-too-weak"),
        ({"acr": None}, "log-in-too-weak"),
        ({"sub": "f:another"}, "subject-differs"),
        ({"sub": None}, "subject-differs"),
        ({"SubjectNameID": ""}, "holder-missing"),
        ({"SubjectNameID": ["x"]}, "holder-missing"),
    ],
)
async def test_a_token_that_is_not_the_answer_names_nobody(
    house: House, claims: dict[str, Any], slug: str
) -> None:
    """Another's, another log-in's, too old, too weak: each is refused, and the journal knows why."""
    house.connect.changes = claims
    with pytest.raises(TokenError, match=slug):
        await house.named()


async def test_a_token_signed_by_another_key_names_nobody(house: House) -> None:
    """What comes over TLS is judged all the same."""
    await house.named()
    house.connect._key = ECKey.generate_key("P-256", {"kid": "k1"})
    with pytest.raises(TokenError, match="bad_signature"):
        await house.named()


@pytest.mark.parametrize(
    ("answered", "slug"),
    [
        ({"state": "another"}, "state-differs"),
        ({"state": "é"}, "state-differs"),
        ({"iss": "https://elsewhere.example"}, "issuer-unknown"),
        ({"code": ""}, "log-in-cancelled"),
        ({"code": "x" * 3000}, "log-in-cancelled"),
        ({"code": "never-sold"}, "code-refused"),
    ],
)
async def test_what_a_browser_brings_is_not_believed(
    house: House, answered: dict[str, str], slug: str
) -> None:
    """A state of another browser, another issuer's answer, a code that was never given."""
    with pytest.raises(TokenError, match=slug):
        await house.named(**answered)


async def test_a_code_is_of_use_to_nobody_else(house: House) -> None:
    """Stolen on its way it lacks the verifier; used once it is spent (RFC 7636 §1)."""
    errand, other = Errand.to("x", START), Errand.to("x", START)
    answered = await house.came_back(errand)
    stolen = replace(other, state=errand.state, nonce=errand.nonce)
    with pytest.raises(TokenError, match="code-refused"):
        await house.flow.holder(stolen, answered, BACK)
    with pytest.raises(TokenError, match="code-refused"):
        await house.flow.holder(errand, answered, BACK)


async def test_who_turns_back_is_nobody(house: House) -> None:
    """The issuer says that somebody did not log in."""
    errand = Errand.to("x", START)
    answered = await house.came_back(errand, "nobody")
    with pytest.raises(TokenError, match="log-in-cancelled"):
        await house.flow.holder(errand, answered, BACK)


@pytest.mark.parametrize(
    "octets", [b"", b"[]", b"{}", b'{"id_token": 1}', b'{"id_token": "a.b.c"}', b"\xff"]
)
async def test_an_answer_that_is_none_is_an_error_of_ours(house: House, octets: bytes) -> None:
    """No JSON, no object, no token: whatever it sends, nobody is let in and nothing breaks."""
    await house.named()  # its keys are known
    errand = Errand.to("x", START)
    with pytest.raises(TokenError):
        await replace(house.flow, fetch=_Says(octets)).holder(
            errand, {"state": errand.state, "code": "c"}, BACK
        )


class _Says:
    """A fetcher that always gets the same."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    async def post(self, *_: Any, **__: Any) -> Any:
        return Fetched(self._octets)

    get = post


async def test_an_issuer_that_is_away_is_nobodys_fault() -> None:
    """Then it is said that it cannot be done now."""
    settings = Reader.model_validate(
        {
            "url": "https://127.0.0.1:9/x",
            "audience": "sceau",
            "anchors": "anchors.pem",
            "origin": "https://mx.chu.example",
        }
    )
    issuer = Issuer(settings, AUTHORITY.anchors_pem, Fetching(), Clock())
    with pytest.raises(UnreachableError):
        await CodeFlow(issuer, settings, Fetching()).address(Errand.to("x", START), BACK)
