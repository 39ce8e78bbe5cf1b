"""Logging in, word by word: who does so in clear, by which way, and what a wrong one is told."""

import base64

import pytest

from imap.events import Closed, LoginAsked
from imap.rules import Rules
from smtp.envelope import Peer
from smtp.receive.login import CertificateClaim, PasswordClaim, TokenClaim
from tests.imap.shell import CLEAR, LOGIN, Shell
from tests.imap.stage import HOST, USER

CERTIFIED = Peer("192.0.2.1", tls="TLSv1.3", certificate=b"der", listener="imap_certificate")
PLAIN = base64.b64encode(f"\0{USER}\0right".encode())
FOREIGN = base64.b64encode(f"chef@x.example\0{USER}\0right".encode())
TOKEN = base64.b64encode(f"user={USER}\x01auth=Bearer wrong\x01\x01".encode())


def said(shell: Shell, octets: bytes) -> str:
    """Say something; return what is answered."""
    shell.receive(octets)
    return shell.session.outgoing().decode()


@pytest.mark.parametrize("line", [LOGIN, b"a AUTHENTICATE PLAIN\r\n"])
def test_nobody_logs_in_in_clear(line: bytes) -> None:
    """The password is not looked at, and its owner is told to change it."""
    shell = Shell(inside=False, rules=Rules.of("imap_starttls", HOST), peer=CLEAR)
    assert said(shell, line).startswith("a NO [PRIVACYREQUIRED] Start TLS first")
    assert [] == shell.heard


def test_each_listener_has_its_ways() -> None:
    """Where a certificate logs in a password does not, and there is no way that was not offered."""
    shell = Shell(inside=False, rules=Rules.of("imap_certificate", HOST), peer=CERTIFIED)
    assert said(shell, LOGIN).startswith("a NO [AUTHENTICATIONFAILED] Here a certificate")
    assert said(shell, b"a AUTHENTICATE PLAIN\r\n").startswith("a NO [CANNOT]")
    assert said(shell, b"a AUTHENTICATE EXTERNAL =\r\n").startswith("a OK")
    assert [LoginAsked(CertificateClaim(""))] == shell.heard


def test_a_right_password_is_in_at_once() -> None:
    """By LOGIN, by PLAIN with its first response, or with a challenge before."""
    for octets in (
        LOGIN,
        b"a AUTHENTICATE PLAIN " + PLAIN + b"\r\n",
        b"a AUTHENTICATE PLAIN\r\n" + PLAIN + b"\r\n",
    ):
        shell = Shell(inside=False)
        assert "a OK [CAPABILITY" in said(shell, octets)
        assert [LoginAsked(PasswordClaim(USER, "right"))] == shell.heard


def test_a_response_is_waited_for() -> None:
    """However it is cut."""
    shell = Shell(inside=False)
    assert "+ \r\n" == said(shell, b"a AUTHENTICATE PLAIN\r\n")
    assert not said(shell, PLAIN)
    assert "a OK" == said(shell, b"\r\n")[:4]


def test_a_wrong_password_counts_seven_faults() -> None:
    """The third ends the connection."""
    shell = Shell(inside=False)
    wrong = LOGIN.replace(b"right", b"wrong")
    assert said(shell, wrong).startswith("a NO [AUTHENTICATIONFAILED]")
    assert said(shell, wrong * 2).endswith("* BYE Too many errors; goodbye\r\n")
    assert Closed() in shell.heard


def test_a_log_in_that_is_not_looked_at_now_may_be_tried_again() -> None:
    """The client is told that it is no fault of the password (RFC 5530)."""
    said_later = said(Shell(inside=False), LOGIN.replace(b"right", b"later"))
    assert said_later.startswith("a NO [UNAVAILABLE]")


def test_a_wrong_token_is_explained_before_it_is_answered() -> None:
    """The client says an empty line in between (RFC 7628 §3.2.2)."""
    shell = Shell(inside=False)
    told = said(shell, b"a AUTHENTICATE XOAUTH2 " + TOKEN + b"\r\n")
    assert {"status", "scope"} <= set(str(base64.b64decode(told[2:])).replace('"', " ").split())
    assert not said(shell, b"")
    assert said(shell, b"\r\n").startswith("a NO [AUTHENTICATIONFAILED]")
    assert [LoginAsked(TokenClaim(USER, "wrong"))] == shell.heard


@pytest.mark.parametrize(
    ("response", "answer"),
    [(b"*", "a BAD"), (FOREIGN, "a NO"), (b"AAAA", "a BAD"), (b"!", "a BAD")],
)
def test_what_is_no_response_ends_the_dialogue(response: bytes, answer: str) -> None:
    """Called off, malformed, or of nobody."""
    shell = Shell(inside=False)
    said(shell, b"a AUTHENTICATE PLAIN\r\n")
    assert said(shell, response + b"\r\n").startswith(answer)
    assert [] == shell.heard
