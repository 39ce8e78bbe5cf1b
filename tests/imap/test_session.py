"""The state machine alone: any bytes, any split, and what it asks of its shell."""

from hypothesis import given
from hypothesis import strategies as st

from imap.events import (
    AppendEnded,
    AppendFailed,
    Asked,
    Closed,
    Event,
    IdleEnded,
    LoginAsked,
    MessageAsked,
    MessageBlock,
    MessageEnded,
    TlsAsked,
)
from imap.grammar.writer import Answer
from imap.rules import Rules
from imap.session import Session
from imap.state import TRANSITIONS, State, Turn
from smtp import reply
from smtp.envelope import Peer
from smtp.receive.login import PasswordClaim
from tests.imap.stage import HOST, USER

RULES = Rules.of("imap", HOST, max_size=1000, tokens=True)
TLS = Peer("192.0.2.1", tls="TLSv1.3", listener="imap")
LOGIN = b"a LOGIN dr@chu-nord.example right\r\n"
DONE = Answer("OK", "Done")


class Shell:
    """Answers at once, and keeps what happened."""

    def __init__(self, *, inside: bool = True) -> None:
        self.session = Session(RULES, TLS)
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
            case LoginAsked(PasswordClaim(login, "right")) if login == USER:
                session.logged_in(USER)
            case LoginAsked():
                session.refused(reply.BAD_CREDENTIALS)
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


COMMANDS = st.sampled_from(
    [
        b"a NOOP\r\n",
        b"a SELECT INBOX\r\n",
        b"a FETCH 1 FLAGS\r\n",
        b"a CLOSE\r\n",
        b"a IDLE\r\n",
        b"DONE\r\n",
        b"a LOGOUT\r\n",
        b"a AUTHENTICATE PLAIN\r\n",
        b"a AUTHENTICATE XOAUTH2 dXNlcj14AWF1dGg9QmVhcmVyIHgBAQ==\r\n",
        b"a APPEND INBOX {5}\r\n",
        b"a APPEND INBOX (\\Seen) {5+}\r\n",
        b"a APPEND INBOX ~{5}\r\n",
        b"a APPEND {5+}\r\nINBOX {3}\r\nabc\r\n",
        b"a APPEND INBOX {2000+}\r\n",
        b"a APPEND INBOX UTF8 (~{5+}\r\n",
        b"hello)\r\n",
        b"hello\r\n",
        b"hello {5+}\r\n",
        b" (\\Seen) {2+}\r\nab\r\n",
        b"x" * 3000 + b"\r\n",
        b"a LOGIN {3}\r\n",
        b"a CREATE {999999999}\r\n",
        b"a CREATE {999999999+}\r\n",
        b"a XYZZY {3}\r\nabc\r\n",
        b"\r\n",
        b"\n",
        LOGIN,
    ]
)


@given(
    pieces=st.lists(COMMANDS | st.binary(max_size=12), max_size=12),
    cuts=st.lists(st.integers(1, 40), max_size=60),
    inside=st.booleans(),
)
def test_any_octets_cut_anyhow_mean_the_same(
    pieces: list[bytes], cuts: list[int], *, inside: bool
) -> None:
    """Never an exception, and the same answers however the blocks were cut."""
    octets = b"".join(pieces)
    whole, cut = Shell(inside=inside), Shell(inside=inside)
    whole.receive(octets)
    at = 0
    for size in [*cuts, len(octets)]:
        cut.receive(octets[at : at + size])
        at += size
    assert whole.heard == cut.heard
    assert whole.session.outgoing() == cut.session.outgoing()


def test_every_state_reaches_log_out_and_stays_there() -> None:
    """The table has a way out of each state, and none back."""
    for state in State:
        leads = {to for (at, _), to in TRANSITIONS.items() if at is state}
        assert (state is State.LOGOUT) == (not leads)
        assert state is State.LOGOUT or State.LOGOUT in leads


def test_a_message_streams_past_and_is_never_gathered() -> None:
    """Announcement, octets, end: the session keeps none of it."""
    shell = Shell()
    shell.receive(b"a APPEND INBOX {9}\r\n")
    assert b"+ Go on\r\n" == shell.session.outgoing()
    shell.receive(b"abcdefghi\r\n")
    assert [MessageAsked, bytes, MessageEnded, AppendEnded] == [type(e) for e in shell.heard]
    assert 0 == shell.session.buffered


def test_a_client_that_goes_in_the_middle_gives_its_append_up() -> None:
    """Nothing of it is kept."""
    shell = Shell()
    shell.receive(b"a APPEND INBOX {9+}\r\nabc")
    shell.session.close()
    while (event := shell.session.next_event()) is not None:
        shell.react(event)
    assert [AppendFailed(), Closed()] == shell.heard[-2:]


def test_what_is_refused_is_read_past_only_so_far() -> None:
    """A client that does not wait for our word cannot make us read for ever."""
    shell = Shell()
    shell.receive(b"a APPEND INBOX {100000000+}\r\n")
    for _ in range(5):
        shell.receive(b"x" * 1000)
    assert Closed() == shell.heard[-1]
    assert b"BYE" in shell.session.outgoing()


def test_goodbye_waits_for_an_append() -> None:
    """Who is in the middle of a message may finish it."""
    shell = Shell()
    shell.receive(b"a APPEND INBOX {3+}\r\nab")
    shell.session.retire(reply.STOPPING)
    shell.receive(b"")
    assert "authenticated" == shell.session.state.value
    shell.receive(b"c\r\n")
    assert "logout" == shell.session.state.value
    said = shell.session.outgoing()
    assert said.index(b"a OK Done") < said.index(b"* BYE")


def test_a_session_shows_where_it_stands() -> None:
    """For an operator, and never who or what."""
    assert "<Session imap 192.0.2.1 authenticated>" == repr(Shell().session)
