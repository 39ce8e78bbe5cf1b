"""What each listener promises, before TLS, before the log-in and within."""

import pytest

from imap.rules import LISTENERS, Rules
from tests.imap.stage import HOST


@pytest.mark.parametrize("listener", LISTENERS)
def test_in_clear_there_is_only_the_way_out_of_it(listener: str) -> None:
    """No mechanism is offered that would show a password."""
    told = Rules.of(listener, HOST, tokens=True).capabilities(tls=False, within=False).split()
    assert {"STARTTLS", "LOGINDISABLED"} <= set(told)
    assert not [each for each in told if each.startswith("AUTH=")]


@pytest.mark.parametrize(
    ("listener", "tokens", "ways"),
    [
        ("imap", False, ["AUTH=PLAIN", "AUTH=LOGIN"]),
        ("imap_starttls", True, ["AUTH=PLAIN", "AUTH=LOGIN", "AUTH=OAUTHBEARER", "AUTH=XOAUTH2"]),
        ("imap_certificate", True, ["AUTH=EXTERNAL", "LOGINDISABLED"]),
    ],
)
def test_under_tls_the_ways_in_are_told(listener: str, ways: list[str], *, tokens: bool) -> None:
    """Tokens where an issuer is named; where certificates log in, nothing else does."""
    rules = Rules.of(listener, HOST, tokens=tokens)
    told = rules.capabilities(tls=True, within=False)
    assert ways == [each for each in told.split() if each.startswith("AUTH=") or each in ways]
    assert told is rules.capabilities(tls=True, within=False)


def test_within_everything_is_told() -> None:
    """With how much a message may have."""
    told = Rules.of("imap", HOST, max_size=77).capabilities(tls=True, within=True).split()
    assert {"IDLE", "QRESYNC", "ACL", "APPENDLIMIT=77", "LITERAL+"} <= set(told)
    assert "LITERAL-" not in told
