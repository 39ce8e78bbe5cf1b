"""The four listeners: what each asks and offers."""

import pytest

from smtp.receive.rules import Rules

NAMES = ["submission", "submission_starttls", "submission_certificate", "relay"]


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_anonymous(name: str) -> None:
    """Each listener asks for a log-in or a certificate."""
    rules = Rules.of(name, "gw.example")
    assert rules.mechanisms or rules.certificate


def test_a_listener_for_everybody_cannot_be_built() -> None:
    """An open relay is not a value."""
    with pytest.raises(ValueError, match="anybody"):
        Rules("open", "gw.example", True, (), False, False)


@pytest.mark.parametrize("name", NAMES)
def test_in_clear_only_the_way_out_is_offered(name: str) -> None:
    """No AUTH, no extension that tells of us, before TLS."""
    offered = Rules.of(name, "gw.example").offers(tls=False)
    assert ("PIPELINING", "ENHANCEDSTATUSCODES", "STARTTLS") == offered


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("submission", ["AUTH PLAIN LOGIN"]),
        ("submission_starttls", ["AUTH PLAIN LOGIN"]),
        ("submission_certificate", ["AUTH EXTERNAL"]),
        ("relay", ["XTRANSFER", "XRECALL"]),
    ],
)
def test_what_is_offered_under_tls(name: str, last: list[str]) -> None:
    """The same everywhere, but for how one shows who one is."""
    offered = Rules.of(name, "gw.example", max_size=7, max_recipients=9).offers(tls=True)
    common = [
        "PIPELINING",
        "SIZE 7",
        "8BITMIME",
        "SMTPUTF8",
        "ENHANCEDSTATUSCODES",
        "CHUNKING",
        "DSN",
        "LIMITS RCPTMAX=9",
    ]
    assert [*common, *last] == list(offered)


@pytest.mark.parametrize("name", NAMES)
def test_only_gateways_hear_that_we_fetch(name: str) -> None:
    """A message that stands for a larger one comes from another Sceau, or not at all."""
    rules = Rules.of(name, "gw.example", large=9000)
    assert ("XLARGE 9000" in rules.offers(tls=True)) is (name == "relay")
    assert "XLARGE 9000" not in rules.offers(tls=False)
    assert ("XLARGE" in rules.parameters) is (name == "relay")
    assert "XLARGE" not in Rules.of(name, "gw.example").parameters


@pytest.mark.parametrize("name", NAMES)
def test_parameters_follow_what_was_offered(name: str) -> None:
    """AUTH= where one logs in, XTRANSFER= between gateways."""
    rules = Rules.of(name, "gw.example")
    assert ("AUTH" in rules.parameters) is bool(rules.mechanisms)
    assert ("XTRANSFER" in rules.parameters) is (name == "relay")
