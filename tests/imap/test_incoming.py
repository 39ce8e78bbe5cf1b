"""An APPEND from announcement to answer: what streams past, what is read past, what is given up."""

import pytest

from imap.events import AppendEnded, AppendFailed, Closed, MessageAsked, MessageEnded
from imap.grammar.writer import Answer
from tests.imap.shell import Shell


def said(shell: Shell, octets: bytes) -> str:
    """Say something; return what is answered."""
    shell.receive(octets)
    return shell.session.outgoing().decode()


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


def test_a_refused_one_that_waits_is_answered_at_once() -> None:
    """Its client never sends it."""
    shell = Shell()
    assert "a NO [TOOBIG] Too big\r\n" == said(shell, b"a APPEND INBOX {2000}\r\n")
    assert "b OK Done\r\n" == said(shell, b"b NOOP\r\n")


@pytest.mark.parametrize("size", [1, 7, 5000])
def test_a_refused_one_that_does_not_wait_is_read_past(size: int) -> None:
    """With all that follow it; then the answer, and the next command."""
    shell = Shell()
    octets = b"a APPEND INBOX {1001+}\r\n" + b"x" * 1001 + b" {3+}\r\nabc\r\nb NOOP\r\n"
    told = "".join(said(shell, octets[at : at + size]) for at in range(0, len(octets), size))
    assert "a NO [TOOBIG] Too big\r\nb OK Done\r\n" == told


def test_several_messages_are_one_append() -> None:
    """Each is asked about; the end of the line ends it (RFC 3502)."""
    shell = Shell()
    said(shell, b"a APPEND INBOX {1+}\r\na {1+}\r\nb\r\n")
    kinds = [type(each) for each in shell.heard if not isinstance(each, bytes)]
    assert [MessageAsked, MessageEnded, MessageAsked, MessageEnded, AppendEnded] == kinds


def test_a_second_one_that_is_refused_ends_all_of_it() -> None:
    """Nothing is kept of the first either; that is the shell's affair."""
    shell = Shell()
    assert "a NO [TOOBIG] Too big\r\n" == said(
        shell, b"a APPEND INBOX {1+}\r\na {2000}\r\n"
    ).removeprefix("+ Go on\r\n")


def test_what_follows_a_message_may_come_later() -> None:
    """It is waited for; the folder's name may be a literal too."""
    shell = Shell()
    assert "+ Go on\r\n" == said(shell, b"a APPEND {5+}\r\nINBOX {1}\r\n")
    assert not said(shell, b"a")
    assert not said(shell, b"\r")
    assert "a OK Done\r\n" == said(shell, b"\n")


def test_an_empty_message_has_come_whole() -> None:
    """There is nothing to wait for."""
    shell = Shell()
    said(shell, b"a APPEND INBOX {0+}\r\n\r\n")
    assert isinstance(shell.heard[-1], AppendEnded)


def test_utf8_needs_its_parenthesis() -> None:
    """RFC 6855: ``UTF8 (~{n}`` ends with one."""
    shell = Shell()
    assert "a OK Done\r\n" == said(shell, b"a APPEND INBOX UTF8 (~{3+}\r\nabc)\r\n")
    assert "b BAD" == said(shell, b"b APPEND INBOX UTF8 (~{3+}\r\nabc\r\n")[:5]


@pytest.mark.parametrize(("waits", "ends"), [(b"", False), (b"+", True)])
def test_what_cannot_follow_a_message_gives_it_up(waits: bytes, *, ends: bool) -> None:
    """Where more comes unasked, nothing can be understood any more."""
    shell = Shell()
    told = said(shell, b"a APPEND INBOX {1+}\r\na garbage {1" + waits + b"}\r\n")
    assert told.startswith("a BAD Expected another message, or the end\r\n")
    assert AppendFailed() in shell.heard
    assert ends is (Closed() in shell.heard)


def test_too_many_messages_at_once_are_given_up() -> None:
    """A thousand are a lot."""
    shell = Shell()
    told = said(shell, b"a APPEND INBOX {0+}\r\n" + b" {0+}\r\n" * 1000)
    assert told.startswith("a BAD")
    assert AppendFailed() in shell.heard


def test_an_answer_in_the_middle_of_a_message_is_taken() -> None:
    """The shell may give up before the end, and says so once."""
    shell = Shell()
    shell.receive(b"a APPEND INBOX {9}\r\nabc")
    shell.session.outgoing()
    shell.session.done(Answer("NO", "Full"))
    assert b"a NO Full\r\n" == shell.session.outgoing()
