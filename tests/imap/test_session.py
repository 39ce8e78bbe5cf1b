"""The state machine alone: any bytes, any split, and what it asks of its shell."""

from hypothesis import given
from hypothesis import strategies as st

from imap.events import Asked, Closed, IdleBegun, IdleEnded, TlsAsked
from imap.grammar.command import Command
from imap.rules import Rules
from imap.state import TRANSITIONS, State
from smtp import reply
from tests.imap.shell import CLEAR, DONE, LOGIN, RULES, TLS, Shell
from tests.imap.stage import HOST, USER

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


def said(shell: Shell, octets: bytes) -> str:
    """Say something; return what is answered."""
    shell.receive(octets)
    return shell.session.outgoing().decode()


def test_a_session_says_hello_with_what_it_can_do() -> None:
    """In clear: only the way out of it."""
    shell = Shell(inside=False, rules=Rules.of("imap_starttls", HOST), peer=CLEAR)
    shell.session.greet()
    hello = shell.session.outgoing().decode()
    assert hello.startswith("* OK [CAPABILITY IMAP4rev1")
    assert "STARTTLS LOGINDISABLED] gw.chu-nord.example Sceau ready" in hello
    assert 0 == shell.session.unsent


def test_what_needs_nobody_is_answered_at_once() -> None:
    """CAPABILITY, ID, NOOP before the log-in, LOGOUT."""
    shell = Shell(inside=False)
    assert "a OK Nothing done\r\n" == said(shell, b"a NOOP\r\n")
    assert said(shell, b"a CAPABILITY\r\n").startswith("* CAPABILITY IMAP4rev1")
    assert said(shell, b"a ID NIL\r\n").startswith('* ID ("name" "Sceau"')
    assert "* BYE Goodbye\r\na OK Logged out\r\n" == said(shell, b"a LOGOUT\r\n")
    assert [Closed()] == shell.heard
    assert not said(shell, b"a NOOP\r\n")


def test_nothing_is_read_while_a_command_is_in_hand() -> None:
    """What is pipelined waits; an answer after the end is nobody's."""
    shell = Shell()
    session = shell.session
    session.receive(b"a NOOP\r\nb CHECK\r\n")
    assert Asked(Command("a", "NOOP")) == session.next_event()
    assert session.waiting
    assert session.next_event() is None
    session.close()
    session.done(DONE)
    session.logged_in(USER)
    assert Closed() == session.next_event()
    assert b"" == session.outgoing()
    session.close(reply.STOPPING)
    assert b"" == session.outgoing()


def test_a_second_log_in_that_was_judged_too_late_changes_nothing() -> None:
    """The connection is its first person's."""
    shell = Shell()
    shell.session.logged_in(USER)
    assert b"" == shell.session.outgoing()


def test_tls_begins_once_and_forgets_what_was_said_before() -> None:
    """Bytes in clear behind STARTTLS end the connection, whenever they come (CVE-2011-0411)."""
    rules = Rules.of("imap_starttls", HOST)
    shell = Shell(inside=False, rules=rules, peer=CLEAR)
    assert "a OK Begin TLS\r\n" == said(shell, b"a STARTTLS\r\n")
    assert [TlsAsked()] == shell.heard
    assert "b BAD TLS has been started already\r\n" == said(shell, b"b STARTTLS\r\n")

    pipelined = Shell(inside=False, rules=rules, peer=CLEAR)
    assert said(pipelined, b"a STARTTLS\r\nb NOOP\r\n").startswith("* BYE Bytes came after")
    late = Shell(inside=False, rules=rules, peer=CLEAR).session
    late.receive(b"a STARTTLS\r\n")
    late.next_event()
    late.receive(b"b NOOP\r\n")
    assert b"* BYE Bytes came after" in late.outgoing()


def test_idle_ends_with_done_or_is_broken_off() -> None:
    """Anything else is a fault, and answered as one."""
    shell = Shell()
    assert "+ Idling\r\n" == said(shell, b"a IDLE\r\n")
    assert not said(shell, b"DO")
    said(shell, b"NE\r\nb IDLE\r\nNOOP\r\n")
    names = [each.command.name for each in shell.heard if isinstance(each, IdleEnded)]
    assert ["IDLE", "IDLE, broken off"] == names
    assert IdleBegun() in shell.heard


def test_what_is_wrong_is_said_under_its_tag() -> None:
    """A bare LF, a charset nobody reads, a command of another state, one that there is not."""
    shell = Shell()
    assert "a BAD A line ends with CRLF\r\n" == said(shell, b"a NOOP\n")
    assert "a BAD There is no such command\r\n" == said(shell, b"a XYZZY\r\n")
    assert "a BAD Not when authenticated\r\n" == said(shell, b"a FETCH 1 FLAGS\r\n")
    said(shell, b"a SELECT INBOX\r\n")
    assert said(shell, b"a SEARCH CHARSET X-Y ALL\r\n").startswith("a NO [BADCHARSET (US-ASCII")
    assert "* BAD Expected a tag\r\n" == said(shell, b"\r\n")


def test_a_line_or_a_command_without_end_is_bounded() -> None:
    """It is read past, and answered; one that does not wait for our word ends the connection."""
    shell = Shell(inside=False)
    assert "a BAD The line is too long\r\n" == said(shell, b"a " + b"x" * 20_000 + b"\r\n")
    assert said(shell, b"a LOGIN {17000}\r\n").startswith("a BAD The command is too long")
    assert said(shell, b"a LOGIN {17000+}\r\n").endswith("* BYE " + reply.TOO_MUCH.text + "\r\n")

    inside = Shell()
    assert "+ Go on\r\n" == said(inside, b"a CREATE {1}\r\n")
    assert said(inside, b"x" + b" {0+}\r\n" * 600).startswith("a BAD")
    broken = Shell()
    assert said(broken, b"a ( {3}\r\n").startswith("a BAD")
    assert said(broken, b"a LIST {0}\r\n") == "+ Go on\r\n"


def test_too_many_faults_end_it() -> None:
    """The twentieth wrong command in a row; a right one forgives them."""
    shell = Shell()
    said(shell, b"a X\r\n" * 19 + b"a CAPABILITY\r\n")
    assert not said(shell, b"a X\r\n" * 19).endswith("goodbye\r\n")
    assert said(shell, b"a X\r\n").endswith("* BYE Too many errors; goodbye\r\n")


def test_who_must_go_goes_when_nothing_is_in_hand() -> None:
    """At once, if nothing is."""
    shell = Shell()
    shell.session.retire(reply.STOPPING)
    shell.receive(b"")
    assert [Closed()] == shell.heard
    assert RULES is shell.session.rules
    assert TLS.ip == shell.session.peer.ip
