"""Where programs and people ask: only about our domains, and the same for all mailboxes."""

import pytest
from asn1crypto import cms

from tests.gateway.web.setup.conftest import Desk, Settled
from tests.gateway.web.setup.test_documents import found, question

CONFIG = "/mail/config-v1.1.xml"
WELL_KNOWN = "/.well-known/autoconfig/mail/config-v1.1.xml"


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        (f"{CONFIG}?emailaddress=dr%40chu.example", "autoconfig.chu.example", 200),
        (f"{CONFIG}?emailaddress=dr%40clinique.example", "mx.chu.example", 200),
        (WELL_KNOWN, "clinique.example", 200),
        (f"{WELL_KNOWN}?emailaddress=dr@labo.example", "chu.example", 404),
        (f"{CONFIG}?emailaddress=nonsense", "chu.example", 404),
        (CONFIG, "mx.chu.example", 404),
    ],
)
async def test_thunderbird_asks(desk: Desk, path: str, host: str, status: int) -> None:
    """By address, or by the host that it asked."""
    answer = await desk.ask(path, headers={"host": host})

    assert status == answer.status_code
    assert ("xml" in answer.headers["content-type"]) == (status == 200)


@pytest.mark.parametrize("name", ["autodiscover", "Autodiscover", "AutoDiscover"])
async def test_outlook_asks(desk: Desk, name: str) -> None:
    """In each of the spellings that its versions have."""
    answer = await desk.ask(f"/{name}/{name}.xml", "POST", content=question("dr@chu.example"))

    assert ["IMAP", "SMTP"] == found(answer.content, "Type")
    assert answer.headers["content-type"].startswith("text/xml")


async def test_outlook_posts_too_much(desk: Desk) -> None:
    """A question is small."""
    path = "/autodiscover/autodiscover.xml"
    answer = await desk.ask(path, "POST", content=b"<a>" * 100_000)

    assert (413, []) == (answer.status_code, desk.failed)
    assert 405 == (await desk.ask(path)).status_code


@pytest.mark.parametrize(
    "path", ["/autodiscover/autodiscover.json", "/autodiscover/autodiscover.json/v1.0/dr@x.example"]
)
async def test_newer_outlook_asks_where(desk: Desk, path: str) -> None:
    """It is sent to the older question; of other protocols it hears that there are none."""
    told = (await desk.ask(f"{path}?Protocol=AutodiscoverV1")).json()
    other = await desk.ask(f"{path}?Protocol=ActiveSync")

    assert "https://mx.chu.example/autodiscover/autodiscover.xml" == told["Url"]
    assert (404, "ProtocolNotSupported") == (other.status_code, other.json()["ErrorCode"])


async def test_a_phone_takes_its_profile(desk: Desk) -> None:
    """Signed, with the address in it, and kept nowhere."""
    answer = await desk.ask("/setup/sceau.mobileconfig?address=dr@chu.example")
    inner = cms.ContentInfo.load(answer.content)["content"]["encap_content_info"]["content"].native

    assert b"<string>dr@chu.example</string>" in inner
    assert b"com.apple.security.root" in inner
    assert "application/x-apple-aspen-config" == answer.headers["content-type"]
    assert "no-store" == answer.headers["cache-control"]


@pytest.mark.parametrize("address", ["dr@labo.example", "nonsense", ""])
async def test_a_profile_is_for_our_domains(desk: Desk, address: str) -> None:
    """Nothing is signed for others."""
    answer = await desk.ask("/setup/sceau.mobileconfig", params={"address": address})

    assert 404 == answer.status_code


async def test_the_page_in_two_languages(desk: Desk) -> None:
    """It says what to type, and does not say whether the mailbox exists."""
    french = await desk.ask("/setup?address=dr@chu.example")
    english = await desk.ask("/setup?address=nn@chu.example&lang=en")

    assert ("fr", "en") == tuple(each.headers["content-language"] for each in (french, english))
    assert (
        "mot de passe d&#39;application" in french.text
        or "mot de passe d'application" in french.text
    )
    assert "/setup?address=dr%40chu.example&amp;lang=en" in french.text
    for word in ("mx.chu.example", "993", "STARTTLS", "/setup/sceau.mobileconfig?address=nn%40"):
        assert word in english.text


async def test_the_page_for_an_address_that_is_not_ours(desk: Desk) -> None:
    """It says so, repeats it harmlessly, and gives no settings."""
    answer = await desk.ask("/setup", params={"address": '"><script>@labo.example', "lang": "en"})

    assert "not of a domain of this gateway" in answer.text
    assert "<script>" not in answer.text
    assert ">993<" not in answer.text


async def test_the_authority_for_devices(desk: Desk, settled: Settled) -> None:
    """It is offered where the settings name one, with its fingerprint; else there is none."""
    page, file = await desk.ask("/setup"), await desk.ask("/setup/anchors.pem")
    without = Desk(settled())

    assert file.content.startswith(b"-----BEGIN CERTIFICATE")
    assert "/setup/anchors.pem" in page.text
    assert 404 == (await without.ask("/setup/anchors.pem")).status_code
    assert "anchors.pem" not in (await without.ask("/setup")).text


async def test_a_gateway_that_nobody_reads_at(settled: Settled) -> None:
    """Without listeners for mail programs there is nothing to set up."""
    bare = settled().model_dump(mode="json")
    bare["listen"] = {}
    desk = Desk(type(settled()).model_validate(bare))
    phone = await desk.ask("/setup/sceau.mobileconfig?address=dr@chu.example")
    newer = await desk.ask("/autodiscover/autodiscover.json?Protocol=AutodiscoverV1")
    config = await desk.ask(f"{CONFIG}?emailaddress=dr@chu.example")

    assert [404, 404, 404] == [phone.status_code, newer.status_code, config.status_code]
