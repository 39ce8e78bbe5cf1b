"""A shell that answers a session at once, and keeps what happened."""

from imap.events import (
    AppendEnded,
    Asked,
    Event,
    IdleEnded,
    LoginAsked,
    MessageAsked,
    MessageBlock,
    TlsAsked,
)
from imap.grammar.writer import Answer
from imap.rules import Rules
from imap.session import Session
from imap.state import Turn
from smtp import reply
from smtp.envelope import Peer
from smtp.receive.login import CertificateClaim, Claim, PasswordClaim, TokenClaim
from tests.imap.stage import HOST, USER

RULES = Rules.of("imap", HOST, max_size=1000, tokens=True)
TLS = Peer("192.0.2.1", tls="TLSv1.3", listener="imap")
CLEAR = Peer("192.0.2.1", listener="imap_starttls")
LOGIN = b"a LOGIN dr@chu-nord.example right\r\n"
DONE = Answer("OK", "Done")


class Shell:
    """Answers at once, and keeps what happened."""

    def __init__(self, *, inside: bool = True, rules: Rules = RULES, peer: Peer = TLS) -> None:
        self.session = Session(rules, peer)
        self.heard: list[Event | bytes] = []
        if inside:
            self.receive(LOGIN)
            self.session.outgoing()
            self.heard.clear()

    def receive(self, block: bytes) -> None:
        self.session.receive(block)
        while (event := self.session.next_event()) is not None:
            self.react(event)

    def react(self, event: Event) -> None:
        session = self.session
        if isinstance(event, MessageBlock):
            if self.heard and isinstance(self.heard[-1], bytes):
                self.heard[-1] += event.block
            else:
                self.heard.append(event.block)
            return
        self.heard.append(event)
        match event:
            case Asked(command):
                if command.name in {"SELECT", "CLOSE"}:
                    session.turn(Turn.OPENED if command.name == "SELECT" else Turn.SHUT)
                session.done(DONE)
            case LoginAsked(claim):
                self.judge(claim)
            case MessageAsked(announced):
                if announced.size > RULES.max_size:
                    session.done(Answer("NO", "Too big", "TOOBIG"))
                else:
                    session.go_on()
            case AppendEnded() | IdleEnded():
                session.done(DONE)
            case TlsAsked():
                session.secured(TLS)
            case _:
                pass

    def judge(self, claim: Claim) -> None:
        match claim:
            case PasswordClaim(login, "right") if login == USER:
                self.session.logged_in(USER)
            case CertificateClaim() | TokenClaim(token="right"):
                self.session.logged_in(USER)
            case PasswordClaim(_, "later"):
                self.session.refused(reply.LOGIN_THROTTLED)
            case _:
                self.session.refused(reply.BAD_CREDENTIALS)
